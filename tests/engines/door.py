"""Doors between this machine's loopback and a network namespace.

`python door.py NAMESPACE ADDRESS PORT in` prints the door's own port. It listens out here and then
enters the namespace, so that what it connects to is in there; it closes what the other side closes.
With `out` it is the other way round: it listens on that address inside, and leads
to the same port of this machine's loopback.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO

from engines.processes import tied

HOME = Path("/proc/self/ns/net")


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Bring every byte to the other side until there are no more."""
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def lead(
    address: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Join a connection with one inside."""
    try:
        inner_reader, inner_writer = await asyncio.open_connection(address, port)
    except OSError:
        writer.close()
        return
    await asyncio.gather(carry(reader, inner_writer), carry(inner_reader, writer))


def enter(namespace: BinaryIO) -> None:
    """Go inside: what is connected from now on is in there."""
    if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), 0):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def listening_here(namespace: str) -> socket.socket:
    """Listen here, then go inside."""
    found = socket.create_server(("127.0.0.1", 0), backlog=512)
    with Path(f"/run/netns/{namespace}").open("rb") as inside:
        enter(inside)
    return found


def listening_inside(namespace: str, address: str, port: int) -> socket.socket:
    """Go inside to listen, and come back."""
    with Path(f"/run/netns/{namespace}").open("rb") as inside, HOME.open("rb") as home:
        enter(inside)
        found = socket.create_server((address, port), backlog=512)
        enter(home)
    return found


async def serve(listening: socket.socket, address: str, port: int) -> None:
    """Tell the port, then lead whoever comes."""
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    server = await asyncio.start_server(partial(lead, address, port), sock=listening)
    await server.serve_forever()


@contextmanager
def door(namespace: str, address: str, port: int, way: str = "in") -> Iterator[int]:
    """Keep a door open while the block lasts, and give its port on the side where it listens."""
    words = [sys.executable, "-m", "engines.door", namespace, address, str(port), way]
    process = subprocess.Popen(
        tied("KILL", words), cwd=Path(__file__).parent.parent, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def main(namespace: str, address: str, port: str, way: str) -> None:
    """Open one door."""
    if way == "out":
        inside = listening_inside(namespace, address, int(port))
        asyncio.run(serve(inside, "127.0.0.1", int(port)))
    else:
        asyncio.run(serve(listening_here(namespace), address, int(port)))


if __name__ == "__main__":
    main(*sys.argv[1:])
