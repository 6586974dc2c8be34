"""Preparing photos in real threads: the loop stays free, memory stays bounded."""

from __future__ import annotations

import threading

from killer.media.pictures import Photo, prepare
from killer.threads import Threads

AT_ONCE = 2  # in each process; one large picture takes up to half a gigabyte while it is decoded

_turns = threading.BoundedSemaphore(AT_ONCE)
_THREADS = Threads(AT_ONCE)


def prepare_aside(data: bytes) -> Photo:
    """Make the three sizes of a photo; under gevent, other greenlets run meanwhile.

    Raises:
        BadPhotoError: the file can't be anybody's photo.
    """
    with _turns:
        return _THREADS.do(lambda: prepare(data))
