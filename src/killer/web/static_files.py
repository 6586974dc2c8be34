"""The static files: read once, compressed once, under names that change with their content."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from killer.web.answers import Header, allows_gzip

FOLDER = Path(__file__).parent / "static"
ALWAYS = (
    ("Cache-Control", "public, max-age=31536000, immutable"),
    ("Vary", "Accept-Encoding"),
    ("X-Content-Type-Options", "nosniff"),
)
SERVED = frozenset({".css", ".js", ".svg", ".png", ".ico", ".webmanifest", ".woff2"})


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file, as it goes over the wire."""

    content_type: str
    body: bytes
    zipped: bytes
    fingerprint: str

    def negotiate(self, accepted: str) -> tuple[list[Header], bytes]:
        """Choose headers and body by the codings that the reader accepts."""
        headers = [*ALWAYS, ("Content-Type", self.content_type)]
        body = self.body
        if allows_gzip(accepted):
            body = self.zipped
            headers.append(("Content-Encoding", "gzip"))
        return [*headers, ("Content-Length", str(len(body)))], body


class StaticFiles:
    """All static files of the site, kept in memory."""

    def __init__(self, folder: Path = FOLDER) -> None:
        found = (p for p in sorted(folder.rglob("*")) if p.suffix in SERVED)
        self._files = {p.relative_to(folder).as_posix(): _read(p) for p in found}
        self._places = {self.url(name): file for name, file in self._files.items()}

    def url(self, name: str) -> str:
        """Give a file's address.

        Raises:
            KeyError: there is no such file.
        """
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
    return StaticFile(content_type, body, zipped, hashlib.sha256(body).hexdigest()[:12])
