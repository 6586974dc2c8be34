"""What can go wrong with a mail, whom it concerns, and what a server's number means."""

from __future__ import annotations

import re
from enum import Enum

LONGEST = 200
GREY = re.compile(r"gr[ae]y", re.IGNORECASE)


class Reach(Enum):
    """Whom a failure concerns, and so what comes next."""

    ONE = "one"  # this mail, for good
    LATER = "later"  # this mail, for now: it is tried again at the end
    LINE = "line"  # the line: it is opened again
    ALL = "all"  # every mail: nothing more is sent


class MailError(Exception):
    """A mail didn't go out; `code` names the sentence `mail.<code>`, `said` is the server's."""

    def __init__(self, code: str, reach: Reach, said: str = "") -> None:
        super().__init__(f"{code} {said}".strip())
        self.code = code
        self.reach = reach
        self.said = said

    def detail(self, address: str) -> str:
        """Give the code and the server's words without the address, to be kept and shown."""
        said = re.sub(r"\S+@\S+", "…", self.said)
        local = address.partition("@")[0]
        bare = said.replace(local, "…") if len(local) > 2 else said  # noqa: PLR2004  # "a" is in every word
        return f"{self.code} {bare}".strip()[:LONGEST]


def refusal(stage: str, number: int, said: str) -> MailError:
    """Read a refusal (RFC 5321, 4.2; RFC 3463) at a stage: sender, recipient or content.

    Providers say "too many mails" in different ways: 421, 450 or 452, and Google with 550 5.4.5.
    """
    if number == 421 or "5.4.5" in said:  # noqa: PLR2004  # an SMTP number, as those below
        return MailError("quota", Reach.ALL, said)
    if number in {530, 534, 535, 538}:
        return MailError("login", Reach.ALL, said)
    if number >= 500:  # noqa: PLR2004
        whom = Reach.ALL if stage == "sender" else Reach.ONE
        return MailError(f"{stage}_refused", whom, said)
    if stage == "sender" or (number in {450, 452} and not _about_mailbox(said)):
        return MailError("quota", Reach.ALL, said)
    return MailError("later", Reach.LATER, said)


def _about_mailbox(said: str) -> bool:
    """Tell whether a temporary refusal is about this mailbox, or greylisting."""
    return " 4.2." in said or bool(GREY.search(said))
