"""The weather station: one process of the machine looks at everything every five seconds."""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
import structlog

import killer
from killer.alerts import Alerts
from killer.game.model import State
from killer.keeper import LEASE
from killer.live.hub import Hub
from killer.settings import Settings, multiprocess_folder
from killer.sheets.noticed import lag
from killer.store import check, keeping, sheets
from killer.store.database import Connection, Database, StoreUnavailableError
from killer.store.games import now
from killer.store.sheets import SheetState
from killer.threads import Threads
from killer.watch import machine, metrics, totals, weather
from killer.watch.alarm import Alarm, Message, step
from killer.watch.register import Reading, Register, point_of
from killer.watch.totals import Counters, Totals
from killer.watch.weather import Line, Observation, Pulse, Sheet

EVERY = 5.0  # seconds between two samples, and between two looks at the database
LONG = 300.0  # seconds over which what happens rarely is added up
LOST = 12.0  # seconds after which a look at the database that hasn't come back is given up
CHECK = 10.0  # seconds between two checks of the games' laws
PATIENCE = 3.0  # seconds that a writer, or the server itself, may let us wait
FULL = 1_000_000  # bytes, below which nothing can be written safely
BY_HAND = 10  # minutes between two backups that somebody makes who wants none by itself

_THREAD = Threads(1)  # for files and for /proc
_AWAY = Threads(1)  # for the folder of the backups, which may lie on a network disk
_log = structlog.get_logger()
Address = tuple[str, int] | str


class Station:
    """Measures if nobody else on this machine does; whoever looks reads it in the register."""

    def __init__(
        self, settings: Settings, hub: Hub, address: Address, serving: Callable[[], bool]
    ) -> None:
        self._settings, self._address, self._serving = settings, address, serving
        self._register = Register(settings.data_dir)
        self._alerts = Alerts(settings)
        self._eye = Eye(settings, hub)
        self._backups = Backups(settings.backups)
        self._counted: deque[tuple[float, Totals]] = deque()
        self._unsent = ""

    def start(self) -> None:
        """Work in the background as long as the process serves."""
        threading.Thread(target=self._work, daemon=True, name="station").start()

    def _work(self) -> None:
        folder = multiprocess_folder(metrics.FOLDER)
        begun = False
        gauge = machine.Machine(workers=folder is not None)
        counters = Counters(folder) if folder else None
        while self._serving():
            try:
                if self._register.claim():
                    begun = begun or self._begin()
                    self._sample(gauge, counters)
            except Exception as error:  # noqa: BLE001  # whatever it is, the next sample comes
                _log.error("station.failed", exc_info=error)
            time.sleep(EVERY)
        self._register.leave()

    def _begin(self) -> bool:
        _log.info("station.begins")
        threading.Thread(target=self._eye.watch, args=(self._serving,), daemon=True).start()
        return True

    def _sample(self, gauge: machine.Machine, counters: Counters | None) -> None:
        alive = knock(self._address)
        use, counted, before, free = _THREAD.do(lambda: self._measured(gauge, counters))
        seen = self._observed(use, counted, alive, free)
        lines = weather.judge(seen, weather.colours(before.lines) if before else {})
        alarm, message = step(before.alarm if before else Alarm(), weather.worst(lines), seen.at)
        if message and self._alerts.wanted:
            threading.Thread(target=self._tell, args=(message, lines), daemon=True).start()
        reading = Reading(seen, lines, alarm, self._unsent, killer.__version__)
        point = point_of(reading, weather.worst(lines))
        _THREAD.do(lambda: self._register.note(reading, point))

    def _measured(
        self, gauge: machine.Machine, counters: Counters | None
    ) -> tuple[machine.Use, Totals, Reading | None, int]:
        counted = counters.read() if counters else Totals()
        free = machine.free(self._settings.data_dir)
        return gauge.use(), counted, self._register.read(), free

    def _tell(self, message: Message, lines: tuple[Line, ...]) -> None:
        self._unsent = self._alerts.send(message, lines)

    def _observed(
        self, use: machine.Use, counted: Totals, alive: float | None, free: int
    ) -> Observation:
        moment, at = time.monotonic(), time.time()
        self._counted.append((moment, counted))
        while self._counted[0][0] < moment - LONG:
            self._counted.popleft()
        minute = next(one for when, one in self._counted if when > moment - weather.MINUTE)
        longer = self._counted[0][1]
        answers = totals.grown(minute.answers, counted.answers)
        delays = totals.grown(longer.delays, counted.delays)
        return Observation(
            at=at,
            answers=totals.above(answers, 0.0),
            p95=totals.quantile(answers, 0.95),
            alive=alive,
            **msgspec.structs.asdict(use),
            refused=int(max(0.0, counted.refused - minute.refused)),
            late=totals.above(answers, totals.TOO_LATE),
            killed=int(max(0.0, counted.hung - longer.hung)),
            phones=int(counted.phones),
            phones_before=int(minute.phones),
            delay=totals.quantile(delays, 0.95),
            disk_free=free,
            backup=self._backups.age(at),
            backup_every=weather.MINUTE * (self._settings.backup_minutes or BY_HAND),
            pulse=self._eye.pulse(),
        )


class Backups:
    """The age of the newest backup in a folder, also while its disk doesn't answer."""

    def __init__(self, folder: Path, patience: float = PATIENCE) -> None:
        self._folder, self._patience = folder, patience
        self._made: float | None = None  # seconds since 1970
        self._look: threading.Thread | None = None

    def age(self, at: float) -> float | None:
        """Give it in seconds, by the last look that came back; None when there is none."""
        if self._look is None or not self._look.is_alive():
            self._look = threading.Thread(target=self._see, daemon=True, name="backups")
            self._look.start()
            self._look.join(self._patience)
        return None if self._made is None else max(0.0, at - self._made)

    def _see(self) -> None:
        at = time.time()
        age = _AWAY.do(lambda: machine.newest(self._folder, "killer-*.tar.gz", at))
        self._made = None if age is None else at - age


def knock(address: Address, patience: float = PATIENCE) -> float | None:
    """Give the seconds until the server says that it is there; None when it doesn't in time."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    if not isinstance(address, str) and ":" in address[0]:
        family = socket.AF_INET6
    began = time.monotonic()
    with suppress(OSError), socket.socket(family, socket.SOCK_STREAM) as line:
        line.settimeout(patience)
        line.connect(address)
        line.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        if b" 200 " in line.recv(200):
            return time.monotonic() - began
    return None


class Eye:
    """Looks at the database again and again; one that doesn't answer keeps nobody else waiting."""

    def __init__(self, settings: Settings, hub: Hub) -> None:
        self._settings, self._hub = settings, hub
        self._scribe = Database(settings.database, patience=PATIENCE)
        self._pulse = Pulse(state="ok")
        self._looked = self._began = time.monotonic()
        self._checked = float("-inf")

    def pulse(self) -> Pulse:
        """Give what the last look found; a look that doesn't come back is an answer too."""
        if time.monotonic() > self._looked + LOST:
            return _silent(self._pulse)
        return self._pulse

    def watch(self, serving: Callable[[], bool]) -> None:
        """Look as long as the process serves."""
        while serving():
            self._pulse = self.look()
            self._looked = time.monotonic()
            time.sleep(EVERY)
        self._scribe.close()

    def look(self) -> Pulse:
        """Look once."""
        try:
            found = self._read()
        except StoreUnavailableError as error:
            _log.warning("station.no_database", cause=str(error))
            return _silent(self._pulse)
        return msgspec.structs.replace(found, state=self._state())

    def _state(self) -> str:
        """Tell whether something could be written, without writing anything."""
        database = self._scribe
        if database.embedded:
            free = _THREAD.do(lambda: machine.free(self._settings.data_dir))
            if free < FULL:
                return "full"
        try:
            with database.write():
                return "ok"
        except StoreUnavailableError as error:
            return "full" if error.full else "locked"

    def _read(self) -> Pulse:
        games = self._hub.games()
        told = {row.id: self._hub.feed(row.id).game for row in games} if self._due() else {}
        with self._hub.database.read() as connection:
            faults = self._pulse.faults
            if told or not games:
                every = (check.quick_faults(connection, r, told[r.id]) for r in games)
                faults = sum(map(len, every))
            newest = games[0] if games and self._settings.spreadsheet else None
            alone = keeping.lapsed(connection, LEASE)
            where, backup = keeping.noted(connection, keeping.BACKUP) or ("", None)
            level = self._sheet(connection, newest.id, newest.version) if newest else None
        if self._scribe.embedded or where == machine.name():  # the folder itself says it
            where, backup = "", None
        if alone is None:  # nobody had the lease yet, or it was given back
            alone = max(0.0, time.monotonic() - self._began - 2 * EVERY)
        playing = any(row.state is State.RUNNING for row in games)
        return Pulse("ok", playing, faults, alone, level, backup, where)

    def _due(self) -> bool:
        """Tell whether the laws are to be checked now."""
        if time.monotonic() < self._checked + CHECK - 1:
            return False
        self._checked = time.monotonic()
        return True

    def _sheet(self, connection: Connection, number: int, version: int) -> Sheet:
        level = sheets.state(connection, number) or SheetState()
        read = None if level.read_at is None else (now() - level.read_at) / 1000
        return Sheet(
            behind=lag(connection, number, version),
            read=read,
            overdue=max(0.0, (read or 0.0) - self._settings.players_ttl),
            trouble=level.trouble,
            details=dict(level.details),
            since=(now() - (level.since or now())) / 1000,
        )


def _silent(pulse: Pulse) -> Pulse:
    """Keep what lasts longer than a silence."""
    return msgspec.structs.replace(pulse, state="silent", faults=None, alone=None)
