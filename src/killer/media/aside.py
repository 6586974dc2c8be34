"""Preparing photos in real threads: the loop stays free, memory stays bounded."""

from __future__ import annotations

import threading
from functools import cache

from gevent import monkey
from gevent.threadpool import ThreadPool

from killer.media.pictures import Photo, prepare

AT_ONCE = 2  # in each process; one large picture takes up to half a gigabyte while it is decoded

_turns = threading.BoundedSemaphore(AT_ONCE)


@cache
def _threads() -> ThreadPool:
    return ThreadPool(AT_ONCE)


def prepare_aside(data: bytes) -> Photo:
    """Make the three sizes of a photo; under gevent, other greenlets run meanwhile.

    Raises:
        BadPhotoError: the file can't be anybody's photo.
    """
    with _turns:
        if monkey.is_module_patched("threading"):
            photo: Photo = _threads().apply(prepare, (data,))
            return photo
        return prepare(data)
