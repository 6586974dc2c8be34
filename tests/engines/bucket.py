"""A throw-away S3 for the tests of one process, and an endpoint that says what it is told."""

from __future__ import annotations

import secrets
import socketserver
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from minio import Minio

from engines.processes import free_port, listening, running, wait_until_ready
from killer.settings import Settings

HELLO = b"\x16"  # how TLS begins, where nobody speaks it
KEY, SECRET = "killer-of-the-tests", "nobody may read this secret"


@contextmanager
def server(folder: Path, port: int = 0) -> Iterator[str]:
    """Run moto's S3 in a process of its own while the block lasts, and give its address."""
    port, log = port or free_port(), folder / "s3.log"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with running(command, log=log) as process:
        wait_until_ready(process, lambda: listening(port), log)
        yield f"http://127.0.0.1:{port}"


def new(endpoint: str) -> dict[str, str]:
    """Make a bucket that nobody else has, and give the variables that name it."""
    name = f"photos-{secrets.token_hex(6)}"
    client(endpoint).make_bucket(name)
    return variables(endpoint, name)


def client(endpoint: str) -> Minio:
    """Give a client that speaks to it as anybody's would."""
    host = endpoint.removeprefix("http://")
    return Minio(host, access_key=KEY, secret_key=SECRET, secure=False, region="us-east-1")


def variables(endpoint: str, name: str) -> dict[str, str]:
    """Name a bucket by the variables of the environment."""
    return {
        "PHOTOS_URL": f"s3://{name}/week-end",
        "S3_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
    }


def fields(named: dict[str, str]) -> dict[str, str]:
    """Give the same as fields of the settings."""
    return {
        "photos_url": named["PHOTOS_URL"],
        "s3_endpoint": named["S3_ENDPOINT_URL"],
        "s3_key": named["AWS_ACCESS_KEY_ID"],
        "s3_secret": named["AWS_SECRET_ACCESS_KEY"],
    }


def kept(settings: Settings) -> dict[str, bytes]:
    """Give everything that is in a bucket, read past our own code."""
    name = settings.photos_url.split("/")[2]
    there = client(settings.s3_endpoint)
    found = {}
    for each in there.list_objects(name, recursive=True):
        answer = there.get_object(name, each.object_name)
        found[each.object_name] = answer.read()
        answer.close()
    return found


class Moody(socketserver.ThreadingTCPServer):
    """Something that listens: it gives each request the same bytes, or none and hangs."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, answer: bytes | None, tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Visit)
        self.scheme = "https" if tls else "http"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.answer = answer
        self.asked: list[bytes] = []
        self.over = threading.Event()

    @property
    def url(self) -> str:
        """Give its address."""
        return f"{self.scheme}://localhost:{self.server_address[1]}"


class _Visit(socketserver.StreamRequestHandler):
    server: Moody

    def handle(self) -> None:
        if self.rfile.peek(1)[:1] != HELLO:
            self.server.asked.append(b"".join(iter(self.rfile.readline, b"\r\n")))
        if self.server.answer is None:
            self.server.over.wait(30)
        with suppress(OSError):
            self.wfile.write(self.server.answer or b"")


@contextmanager
def moody(answer: bytes | None, tls: ssl.SSLContext | None = None) -> Iterator[Moody]:
    """Have it listen while the block lasts."""
    with Moody(answer, tls) as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield found
        found.over.set()
        found.shutdown()
        thread.join()


def refusal(status: int, code: str, more: str = "") -> bytes:
    """Write a refusal as S3 does."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{SECRET}</Message></Error>"
    return http(status, body.encode(), f"Content-Type: application/xml\r\n{more}")


def http(status: int, body: bytes, headers: str = "", length: int | None = None) -> bytes:
    """Write an answer; its length may be said wrongly."""
    said = len(body) if length is None else length
    head = f"HTTP/1.1 {status} So\r\n{headers}Content-Length: {said}\r\nConnection: close\r\n\r\n"
    return head.encode() + body
