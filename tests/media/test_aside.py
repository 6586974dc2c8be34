"""In a worker, photos are prepared beside the loop: whoever plays meanwhile is answered."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from media.darkroom import encoded, quarters

PATCHED = """
from gevent import monkey
monkey.patch_all()
import json, sys, time
from pathlib import Path
import gevent
from killer import app, serve
from killer.game import commands as c
from killer.media.aside import prepare_aside
from killer.media.fetch import fetch
from killer.media.pictures import BadPhotoError
from killer.settings import Settings
from killer.store import games, people

folder, data = Path(sys.argv[1]), Path(sys.argv[2]).read_bytes()
settings = Settings(data_dir=folder / "data", secret_key="long enough for a test")
serve.prepare(settings)
site = app.build(settings)
with site.database.write() as connection:
    number = games.create(connection, "Camp")
names = [f"P{n}" for n in range(6)]
site.play.perform(number, *map(c.Enrol, names))
cells = {p.id: people.Contact(photo_source=f"1aaaaaaaaaaaaaaaaaaaaaaaaB{p.id}")
         for p in site.hub.feed(number).game.players.values()}
with site.database.write() as connection:
    people.set_contacts(connection, number, cells)

gaps, going = [], True

def tick():
    while going:
        began = time.monotonic()
        gevent.sleep(0.002)
        gaps.append(time.monotonic() - began)

ticking = gevent.spawn(tick)
held, most = 0, 0

def read():
    global held, most
    held += 1
    most = max(most, held)
    return data

def one():
    global held
    photo = prepare_aside(read)
    held -= 1
    return photo

jobs = [gevent.spawn(one) for _ in range(5)]
gevent.joinall(jobs, raise_error=True)
before = len(gaps)
told = []
report = fetch(site.play, number, site.shelf, lambda _id: data, lambda *n: told.append(n),
               lambda: False)
try:
    prepare_aside(lambda: b"no picture")
except BadPhotoError as error:
    refused = error.code
going = False
ticking.join()
print(json.dumps({"ticks": before, "later": len(gaps) - before, "done": len(report.done),
                  "told": told[-1], "refused": refused, "held": most,
                  "same": len({j.value.digest for j in jobs})}))
"""


def test_under_gevent_photos_leave_the_others_their_time(tmp_path: Path) -> None:
    file = tmp_path / "large.jpg"
    file.write_bytes(encoded(quarters(2400, 3200), quality=95))
    run = subprocess.run(
        [sys.executable, "-c", PATCHED, tmp_path, file],
        capture_output=True,
        timeout=60,
        check=False,
        env=dict(os.environ),
    )
    assert run.returncode == 0, run.stderr.decode()
    told = json.loads(run.stdout)
    assert told["ticks"] > 20, "the loop stood still"
    assert told["later"] > 20, "the loop stood still"
    assert (told["done"], told["told"]) == (6, [6, 0, 6])
    assert (told["refused"], told["same"]) == ("not_an_image", 1)
    assert told["held"] <= 2, "files were read before their turn"
