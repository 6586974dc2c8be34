"""Preparing photos in a real thread: the loop stays free, and the machine's memory is bounded."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from killer.media.pictures import Photo, prepare
from killer.threads import Places, Threads

UPLOADS = Places(5, each=1)
"""Photos from phones that are prepared or wait for it in this process, by whose they are."""

_THREAD = Threads(1)


def prepare_aside(read: Callable[[], bytes]) -> Photo:
    """Make the three sizes of a photo; under gevent, other greenlets run meanwhile.

    The file is read only when its turn has come: those that wait hold no memory.

    Raises:
        BadPhotoError: the file can't be anybody's photo.
    """
    return _THREAD.do(lambda: _prepare_alone(read))


def _prepare_alone(read: Callable[[], bytes]) -> Photo:
    with _turn():
        return prepare(read())


@contextmanager
def _turn() -> Iterator[None]:
    """Wait until no other process decodes: a large picture takes up to half a gigabyte."""
    place = Path(tempfile.gettempdir()) / f"killer-photos-{os.getuid()}.lock"
    descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
