"""Part `bells`: from a death to the last of the phones, with each kind of bell."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from statistics import median

from benchmarks import wire
from benchmarks.cluster import front, hands, truth
from benchmarks.cluster.game import Game
from benchmarks.cluster.network import address
from benchmarks.cluster.scale import Scale
from benchmarks.cluster.standing import BELLS, Cluster, Setup, standing
from benchmarks.cluster.streams import Streams
from benchmarks.figures import Rows
from engines.processes import wait_for

PLACE = (address("front"), front.PORT)
SETTLED = 3.0  # seconds after everybody is there: every worker hears by its bell
PAUSE = 0.3  # seconds between two deaths
LATEST = 20.0  # seconds after which a phone has not heard
NAMES = {"redis": "Redis", "postgresql": "LISTEN/NOTIFY", "look": "regard seul"}


def measure(scale: Scale, say: Callable[[str], None]) -> Rows:
    """Measure each kind of bell on a cluster of its own."""
    rows = Rows()
    for bell in BELLS:
        say(f"{scale.phones} phones, bell: {bell}")
        game = Game(scale.deaths + scale.phones)
        with standing(
            Setup(scale.nodes, bell=bell, lookout=scale.lookout), game.prepare
        ) as cluster:
            start(game)
            with opened(cluster, game, scale.phones) as streams:
                by_bell(cluster, bell)
                time.sleep(SETTLED)
                one_bell(rows, bell, streams, game, scale)
    return rows


def start(game: Game) -> None:
    """Start the game.

    Raises:
        RuntimeError: the server refuses.
    """
    answer = hands.ask(PLACE, "POST", "/api/organiser/game/start", game.organisers[0])
    if answer.status != 200:
        raise RuntimeError(f"the game was not started: {answer}")


def opened(cluster: Cluster, game: Game, phones: int) -> Streams:
    """Give the streams of so many players, which are open while a block lasts."""
    cookies = list(game.cookies.values())[-phones:]
    return Streams(PLACE, cookies, truth.version(), cluster.name_of)


def by_bell(cluster: Cluster, bell: str) -> None:
    """Wait until every node hears by this bell; each answer is one worker's, so ask many times."""

    def heard() -> bool:
        places = [(address(name), 8080) for name in cluster.setup.nodes for _ in range(12)]
        answers = [hands.ask(place, "GET", "/health/ready", "") for place in places]
        return all(json.loads(each.body).get("bell") == bell for each in answers if each.body)

    wait_for(heard, 20, f"the bell {bell}")


def one_bell(rows: Rows, bell: str, streams: Streams, game: Game, scale: Scale) -> None:
    """Let players die one after the other, who have no stream themselves."""
    streams.keep = True
    lasts, every, tapped = [], [], []
    for name in list(game.cookies)[: scale.deaths]:
        began = time.monotonic()
        answer = hands.ask(PLACE, "POST", "/api/death", game.cookies[name])
        if answer.status != 200:
            raise RuntimeError(f"a death was refused: {answer}")
        version = int(json.loads(answer.body)["version"])
        delays = waited(streams, version, began)
        lasts.append(1000 * delays[-1])
        every += [1000 * delay for delay in delays]
        tapped.append(1000 * (answer.answered - began))
        time.sleep(PAUSE)
    row, every, lasts = NAMES[bell], sorted(every), sorted(lasts)
    spread = [count for _, count in sorted(streams.on().items())]
    rows.put(row, "téléphones", "", len(streams.phones))
    rows.put(row, "morts", "", len(lasts))
    rows.put_mean(row, "le dernier, p50", "ms", median(lasts), len(lasts))
    rows.put_mean(row, "le dernier, p95", "ms", wire.share(lasts, 0.95) / 1000, len(lasts))
    rows.put_mean(row, "le dernier, au pire", "ms", lasts[-1], len(lasts))
    rows.put_mean(row, "chacun, p50", "ms", wire.share(every, 0.5) / 1000, len(every))
    rows.put_mean(row, "chacun, p95", "ms", wire.share(every, 0.95) / 1000, len(every))
    rows.put_mean(row, "réponse à qui meurt, p50", "ms", median(tapped), len(tapped))
    rows.put(row, "flux par nœud, au moins", "", min(spread))
    rows.put(row, "flux par nœud, au plus", "", max(spread))
    rows.put(row, "trous", "", streams.gaps)


def waited(streams: Streams, version: int, began: float) -> list[float]:
    """Give how long each phone has waited for a version, sorted; all must have heard.

    Raises:
        AssertionError: one has not heard in time.
    """
    count = len(streams.phones)
    wait_for(lambda: len(streams.heard.get(version, ())) >= count, LATEST, "the last phone")
    return sorted(at - began for at in streams.heard[version])
