"""What is drawn for a request: another time for each, and the same for the same one repeated."""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass

from killer import secret as secret_
from killer.web.site import asked, site, viewer


@dataclass(frozen=True, slots=True)
class Lots:
    """Words that nobody guesses; only their hashes are kept, yet they can be told again."""

    seed: bytes

    @classmethod
    def drawn(cls, kind: str) -> Lots:
        """Draw anew, or for a request with an Idempotency-Key what it drew the first time."""
        request = asked()
        if not request.key:
            return cls(secrets.token_bytes(32))
        whose = f"{kind}/{viewer().feed.number}/{request.actor}/{request.key}/{request.about}"
        return cls(hmac.digest(secret_.of(site().settings), whose.encode(), "sha256"))

    def token(self, what: str) -> str:
        """Give 128 bits as a word."""
        return urlsafe_b64encode(self.digest(what)[:16]).decode().rstrip("=")

    def digest(self, what: str) -> bytes:
        """Give 256 bits."""
        return hmac.digest(self.seed, what.encode(), "sha256")
