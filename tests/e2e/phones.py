"""A player's phone: real HTTP on a kept connection, and a live stream that keeps every frame."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPConnection, HTTPException
from typing import Any, TypeVar

IDLE = 1.5  # seconds after which a kept connection is opened anew, long before the server closes it
PATIENCE = 30.0  # seconds that a phone waits for bytes

Item = TypeVar("Item")
Result = TypeVar("Result")


class NoAnswerError(Exception):
    """The connection broke before the answer was there."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, with every byte of it."""

    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        """Read the body as JSON."""
        return json.loads(self.body)

    @property
    def version(self) -> int:
        """Give the version of an acknowledged change."""
        assert self.status == 200, (self.status, self.body)
        return int(self.json["version"])

    @property
    def bytes(self) -> bytes:
        """Give head and body."""
        return str(self.headers).encode() + self.body


class Phone:
    """Somebody's browser: one connection, one cookie; not for two threads at the same time."""

    idle = IDLE

    def __init__(self, port: int, nickname: str = "", cookie: str = "") -> None:
        self.port = port
        self.nickname = nickname
        self.cookie = cookie
        self._line = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._used = 0.0

    def twin(self) -> Phone:
        """Give a second phone of the same player."""
        return Phone(self.port, self.nickname, self.cookie)

    def ask(
        self, method: str, path: str, body: Any = None, *, key: str = "", **headers: str
    ) -> Answer:
        """Send a request and give its answer.

        Raises:
            NoAnswerError: there was none.
        """
        if time.monotonic() - self._used > self.idle:
            self.hang_up()
        self.send(method, path, body, key=key, **headers)
        return self.receive()

    def send(
        self, method: str, path: str, body: Any = None, *, key: str = "", **headers: str
    ) -> None:
        """Send a request without waiting for its answer."""
        sent = {"Idempotency-Key": key, "Cookie": self.cookie and f"killer={self.cookie}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            sent["Content-Type"] = "application/json"
        with self._broken_means_no_answer():
            self._line.request(method, path, data, {n: v for n, v in sent.items() if v})

    def receive(self) -> Answer:
        """Wait for the answer to what was sent."""
        with self._broken_means_no_answer():
            response = self._line.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        self._used = time.monotonic()
        self._keep_cookie(answer.headers)
        return answer

    @contextmanager
    def _broken_means_no_answer(self) -> Iterator[None]:
        try:
            yield
        except (OSError, HTTPException) as error:
            self.hang_up()
            raise NoAnswerError(repr(error)) from error

    def _keep_cookie(self, headers: Message) -> None:
        for line in headers.get_all("Set-Cookie") or []:
            name, _, value = line.partition(";")[0].partition("=")
            if name == "killer":
                self.cookie = value

    def hang_up(self) -> None:
        """Close the connection; the next request opens another."""
        self._line.close()

    @property
    def own_port(self) -> int:
        """Give this end of the connection."""
        assert self._line.sock is not None
        return int(self._line.sock.getsockname()[1])

    def insist(self, path: str, key: str, until: float = 60) -> Answer:
        """Repeat a change with the same key, as a phone on a bad network does, until it is 200."""
        deadline = time.monotonic() + until
        while True:
            try:
                answer = self.ask("POST", path, {}, key=key)
                if answer.status < 500:
                    return answer
            except NoAnswerError:
                pass
            assert time.monotonic() < deadline, f"{path} was never answered"
            time.sleep(0.05)

    def sign_in(self, password: str) -> Answer:
        """Sign in by nickname and password."""
        wanted = {"nickname": self.nickname, "password": password}
        return self.ask("POST", "/api/login", wanted)

    def me(self) -> Any:
        """Look at the own card."""
        answer = self.ask("GET", "/api/me")
        assert answer.status == 200, (answer.status, answer.body)
        return answer.json

    def target(self) -> str | None:
        """Give the nickname of the own target."""
        found = self.me()["target"]
        return found and str(found["nickname"])


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a stream with the moment when it was read."""

    id: int | None
    event: str
    data: Any
    raw: bytes
    at: float


@dataclass
class Stream(threading.Thread):
    """Follows the game like an EventSource: it waits, and resumes from its last id."""

    phone: Phone
    place: int | None = None
    again: bool = True
    patient: bool = False  # it waits for all of `retry`, as a browser does
    frames: list[Frame] = field(default_factory=list)
    retries: list[int] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    connections: int = 0
    status: int = 0
    closed: bool = False

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self._socket: socket.socket | None = None

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        """Listen until closed; after a broken connection listen again."""
        while not self.closed:
            with suppress(OSError, HTTPException, ValueError):  # wherever it broke
                self._listen()
            if not self.again:
                break
            retry = self.retries[-1] / 1000 if self.retries else 0.2
            time.sleep(retry if self.patient else min(0.2, retry))

    def _listen(self) -> None:
        line = HTTPConnection("127.0.0.1", self.phone.port, timeout=PATIENCE)
        headers = {"Cookie": f"killer={self.phone.cookie}", "Accept": "text/event-stream"}
        if self.place is not None:
            headers["Last-Event-ID"] = str(self.place)
        line.connect()
        self._socket = line.sock
        line.request("GET", "/api/events", headers=headers)
        response = line.getresponse()
        self.status = response.status
        self.connections += 1
        block: list[bytes] = []
        last = time.monotonic()
        for row in response if response.status == 200 else ():
            block.append(row)
            if row == b"\n":
                self.pauses.append(time.monotonic() - last)
                last = time.monotonic()
                self._take(block)
                block = []
        line.close()

    def _take(self, block: list[bytes]) -> None:
        """Read one block of lines, up to the empty one."""
        pairs = [row.decode().rstrip("\n").split(": ", 1) for row in block if b": " in row]
        fields = dict(pairs)
        self.retries += [int(value) for name, value in pairs if name == "retry"]
        if "data" not in fields:
            return
        number = int(fields["id"]) if "id" in fields else None
        data = json.loads(fields["data"])
        kind = fields.get("event", "message")
        self.frames.append(Frame(number, kind, data, b"".join(block), time.monotonic()))
        if number is not None:
            self.place = number
        elif kind == "resync":
            self.place = int(data["version"])

    @property
    def versions(self) -> list[int]:
        """Give the ids of all frames, in the order in which they came."""
        return [f.id for f in list(self.frames) if f.id is not None]

    def close(self) -> None:
        """Stop listening, as a phone does that falls asleep."""
        self.closed = True
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        if self.is_alive():
            self.join(5)


def following(
    phones: Sequence[Phone], place: int | None = None, *, patient: bool = False
) -> list[Stream]:
    """Open a stream on every phone and wait until each has its first bytes."""
    streams = [Stream(phone, place, patient=patient) for phone in phones]
    for stream in streams:
        stream.start()
    deadline = time.monotonic() + 60
    while not all(stream.frames for stream in streams):
        assert time.monotonic() < deadline, "a stream was never opened"
        time.sleep(0.02)
    return streams


def close(streams: Sequence[Stream]) -> None:
    """Stop listening on all of them."""
    for stream in streams:
        stream.closed = True
    together(lambda stream: stream.close(), streams)


def together(work: Callable[[Item], Result], items: Sequence[Item], most: int = 40) -> list[Result]:
    """Do something with every item at the same time and give the results in their order."""
    with ThreadPoolExecutor(most) as pool:
        return list(pool.map(work, items))
