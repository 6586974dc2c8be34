"""One step of a load test: a fresh game, its moments one after the other, and what was found."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import gevent

from killer.crowd import plan as plans
from killer.crowd.figures import Step
from killer.crowd.findings import Findings
from killer.crowd.host import Host, HostError, Rehearsal, Table
from killer.crowd.plan import Orders, Plan
from killer.crowd.probe import Probe
from killer.crowd.troupe import REPORTS, Cue, StopError, Troupe
from killer.crowd.watch import Watch, Watcher
from killer.language import say

LATECOMERS = 20.0  # seconds that the last to sign in are waited for
STARTED = 2.5  # seconds for everybody to look at the new target
AHEAD = 2.5  # seconds to open the page before all die at once
SETTLED = 15.0  # seconds for the last frames to come
LEAKS = 20.0  # seconds for a server to notice that everybody has left


@dataclass
class Conductor:
    """Leads one step from its game's making to its removal."""

    plan: Plan
    phones: int
    host: Host
    troupe: Troupe
    probe: Probe
    watcher: Watcher
    began: float  # of the whole test, monotonic seconds

    moments: list[tuple[str, float]] = field(default_factory=list)  # name and monotonic seconds
    declared: set[str] = field(default_factory=set)  # who was told to die
    alive: list[str] = field(default_factory=list)
    over: float = 0.0  # when everybody was sent home, monotonic seconds

    def play(self) -> Step:
        """Play it; this always comes to an end, and removes the game that was made."""
        why, made, table, leaked = "", None, None, None
        self.watcher.began(self.phones)
        watch = Watch(self.troupe, self.probe, self.host, self.watcher, self.began)
        started = time.monotonic()
        try:
            with gevent.Timeout(plans.deadline(self.phones, self.plan.hold), _too_long()):
                made = self.host.make(self.phones)
                before = self.probe.streams()
                table = self._perform(made)
            leaked = self._leave(before)
        except (StopError, HostError) as error:
            why = str(error)
        finally:
            watch.stop()
            untidy = self._tidy(made)
            why = why or untidy
        finds = Findings(self.troupe.ledger, table.players if table else None, leaked)
        bounds = pairwise([*self.moments, ("", self.over)])
        moments = [
            finds.moment(name, began - self.began, end - began)
            for (name, began), (_, end) in bounds
        ]
        step = finds.step(
            self.phones, started - self.began, self.over - started, moments, watch, why
        )
        self.watcher.ended(step)
        return step

    # --- the moments ---

    def _perform(self, made: Rehearsal) -> Table:
        self.alive = [guest.nickname for guest in made.players]
        deaths, burst, late = plans.deaths(self.phones, self.plan.hold)
        self._arrive(made)
        self._moment("start")
        self.host.steer("start")
        gevent.sleep(STARTED)
        self._moment("play")
        for _ in range(deaths):
            self._kill(1, ahead=1.0, within=0.5)
            gevent.sleep(self.plan.hold / deaths)
        gevent.sleep(0.0 if deaths else self.plan.hold)
        self._moment("burst")
        self._kill(burst, ahead=AHEAD, within=1.0)
        gevent.sleep(AHEAD + 1.0)
        self._until(self._all_acknowledged, SETTLED)
        self._moment("reconnection")
        self._kill(late, ahead=1.5, within=0.5)
        gevent.sleep(0.5)
        self._cue(Cue("cut", within=2.0))
        gevent.sleep(2.5)
        self._until(self._all_connected, SETTLED)
        return self._settle()

    def _arrive(self, made: Rehearsal) -> None:
        window = plans.window(self.phones)
        self._moment("arrival")
        host, insecure = self.plan.host, self.plan.insecure
        self.troupe.enter(Orders(host=host, insecure=insecure, window=window, tickets=made.tickets))
        self._cue(Cue("moment", moment="arrival"))
        self._until(self._all_connected, window + LATECOMERS)

    def _settle(self) -> Table:
        """Wait until everybody knows everything, and give the organiser's table."""
        self._moment("quiet")
        self._until(self._all_acknowledged, SETTLED)
        table = self.host.table()
        self._until(lambda: (self.troupe.gauges().behind or 0) >= table.version, SETTLED)
        self._cue(Cue("settle", version=table.version))
        return table

    def _leave(self, before: int | None) -> int | None:
        """Send everybody home, and count the streams that the server still holds, if it tells."""
        self._go_home()
        self.host.steer("end")  # the last frame: whoever still listened would get it
        left = self.probe.streams()
        deadline = time.monotonic() + LEAKS
        while before is not None and left is not None and left > before:
            if time.monotonic() > deadline:
                return left - before
            gevent.sleep(0.25)
            left = self.probe.streams()
        return None if before is None or left is None else 0

    def _go_home(self) -> None:
        self.over = self.over or time.monotonic()
        self._cue(Cue("leave"))
        gevent.sleep(2 * REPORTS)  # of the workers, if there are any
        self.troupe.exit()

    def _tidy(self, made: Rehearsal | None) -> str:
        """Leave nothing behind; a sentence when that doesn't work."""
        try:
            with gevent.Timeout(LEAKS, _too_long()):
                self._go_home()
                if made is not None:
                    self.host.remove(made)
        except (StopError, HostError) as error:
            return str(error)
        return ""

    def _moment(self, name: str) -> None:
        self.moments.append((name, time.monotonic()))
        self._cue(Cue("moment", moment=name))
        self.watcher.moment(name)

    def _cue(self, cue: Cue) -> None:
        self.troupe.cue(cue)

    def _kill(self, number: int, *, ahead: float, within: float) -> None:
        who = random.sample(self.alive, number)
        self.alive = [name for name in self.alive if name not in who]
        self.declared.update(who)
        self._cue(Cue("die", who=tuple(who), at=time.time() + ahead, within=within))

    def _until(self, condition: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not condition() and time.monotonic() < deadline:
            gevent.sleep(0.1)

    def _all_connected(self) -> bool:
        now = self.troupe.gauges()
        return now.phones >= self.phones and now.streams >= now.awaited

    def _all_acknowledged(self) -> bool:
        taps = self.troupe.ledger.page.taps
        return all(name in taps and taps[name].acknowledged for name in self.declared)


def _too_long() -> StopError:
    return StopError(say("crowd.too_long"))
