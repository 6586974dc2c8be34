"""Service accounts: their keys, what their signed requests must say, the tokens that they get."""

from __future__ import annotations

import base64
import json
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from engines.google.errors import Refused, grant_refused, scopes_lacking

AUDIENCE = "https://oauth2.googleapis.com/token"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ADDRESS = "killer@un-projet.iam.gserviceaccount.com"
LIFE = 3599
SKEW = 300
TIMEFRAME = (
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
    "Check your iat and exp values in the JWT claim."
)
_SCOPE = "https://www.googleapis.com/auth/"
SCOPES = {
    "read": {"spreadsheets", "spreadsheets.readonly", "drive", "drive.readonly"},
    "write": {"spreadsheets", "drive"},
    "file": {"drive", "drive.readonly"},
}


@cache
def new_key(number: int) -> rsa.RSAPrivateKey:
    """Make the n-th key of this process: a short one, since checking it costs each test time."""
    return rsa.generate_private_key(public_exponent=65537, key_size=1024)


@dataclass(frozen=True)
class Token:
    account: str
    scopes: frozenset[str]
    ends: float


class Accounts:
    """All accounts, and the tokens that are out."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.keys: dict[str, rsa.RSAPrivateKey] = {}
        self.tokens: dict[str, Token] = {}
        self._lock = threading.Lock()

    def key_file(self, folder: Path, token_uri: str, address: str) -> Path:
        """Write the JSON that Google's console gives for an account, which may be new."""
        with self._lock:
            key = new_key(len(self.keys)) if address not in self.keys else self.keys[address]
            self.keys[address] = key
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        content = {
            "type": "service_account",
            "project_id": "un-projet",
            "private_key_id": "0123456789abcdef",
            "private_key": pem,
            "client_email": address,
            "client_id": "100000000000000000001",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": token_uri,
            "universe_domain": "googleapis.com",
        }
        file = folder / f"{address.partition('@')[0]}.json"
        file.write_text(json.dumps(content), encoding="utf-8")
        return file

    def grant(self, form: dict[str, list[str]]) -> dict[str, Any]:
        """Exchange a signed assertion for a token."""
        if form.get("grant_type") != [GRANT]:
            raise grant_refused("unsupported_grant_type", "Invalid grant_type")
        claims = self._claims(form.get("assertion", [""])[0])
        now = self.now()
        ends, began = claims.get("exp", 0), claims.get("iat", 0)
        if not (began - SKEW <= now <= ends + SKEW and 0 < ends - began <= 3600):
            raise grant_refused("invalid_grant", TIMEFRAME)
        scopes = frozenset(each.removeprefix(_SCOPE) for each in claims.get("scope", "").split())
        if not scopes:
            raise grant_refused("invalid_scope", "Invalid OAuth scope or ID token audience.")
        token = secrets.token_hex(16)
        self.tokens[token] = Token(claims["iss"], scopes, now + LIFE)
        return {"access_token": token, "expires_in": LIFE, "token_type": "Bearer"}

    def bearer(self, header: str, kind: str) -> str:
        """Give the account whose token this is, when it lives and may do that."""
        token = self.tokens.get(header.removeprefix("Bearer "))
        if token is None or self.now() >= token.ends:
            raise Refused(401)
        if not token.scopes & SCOPES[kind]:
            raise scopes_lacking()
        return token.account

    def _claims(self, assertion: str) -> dict[str, Any]:
        try:
            head, body, signature = assertion.split(".")
            algorithm = json.loads(_decoded(head))["alg"]
            claims = json.loads(_decoded(body))
        except (ValueError, LookupError, TypeError):
            raise grant_refused("invalid_grant", "Invalid JWT: malformed.") from None
        if claims.get("iss") not in self.keys:
            raise grant_refused("invalid_grant", "Invalid grant: account not found")
        if claims.get("aud") != AUDIENCE:
            raise grant_refused("invalid_grant", "Invalid JWT: Failed audience check.")
        public = self.keys[claims["iss"]].public_key()
        try:
            signed = f"{head}.{body}".encode()
            public.verify(_decoded(signature), signed, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            algorithm = ""
        if algorithm != "RS256":
            raise grant_refused("invalid_grant", "Invalid JWT Signature.")
        return claims


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
