"""Real threads: what is done in them comes back, an error too, and greenlets go on meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from engines.processes import program
from killer.threads import FullError, Places, Threads

ASIDE = """
from gevent import monkey
monkey.patch_all()
import gevent, hashlib
from killer.threads import Threads
ticks = []
def tick():
    while True:
        ticks.append(1)
        gevent.sleep(0)
gevent.spawn(tick)
gevent.sleep(0)
before = len(ticks)
Threads(1).do(lambda: hashlib.pbkdf2_hmac("sha256", b"a", b"b", 300_000))
print(len(ticks) > before + 1)
try:
    Threads(1).do(lambda: 1 / 0)
except ZeroDivisionError as error:
    print(error)
"""


BEHIND = """
from gevent import monkey
monkey.patch_all()
import os
from killer.threads import Threads
niceness = lambda: os.getpriority(os.PRIO_PROCESS, 0)
began = niceness()
behind, beside = Threads(1, behind=True), Threads(1)
print(behind.do(niceness) - began, behind.do(niceness) - began, beside.do(niceness) - began)
print(niceness() - began)
"""


def test_without_gevent_it_is_done_right_here() -> None:
    assert Threads(1).do(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        Threads(1).do(lambda: 1 // 0)


def test_greenlets_go_on_and_an_error_is_raised_once_and_printed_nowhere() -> None:
    command = [sys.executable, "-c", ASIDE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split("\n") == ["True", "division by zero", ""]
    assert done.stderr == ""


def test_what_is_done_behind_gives_way_and_nothing_else_does() -> None:
    command = [sys.executable, "-c", BEHIND]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split("\n") == ["5 5 0", "0", ""]


def test_a_server_that_gives_way_already_computes_all_the_same() -> None:
    """Less niceness than it has is what only a privileged process may ask for."""
    setpriv = program("setpriv", package="util-linux")
    bound = [setpriv, "--bounding-set", "-sys_nice"] if os.geteuid() == 0 else []
    command = [*bound, "nice", "-n", "10", sys.executable, "-c", BEHIND]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "0 0 0\n0\n", done.stderr


def test_a_place_is_free_again_when_its_block_ends_even_badly() -> None:
    places = Places(1, each=1)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), places.taken("Ana"):
            _ = 1 // 0


def test_nobody_has_more_places_than_are_meant_for_one() -> None:
    places = Places(3, each=2)
    with places.taken("Ana"), places.taken("Ana"):
        with pytest.raises(FullError) as refused, places.taken("Ana"):
            pass
        assert refused.value.own
        with places.taken("Bo"):
            with pytest.raises(FullError) as refused, places.taken("Chloé"):
                pass
            assert not refused.value.own
