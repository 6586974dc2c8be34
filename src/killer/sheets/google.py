"""The organisers' spreadsheet and files at Google: the only file that talks to Google."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar
from urllib.parse import quote

import gspread
from cryptography.exceptions import UnsupportedAlgorithm
from google.auth import exceptions as auth_errors
from google.auth.transport import Response as Answer
from google.auth.transport.requests import AuthorizedSession, Request
from google.oauth2.service_account import Credentials
from gspread.urls import DRIVE_FILES_API_V3_URL, SPREADSHEET_URL
from requests import Response
from requests import exceptions as web_errors
from urllib3 import exceptions as wire_errors

from killer.sheets.pace import GoogleError, Pace
from killer.sheets.refused import refusal, token_refusal
from killer.sheets.shapes import KEY, Column, Tab, filled, inserted, mark, texts, unmark

__all__ = ["Column", "Google", "GoogleError", "Tab"]

T = TypeVar("T")

SCOPES: Final = (
    "https://www.googleapis.com/auth/spreadsheets",
    "https://www.googleapis.com/auth/drive.readonly",
)
LARGEST: Final = 50_000_000
"""Bytes of the largest answer about a spreadsheet that is read."""

_HOSTS = ("https://sheets.googleapis.com", "https://www.googleapis.com")
_DRIVE = "drive"
_PIECE = 65536
_CONNECT = 5.0
_FILE_SECONDS = 90.0  # for the whole of a photo, on a line that others use too
_KEY_FIELDS = ("client_email", "private_key", "token_uri")
_FIELDS = "sheets.properties(sheetId,title,gridProperties(rowCount,columnCount))"
_UNUSABLE = (LookupError, TypeError, ValueError, AttributeError)
_FAILURES = (
    web_errors.RequestException,
    wire_errors.HTTPError,
    auth_errors.GoogleAuthError,
    gspread.exceptions.GSpreadException,
    OSError,
    *_UNUSABLE,
)


def _uncounted(kind: str, outcome: str) -> None:
    """Count nothing."""


class Google:
    """Reads and writes spreadsheets as a service account; safe for threads and greenlets.

    Every method raises GoogleError, and nothing else of what can go wrong outside. Nothing is read
    or asked before the first of them.

    Args:
        key_file: the service account's key, JSON from Google.
        url: replaces Google's addresses; the one for tokens stands in the key file.
        timeout: seconds to wait for one answer.
        pace: how hard Google may be asked.
        counted: told of each call its kind (read, write, file, token) and `ok` or the error's code.
    """

    def __init__(
        self,
        key_file: Path,
        *,
        url: str = "",
        timeout: float = 10.0,
        pace: Pace | None = None,
        counted: Callable[[str, str], None] = _uncounted,
    ) -> None:
        self._key_file, self._url, self._timeout = key_file, url.rstrip("/"), timeout
        self._pace, self._counted = pace or Pace(), counted
        self._opened: Any = None
        self._opening = threading.Lock()

    @property
    def address(self) -> str:
        """Give the mail address that a spreadsheet has to be shared with."""
        return _read_key(self._key_file)["client_email"]

    def tabs(self, sheet: str) -> list[Tab]:
        """Give the tabs that have cells, from left to right."""

        def ask(line: _Line) -> list[Tab]:
            known = line.fetch_sheet_metadata(_safe(sheet), {"fields": _FIELDS})
            found = [each["properties"] for each in known["sheets"]]
            return [Tab.said(each) for each in found if "gridProperties" in each]

        return self._ask("read", sheet, ask)

    def read(self, sheet: str, titles: Sequence[str]) -> list[list[list[str]]]:
        """Give the rows of each of these tabs as they are shown, without empty cells at the end."""
        ranges = ["'" + title.replace("'", "''") + "'" for title in titles]
        how = {"majorDimension": "ROWS", "valueRenderOption": "FORMATTED_VALUE"}

        def ask(line: _Line) -> list[list[list[str]]]:
            found = line.values_batch_get(_safe(sheet), ranges, {**how})["valueRanges"]
            if len(found) != len(titles):
                raise GoogleError("half_answer")
            return [[list(map(str, row)) for row in each.get("values", [])] for each in found]

        return self._ask("read", sheet, ask) if titles else []

    def columns(self, sheet: str) -> list[Column]:
        """Give the columns that we marked."""
        lookup = {"metadataKey": KEY, "locationType": "COLUMN"}
        body = {"dataFilters": [{"developerMetadataLookup": lookup}]}

        def ask(line: _Line) -> list[Column]:
            url = f"{SPREADSHEET_URL % _safe(sheet)}/developerMetadata:search"
            found = line.request("post", url, json=body).json()
            matched = found.get("matchedDeveloperMetadata", [])
            return [Column.said(each["developerMetadata"]) for each in matched]

        return self._ask("read", sheet, ask)

    def mark_columns(self, sheet: str, tab: int, keys: Mapping[int, str]) -> None:
        """Mark columns that are there, each by its index; look again before repeating it."""
        self._change(sheet, [mark(tab, index, key) for index, key in keys.items()])

    def unmark_columns(self, sheet: str, marks: Sequence[int]) -> None:
        """Take marks back; one that is gone already is no error."""
        self._change(sheet, [unmark(each) for each in marks])

    def add_columns(
        self, sheet: str, tab: int, at: int, row: int, headers: Mapping[str, str]
    ) -> None:
        """Add a marked column for each key, with its header in that row: all or nothing.

        After an error that leaves it open whether it was done, look again before repeating it.
        """
        width = next((each.columns for each in self.tabs(sheet) if each.id == tab), None)
        if width is None or at > width:
            raise GoogleError("bad_range")
        room = inserted(tab, at, len(headers), width)
        marks = [mark(tab, at + n, key) for n, key in enumerate(headers)]
        self._change(sheet, [room, texts(tab, at, row, list(headers.values())), *marks])

    def write(self, sheet: str, cells: Mapping[int, Mapping[int, str | int]]) -> None:
        """Write cells of marked columns, by row from 0; an empty text empties a cell."""
        data = [filled(marked, rows) for marked, rows in cells.items() if rows]
        body = {"valueInputOption": "RAW", "data": data}

        def ask(line: _Line) -> None:
            url = f"{SPREADSHEET_URL % _safe(sheet)}/values:batchUpdateByDataFilter"
            done = line.request("post", url, json=body).json()
            if len(done.get("responses", [])) < len(data):
                raise GoogleError("bad_range")  # a marked column is gone: nothing was found to fill

        if data:
            self._ask("write", sheet, ask)

    def file(self, file_id: str, most: int) -> bytes:
        """Give the bytes of a file on Drive, when there are no more than that."""
        url = f"{DRIVE_FILES_API_V3_URL}/{_safe(file_id)}"

        def ask(line: _Line) -> bytes:
            how = {"alt": "media", "supportsAllDrives": "true"}
            return line.request("get", url, params={**how}).content

        return self._ask("file", _DRIVE, ask, most=most)

    def may_edit(self, sheet: str) -> bool:
        """Tell whether the spreadsheet was shared with the right to change it."""
        url = f"{DRIVE_FILES_API_V3_URL}/{_safe(sheet)}"

        def ask(line: _Line) -> bool:
            how = {"fields": "capabilities(canEdit)", "supportsAllDrives": "true"}
            return bool(line.request("get", url, params={**how}).json()["capabilities"]["canEdit"])

        return self._ask("file", _DRIVE, ask)

    def _change(self, sheet: str, requests: list[dict[str, Any]]) -> None:
        if requests:
            body = {"requests": requests}
            self._ask(
                "write", sheet, lambda line: line.batch_update(_safe(sheet), body), again=False
            )

    def _ask(
        self,
        kind: str,
        what: str,
        question: Callable[[_Line], T],
        *,
        again: bool = True,
        most: int = LARGEST,
    ) -> T:
        def attempt(left: float) -> T:
            with _translated(kind, self._counted):
                session = self._session()
                line = _Line(session, self._url, min(self._timeout, left), kind, most)
                return question(line)

        try:
            return self._pace.call(kind, what, attempt, again=again)
        except GoogleError as error:
            if error.code == "key_refused":
                self._opened = None  # the organiser may put another key in its place
            raise

    def _session(self) -> Any:
        with self._opening:  # nothing in here waits for the network
            if self._opened is None:
                self._opened = _new_session(_credentials(self._key_file), self._counted)
            return self._opened


class _Line(gspread.HTTPClient):
    """One try to ask Google: other addresses, bounded in time and size, our own errors."""

    def __init__(self, session: Any, url: str, timeout: float, kind: str, most: int) -> None:
        super().__init__(session.credentials, session)
        self._address: str = session.credentials.service_account_email
        self.set_timeout((min(timeout, _CONNECT), timeout))
        self._url, self._file, self._most = url, kind == "file", most
        self._until = time.monotonic() + (_FILE_SECONDS if self._file else timeout)

    def request(
        self,
        method: str,
        endpoint: str,
        params: Any = None,
        data: bytes | None = None,
        json: Mapping[str, Any] | None = None,
        files: Any = None,
        headers: Any = None,
    ) -> Response:
        """Ask once and read the whole answer."""
        for host in _HOSTS if self._url else ():
            endpoint = endpoint.replace(host, self._url, 1)
        response = self.session.request(
            method,
            endpoint,
            params=params,
            data=data,
            json=json,
            files=files,
            headers=headers,
            timeout=self.timeout,
            stream=True,
        )
        _read_whole(response, self._until, self._most if response.ok else LARGEST)
        if not response.ok:
            raise refusal(
                response.status_code,
                response.content,
                response.headers,
                file=self._file,
                address=self._address,
            )
        return response


class _Door(Request):
    """The way to the address for tokens: one try, so that only our pace retries."""

    def __init__(self, counted: Callable[[str, str], None]) -> None:
        super().__init__()
        self._counted = counted

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Any = None,
        timeout: Any = _CONNECT,
        **kwargs: Any,
    ) -> Answer:
        """Ask once for a token."""
        until = time.monotonic() + (timeout[-1] if isinstance(timeout, tuple) else timeout)

        def judge(response: Response, *_: Any, **__: Any) -> None:
            _read_whole(response, until, _PIECE)
            if not response.ok:
                raise token_refusal(response.status_code, response.content, response.headers)
            if not isinstance(response.json(), dict):
                raise GoogleError("half_answer")

        with _translated("token", self._counted):
            hooks = {"response": judge}
            ask: Any = super().__call__
            answer: Answer = ask(
                url, method, body, headers, timeout, stream=True, hooks=hooks, **kwargs
            )
            return answer

    def __deepcopy__(self, memo: object) -> NoReturn:
        """Refuse: google-auth copies it to ask for allowed regions behind our back, in a thread."""
        raise TypeError("there is only one door")


def _read_key(file: Path) -> dict[str, str]:
    try:
        key = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise GoogleError("no_key_file", file=str(file)) from error
    except ValueError as error:
        raise GoogleError("bad_key_file", file=str(file)) from error
    if not isinstance(key, dict) or not all(isinstance(key.get(each), str) for each in _KEY_FIELDS):
        raise GoogleError("bad_key_file", file=str(file))
    return key


# google-auth has no types for these two.
_new_credentials: Any = Credentials.from_service_account_info
_new_authorized: Any = AuthorizedSession


def _credentials(file: Path) -> Any:
    key = _read_key(file)
    try:
        return _new_credentials(key, scopes=SCOPES)
    except (*_UNUSABLE, UnsupportedAlgorithm) as error:
        raise GoogleError("bad_key_file", file=str(file)) from error


def _new_session(credentials: Any, counted: Callable[[str, str], None]) -> Any:
    return _new_authorized(credentials, auth_request=_Door(counted))


def _read_whole(response: Response, until: float, most: int) -> None:
    """Read the body as it drips in; requests' own time-out begins anew with each drop."""
    try:
        response.raw = io.BytesIO(_body(response.raw, until, most))
    except BaseException:
        response.close()
        raise


def _body(raw: Any, until: float, most: int) -> bytes:
    body = bytearray()
    while piece := raw.read1(_PIECE, decode_content=True):
        body += piece
        if len(body) > most:
            raise GoogleError("file_too_large", most=f"{most / 1_000_000:.3g}")
        if time.monotonic() > until:
            raise GoogleError("silent")
    return bytes(body)


@contextmanager
def _translated(kind: str, counted: Callable[[str, str], None]) -> Iterator[None]:
    """Count what happens inside, and let out nothing but a GoogleError."""
    try:
        yield
    except GoogleError as error:
        counted(kind, error.code)
        raise
    except _FAILURES as error:
        problem = _problem(error)
        counted(kind, problem.code)
        raise problem from error
    counted(kind, "ok")


def _problem(error: Exception) -> GoogleError:
    match error:
        case auth_errors.TransportError(__cause__=Exception() as cause):
            return _problem(cause)
        case web_errors.Timeout() | wire_errors.TimeoutError():
            return GoogleError("silent")
        case web_errors.SSLError() if "has expired" in str(error) or "not yet valid" in str(error):
            return GoogleError("clock_wrong")
        case auth_errors.GoogleAuthError():
            return GoogleError("key_refused")
        case web_errors.ConnectionError():
            return GoogleError("unreachable")
        case wire_errors.HTTPError() | ValueError() | LookupError() | TypeError():
            return GoogleError("half_answer")
    return GoogleError("unreachable" if isinstance(error, OSError) else "half_answer")


def _safe(name: str) -> str:
    return quote(name, safe="")
