"""Everything that can go wrong between a person and the server, as a status and a sentence."""

from __future__ import annotations

from dataclasses import dataclass

from killer.game.refusals import Invalid, NotNow, Refusal, Unknown
from killer.language import say
from killer.live.hub import UnknownGameError
from killer.store.database import StoreUnavailableError

STATUS_OF_REFUSAL: dict[type[Refusal], int] = {Unknown: 404, NotNow: 409, Invalid: 422}
BUSY_SECONDS = 2


class ProblemError(Exception):
    """A request that can't be answered as wished; `code` names the sentence `problem.<code>`."""

    def __init__(
        self, status: int, code: str, *, retry_after: int | None = None, **params: str | int
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.retry_after = retry_after
        self.params = params


@dataclass(frozen=True, slots=True)
class Told:
    """A problem as people and programs get it."""

    status: int
    code: str
    title: str
    retry_after: int | None = None


def tell(error: Exception) -> Told:
    """Put an error into words, in the current language."""
    match error:
        case Refusal():
            status = STATUS_OF_REFUSAL.get(type(error), 409)
            return Told(status, error.code, say(f"refusal.{error.code}", **error.params))
        case StoreUnavailableError():
            code = "disk_full" if error.full else "store_unavailable"
            return Told(503, code, say(f"problem.{code}"), BUSY_SECONDS)
        case UnknownGameError():  # a rehearsal that was removed in the meantime
            return Told(401, "signed_out", say("problem.signed_out"))
        case ProblemError():
            sentence = say(f"problem.{error.code}", **error.params)
            return Told(error.status, error.code, sentence, error.retry_after)
        case _:
            return Told(500, "internal", say("problem.internal"))
