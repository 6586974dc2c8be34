"""The whole cluster: up while a block lasts, and gone after it whatever happens."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.cluster import engine, front, network
from benchmarks.cluster.engine import Engine, Node
from benchmarks.cluster.network import NODES, Network, address
from engines.processes import wait_for

ROOT = Path(__file__).parent.parent.parent
WORKERS = 2  # processes of each node
SECRET = "the same secret on every node of the cluster"  # noqa: S105  # of a cluster for minutes
BELLS = ("redis", "postgresql", "look")
FRONT = f"http://{address('front')}"
KEPT = "KEEP_LOGS"  # a folder in the environment: where the logs go when all is over


@dataclass(frozen=True)
class Setup:
    """How the cluster is set up."""

    nodes: tuple[str, ...] = NODES
    workers: int = WORKERS
    bell: str = "redis"
    lookout: bool = True
    cores: float = 0.0  # of each node, as a quota; 0: as many as there are
    pinned: tuple[str, ...] = ()  # words before each node's command, such as taskset's

    @property
    def environment(self) -> dict[str, str]:
        """Give what every node and command is told."""
        told = {"DATABASE_URL": engine.URL, "SECRET_KEY": SECRET, "BACKUP_MINUTES": "0"}
        return told | ({"REDIS_URL": engine.REDIS_URL} if self.bell == "redis" else {})


@dataclass
class Cluster:
    """Everything that runs, by name."""

    network: Network
    setup: Setup
    folder: Path
    postgres: Engine
    redis: Engine
    nodes: dict[str, Node] = field(default_factory=dict)
    front: Engine | None = None
    lookout: Engine | None = None

    def cpu(self) -> dict[str, float]:
        """Give the CPU seconds of each part so far."""
        assert self.front is not None
        told = {f"n\u0153ud {name}": node.cpu() for name, node in self.nodes.items()}
        more = {"nginx": self.front, "PostgreSQL": self.postgres, "Redis": self.redis}
        more |= {"vigie": self.lookout} if self.lookout else {}
        return told | {name: one.cpu() for name, one in more.items()}

    def memory(self) -> int:
        """Give the bytes of memory of all parts."""
        assert self.front is not None
        engines = (self.front, self.postgres, self.redis)
        pids = [node.pid for node in self.nodes.values()] + [one.process.pid for one in engines]
        return sum(map(engine.held, pids))

    def ready(self, names: tuple[str, ...] = ()) -> bool:
        """Tell whether these nodes, or all, may get traffic."""
        return all(status(name) == 200 for name in names or self.setup.nodes)

    def until_ready(self, seconds: float = 60) -> None:
        """Wait until every node may get traffic, and gets it from nginx."""
        wait_for(lambda: self.ready() and self.listed(), seconds, "every node's readiness")

    def listed(self) -> bool:
        """Tell whether nginx has every node, as far as the lookout has a say."""
        servers = self.folder / front.SERVERS
        return not servers.exists() or " down;" not in servers.read_text()

    def name_of(self, upstream: str) -> str:
        """Give the node at an address that nginx has told."""
        last = upstream.rpartition(", ")[2].partition(":")[0]
        return next((name for name in self.setup.nodes if address(name) == last), "")

    # --- the faults: each lasts while its block does ---

    @contextmanager
    def killed(self, name: str) -> Iterator[None]:
        """Kill a node; it is started again at the end."""
        self.nodes[name].kill()
        try:
            yield
        finally:
            self.nodes[name].start()

    @contextmanager
    def cut(self, name: str) -> Iterator[None]:
        """Cut a node off from the network."""
        self.network.cut(name)
        try:
            yield
        finally:
            self.network.heal(name)

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """Let a node stand still."""
        self.nodes[name].freeze()
        try:
            yield
        finally:
            self.nodes[name].thaw()

    @contextmanager
    def without_redis(self, _: str = "") -> Iterator[None]:
        """Stop Redis."""
        self.redis.stop()
        try:
            yield
        finally:
            self.redis.start()

    @contextmanager
    def postgres_restarts(self, _: str = "") -> Iterator[None]:
        """Stop PostgreSQL in order and start it at once."""
        self.postgres.stop()
        self.postgres.start()
        yield

    @contextmanager
    def without_postgres(self, _: str = "") -> Iterator[None]:
        """Stop PostgreSQL for longer than requests wait for it."""
        self.postgres.stop()
        try:
            yield
        finally:
            self.postgres.start()

    @contextmanager
    def postgres_crashes(self, _: str = "") -> Iterator[None]:
        """End PostgreSQL at once; it recovers from its log."""
        self.postgres.crash(signal.SIGQUIT)
        self.postgres.start()
        yield


def status(name: str) -> int:
    """Ask a node whether it may get traffic; 0 when it says nothing."""
    try:
        url = f"http://{address(name)}:{engine.HTTP}/health/ready"
        with urllib.request.urlopen(url, timeout=2) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


@contextmanager
def standing(setup: Setup, prepare: Callable[[Path, dict[str, str]], None]) -> Iterator[Cluster]:
    """Bring the cluster up and be on the phones' host while the block lasts.

    `prepare` fills the database, with a folder and an environment for commands, before any node
    is there. The thread must be the main one: what it starts ends with it.

    Raises:
        RuntimeError: this machine holds no cluster.
    """
    if why := network.needed():
        raise RuntimeError(why)
    network.sweep()
    wire = Network()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"{wire.name}-")))
        stack.callback(wire.close)
        stack.callback(_keep_logs, folder)
        wire.open()
        stack.enter_context(wire.inside("phones"))
        files = stack.enter_context(engine.postgres_files())
        postgres = Engine(partial(engine.postgres, wire, files))
        stack.callback(postgres.stop)
        redis = Engine(partial(engine.redis, wire, folder))
        stack.callback(redis.stop)
        cluster = Cluster(wire, setup, folder, postgres, redis)
        prepare(folder, setup.environment)
        _start_nodes(cluster, stack)
        _start_front(cluster, stack)
        yield cluster


def _start_nodes(cluster: Cluster, stack: ExitStack) -> None:
    for name in cluster.setup.nodes:
        own = cluster.folder / name
        own.mkdir()
        cluster.nodes[name] = node = Node(own, _environment(cluster, name), _command(cluster, name))
        stack.callback(node.end)
        node.start()
    cluster.until_ready()


def _environment(cluster: Cluster, name: str) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(ROOT),
        "DATA_DIR": str(cluster.folder / name / "data"),
        "HOST": address(name),
        "PORT": str(engine.HTTP),
        "PROXIES": "1",
        "GUNICORN_WORKERS": str(cluster.setup.workers),
        "GUNICORN_WORKER_CONNECTIONS": "4000",
        "GUNICORN_LOGLEVEL": "warning",
        **cluster.setup.environment,
    }


def _command(cluster: Cluster, name: str) -> list[str]:
    setup = cluster.setup
    module = ["benchmarks.cluster.unrung"] if setup.bell == "look" else ["killer", "serve"]
    share = cluster.network.share(name, setup.cores) if setup.cores else []
    own = [*share, *setup.pinned, *tied_here(), sys.executable, "-m", *module]
    return cluster.network.on(name, own)


def tied_here() -> list[str]:
    """Give the words that let a command end with whoever has started it."""
    return ["setpriv", "--pdeathsig", "TERM"]


def _start_front(cluster: Cluster, stack: ExitStack) -> None:
    names = cluster.setup.nodes
    cluster.front = Engine(partial(front.nginx, cluster.network, cluster.folder, names))
    stack.callback(cluster.front.stop)
    if front.LOOKOUT.exists() and cluster.setup.lookout:
        cluster.lookout = Engine(partial(front.lookout, cluster.network, cluster.folder, names))
        stack.callback(cluster.lookout.stop)
    wait_for(lambda: reached(FRONT), 10, "the front")


def reached(url: str) -> bool:
    """Tell whether the server behind an address answers."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=2) as answer:  # noqa: S310  # our own address
            return bool(answer.status == 200)
    except OSError:
        return False


def _keep_logs(folder: Path) -> None:
    """Copy what the programs have said, where somebody wants to read it."""
    if to := os.environ.get(KEPT):
        for log in folder.rglob("*.log"):
            copy = Path(to) / f"{time.time():.0f}" / log.relative_to(folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(log, copy)
