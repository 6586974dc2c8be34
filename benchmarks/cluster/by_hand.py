"""`--by-hand`: the cluster stands until it is told to go, and does what is typed."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterable

from benchmarks.cluster import bells, network, standing
from benchmarks.cluster.game import Game
from benchmarks.cluster.network import address
from benchmarks.cluster.scale import Scale
from benchmarks.cluster.standing import FRONT, Cluster, Setup

WORDS = (
    "cut N, heal N, kill N, start N, freeze N, thaw N; stop|start redis|postgresql; crash; state"
)


def stand(scale: Scale, lines: Iterable[str] = sys.stdin) -> None:
    """Bring the cluster up, say how to reach it, and obey until there are no more lines."""
    game = Game(scale.phones)
    with standing.standing(Setup(scale.nodes, lookout=scale.lookout), game.prepare) as cluster:
        bells.start(game)
        phones = cluster.network.space("phones")
        sys.stdout.write(f"{WORDS}; quit\nip netns exec {phones} curl {FRONT}/health\n")
        sys.stdout.write(
            f"ip netns exec {phones} killer loadtest --host {FRONT} --token {game.token}\n"
        )
        for line in lines:
            if line.strip() == "quit":
                break
            sys.stdout.write(f"{obey(cluster, line.split())}\n")
            sys.stdout.flush()


def obey(cluster: Cluster, words: list[str]) -> str:
    """Do what somebody has typed, and say how things are."""
    match words:
        case [("stop" | "start") as verb, ("redis" | "postgresql") as what]:
            engine = cluster.redis if what == "redis" else cluster.postgres
            (engine.stop if verb == "stop" else engine.start)()
        case ["crash"]:
            cluster.postgres.crash(signal.SIGQUIT)
        case [verb, name] if name in cluster.nodes and verb in deeds(cluster, name):
            deeds(cluster, name)[verb]()
        case ["state"]:
            pass
        case _:
            return WORDS
    return ", ".join(f"{name} {address(name)}: {standing.status(name)}" for name in cluster.nodes)


def deeds(cluster: Cluster, name: str) -> dict[str, Callable[[], None]]:
    """Give what can be done to a node."""
    wire: network.Network = cluster.network
    node = cluster.nodes[name]
    return {
        "cut": lambda: wire.cut(name),
        "heal": lambda: wire.heal(name),
        "kill": node.kill,
        "start": node.start,
        "freeze": node.freeze,
        "thaw": node.thaw,
    }
