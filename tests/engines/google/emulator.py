"""A Google of our own on the loopback: it grants tokens, keeps sheets and files, and fails."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs

from engines.google import structure, values
from engines.google.accounts import ADDRESS, Accounts
from engines.google.errors import Refused, invalid, no_file, switched_off
from engines.google.faults import Call, Fault, Faults, Kind, Trouble
from engines.google.grid import Cell, Spreadsheet, Tab
from engines.google.quota import Quota
from engines.google.wire import Answer, Asked, Server
from engines.processes import free_port

SHEET = re.compile(r"/v4/spreadsheets/([^/:]+)(.*)")
FILE = re.compile(r"/drive/v3/files/([^/]+)")
#: The rest of the path after the spreadsheet's id, its kind, and who does it.
VERBS: dict[tuple[str, str], tuple[Kind, Callable[[Spreadsheet, Any], dict[str, Any]]]] = {
    ("GET", ""): ("read", lambda sheet, _: structure.describe(sheet)),
    ("GET", "/values:batchGet"): ("read", values.batch_get),
    ("POST", "/developerMetadata:search"): ("read", structure.search),
    ("POST", "/values:batchUpdate"): ("write", values.batch_update),
    ("POST", "/values:batchUpdateByDataFilter"): ("write", values.batch_update_by_filter),
    ("POST", ":batchUpdate"): ("write", structure.batch_update),
}


class Emulator:
    """Serves while its block lasts; everything may be changed while it does.

    `now` is the wall clock that tokens are judged by, `delay` the seconds before any answer, and
    `before_write` is called once, just before the next write is done.
    """

    def __init__(self, *, speed: float = 1) -> None:
        self.now: Callable[[], float] = time.time
        self.delay = 0.0
        self.before_write: Callable[[], None] | None = None
        self.calls: list[Call] = []
        self.quota, self.faults = Quota(speed), Faults()
        self.accounts = Accounts(self._time)
        self.sheets: dict[str, Spreadsheet] = {}
        self.files: dict[str, bytes] = {}
        self.off: set[str] = set()
        self._shared: dict[str, bool] = {}
        self._port = free_port()
        self._server: Server | None = None
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Serve, again at the same address."""
        self._server = Server(self._port, self._answer)

    def stop(self) -> None:
        """Be gone: connections are refused, those that are open are cut."""
        if self._server:
            self._server.close()
        self._server = None

    def key_file(self, folder: Path, address: str = ADDRESS) -> Path:
        """Write a service account's key."""
        return self.accounts.key_file(folder, f"{self.url}/token", address)

    def forget_tokens(self) -> None:
        """Make every token that is out worthless."""
        self.accounts.tokens.clear()

    def sheet(
        self,
        sheet_id: str,
        tabs: Mapping[str, Sequence[Sequence[Cell]]],
        *,
        size: tuple[int, int] | None = None,
    ) -> Spreadsheet:
        """Make a spreadsheet that is shared with every account; size is (rows, columns)."""
        made = Spreadsheet(sheet_id, size)
        for title, rows in tabs.items():
            made.add(title, rows)
        self.sheets[sheet_id] = made
        self.share(sheet_id)
        return made

    def tab(self, sheet_id: str, title: str) -> Tab:
        return self.sheets[sheet_id][title]

    def share(self, thing: str, *, editor: bool = True) -> None:
        """Share a spreadsheet or file; who isn't an editor only reads."""
        self._shared[thing] = editor

    def unshare(self, thing: str) -> None:
        self._shared.pop(thing, None)

    def put_file(self, file_id: str, content: bytes, *, shared: bool = True) -> None:
        self.files[file_id] = content
        if shared:
            self.share(file_id)

    def switch_off(self, api: str) -> None:
        """Switch off the API `sheets` or `drive`."""
        self.off.add(api)

    def switch_on(self, api: str) -> None:
        self.off.discard(api)

    def fail(self, trouble: Trouble, times: int | None = 1, **how: Any) -> None:
        """Let the next calls go wrong, or all until `clear`; see Fault for how."""
        self.faults.add(Fault(trouble, times, **how))

    def clear(self) -> None:
        """Let everything go well again."""
        self.faults.clear()
        self.delay = 0.0

    def count(self, kind: Kind, status: int | None = None) -> int:
        """Give how many calls of a kind came, or how many were answered so."""
        return sum(c.kind == kind and status in {None, c.status} for c in self.calls)

    def _time(self) -> float:
        return self.now()  # looked up each time: a test may set another clock

    def _answer(self, asked: Asked) -> Answer:
        kind = kind_of(asked)
        if self._server and self.delay:
            self._server.over.wait(self.delay)
        fault = self.faults.next(kind)
        answer, account = self._outcome(asked, kind, fault)
        status = 0 if answer.trouble in {"reset", "silence"} else answer.status
        with suppress(ValueError):
            body = asked.json() if kind in {"read", "write"} else None
            self.calls.append(Call(time.monotonic(), kind, asked.path, status, account, body))
        return answer

    def _outcome(self, asked: Asked, kind: Kind, fault: Fault | None) -> tuple[Answer, str]:
        account: list[str] = []
        if fault and not fault.late and (spoilt := early(fault)):
            return spoilt, ""
        try:
            body = self._done(asked, kind, account)
        except Refused as refused:
            return refusing(refused), "".join(account)
        if fault and (spoilt := early(fault)):
            return spoilt, "".join(account)
        raw = body if isinstance(body, bytes) else packed(body)
        trouble, seconds = (fault.trouble, fault.seconds) if fault else (None, 0.0)
        return Answer(200, raw, trouble=trouble, seconds=seconds), "".join(account)

    def _done(self, asked: Asked, kind: Kind, account: list[str]) -> Any:
        """Do what is asked, in the order in which Google refuses."""
        if kind == "token":
            return self.accounts.grant(parse_qs(asked.raw.decode()))
        account.append(self.accounts.bearer(asked.bearer, kind))
        api = "drive" if kind == "file" else "sheets"
        if api in self.off:
            raise switched_off(api)
        self.quota.count(kind, account[0])
        return self._file(asked) if kind == "file" else self._sheet(asked, kind)

    def _file(self, asked: Asked) -> Any:
        found = FILE.fullmatch(asked.path)
        name = found[1] if found else ""
        if name in self.sheets and name in self._shared and "alt" not in asked.query:
            return {"capabilities": {"canEdit": self._shared[name]}}
        if name not in self.files or name not in self._shared:
            raise no_file(name)
        if asked.query.get("alt") != ["media"]:
            raise invalid("Only alt=media is emulated.")
        return self.files[name]

    def _sheet(self, asked: Asked, kind: Kind) -> dict[str, Any]:
        found = SHEET.fullmatch(asked.path)
        verb = VERBS.get((asked.method, found[2])) if found else None
        if found is None or verb is None or found[1] not in self.sheets:
            raise Refused(404)
        if found[1] not in self._shared or (kind == "write" and not self._shared[found[1]]):
            raise Refused(403)
        if kind == "write":
            self._run_hook()
        sheet = self.sheets[found[1]]
        with sheet.lock:
            return verb[1](sheet, asked.query if asked.method == "GET" else parsed(asked))

    def _run_hook(self) -> None:
        with self._lock:
            hook, self.before_write = self.before_write, None
        if hook:
            hook()


def early(fault: Fault) -> Answer | None:
    """Give the answer of a trouble that needs no true one."""
    if isinstance(fault.trouble, int):
        return refusing(Refused(fault.trouble, fault.message, retry_after=fault.retry_after))
    if fault.trouble in {"reset", "silence"}:
        return Answer(0, b"", trouble=fault.trouble, seconds=fault.seconds)
    return None


def refusing(refused: Refused) -> Answer:
    wait = refused.retry_after
    headers = {} if wait is None else {"Retry-After": f"{wait:g}"}
    return Answer(refused.status, packed(refused.body), headers)


def kind_of(asked: Asked) -> Kind:
    if asked.path == "/token":
        return "token"
    if asked.path.startswith("/drive/"):
        return "file"
    found = SHEET.fullmatch(asked.path)
    return VERBS.get((asked.method, found[2] if found else ""), ("read", None))[0]


def parsed(asked: Asked) -> Any:
    try:
        return asked.json()
    except ValueError:
        raise invalid("Invalid JSON payload received. Unexpected token.") from None


def packed(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()
