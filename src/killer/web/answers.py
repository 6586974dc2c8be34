"""Answers that are encoded once for each version, with their ETag and their compressed form."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec
from flask import Response, request

WORTH_ZIPPING = 1000  # bytes
QUICK = 1  # gzip's level for what is sent once: half the time of 5, and hardly larger

Header = tuple[str, str]
Keeping = tuple[Header, Header]
PRIVATE: Keeping = (("Cache-Control", "private, no-cache"), ("Vary", "Cookie, Accept-Encoding"))
#: The same for everybody, and never kept: what it says is true now.
FRESH: Keeping = (("Cache-Control", "no-store"), ("Vary", "Accept-Encoding"))
#: For ever, by anybody: only for an address that names its content.
SHARED: Keeping = (
    ("Cache-Control", "public, max-age=31536000, immutable"),
    ("Vary", "Accept-Encoding"),
)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A body with its ETag; the compressed form only when it is worth it."""

    body: bytes
    etag: str
    zipped: bytes | None


def encode(value: Any) -> Encoded:
    """Encode a value as JSON."""
    body = msgspec.json.encode(value)
    etag = f'"{hashlib.blake2b(body, digest_size=9).hexdigest()}"'
    zipped = gzip.compress(body, 5, mtime=0) if len(body) > WORTH_ZIPPING else None
    return Encoded(body, etag, zipped)


def send(encoded: Encoded) -> Response:
    """Send an encoded answer, or 304 when the reader has it already."""
    known = request.headers.get("If-None-Match", "")
    status, headers, body = negotiate(encoded, known, request.headers.get("Accept-Encoding", ""))
    return Response(body, status, headers)


def negotiate(
    encoded: Encoded, known: str, accepted: str, keeping: Keeping = PRIVATE
) -> tuple[int, list[Header], bytes]:
    """Choose status, headers and body by what the reader knows (ETags) and accepts (codings)."""
    headers = [("ETag", encoded.etag), *keeping, ("X-Content-Type-Options", "nosniff")]
    if encoded.etag in known:
        return 304, headers, b""
    body = encoded.body
    if encoded.zipped and allows_gzip(accepted):
        body = encoded.zipped
        headers.append(("Content-Encoding", "gzip"))
    headers += (("Content-Type", "application/json"), ("Content-Length", str(len(body))))
    return 200, headers, body


def takes_gzip() -> bool:
    """Tell whether the reader takes compressed answers."""
    return allows_gzip(request.headers.get("Accept-Encoding", ""))


def allows_gzip(accepted: str) -> bool:
    """Tell whether a header takes compressed answers; one that hesitates gets plain ones."""
    return "gzip" in accepted and "gzip;q=0" not in accepted


def json(value: Any, status: int = 200) -> Response:
    """Send a value as JSON, not to be kept by anybody."""
    headers = {"Cache-Control": "no-store"}
    return Response(msgspec.json.encode(value), status, headers, mimetype="application/json")


def zip_page(response: Response) -> None:
    """Compress a page that is worth it."""
    if response.is_streamed or not takes_gzip() or response.headers.get("Content-Encoding"):
        return
    body = response.get_data()
    if len(body) > WORTH_ZIPPING:
        response.set_data(gzip.compress(body, QUICK, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
