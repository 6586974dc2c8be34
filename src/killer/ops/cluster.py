"""A deployment of several machines: the nodes one after the other, then the front before them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from killer.language import say
from killer.ops import agreement, build, deploy, front, machine, places, release, site, slots, steps
from killer.ops.deploy import Order
from killer.ops.failures import DeployError
from killer.ops.inventory import Place
from killer.ops.machine import Wish
from killer.ops.steps import Step, Tell
from killer.ops.survey import Facts
from killer.ops.target import Target

TellOf = Callable[[Target], Tell]


@dataclass(frozen=True, slots=True)
class Node:
    """One machine with the game on it, and its address as the front reaches it."""

    target: Target
    number: str

    @property
    def name(self) -> str:
        """Give it as whoever deploys writes it."""
        return self.target.name


@dataclass(frozen=True, slots=True)
class Cluster:
    """The machine that players reach, and the nodes behind it in the order of their updates."""

    front: Target
    nodes: tuple[Node, ...]

    @property
    def machines(self) -> list[Target]:
        """Give every machine once."""
        return list(dict.fromkeys([self.front, *(node.target for node in self.nodes)]))

    @property
    def doors(self) -> list[str]:
        """Give where the nodes' nginx listen."""
        return [front.door(node.number) for node in self.nodes]

    @property
    def games(self) -> list[Target]:
        """Give where the game may be already: a front that becomes one plays until others serve."""
        nodes = [node.target for node in self.nodes]
        plays = self.front not in nodes and slots.live(self.front)
        return [self.front, *nodes] if plays else nodes

    @property
    def exposed(self) -> list[str]:
        """Give the nodes to which the front goes in clear through the Internet, as it seems."""
        return [node.name for node in self.behind() if ip_address(node.number).is_global]

    def behind(self) -> list[Node]:
        """Give the nodes that players never reach directly."""
        return [node for node in self.nodes if node.target is not self.front]


def of(before: Target, wish: Wish, reach: Callable[[str], Target]) -> Cluster:
    """Reach the nodes of a front.

    Raises:
        DeployError: one can't be reached, or the front knows no way to it.
    """

    def reached(name: str) -> Target:
        return before if Place(name).host == Place(before.name).host else reach(name)

    nodes = [(reached(name), given) for name, given in wish.nodes]
    return Cluster(before, tuple(Node(t, front.address(before, t, a)) for t, a in nodes))


def deploy_all(
    cluster: Cluster, order: Order, own: Mapping[str, str], tell: TellOf, *, dry: bool = False
) -> int:
    """Bring every machine to what this checkout says; give how many steps changed something.

    Args:
        cluster: the machines.
        order: what is wished for; its wish is the front's.
        own: settings for nodes that have none.
        tell: gives who hears of a machine's steps.
        dry: touch nothing.

    Raises:
        DeployError: why not. The nodes after the one that failed were not touched.
    """
    seen = {target: deploy.surveyed(target) for target in cluster.machines}
    _check_distinct(seen)
    build.of(order.checkout, seen[cluster.front])  # or it can't be done anywhere
    texts = agreement.planned(
        {target.name: target.read(places.ENVIRONMENT) for target in cluster.games},
        own,
        lambda: machine.environment(order.checkout, order.wish.address, own),
    )
    if order.wish.firewall:
        agreement.check_open(next(iter(texts.values())), _closed(cluster, seen))
    before = cluster.front
    site.check_domain(before, order.wish, seen[before])
    keep = _once(cluster, tell)
    with deploy.workshop() as here:

        def update(node: Node) -> int:
            plan = _Plan(cluster, order, node, texts[node.name], here, keep, tell(node.target))
            facts = seen[node.target]
            return deploy.taken(node.target, Wish(), facts, plan.steps, plan.tell, dry=dry)

        changed = sum(_rolling(cluster, update))
    changed += deploy.taken(
        before,
        order.wish,
        seen[before],
        lambda facts: _front(cluster, order, facts),
        tell(before),
        dry=dry,
    )
    for node in cluster.behind():
        closing = _closing(cluster, order.wish, node, seen[node.target])
        changed += steps.walk(closing, tell(node.target), dry=dry)
    return changed


def _check_distinct(seen: Mapping[Target, Facts]) -> None:
    """Refuse one machine under two names: it would be closed to the phones that come to it."""
    known: set[tuple[str, ...]] = set()
    for target, facts in seen.items():
        if facts.addresses and facts.addresses in known:
            raise DeployError("node_twice", host=target.name)
        known.add(facts.addresses)


def _closed(cluster: Cluster, seen: Mapping[Target, Facts]) -> dict[str, set[str]]:
    """Give the addresses of each machine of which another node may want more than the game."""
    return {
        target.name: {*facts.addresses, *site.addresses_of(target.host)}
        for target, facts in seen.items()
        if {node.target for node in cluster.nodes} - {target}
    }


def _once(cluster: Cluster, tell: TellOf) -> Callable[[], None]:
    """Give what makes one backup before the first update, on a machine that serves already."""
    live = [target for target in cluster.games if slots.live(target)][:1]

    def keep() -> None:
        while live:
            target = live.pop()
            deploy.back_up(target, tell(target))

    return keep


def _rolling(cluster: Cluster, deed: Callable[[Node], int]) -> Iterator[int]:
    """Do something to one node after the other; say of a failure what it means for the others."""
    names = [node.name for node in cluster.nodes]
    for number, node in enumerate(cluster.nodes):
        try:
            yield deed(node)
        except DeployError as error:
            done, left = ", ".join(names[:number]) or "-", ", ".join(names[number + 1 :]) or "-"
            error.add_note(say("deploy.stopped", host=node.name, done=done, left=left))
            raise


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is done on one node."""

    cluster: Cluster
    order: Order
    node: Node
    text: str  # of its killer.env
    here: Path  # where releases are made
    keep: Callable[[], None]
    tell: Tell

    def steps(self, facts: Facts) -> Iterator[Step]:
        """Give the steps of a node: those of a single machine, with another site."""
        target, before = self.node.target, self.cluster.front
        made = build.of(self.order.checkout, facts)
        yield from deploy.laid(target, made, self.here, self.text)
        yield site.capacity(target)
        fronts = front.sources(before, self.node.number)
        yield site.node(target, fronts, facts)
        yield from self._opened(fronts, facts)
        yield from deploy.served(target, made, self.keep, self.tell)
        yield machine.backups(target, here=self.node is self.cluster.nodes[0])
        if target is not before:
            yield deploy.remembered(target, Wish(host=target.host, front=before.name))
        yield deploy.tidied(target)

    def _opened(self, fronts: Collection[str], facts: Facts) -> Iterator[Step]:
        """Let the front in where a firewall of before would stay shut to it, or to its new address.

        Where phones still come, they go on doing so until the front serves.
        """
        target = self.node.target
        if target is self.cluster.front or not self.order.wish.firewall:
            return
        step = machine.firewall(target, facts, fronts, phones=site.shown(target))
        if machine.closed(target) and not step.settled():
            yield step


def _front(cluster: Cluster, order: Order, facts: Facts) -> Iterator[Step]:
    """Give the steps of the front."""
    before, doors = cluster.front, cluster.doors
    yield front.reach(before, doors)
    if order.wish.firewall:
        yield machine.firewall(before, facts)  # that of a node would be shut to Let's Encrypt
    yield front.nodes(before, doors)
    yield from deploy.front(before, order, facts)
    yield front.lookout(before, doors)
    if before not in {node.target for node in cluster.nodes}:
        yield front.retired(before)
    yield deploy.remembered(before, order.wish)


def _closing(cluster: Cluster, wish: Wish, node: Node, facts: Facts) -> Iterator[Step]:
    """Give the steps that close a node for everybody but the front, which serves by now."""
    yield site.gone(node.target)
    if wish.firewall:
        yield machine.firewall(node.target, facts, front.sources(cluster.front, node.number))


def restart(cluster: Cluster, tell: TellOf) -> None:
    """Start the same release on each node, one after the other.

    Raises:
        DeployError: nothing is deployed on one of them, or it doesn't serve.
    """
    made = {node.name: deploy.present(node.target) for node in cluster.nodes}
    _lead(cluster, made, tell)


def rollback(cluster: Cluster, tell: TellOf) -> str:
    """Let the release before that of the first node serve everywhere; give its name.

    Raises:
        DeployError: a node doesn't have it, and nothing was done; or it doesn't serve.
    """
    first = cluster.nodes[0].target
    goal = deploy.previous(first)
    made = {node.name: _made(node.target, first, goal) for node in cluster.nodes}
    there = {n.name for n in cluster.nodes if slots.runs(n.target, made[n.name])}
    _lead(cluster, {name: each for name, each in made.items() if name not in there}, tell)
    return goal.rpartition("/")[2]


def _made(target: Target, first: Target, goal: str) -> str:
    found = goal if target is first else release.alike(target, first, goal)
    if not found:
        raise DeployError("no_previous", host=target.name)
    return found


def _lead(cluster: Cluster, made: Mapping[str, str], tell: TellOf) -> None:
    """Let a release serve on each node that has one here."""

    def dance(node: Node) -> int:
        if node.name in made:
            deploy.dance(node.target, made[node.name], tell(node.target))
        return node.name in made

    sum(_rolling(cluster, dance))


def logs(cluster: Cluster, *, follow: bool, lines: int) -> int:
    """Show what every machine said, one after the other, its name before each line.

    Raises:
        DeployError: only one machine can be followed.
    """
    if follow and len(cluster.machines) > 1:
        names = ", ".join(target.name for target in cluster.machines)
        raise DeployError("follow_one", hosts=names, first=cluster.nodes[0].name)
    shown = [deploy.logs(t, follow=follow, lines=lines, mark=t.name) for t in cluster.machines]
    return max(shown)
