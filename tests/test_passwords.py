"""Passwords: whoever guesses learns nothing, and nobody waits for another's hash."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from killer import passwords

PATCHED = """
from gevent import monkey
monkey.patch_all()
import json, time
import gevent
from killer import passwords

gaps, going = [], True

def tick():
    while going:
        began = time.monotonic()
        gevent.sleep(0.002)
        gaps.append(time.monotonic() - began)

ticking = gevent.spawn(tick)
hashes = [gevent.spawn(passwords.hash_password, "mot de passe") for _ in range(4)]
gevent.joinall(hashes, raise_error=True)
checks = [gevent.spawn(passwords.fits, one.value, "mot de passe") for one in hashes]
checks.append(gevent.spawn(passwords.fits, None, "mot de passe"))
gevent.joinall(checks, raise_error=True)
done = []
several = passwords.hash_all(["a", "b", "c"], lambda: done.append(1))
fit = passwords.all_fit([*zip(several, "abc"), (several[0], "b")], lambda: done.append(1))
going = False
ticking.join()
print(json.dumps({"ticks": len(gaps), "fits": [one.value for one in checks], "all": fit,
                  "done": len(done)}))
"""


@pytest.fixture(scope="module")
def hashed() -> str:
    return passwords.hash_password("Sésame 🔑")


def test_a_password_fits_its_own_hash_only(hashed: str) -> None:
    assert passwords.fits(hashed, "Sésame 🔑")
    for wrong in ("sésame 🔑", "", "Sésame", hashed):
        assert not passwords.fits(hashed, wrong)


def test_a_hash_is_argon2id_and_never_the_same_twice(hashed: str) -> None:
    assert hashed.startswith("$argon2id$v=19$m=7168,t=5,p=1$")
    assert passwords.hash_password("Sésame 🔑") != hashed
    assert len(hashed) <= 200


def test_without_a_hash_or_with_a_broken_one_nothing_fits() -> None:
    assert not passwords.fits(None, "")
    assert not passwords.fits("", "mot")
    assert not passwords.fits("sesame", "sesame")


def test_an_unknown_name_takes_as_long_as_a_wrong_password(hashed: str) -> None:
    """The same work is done: CPU time says so on a busy machine too, with a wide margin."""
    passwords.fits(None, "once, to make the hash that nothing fits")
    turns = [
        [cpu_seconds(lambda one=one: passwords.fits(one, "wrong")) for one in (hashed, None)]
        for _ in range(5)
    ]
    wrong, unknown = map(min, zip(*turns, strict=True))  # whatever else ran cost both of a turn
    assert 0.5 < unknown / wrong < 2
    assert (
        passwords._nobody().rpartition("$")[0].rpartition("$")[0] == "$argon2id$v=19$m=7168,t=5,p=1"
    )


def cpu_seconds(work) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began


def test_many_are_hashed_and_checked_in_their_order() -> None:
    done: list[int] = []
    words = [f"mot {i}" for i in range(5)]
    hashes = passwords.hash_all(words, lambda: done.append(1))
    assert passwords.all_fit(list(zip(hashes, words, strict=True)), lambda: done.append(1)) == (
        [True] * 5
    )
    assert len(done) == 10
    assert passwords.hash_all([], done.clear) == []


def test_under_gevent_hashing_leaves_the_others_their_time() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PATCHED], capture_output=True, timeout=60, check=True
    )
    told = json.loads(run.stdout)
    assert told["fits"] == [True] * 4 + [False]
    assert told["all"] == [True] * 3 + [False]
    assert told["done"] == 7
    assert told["ticks"] > 20, "the loop stood still"
