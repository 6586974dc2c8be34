"""The phones as Locust's users: seated, called and counted, in this process or in workers."""

from __future__ import annotations

import logging
import random
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import gevent
import locust.runners
import msgspec
from locust import User, task
from locust.env import Environment
from locust.event import EventHook
from locust.exception import StopUser
from locust.runners import MasterRunner, Runner

from killer.crowd.client import WRONG, Address, Client
from killer.crowd.ledger import Gauges, Ledger, Page
from killer.crowd.phone import Phone
from killer.crowd.plan import Orders, Ticket, Worker, shares
from killer.language import say

LOOPBACK = "127.0.0.1"
REPORTS = 0.5  # seconds between two reports of a worker
PATIENCE = 60.0  # seconds for workers to come: a busy machine takes long to read Locust


class StopError(Exception):
    """The test can't be played to its end; the message is a sentence."""


class Cue(msgspec.Struct, frozen=True):
    """What the conductor calls out to the phones."""

    name: str  # moment, die, cut, settle or leave
    moment: str = ""
    who: tuple[str, ...] = ()  # nicknames
    at: float = 0.0  # seconds since 1970
    version: int = 0  # that every stream must have told
    within: float = 0.0  # seconds


class Stage:
    """The phones of this process and their ledger."""

    def __init__(self, environment: Environment) -> None:
        self.ledger = Ledger()
        self.phones: list[Phone] = []
        self._environment = environment
        self._address: Address | None = None
        self._window = 0.0
        self._tickets: deque[Ticket] = deque()
        environment.user_classes = [_seat(self)]
        _on(environment.events.request, self._count)
        _on(environment.events.user_error, self._stumble)

    def prepare(self, orders: Orders) -> None:
        """Take the tickets of the next step."""
        self._address = Address.of(orders.host, insecure=orders.insecure)
        self.phones, self._window, self._tickets = [], orders.window, deque(orders.tickets)
        self.ledger.gauges = Gauges()

    def take(self) -> tuple[Phone, float] | None:
        """Give the next phone and when it comes; nothing when every ticket is taken."""
        if not self._tickets or self._address is None:
            return None
        client = Client(self._address, language=random.choice(("fr", "en")))
        phone = Phone(self._tickets.popleft(), client, self.ledger, self._report)
        self.phones.append(phone)
        return phone, random.uniform(0, self._window)

    def obey(self, cue: Cue) -> None:
        """Pass a call on to the phones that it concerns."""
        match cue.name:
            case "moment":
                self.ledger.moment = cue.moment
            case "die":
                self._die(cue)
            case "cut":
                self._cut(cue.within)
            case "settle":
                self._settle(cue.version)
            case "leave":
                for phone in self.phones:
                    phone.leave()

    def _die(self, cue: Cue) -> None:
        for phone in self.phones:
            if phone.ticket.nickname in cue.who:
                phone.die_at(cue.at + random.uniform(0, cue.within))

    def _cut(self, within: float) -> None:
        """Cut every stream at once; each comes back in its own time."""
        for phone in self.phones:
            if phone.line:
                gevent.spawn(phone.line.cut, random.uniform(0, within))

    def gauges(self) -> Gauges:
        """Give how things are now, with the place of the stream that is furthest behind."""
        lines = [phone.line for phone in self.phones if phone.line]
        places = [line.place.version for line in lines if line.open]
        awaited = sum(line.awaited for line in lines)
        now = self.ledger.gauges
        return Gauges(now.phones, now.streams, awaited, min(places, default=None))

    def _settle(self, version: int) -> None:
        """Count what the streams still owe, now that everything should have come."""
        for phone in self.phones:
            if phone.line and phone.line.open:
                self.ledger.page.gaps += max(0, version - phone.line.place.version)

    def _report(
        self, method: str, name: str, took: float, length: int, kind: str, moment: str
    ) -> None:
        fire: Any = self._environment.events.request.fire  # which has no types
        fire(
            request_type=method,
            name=name,
            response_time=took,
            response_length=length,
            exception=kind or None,
            context={"moment": moment},
        )

    def _count(
        self,
        request_type: str,
        name: str,
        response_time: float,
        context: dict[str, str],
        exception: str | None = None,
        **_: object,
    ) -> None:
        route = name if request_type == name else f"{request_type} {name}"
        self.ledger.request(context["moment"], route, response_time, exception or "")

    def _stumble(self, **_: object) -> None:
        """Count a phone that has met what nobody has thought of; Locust logs what it was."""
        self.ledger.request(self.ledger.moment, "phone", 0.0, WRONG)


def _seat(stage: Stage) -> type[User]:
    class Seat(User):
        """One of Locust's users, who plays with one phone."""

        @task
        def play(self) -> None:
            """Play until it is time to leave."""
            taken = stage.take()
            if taken is None:
                gevent.sleep(3600)  # somebody else's process has the tickets that are left
                return
            phone, wait = taken
            try:
                phone.live(wait)
            finally:
                phone.close()
            raise StopUser

    return Seat


class Troupe:
    """All phones of a step, wherever they are: what the conductor has in his hands."""

    def __init__(self, workers: int, language: str) -> None:
        _quiet()
        self._environment = Environment()
        self._stage = Stage(self._environment)
        self.ledger = self._stage.ledger
        self.processes: list[subprocess.Popen[bytes]] = []
        self._there: dict[str, Gauges] = {}
        self._runner = self._make_runner(workers, language)

    def _make_runner(self, workers: int, language: str) -> Runner:
        if not workers:
            runner: Runner = self._environment.create_local_runner()
            _listen(runner, self._stage)
            return runner
        master = self._environment.create_master_runner(LOOPBACK, 0)
        _on(self._environment.events.worker_report, self._hear)
        told = Worker(master=LOOPBACK, port=master.server.port, language=language)
        for _ in range(workers):
            self.processes.append(_start(told))
        with gevent.Timeout(PATIENCE, StopError(say("crowd.no_workers"))):
            while len(master.clients.ready) < workers:
                gevent.sleep(0.05)
        return master

    def _hear(self, client_id: str, data: dict[str, Any]) -> None:
        self.ledger.add(msgspec.msgpack.decode(data["page"], type=Page))
        self._there[client_id] = msgspec.msgpack.decode(data["gauges"], type=Gauges)

    def enter(self, orders: Orders) -> None:
        """Seat everybody; each comes in his own time."""
        runner = self._runner
        if isinstance(runner, MasterRunner):
            clients = sorted(client.id for client in runner.clients.ready)
            hands = shares(orders.tickets, len(clients))
            for client, hand in zip(clients, hands, strict=True):
                mine = msgspec.structs.replace(orders, tickets=hand)
                runner.send_message("orders", msgspec.to_builtins(mine), client)
            users = len(clients) * max(map(len, hands))
        else:
            runner.send_message("orders", msgspec.to_builtins(orders))
            users = len(orders.tickets)
        self.begin()
        runner.start(users, spawn_rate=users)

    def begin(self) -> None:
        """Turn to an empty page of the ledger."""
        self.ledger.take()
        self._there = {}

    def cue(self, cue: Cue) -> None:
        """Call out to everybody."""
        self._runner.send_message("cue", msgspec.to_builtins(cue))

    def gauges(self) -> Gauges:
        """Give how things are now with everybody."""
        found = list(self._there.values()) or [self._stage.gauges()]
        places = [each.behind for each in found if each.behind is not None]
        return Gauges(
            sum(each.phones for each in found),
            sum(each.streams for each in found),
            sum(each.awaited for each in found),
            min(places, default=None),
        )

    def exit(self) -> None:
        """Clear the seats."""
        self._runner.stop()

    def quit(self) -> None:
        """End the workers too."""
        with suppress(Exception):  # whatever state a test that was broken off has left it in
            self._runner.quit()
        for process in self.processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(3)
            process.kill()


def _quiet() -> None:
    """Keep Locust's advice off the terminal: it is for people who write its files themselves."""
    logging.getLogger("locust").setLevel(logging.ERROR)


def _on(hook: EventHook, listener: Callable[..., None]) -> None:
    add: Any = hook.add_listener  # which has no types
    add(listener)


def _listen(runner: Runner, stage: Stage) -> None:
    def orders(msg: Any, **_: object) -> None:
        stage.prepare(msgspec.convert(msg.data, Orders))

    def cue(msg: Any, **_: object) -> None:
        stage.obey(msgspec.convert(msg.data, Cue))

    runner.register_message("orders", orders)
    runner.register_message("cue", cue)


def _start(told: Worker) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "killer.crowd"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603  # our own command
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(told) + b"\n")
    process.stdin.flush()
    return process


def work(told: Worker) -> None:
    """Be a worker until the master says that it is over, or is gone."""
    _quiet()
    locust.runners.WORKER_REPORT_INTERVAL = REPORTS
    environment = Environment()
    stage = Stage(environment)

    def report(data: dict[str, Any], **_: object) -> None:
        data["page"] = msgspec.msgpack.encode(stage.ledger.take())
        data["gauges"] = msgspec.msgpack.encode(stage.gauges())

    runner = environment.create_worker_runner(told.master, told.port)
    _listen(runner, stage)
    _on(environment.events.report_to_master, report)
    runner.greenlet.join()
