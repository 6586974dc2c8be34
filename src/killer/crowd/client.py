"""One phone's HTTP: a few kept connections, one cookie, patience, and what went wrong by kind.

Locust's FastHttpUser follows redirects, parses every header and keeps a jar of cookies; here a
thousand phones share a core with what they test, so that only what a phone looks at is read.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit

import msgspec

PATIENCE = 15.0  # seconds that the site's own scripts wait for an answer
IDLE = 4.0  # seconds after which a kept connection is as good as closed by the server
GULP = 65_536
LONGEST_HEAD = 65_536
GZIPPED = 31  # zlib's word for "with gzip's head"
TIMEOUT, CONNECTION, BUSY, HTTP, WRONG = "timeout", "connection", "503", "http", "wrong"
UNTRUSTED = "untrusted"  # a certificate: the first request of a test meets it, no phone does
UNAVAILABLE = 503

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_ZIPPED = re.compile(rb"\r\ncontent-encoding: *gzip", re.IGNORECASE)
_COOKIE = re.compile(rb"\r\nset-cookie: *killer=([^;\r]*)", re.IGNORECASE)


class LostError(OSError):
    """The connection ended before the answer was whole."""

    def __init__(self, *, untouched: bool) -> None:
        super().__init__("the connection ended")
        self.untouched = untouched  # not a byte of an answer had come


@dataclass(frozen=True)
class Address:
    """Where the server is, and how to speak to it."""

    scheme: str
    host: str
    port: int
    insecure: bool = False

    @classmethod
    def of(cls, url: str, *, insecure: bool = False) -> Address:
        """Read a URL.

        Raises:
            ValueError: it is no address of a web server.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return cls(parts.scheme, parts.hostname, port, insecure)

    @property
    def name(self) -> str:
        """Give what stands in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = self.port == {"http": 80, "https": 443}[self.scheme]
        return host if usual else f"{host}:{self.port}"

    def connect(self, patience: float) -> socket.socket:
        """Open a connection.

        Raises:
            OSError: there is nobody, or nobody in time.
        """
        line = self._reach(patience)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.scheme == "http":
            return line
        return self._trust.wrap_socket(line, server_hostname=self.host)

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        """Read the system's certificates once: it takes longer than to fetch a page."""
        context = ssl.create_default_context()
        if self.insecure:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context

    @cached_property
    def _places(self) -> list[tuple[Any, ...]]:
        """Ask for the name once: a thousand phones would ask the resolver all the time."""
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        return [(family, place) for family, *_, place in found]

    def _reach(self, patience: float) -> socket.socket:
        failure = OSError()
        for family, place in self._places:
            line = socket.socket(family, socket.SOCK_STREAM)
            try:
                line.settimeout(patience)
                line.connect(place)
            except OSError as error:
                line.close()
                failure = error
            except BaseException:  # the phone is switched off meanwhile
                line.close()
                raise
            else:
                return line
        raise failure


@dataclass(frozen=True)
class Answer:
    """What came back; a status of 0 when nothing did, then `kind` says why."""

    status: int = 0
    head: bytes = b""
    raw: bytes = b""
    kind: str = ""  # as in figures.KINDS; empty: as it should be
    took: float = 0.0  # milliseconds

    @property
    def body(self) -> bytes:
        """Give the body, unpacked."""
        return zlib.decompress(self.raw, GZIPPED) if _ZIPPED.search(self.head) else self.raw

    @cached_property
    def text(self) -> str:
        """Give the body as text."""
        return self.body.decode(errors="replace")

    def header(self, name: str) -> str:
        """Give a header, or nothing."""
        found = re.search(rb"\r\n%s: *([^\r]*)" % name.encode(), self.head, re.IGNORECASE)
        return found[1].decode(errors="replace") if found else ""


@dataclass
class Client:
    """A browser's connections to one server."""

    address: Address
    language: str = "fr"
    cookie: str = field(default="", repr=False)
    _idle: list[tuple[socket.socket, float]] = field(default_factory=list)  # since when

    def ask(
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        expect: tuple[int, ...] = (200,),
    ) -> Answer:
        """Send a request and wait for its answer, which also says what has gone wrong."""
        request = self.request(method, path, form, json, headers or {})
        began = time.perf_counter()
        answer = self._exchange(request, time.monotonic() + PATIENCE)
        self._keep_cookie(answer)
        kind = answer.kind
        if answer.status and answer.status not in expect:
            kind = BUSY if answer.status == UNAVAILABLE else HTTP
        return replace(answer, kind=kind, took=(time.perf_counter() - began) * 1000)

    def send_and_lose(
        self, path: str, form: Mapping[str, str], headers: Mapping[str, str], seconds: float
    ) -> None:
        """Send a form and lose the network before the answer, which the server isn't told.

        A proxy in front of it would take back the request of whoever hangs up.
        """
        with suppress(OSError), self.address.connect(PATIENCE) as line:
            line.sendall(self.request("POST", path, form, None, headers))
            time.sleep(seconds)

    def request(
        self,
        method: str,
        path: str,
        form: Mapping[str, str] | None,
        json: object,
        headers: Mapping[str, str],
    ) -> bytes:
        """Write a request as it goes over the wire."""
        lines = [
            f"{method} {path} HTTP/1.1\r\nHost: {self.address.name}",
            "User-Agent: killer-loadtest\r\nAccept-Encoding: gzip",
            f"Accept-Language: {self.language}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        if self.cookie:
            lines.append(f"Cookie: killer={self.cookie}")
        body = b""
        if form is not None:
            body = urlencode(form).encode()
            lines.append("Content-Type: application/x-www-form-urlencoded")
        elif json is not None:
            body = msgspec.json.encode(json)
            lines.append("Content-Type: application/json")
        if body or method == "POST":
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def close(self) -> None:
        """Close every kept connection."""
        while self._idle:
            self._idle.pop()[0].close()

    def _exchange(self, request: bytes, deadline: float) -> Answer:
        """Ask; a kept connection that the server has closed meanwhile is replaced once."""
        try:
            if self._idle:
                line, since = self._idle.pop()
                if time.monotonic() - since > IDLE:
                    line.close()
                    self.close()  # the others have been idle for longer still
                else:
                    with suppress(_StaleError):
                        return self._over(line, request, deadline, kept=True)
            return self._over(self.address.connect(_left(deadline)), request, deadline, kept=False)
        except TimeoutError:
            return Answer(kind=TIMEOUT)
        except ssl.SSLCertVerificationError:
            return Answer(kind=UNTRUSTED)
        except (OSError, ValueError):
            return Answer(kind=CONNECTION)

    def _over(self, line: socket.socket, request: bytes, deadline: float, *, kept: bool) -> Answer:
        try:
            line.settimeout(_left(deadline))
            line.sendall(request)
            answer = receive(line, deadline, bodyless=request.startswith(b"HEAD"))
        except BaseException as error:  # noqa: BLE001  # goes on below; also when the phone is switched off meanwhile
            line.close()
            _reraise(error, kept=kept)
        if _CLOSE.search(answer.head):
            line.close()
        else:
            self._idle.append((line, time.monotonic()))
        return answer

    def _keep_cookie(self, answer: Answer) -> None:
        found = _COOKIE.search(answer.head)
        if found:
            self.cookie = found[1].decode()


class _StaleError(Exception):
    """A kept connection turned out to be closed."""


def _reraise(error: BaseException, *, kept: bool) -> NoReturn:
    untouched = isinstance(error, BrokenPipeError | ConnectionResetError) or (
        isinstance(error, LostError) and error.untouched
    )
    if kept and untouched:
        raise _StaleError from error
    raise error


def _left(deadline: float) -> float:
    """Give the seconds that are left, at least a breath: 0 would mean "don't wait at all"."""
    return max(0.001, deadline - time.monotonic())


def receive(line: socket.socket, deadline: float, *, bodyless: bool = False) -> Answer:
    """Read one answer.

    Raises:
        TimeoutError: it didn't come in time.
        LostError: the connection ended before.
        ValueError: it isn't HTTP.
    """
    head, rest = receive_head(line, deadline)
    status = int(head[9:12])
    if bodyless or status in {204, 304}:
        return Answer(status, head)
    if length := _LENGTH.search(head):
        return Answer(status, head, _exactly(line, rest, int(length[1]), deadline))
    if _CHUNKED.search(head):
        return Answer(status, head, _chunks(line, rest, deadline))
    return Answer(status, head, _to_the_end(line, rest, deadline))


def receive_head(line: socket.socket, deadline: float) -> tuple[bytes, bytes]:
    """Read an answer's head, and give it with what came behind it; raises as `receive` does."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(line, deadline, untouched=not data)
        if len(data) > LONGEST_HEAD or not b"HTTP/1.".startswith(data[:7]):
            raise ValueError(data[:80])
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def is_chunked(head: bytes) -> bool:
    """Tell whether the body comes in chunks."""
    return bool(_CHUNKED.search(head))


def _more(line: socket.socket, deadline: float, *, untouched: bool = False) -> bytes:
    line.settimeout(_left(deadline))
    data = line.recv(GULP)
    if not data:
        raise LostError(untouched=untouched)
    return data


def _exactly(line: socket.socket, rest: bytes, length: int, deadline: float) -> bytes:
    parts, missing = [rest], length - len(rest)
    while missing > 0:
        parts.append(_more(line, deadline))
        missing -= len(parts[-1])
    return b"".join(parts)


def _chunks(line: socket.socket, rest: bytes, deadline: float) -> bytes:
    chunks = Chunks()
    body = chunks.feed(rest)
    while not chunks.ended:
        body += chunks.feed(_more(line, deadline))
    return body


def _to_the_end(line: socket.socket, rest: bytes, deadline: float) -> bytes:
    with suppress(LostError):
        while True:
            rest += _more(line, deadline)
    return rest


class Chunks:
    """Unpacks a body in chunks, wherever the network has cut it."""

    def __init__(self) -> None:
        self.ended = False
        self._raw = b""

    def feed(self, data: bytes) -> bytes:
        """Give the bytes of every chunk that is whole by now.

        Raises:
            ValueError: that is no chunk.
        """
        raw, at, parts = self._raw + data, 0, []
        while not self.ended:
            end = raw.find(b"\r\n", at)
            if end < 0:
                break
            size = int(raw[at:end].partition(b";")[0], 16)
            stop = end + 2 + size
            if len(raw) < stop + 2:
                break
            parts.append(raw[end + 2 : stop])
            at, self.ended = stop + 2, size == 0
        self._raw = raw[at:]
        return b"".join(parts)
