"""What can't be done on a machine, as a sentence that says what to do about it."""

from __future__ import annotations

from killer.language import say

SHOWN = 12  # last lines of what a command said


class DeployError(Exception):
    """A deployment stops; `code` names `deploy.<code>`, `said` is what a program said."""

    def __init__(self, code: str, said: str = "", **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.said = "\n".join(said.strip().splitlines()[-SHOWN:])
        self.params = params

    @property
    def sentence(self) -> str:
        """Say it in the current language, after what the program said and before its notes."""
        sentence = say(f"deploy.{self.code}", **self.params)
        notes = getattr(self, "__notes__", [])
        return "\n\n".join(part for part in (self.said, sentence, *notes) if part)
