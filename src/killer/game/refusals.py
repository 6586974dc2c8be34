"""Why a command is refused: a code for the catalogues, and what the sentence needs to know."""

from __future__ import annotations


class Refusal(Exception):
    """The rules say no; nothing has changed. `code` names the sentence `refusal.<code>`."""

    def __init__(self, code: str, **params: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.params = params

    def __str__(self) -> str:
        """Say code and parameters, for logs and developers."""
        return f"{self.code} {self.params}" if self.params else self.code


class Unknown(Refusal):
    """Whoever or whatever the command speaks of isn't there."""


class NotNow(Refusal):
    """The game, or the player, is not in a state for it."""


class Invalid(Refusal):
    """What was given can't be used."""
