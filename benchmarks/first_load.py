"""Part `first_load`: the bytes on the wire when a phone opens its page for the first time."""

from __future__ import annotations

import gzip

from benchmarks import routes, servers, wire, worlds
from benchmarks.bench import Bench
from benchmarks.figures import Rows

ZIPPED = ("Accept-Encoding: gzip",)


def measure(bench: Bench) -> Rows:
    """Count the page and every static file that it names, heads included, without photos."""
    rows = Rows()
    folder = bench.worlds.fresh(bench.scale.sizes[0])
    with servers.killer(folder) as server:
        cookie = worlds.start(folder, server)[0].cookie
        with wire.connect(server.port) as connection:
            asked = wire.request("GET", "/", cookie, headers=ZIPPED)
            head, body = wire.exchange_all(connection, asked)
            total = note(rows, "GET /", head, body)
            page = gzip.decompress(body) if wire.header(head, "content-encoding") else body
            for path in routes.statics(page):
                sent = wire.request("GET", path, cookie, headers=ZIPPED)
                total += note(rows, path.rpartition("/")[2], *wire.exchange_all(connection, sent))
    rows.put("en tout", "taille", "ko", total / 1000)
    return rows


def note(rows: Rows, name: str, head: bytes, body: bytes) -> int:
    """Note the bytes of an answer."""
    assert head[9:12] == b"200", (name, head)
    count = len(head) + 4 + len(body)
    rows.put(name, "taille", "ko", count / 1000)
    return count
