"""The static files: read once, compressed once, under names that change with their content."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from killer.web.answers import Header, allows_gzip

FOLDER = Path(__file__).parent / "static"
ALWAYS = (
    ("Cache-Control", "public, max-age=31536000, immutable"),
    ("Vary", "Accept-Encoding"),
    ("X-Content-Type-Options", "nosniff"),
    ("Access-Control-Allow-Origin", "*"),  # the pages of another address, this site's, read them
    ("Cross-Origin-Resource-Policy", "cross-origin"),
)
SERVED = frozenset({".css", ".js", ".svg", ".png", ".ico", ".webmanifest", ".woff2"})


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file, as it goes over the wire."""

    content_type: str
    body: bytes
    zipped: bytes
    fingerprint: str
    digest: str  # as HTML's `integrity` wants it

    def negotiate(self, accepted: str) -> tuple[list[Header], bytes]:
        """Choose headers and body by the codings that the reader accepts."""
        headers = [*ALWAYS, ("Content-Type", self.content_type)]
        body = self.body
        if allows_gzip(accepted):
            body = self.zipped
            headers.append(("Content-Encoding", "gzip"))
        return [*headers, ("Content-Length", str(len(body)))], body


class StaticFiles:
    """All static files of the site, kept in memory; pages find them at `elsewhere`, if anywhere."""

    def __init__(self, elsewhere: str = "", folder: Path = FOLDER) -> None:
        self._elsewhere = elsewhere.rstrip("/")
        found = (p for p in sorted(folder.rglob("*")) if p.suffix in SERVED)
        self._files = {p.relative_to(folder).as_posix(): _read(p) for p in found}
        self._places = {self._path(name): file for name, file in self._files.items()}

    @property
    def source(self) -> str:
        """Give the origin that a page's security policy has to let in; empty when it is its own."""
        address = urlsplit(self._elsewhere)
        return f"{address.scheme}://{address.netloc}" if address.netloc else ""

    def url(self, name: str) -> str:
        """Give a file's address.

        Raises:
            KeyError: there is no such file.
        """
        return self._elsewhere + self._path(name)

    def proof(self, name: str) -> str:
        """Give the digest by which a browser knows that another server gave it our file.

        Raises:
            KeyError: there is no such file.
        """
        return self._files[name].digest

    def _path(self, name: str) -> str:
        return f"/static/{self._files[name].fingerprint}/{name}"

    def at(self, path: str) -> StaticFile | None:
        """Give the file of an address, if it still has that content."""
        return self._places.get(path)


def _read(path: Path) -> StaticFile:
    body = path.read_bytes()
    content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if content_type.startswith("text/"):
        content_type += "; charset=utf-8"
    zipped = gzip.compress(body, 9, mtime=0)
    hashed = hashlib.sha256(body)
    digest = f"sha256-{b64encode(hashed.digest()).decode()}"
    return StaticFile(content_type, body, zipped, hashed.hexdigest()[:12], digest)
