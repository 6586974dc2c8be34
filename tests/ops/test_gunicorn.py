"""The server's end: whoever was let in is answered, even when nothing was done for him yet."""

from __future__ import annotations

import subprocess
import sys

ACCEPTED_AT_THE_LAST_MOMENT = """
import socket
from killer.ops import gunicorn
from gevent.pool import Pool
from gunicorn.workers import ggevent
listener = gunicorn.ggevent.gevent.socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
begun = []
door = ggevent.StreamServer(listener, handle=print, spawn=Pool(5))
door.start()
for _ in range(3):
    door.pool.spawn(lambda: begun.append(listener.getsockname()[0]))
door.close()
print(begun, door.closed)
"""


def test_a_connection_that_was_just_accepted_begins_before_the_door_closes(tmp_path) -> None:
    """Under load, several were accepted and not begun: they lost their request at each update."""
    command = [sys.executable, "-c", ACCEPTED_AT_THE_LAST_MOMENT]
    environment = {"DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env=environment
    )
    assert done.stdout == "['127.0.0.1', '127.0.0.1', '127.0.0.1'] True\n", done.stderr
