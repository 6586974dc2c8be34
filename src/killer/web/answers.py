"""Answers that are encoded once for each version, with their ETag and their compressed form."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec
from flask import Response, request

WORTH_ZIPPING = 1000  # bytes
PRIVATE = "private, no-cache"


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
    headers = {"ETag": encoded.etag, "Cache-Control": PRIVATE, "Vary": "Cookie, Accept-Encoding"}
    if encoded.etag in request.headers.get("If-None-Match", ""):
        return Response(status=304, headers=headers)
    body = encoded.body
    if encoded.zipped and takes_gzip():
        body, headers["Content-Encoding"] = encoded.zipped, "gzip"
    return Response(body, mimetype="application/json", headers=headers)


def takes_gzip() -> bool:
    """Tell whether the reader takes compressed answers."""
    return "gzip" in request.headers.get("Accept-Encoding", "")


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
        response.set_data(gzip.compress(body, 5, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
