"""A door on this machine's loopback that leads to an address inside a network namespace.

`python door.py NAMESPACE ADDRESS PORT` prints the door's own port. It listens out here and then
enters the namespace, so that what it connects to is in there; it closes what the other side closes.
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

from engines.processes import tied


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


def enter(namespace: str) -> None:
    """Go inside: what is connected from now on is in there."""
    with Path(f"/run/netns/{namespace}").open("rb") as inside:
        if ctypes.CDLL(None, use_errno=True).setns(inside.fileno(), 0):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


async def serve(namespace: str, address: str, port: int) -> None:
    """Listen here, then go inside."""
    outside = socket.create_server(("127.0.0.1", 0), backlog=512)
    enter(namespace)
    sys.stdout.write(f"{outside.getsockname()[1]}\n")
    sys.stdout.flush()
    server = await asyncio.start_server(partial(lead, address, port), sock=outside)
    await server.serve_forever()


@contextmanager
def door(namespace: str, address: str, port: int) -> Iterator[int]:
    """Keep a door open while the block lasts, and give its port here."""
    words = [sys.executable, "-m", "engines.door", namespace, address, str(port)]
    process = subprocess.Popen(
        tied("KILL", words), cwd=Path(__file__).parent.parent, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2], int(sys.argv[3])))
