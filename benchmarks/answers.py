"""The server's own answers, kept in a folder so that others can give the same bytes."""

from __future__ import annotations

from pathlib import Path

import msgspec

from benchmarks import wire
from benchmarks.bare import Answer
from benchmarks.load import Reading
from benchmarks.servers import Server

INDEX = "answers.json"  # what the bare program reads


def keep(server: Server, readings: list[Reading], folder: Path) -> str:
    """Keep the answers of a server; give the locations by which nginx serves them as files."""
    found, locations = {}, []
    for number, reading in enumerate(readings):
        with wire.connect(server.port) as connection:
            head, body = wire.exchange_all(connection, reading.bytes())
        named = {name: wire.header(head, name) for name in ("content-type", "content-encoding")}
        headers = [(name.title(), value) for name, value in named.items() if value]
        found[reading.path] = Answer([*headers, ("Content-Length", str(len(body)))], body)
        (folder / str(number)).write_bytes(body)
        locations.append(_location(reading.path, folder / str(number), named))
    (folder / INDEX).write_bytes(msgspec.json.encode(found))
    return "\n".join(locations)


def _location(path: str, file: Path, named: dict[str, str]) -> str:
    kind, _, charset = named["content-type"].partition("; charset=")
    lines = [
        f"default_type {kind};",
        "types {}",
        f"root {file.parent};",
        f"try_files /{file.name} =404;",
    ]
    lines += [f"charset {charset};"] if charset else []
    zipped = named["content-encoding"]
    lines += [f"add_header Content-Encoding {zipped};"] if zipped else []
    return f"    location = {path} {{ {' '.join(lines)} }}"
