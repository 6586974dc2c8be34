"""The one door to an S3-compatible bucket, in which several machines keep their photos together."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from io import BytesIO
from ssl import SSLCertVerificationError
from typing import Any, TypeVar
from urllib.parse import urlsplit

import structlog
import urllib3
from urllib3.exceptions import HTTPError, SSLError
from urllib3.util import Retry, Timeout

from killer import secret as secret_
from killer.media.shelf import Shelf, ShelfError
from killer.settings import Settings

CONNECT_SECONDS = 2.0  # to be let in; a phone waits
ANSWER_SECONDS = 4.0  # of silence in an answer
PAUSE = 1.0  # seconds for which nobody asks a bucket that has just not answered
AGAIN = (500, 502, 503, 504)  # answers that are asked for once more
#: What S3 calls what is wrong (its "List of error codes"), and the sentence `shelf.<code>`.
CODES = {
    "NoSuchBucket": "no_bucket",
    "InvalidBucketName": "no_bucket",
    "InvalidAccessKeyId": "wrong_key",
    "SignatureDoesNotMatch": "wrong_key",
    "AccessDenied": "not_allowed",
    "RequestTimeTooSkewed": "clock",
    "AuthorizationHeaderMalformed": "region",
    "IllegalLocationConstraintException": "region",
    "PermanentRedirect": "region",
    "TemporaryRedirect": "region",
    "Redirect": "region",
}
WORD = re.compile(r"[A-Za-z0-9]{1,50}")

Found = TypeVar("Found")
_log = structlog.get_logger()


class Bucket:
    """One bucket, or what in it begins with a prefix; nothing is opened before the first use.

    The library is loaded with it, before the fork: its 11 MB are only for those who have a bucket,
    and once for all workers. Only the endpoint of the settings is ever asked, whatever it answers.
    """

    def __init__(
        self,
        settings: Settings,
        answer_seconds: float = ANSWER_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._answer_seconds, self._clock = settings, answer_seconds, clock
        self._name, _, prefix = settings.photos_url.removeprefix("s3://").partition("/")
        self._prefix = f"{prefix.strip('/')}/".lstrip("/")
        self._silent_until = float("-inf")
        self._failure = self._error("away", "", retry=True)
        self._library: Any = import_module("minio")
        logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # it names the photos
        no_answer = (HTTPError, OSError, ValueError, SyntaxError)  # the last for what is no XML
        self._errors: tuple[type[Exception], ...] = (self._library.error.MinioException, *no_answer)

    @cached_property
    def _client(self) -> Any:
        endpoint = urlsplit(self._settings.s3_endpoint)
        retries = Retry(
            total=1,
            redirect=False,  # it might lead anywhere
            allowed_methods=None,  # all that we ask may be asked twice
            status_forcelist=AGAIN,
            raise_on_status=False,
            respect_retry_after_header=False,  # a phone waits
        )
        timeout = Timeout(connect=CONNECT_SECONDS, read=self._answer_seconds)
        return self._library.Minio(
            endpoint.netloc,
            access_key=self._settings.s3_key,
            secret_key=self._settings.s3_secret,
            secure=endpoint.scheme == "https",
            region=self._settings.s3_region,
            http_client=urllib3.PoolManager(timeout=timeout, retries=retries, maxsize=16),
        )

    def put(self, file: str, data: bytes) -> None:
        """Keep a file, whole or not at all.

        Raises:
            ShelfError: it may not be kept.
        """
        words = {"length": len(data), "content_type": "image/webp"}
        key = self._prefix + file
        self._ask(lambda: self._client.put_object(self._name, key, BytesIO(data), **words))

    def get(self, file: str) -> bytes | None:
        """Give a whole file, or nothing when there is none of that name.

        Raises:
            ShelfError: nobody knows.
        """
        return self._ask(lambda: self._whole(file))

    def _whole(self, file: str) -> bytes | None:
        try:
            answer = self._client.get_object(self._name, self._prefix + file)
        except self._library.error.S3Error as error:
            if error.code == "NoSuchKey":
                return None
            raise
        try:
            data: bytes = answer.read()  # an error when it is shorter than was said
        finally:
            answer.close()
            answer.release_conn()
        return data

    def files(self, folder: str) -> list[tuple[str, float]]:
        """Name the files whose name begins so, with the time when they were put, Unix seconds.

        Raises:
            ShelfError: nobody knows.
        """
        start = self._prefix + folder
        found = self._ask(
            lambda: list(self._client.list_objects(self._name, prefix=start, recursive=True))
        )
        return [
            (each.object_name.removeprefix(self._prefix), each.last_modified.timestamp())
            for each in found
        ]

    def remove(self, file: str) -> None:
        """Throw a file away, if it is there.

        Raises:
            ShelfError: it may still be there.
        """
        self._ask(lambda: self._client.remove_object(self._name, self._prefix + file))

    def check(self) -> None:
        """Try everything that the server does with it, on a file that is gone afterwards.

        Raises:
            ShelfError: what doesn't work.
        """
        file, data = f"check-{secrets.token_hex(8)}", secrets.token_bytes(64)
        self.put(file, data)
        same, listed = self.get(file) == data, self.files(file)
        self.remove(file)
        if not same or not listed:
            raise self._error("bucket", "?")

    def _ask(self, question: Callable[[], Found]) -> Found:
        if self._clock() < self._silent_until:
            raise ShelfError(self._failure.code, retry=self._failure.retry, **self._failure.params)
        try:
            return question()
        except self._errors as error:
            told = self._told(error)
            if told.silent:
                self._failure, self._silent_until = told, self._clock() + PAUSE
            _log.warning("bucket.failed", code=told.code, cause=told.params["cause"])
            raise told from error

    def _told(self, error: Exception) -> ShelfError:
        """Give the sentence for what the library has met; of the answer it repeats one word."""
        said = str(getattr(error, "code", "") or getattr(error, "status_code", ""))
        if said in CODES:
            return self._error(CODES[said], said)
        met = getattr(error, "reason", None) or error  # what has ended the last try
        if isinstance(met, SSLError) and isinstance(met.args[0], SSLCertVerificationError):
            return self._error("certificate", type(met).__name__)
        if isinstance(met, (HTTPError, OSError)):
            return self._error("away", type(met).__name__, retry=True)
        word = said if WORD.fullmatch(said) else type(error).__name__
        return self._error("bucket", word, retry=True)

    def _error(self, code: str, cause: str, *, retry: bool = False) -> ShelfError:
        place = {"bucket": self._name, "endpoint": self._settings.s3_endpoint}
        return ShelfError(code, retry=retry, cause=cause, **place)


def bucket_of(settings: Settings) -> Bucket | None:
    """Give the bucket of a deployment, if it has one."""
    return Bucket(settings) if settings.photos_url else None


def shelf_of(settings: Settings) -> Shelf:
    """Give the photos' place of a deployment; nobody guesses a name without its secret."""
    return Shelf(settings.photos, secret_.of(settings), bucket_of(settings))
