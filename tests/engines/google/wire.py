"""The HTTP side: connections that are kept alive, and answers that go wrong when told to."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from engines.google.faults import Trouble


@dataclass(frozen=True)
class Asked:
    """A request, read to its end."""

    method: str
    path: str
    query: dict[str, list[str]]
    bearer: str
    raw: bytes

    def json(self) -> Any:
        return json.loads(self.raw or b"{}")


@dataclass(frozen=True)
class Answer:
    """What goes back, and what goes wrong with it."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    trouble: Trouble | None = None
    seconds: float = 0


class Server(ThreadingHTTPServer):
    """One thread for each connection; all of them end when it is closed."""

    daemon_threads, block_on_close = True, False
    request_queue_size = 128

    def __init__(self, port: int, answer: Callable[[Asked], Answer]) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.answer = answer
        self.over = threading.Event()
        self._open: set[socket.socket] = set()
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close without a farewell, so that a reset is one."""
        self._open.discard(request)
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that hang up are part of the tests."""

    def close(self) -> None:
        self.over.set()
        self.shutdown()
        self.server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet for head and body
    disable_nagle_algorithm = True
    server: Server

    def log_message(self, *args: Any) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        url, raw = urlsplit(self.path), self.rfile.read(size)
        bearer = self.headers.get("Authorization", "")
        asked = Asked(self.command, unquote(url.path), parse_qs(url.query), bearer, raw)
        self.send(self.server.answer(asked))

    def do_POST(self) -> None:
        self.do_GET()

    def send(self, answer: Answer) -> None:
        body = answer.body
        match answer.trouble:
            case "reset":
                return self.cut()
            case "silence":
                self.server.over.wait(answer.seconds)
                return self.cut()
            case "broken":
                body = body[: len(body) // 2] + b"<<<"
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(body)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if answer.trouble == "half":
            body, self.close_connection = body[: len(body) // 2], True
        return self.drip(body, answer.seconds) if answer.trouble == "drip" else self.put(body)

    def put(self, body: bytes) -> None:
        self.wfile.write(body)

    def drip(self, body: bytes, seconds: float) -> None:
        """Send a byte every so many seconds."""
        for byte in body:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            if self.server.over.wait(seconds):
                break

    def cut(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
