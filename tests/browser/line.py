"""A phone's line to the server that can fall silent without a word, as radio does."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field

STREAM = b"GET /api/events"


@dataclass
class Connection:
    """One connection of the phone and its other half to the server."""

    phone: socket.socket
    server: socket.socket
    dead: bool = False
    streaming: bool = False

    def carry(self, line: Line, *, upwards: bool) -> None:
        """Hand bytes on in one direction; what comes on a dead line is lost."""
        source, sink = (self.phone, self.server) if upwards else (self.server, self.phone)
        with suppress(OSError):
            while data := source.recv(65536):
                if upwards:
                    self.streaming = data.startswith(STREAM)
                if self.dead:
                    continue
                if not upwards and line.loses_answers:
                    break
                sink.sendall(data)
        if not (self.dead and self.streaming):  # a dead stream stays open and says nothing
            self.close()

    def die(self) -> None:
        """Carry nothing any more; the browser itself gives up what isn't a stream."""
        self.dead = True
        if not self.streaming:
            self.close()

    def close(self) -> None:
        """Tell both sides that it is over."""
        for side in (self.phone, self.server):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()


@dataclass
class Line:
    """A proxy on a port of its own, between one phone and the server."""

    target: int
    loses_answers: bool = False
    cut_off: bool = False
    connections: list[Connection] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ear = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._ear.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def origin(self) -> str:
        """Give the address that the phone types."""
        return f"http://127.0.0.1:{self.port}"

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                phone, _ = self._ear.accept()
                if self.cut_off:
                    phone.close()
                    continue
                server = socket.create_connection(("127.0.0.1", self.target))
                connection = Connection(phone, server)
                self.connections.append(connection)
                for upwards in (True, False):
                    threading.Thread(
                        target=connection.carry,
                        args=(self,),
                        kwargs={"upwards": upwards},
                        daemon=True,
                    ).start()

    def cut(self) -> None:
        """Go dead: the open stream hears nothing more, not even that it is over."""
        self.cut_off = True
        for connection in self.connections:
            connection.die()

    def heal(self) -> None:
        """Let new connections through; those that have died stay dead."""
        self.cut_off = False

    def close(self) -> None:
        """End it, and all that goes through it."""
        with suppress(OSError):  # close alone doesn't wake the thread that accepts
            self._ear.shutdown(socket.SHUT_RDWR)
        self._ear.close()
        for connection in self.connections:
            connection.close()
