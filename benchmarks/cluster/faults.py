"""Parts `faults` and `random`: bursts of deaths during which one part of the cluster fails."""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from benchmarks.cluster import bells, truth
from benchmarks.cluster.game import Game
from benchmarks.cluster.hands import Hands
from benchmarks.cluster.scale import Scale
from benchmarks.cluster.standing import Cluster, Setup, standing
from benchmarks.cluster.streams import Streams
from benchmarks.cluster.windows import OUTSIDE, Window, lasted, sorted_into, window
from benchmarks.figures import Rows
from engines.processes import wait_for

Fault = Callable[[str], AbstractContextManager[None]]
LEAD = 1.0  # seconds of a burst before the fault
CAUGHT_UP = 90.0  # seconds until every phone must have heard everything
SHORT = 3.0  # seconds that are watched after something that is over at once
WHOLE = "en tout"
#: What fails: its name in the figures, whether it befalls a node, whether it lasts.
NAMES = {
    "kill": "kill -9 d'un nœud",
    "cut": "réseau d'un nœud coupé",
    "freeze": "nœud figé (SIGSTOP)",
    "redis": "Redis arrêté",
    "restart": "PostgreSQL redémarré",
    "crash": "PostgreSQL tué, relancé",
    "away": "PostgreSQL absent",
}
ON_NODES, AT_ONCE = ("kill", "cut", "freeze"), ("restart", "crash")
#: Those that end when the engine is back, which takes its time.
ENGINES = (*AT_ONCE, "redis", "away")


@dataclass
class Seen:
    """What one fault has shown."""

    kind: str
    span: Window
    victims: int = 0
    moved: float = 0.0  # seconds until the last of the victims heard from another node
    late: int = 0  # victims that never did: their node was back first


@dataclass
class Scene:
    """A cluster on which people play."""

    cluster: Cluster
    game: Game
    hands: Hands
    streams: Streams
    scale: Scale
    say: Callable[[str], None]
    since: int  # the version when it began
    seen: list[Seen] = field(default_factory=list)
    next: int = 0

    def dying(self) -> list[str]:
        """Give the next so many players."""
        names = list(self.game.cookies)
        chosen = [names[(self.next + n) % len(names)] for n in range(self.scale.burst)]
        self.next = (self.next + self.scale.burst) % len(names)
        return chosen

    def fault(self, kind: str) -> Fault:
        """Give what makes it fail."""
        one = self.cluster
        known: dict[str, Fault] = {
            "kill": one.killed,
            "cut": one.cut,
            "freeze": one.frozen,
            "redis": one.without_redis,
            "restart": one.postgres_restarts,
            "crash": one.postgres_crashes,
            "away": one.without_postgres,
        }
        return known[kind]


def in_turn(scale: Scale, say: Callable[[str], None]) -> Rows:
    """Let everything fail, one after the other."""
    with acted(scale, say) as scene:
        for number, kind in enumerate(scale.kinds.split(",")):
            one_round(scene, kind, scale.nodes[number % len(scale.nodes)], scale.hold)
        return told(scene)


def at_random(scale: Scale, say: Callable[[str], None]) -> Rows:
    """Let something fail, drawn by chance, until the minutes are over."""
    seed = scale.seed or secrets.randbelow(10**6)
    say(f"seed {seed}")
    chance = random.Random(seed)  # noqa: S311  # so that it can be played again
    with acted(scale, say) as scene:
        until = time.monotonic() + 60 * scale.minutes
        while time.monotonic() < until:
            kind, node = chance.choice(scale.kinds.split(",")), chance.choice(scale.nodes)
            one_round(scene, kind, node, chance.uniform(0.3, 1.2) * scale.hold)
        rows = told(scene)
        rows.put(WHOLE, "graine", "", seed)
        return rows


@contextmanager
def acted(scale: Scale, say: Callable[[str], None]) -> Iterator[Scene]:
    """Bring the cluster up with open phones and people who look at their cards."""
    game = Game(max(scale.phones, 3 * scale.burst))
    say(f"{scale.phones} phones")
    with standing(Setup(scale.nodes, lookout=scale.lookout), game.prepare) as cluster:
        bells.start(game)
        hands = Hands(bells.PLACE, game.cookies, game.organisers)
        over = threading.Event()
        with bells.opened(cluster, game, scale.phones) as streams:
            readers = hands.reading(over)
            try:
                yield Scene(cluster, game, hands, streams, scale, say, truth.version())
            finally:
                over.set()
                for reader in readers:
                    reader.join(30)


def one_round(scene: Scene, kind: str, node: str, hold: float) -> None:
    """Let a burst die while something fails; then all is as before."""
    scene.say(f"{kind} {node if kind in ON_NODES else ''}")
    dying = scene.dying()
    burst = threading.Thread(target=scene.hands.burst, args=(dying, scene.scale.spread))
    burst.start()
    time.sleep(LEAD)
    victims = scene.streams.of(node) if kind in ON_NODES else set()
    begin = time.monotonic()
    with scene.fault(kind)(node):
        time.sleep(SHORT if kind in AT_ONCE else hold)
        over = time.monotonic()
    # what comes back serves again only when it is there: a restart is a part of the fault
    end = time.monotonic() if kind in ENGINES else over
    seen = Seen(kind, window(kind, begin, end), len(victims))
    scene.seen.append(seen)
    burst.join()
    caught_up(scene)
    moves(scene, seen, victims, node, over)
    scene.hands.revive(dying)
    caught_up(scene)
    scene.cluster.until_ready()
    time.sleep(max(0.0, seen.span.end - time.monotonic()))
    scene.streams.reopen()  # as people do; else a node that was away would have nobody to lose
    caught_up(scene)


def caught_up(scene: Scene) -> None:
    """Wait until every phone has heard of everything that was kept."""
    version = truth.version()
    count = len(scene.streams.phones)
    wait_for(lambda: not scene.streams.behind(version), CAUGHT_UP, "every phone's last frame")
    wait_for(lambda: scene.streams.on().total() == count, CAUGHT_UP, "every stream")


def moves(scene: Scene, seen: Seen, victims: set[int], node: str, over: float) -> None:
    """Find out when the last victim had its stream on another node."""
    first: dict[int, float] = {}
    for move in scene.streams.moves:
        if move.phone in victims and move.at > seen.span.begin and move.node != node:
            first.setdefault(move.phone, move.at)
    moved = [at - seen.span.begin for at in first.values()]
    seen.moved = max(moved, default=0.0)
    seen.late = len(victims) - sum(at <= over for at in first.values())


# --- the figures ---


def told(scene: Scene) -> Rows:
    """Put everything into figures, one row for each kind of fault, and two for all of it."""
    troubles = [*scene.hands.troubles, *scene.streams.troubles]
    spans = [seen.span for seen in scene.seen]
    counts, rows = sorted_into(troubles, spans), Rows()
    by_kind: dict[str, list[Seen]] = defaultdict(list)
    for seen in scene.seen:
        by_kind[seen.kind].append(seen)
    for kind, all_seen in by_kind.items():
        row = NAMES[kind]
        rows.put(row, "fois", "", len(all_seen))
        rows.put(row, "fenêtre", "s", *(s.span.end - s.span.begin for s in all_seen))
        rows.put(row, "dernière erreur après", "s", *(lasted(troubles, s.span) for s in all_seen))
        if kind in ON_NODES:
            hit = [s for s in all_seen if s.victims] or all_seen
            rows.put(row, "flux touchés", "", *(s.victims for s in hit))
            rows.put(row, "dernier flux ailleurs après", "s", *(s.moved for s in hit))
            rows.put(row, "flux non déplacés", "", sum(s.late for s in hit))
        by_errors(rows, row, counts.get(kind, Counter()))
    by_errors(rows, OUTSIDE, counts.get(OUTSIDE, Counter()))
    whole(rows, scene)
    return rows


def by_errors(rows: Rows, row: str, counted: Counter[str]) -> None:
    """Note the errors of a row, in all and by kind."""
    rows.put(row, "erreurs", "", counted.total())
    for kind, count in sorted(counted.items()):
        rows.put(row, kind, "", count)


def whole(rows: Rows, scene: Scene) -> None:
    """Hold the log against what was acknowledged."""
    hands, streams = scene.hands, scene.streams
    found = {
        "died": differences(scene, "died", hands.deaths),
        "revived": differences(scene, "revived", hands.revivals),
    }
    broken = truth.check(scene.cluster.folder, scene.cluster.setup.environment)
    if broken:
        scene.say(broken)
    rows.put(WHOLE, "morts par rafale", "", scene.scale.burst)
    rows.put(WHOLE, "durée d'une rafale", "s", scene.scale.spread)
    rows.put(WHOLE, "morts acquittées", "", len(hands.deaths))
    rows.put(WHOLE, "retours acquittés", "", len(hands.revivals))
    rows.put(WHOLE, "perdus", "", sum(len(each.lost) for each in found.values()))
    rows.put(WHOLE, "en double", "", sum(len(each.twice) for each in found.values()))
    rows.put(WHOLE, "jamais acquittés", "", sum(map(len, hands.given_up.values())))
    rows.put(
        WHOLE, "gardés sans avoir été acquittés", "", sum(len(f.unasked) for f in found.values())
    )
    rows.put(WHOLE, "lois rompues (killer check)", "", float(bool(broken)))
    rows.put(WHOLE, "trous dans les flux", "", streams.gaps)
    rows.put(WHOLE, "resync", "", streams.resyncs)
    rows.put(WHOLE, "flux", "", len(streams.phones))
    rows.put(WHOLE, "lectures de la carte", "", hands.reads.total())
    if hands.waits:
        rows.put(WHOLE, "une mort acquittée, au plus", "s", max(hands.waits))
    rows.put(WHOLE, "vigie", "", float(scene.cluster.lookout is not None))


def differences(scene: Scene, kind: str, acknowledged: Sequence[truth.Told]) -> truth.Differences:
    """Compare the log with what was acknowledged."""
    given_up = scene.hands.given_up.get(kind, [])
    return truth.compare(acknowledged, truth.log(kind, scene.since), given_up)


def clean(rows: Rows) -> list[str]:
    """Name what must be zero and isn't."""
    zero = ("perdus", "en double", "jamais acquittés", "gardés sans avoir été acquittés")
    zero += ("lois rompues (killer check)", "trous dans les flux")
    wrong = [name for name in zero if rows[WHOLE][name].value]
    return wrong + [OUTSIDE for _ in range(1) if rows[OUTSIDE]["erreurs"].value]
