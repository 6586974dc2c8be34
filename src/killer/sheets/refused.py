"""What Google means when it refuses: a status and a body become a GoogleError."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from killer.sheets.pace import GoogleError

_APIS: Final = {"sheets": "Google Sheets API", "drive": "Google Drive API"}
_SWITCH: Final = "https://console.cloud.google.com/apis/library/{}.googleapis.com"
_SWITCHED_OFF: Final = frozenset({"SERVICE_DISABLED", "accessNotConfigured"})
_TOO_OFTEN: Final = frozenset(
    {"RATE_LIMIT_EXCEEDED", "rateLimitExceeded", "userRateLimitExceeded", "downloadQuotaExceeded"}
)
# Google: a token "must be short-lived (60 minutes) and in a reasonable timeframe".
_CLOCK: Final = re.compile(r"time ?frame|short-lived|\biat\b", re.IGNORECASE)


def refusal(
    status: int, body: bytes, headers: Mapping[str, str], *, file: bool, address: str
) -> GoogleError:
    """Say what an answer that isn't 2xx means, about a file on Drive or else a spreadsheet."""
    error = _error(body)
    wait = _seconds(headers.get("Retry-After"))
    match status:
        case 400 if not file:
            return _bad_request(error)
        case 401:
            return GoogleError("key_refused")
        case 403:
            return _forbidden(error, wait, file=file, address=address)
        case 404:
            code = "file_not_shared" if file else "no_such_sheet"
            return GoogleError(code, address=address)
        case 429:
            return GoogleError("quota", retry_after=wait)
        case _ if status in {408, 409} or status >= 500:  # noqa: PLR2004 -- HTTP's numbers
            return GoogleError("google_down", retry_after=wait)
    return GoogleError("refused", status=str(status))


def token_refusal(status: int, body: bytes, headers: Mapping[str, str]) -> GoogleError:
    """Say what it means that the key got no token."""
    if status >= 500 or status in {408, 429}:  # noqa: PLR2004 -- HTTP's numbers
        return refusal(status, b"", headers, file=False, address="")
    try:
        said = json.loads(body)["error_description"]
    except (ValueError, LookupError, TypeError):
        said = ""
    return GoogleError("clock_wrong" if _CLOCK.search(str(said)) else "key_refused")


def _error(body: bytes) -> dict[str, Any]:
    try:
        error = json.loads(body)["error"]
    except (ValueError, LookupError, TypeError):
        return {}
    return error if isinstance(error, dict) else {}


def _bad_request(error: Mapping[str, Any]) -> GoogleError:
    said = str(error.get("message"))
    if "protected" in said:
        return GoogleError("protected")
    if error.get("status") == "FAILED_PRECONDITION" or "not supported for this document" in said:
        return GoogleError("not_a_sheet")
    return GoogleError("bad_range")


def _forbidden(
    error: Mapping[str, Any], wait: float | None, *, file: bool, address: str
) -> GoogleError:
    reasons = set(_reasons(error))
    if reasons & _SWITCHED_OFF:
        api = "drive" if file else "sheets"
        url = _link(str(error)) or _SWITCH.format(api)
        return GoogleError("api_disabled", api=_APIS[api], url=url)
    if reasons & _TOO_OFTEN:
        return GoogleError("quota", retry_after=wait)
    return GoogleError("file_not_shared" if file else "not_shared", address=address)


def _reasons(error: Mapping[str, Any]) -> Iterator[str]:
    """Give the reasons of both forms: Drive's list of errors and the newer details."""
    for each in (*_list(error.get("errors")), *_list(error.get("details"))):
        if isinstance(each, dict):
            yield str(each.get("reason"))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _link(text: str) -> str:
    """Find the page that switches the API on; only Google's console is believed."""
    found = re.search(r"https://console\.(?:developers|cloud)\.google\.com/[\w./?=&-]+", text)
    return found[0] if found else ""


def _seconds(header: str | None) -> float | None:
    return float(header) if header and re.fullmatch(r"\d{1,6}", header.strip()) else None
