"""Several machines of paper: one node after the other, the front last, and what stops them."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from killer.ops import cluster, front, places, site, slots
from killer.ops.cluster import Cluster
from killer.ops.deploy import Order, kept_wish
from killer.ops.failures import DeployError
from killer.ops.machine import Wish
from killer.ops.steps import Outcome, Tell
from killer.ops.target import Answer, Target
from ops.paper_machine import PaperMachine
from ops.test_deploy import FACTS, MADE

NEW = f"{places.RELEASES}/0.1.0-20261129T120000Z-bbbbbbbbbbbb"
KEPT = "SECRET_KEY=a-secret-of-thirty-two-characters\nDATABASE_URL=postgresql://app@10.0.0.9/k\n"


class Named(PaperMachine):
    """A machine that a dictionary may know, as the real ones."""

    __hash__ = Target.__hash__


@dataclass
class Site:
    """A front and its nodes, all on paper, and what was told of whom in which order."""

    front: PaperMachine
    nodes: list[PaperMachine]
    wish: Wish = field(default_factory=Wish)
    told: list[tuple[str, str, Outcome | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        nodes = tuple((node.name, "") for node in self.nodes)
        self.wish = Wish(host=self.front.host, nodes=nodes)

    @property
    def cluster(self) -> Cluster:
        known = {node.name: node for node in self.nodes}
        return cluster.of(self.front, self.wish, known.__getitem__)

    def tell(self, target: Target) -> Tell:
        return lambda name, outcome: self.told.append((target.name, name, outcome))

    def deploy(self, *, dry: bool = False) -> int:
        return cluster.deploy_all(self.cluster, Order(self.wish), {}, self.tell, dry=dry)

    def steps(self, name: str) -> list[str]:
        """Give the steps that changed something on a machine."""
        done = {Outcome.DONE, Outcome.WOULD}
        return [step for who, step, outcome in self.told if who == name and outcome in done]


def machine(name: str, host: str, made: str = MADE, kept: str = KEPT) -> PaperMachine:
    """Give a machine; with a release it serves, in slot 1."""
    links = {places.CURRENT: made, f"{places.SLOTS}/1": made, places.LIVE: places.socket(1)}
    found = Named(name=f"root@{name}", host=host, links=links if made else {})
    found.on("os-release", FACTS.replace("203.0.113.7", host))
    found.on("^ls -d", f"{NEW}/{places.COMPLETE}\n")
    found.on("is-failed", code=1)
    found.on("^ip -o route get", "10.0.0.2 dev eth0 src 10.0.0.1 uid 0")
    if kept:
        found.files[places.ENVIRONMENT] = (kept, "600", "root")
    return found


@pytest.fixture
def three() -> Site:
    """A front without a game, before three nodes that serve the release of before."""
    nodes = [machine(name, f"10.0.0.{last}") for name, last in (("a", 2), ("b", 3), ("c", 4))]
    return Site(machine("front", "10.0.0.1", made="", kept=""), nodes)


def served(node: PaperMachine) -> str:
    return node.links[places.CURRENT]


def test_nodes_are_updated_one_after_the_other_and_the_front_last(three: Site) -> None:
    assert three.deploy() > 0
    assert {served(node) for node in three.nodes} == {NEW}
    ends = {who: n for n, (who, step, _) in enumerate(three.told) if step == "tidy"}
    begins = {who: n for n, (who, step, _) in reversed([*enumerate(three.told)])}
    order = [begins["root@a"], ends["root@a"], begins["root@b"], ends["root@b"], begins["root@c"]]
    assert order == sorted(order)
    assert ends["root@c"] < begins["root@front"]
    closing = [(who, step) for who, step, _ in three.told if step in {"lookout", "site_gone"}]
    assert closing[0] == ("root@front", "lookout"), "nobody is closed before the front serves"


def test_every_machine_gets_what_it_is(three: Site) -> None:
    three.deploy()
    front, node = three.front.files, three.nodes[1].files
    doors = ["10.0.0.2:8090", "10.0.0.3:8090", "10.0.0.4:8090"]
    list_ = "".join(f"server {door} max_fails=1 fail_timeout=2s;\n" for door in doors)
    assert front[places.NODES][0] == list_
    assert f"include {places.NODES};" in front[site.SITE][0]
    assert " ".join(doors) in front[f"{places.UNITS}/killer-lookout.service"][0]
    assert "def main" in front[places.LOOKOUT][0]
    assert places.ENVIRONMENT not in front, "no secret lies where no game is"
    assert "set_real_ip_from 10.0.0.1;" in node[places.NODE_SITE][0]
    assert site.SITE not in node
    assert kept_wish(three.nodes[1]).front == "root@front"
    assert kept_wish(three.front) == three.wish


def test_the_first_node_alone_makes_the_daily_backup(three: Site) -> None:
    for each in three.nodes:
        each.on("systemctl is-enabled -q killer-backup.timer", code=1)
        each.on("! systemctl is-enabled -q killer-backup.timer", code=1)
    three.deploy()
    said = [
        [each for each in node.said if each.endswith("able -q --now killer-backup.timer")]
        for node in three.nodes
    ]
    never = "systemctl disable -q --now killer-backup.timer"
    assert said == [["systemctl enable -q --now killer-backup.timer"], [never], [never]]


def test_a_firewall_lets_only_the_front_to_a_node(three: Site) -> None:
    for each in (three.front, *three.nodes):
        each.on("nft list table", code=1)
    three.deploy()
    node = three.nodes[0].files[f"{places.SETTINGS}/firewall.nft"][0]
    assert "ip saddr 10.0.0.1 tcp dport 8090 accept" in node
    assert "80, 443" not in node
    assert "80, 443" in three.front.files[f"{places.SETTINGS}/firewall.nft"][0]
    three.wish = replace(three.wish, firewall=False)
    three.told.clear()
    three.deploy()
    assert "firewall_node" not in {step for _, step, _ in three.told}


RULES = f"{places.SETTINGS}/firewall.nft"


def rules(node: PaperMachine) -> str:
    return node.files[RULES][0]


def shut(found: Site) -> None:
    """Let a front's questions through only where no firewall is up, or one that names it."""

    def answers(node: Target, number: str) -> Callable[[], Answer]:
        route = found.front.ask(f"ip -o route get {number}").out
        wanted = f"ip saddr {route.split()[4]} tcp dport 8090 accept"

        def answer() -> Answer:
            named = wanted in (node.read(RULES) or "")
            return Answer(int(node.holds("nft list table") and not named))

        return answer

    for node in found.cluster.behind():
        asked = re.escape(f"http://{front.door(node.number)}/health")
        found.front.rules.insert(0, (asked, answers(node.target, node.number)))


def test_when_the_front_has_fallen_a_node_takes_its_place(three: Site) -> None:
    three.deploy()
    b, c = three.nodes[1:]
    assert "ip saddr 10.0.0.1 tcp dport 8090 accept" in rules(c)
    b.on("^ip -o route get", "10.0.0.4 dev eth0 src 10.0.0.3 uid 0")
    again = Site(b, [b, c])
    shut(again)
    again.deploy()
    assert "ip saddr 10.0.0.3 tcp dport 8090 accept" in rules(c)
    assert "10.0.0.1" not in rules(c)
    assert "80, 443" not in rules(c), "no phone ever came to it directly"
    assert "80, 443" in rules(b)
    assert kept_wish(c).front == "root@b"


def test_a_game_that_was_alone_becomes_a_node_and_serves_until_then(three: Site) -> None:
    alone = three.nodes[0]
    alone.files[RULES] = ("tcp dport { 22, 80, 443 } accept", "644", "root")
    alone.files[site.SITE] = ("the site of phones", "644", "root")
    for new in three.nodes[1:]:
        new.on("nft list table", code=1)
    shut(three)
    three.front.rules.insert(
        0, ("nginx -t", lambda: Answer(int("22, 80, 443" not in rules(alone))))
    )
    three.deploy()  # the front's nginx begins only if phones still come to the node
    assert "80, 443" not in rules(alone)
    assert "ip saddr 10.0.0.1 tcp dport 8090 accept" in rules(alone)
    assert "firewall_opens" in three.steps("root@a")
    assert "firewall_opens" not in {*three.steps("root@b"), *three.steps("root@c")}


def test_a_node_lets_its_front_in_from_a_new_address(three: Site) -> None:
    three.deploy()
    three.front.on("^ip -o route get 10.9", "10.9.0.2 dev eth1 src 10.9.0.1 uid 0")
    nodes = (("root@a", "10.9.0.2"), ("root@b", "10.9.0.3"), ("root@c", "10.9.0.4"))
    three.wish = replace(three.wish, nodes=nodes)
    shut(three)
    three.deploy()
    for node in three.nodes:
        assert "ip saddr 10.9.0.1 tcp dport 8090 accept" in rules(node)
        assert "ip saddr 10.0.0.1 tcp dport 8090 accept" in rules(node), "as it comes until then"


def test_a_node_that_becomes_the_front_is_open_before_it_asks_for_a_certificate(
    three: Site,
) -> None:
    three.deploy()
    b, c = three.nodes[1:]
    assert "80, 443" not in rules(b)
    b.on("os-release", FACTS.replace("203.0.113.7", "10.0.0.3 127.0.0.1"))
    b.on("test -s /etc/letsencrypt", code=1)
    b.rules.insert(0, ("certbot certonly", lambda: Answer(int("80, 443" not in rules(b)))))
    again = Site(b, [b, c])
    again.wish = replace(again.wish, domain="localhost")
    again.deploy()
    assert "certificate" in again.steps("root@b")


def test_a_second_deployment_changes_nothing(three: Site) -> None:
    three.deploy()
    three.told.clear()
    settle(three)
    assert three.deploy() == 0


def settle(found: Site) -> None:
    """Let conditions of the shell be true, as they are after the deployment."""
    for each in (found.front, *found.nodes):
        each.on("^ls -1dt")


def test_a_dry_run_touches_nothing(three: Site) -> None:
    before = [dict(each.files) for each in (three.front, *three.nodes)]
    assert three.deploy(dry=True) > 0
    assert [dict(each.files) for each in (three.front, *three.nodes)] == before
    for each in (three.front, *three.nodes):
        assert not [said for said in each.said if "systemctl start" in said or "link" in said[:5]]


def refuse_to_serve(node: PaperMachine) -> None:
    node.on("killer.ops.probe", code=1, err="nobody can sign in")


def test_a_node_that_fails_stops_the_rest(three: Site) -> None:
    refuse_to_serve(three.nodes[1])
    with pytest.raises(DeployError) as error:
        three.deploy()
    assert [served(node) for node in three.nodes] == [NEW, MADE, MADE]
    assert not [who for who, _, _ in three.told if who in {"root@c", "root@front"}]
    assert places.NODES not in three.front.files
    sentence = error.value.sentence
    assert "nobody can sign in" in sentence
    assert sentence.index("root@b") < sentence.rindex("root@a") < sentence.rindex("root@c")


def test_one_backup_is_made_before_the_first_node_on_one_that_serves(three: Site) -> None:
    three.nodes[0] = machine("a", "10.0.0.2", made="", kept="")
    three.deploy()
    made = [(who, step) for who, step, o in three.told if step == "backup" and o is Outcome.DONE]
    assert made == [("root@b", "backup")]
    first = next(n for n, (who, step, _) in enumerate(three.told) if step == "switch.start")
    assert three.told.index(("root@b", "backup", Outcome.DONE)) < first


def test_a_new_node_gets_the_settings_of_the_others(three: Site) -> None:
    three.nodes[2] = machine("c", "10.0.0.4", made="", kept="")
    three.nodes[2].on(f"test -s {places.ENVIRONMENT}", code=1)
    three.deploy()
    assert three.nodes[2].files[places.ENVIRONMENT] == (KEPT, "600", "root")
    assert "root@c" not in {who for who, step, _ in three.told if step == "backup"}


def test_a_game_that_plays_on_the_front_alone_moves_to_the_nodes_with_its_secret() -> None:
    node = machine("b", "10.0.0.3", made="", kept="")
    node.on(f"test -s {places.ENVIRONMENT}", code=1)
    alone = Site(machine("front", "10.0.0.1"), [node])
    alone.deploy()
    assert node.files[places.ENVIRONMENT][0] == KEPT, "nobody is signed out"
    backup = alone.told.index(("root@front", "backup", Outcome.DONE))
    assert backup < alone.told.index(("root@b", "switch.start", None))


def test_the_settings_of_a_game_that_has_left_the_front_count_no_more(three: Site) -> None:
    other = KEPT.replace("10.0.0.9", "10.0.0.8")
    three.front.files[places.ENVIRONMENT] = (other, "600", "root")
    three.deploy()
    three.front.links[places.LIVE] = places.socket(1)
    with pytest.raises(DeployError) as error:
        three.deploy()
    assert error.value.params["setting"] == "DATABASE_URL"


def test_nodes_that_disagree_are_not_touched(three: Site) -> None:
    other = KEPT.replace("10.0.0.9", "10.0.0.8")
    three.nodes[2].files[places.ENVIRONMENT] = (other, "600", "root")
    with pytest.raises(DeployError) as error:
        three.deploy()
    assert error.value.params == {"host": "root@c", "setting": "DATABASE_URL"}
    assert three.told == []


@pytest.mark.parametrize("setting", ["DATABASE_URL", "REDIS_URL"])
@pytest.mark.parametrize(("address", "name"), [("10.0.0.1", "front"), ("10.0.0.3", "b")])
def test_what_all_share_is_not_on_a_machine_that_is_closed_to_them(
    three: Site, setting: str, address: str, name: str
) -> None:
    url = {"DATABASE_URL": "postgresql://app@{}/k", "REDIS_URL": "redis://{}:6379/0"}[setting]
    for node in three.nodes:
        node.files[places.ENVIRONMENT] = (f"{KEPT}{setting}={url.format(address)}\n", "600", "root")
    with pytest.raises(DeployError) as error:
        three.deploy()
    assert error.value.code == "closed_in"
    assert error.value.params == {"host": f"root@{name}", "setting": setting}
    assert three.told == []
    three.wish = replace(three.wish, firewall=False)
    assert three.deploy() > 0


def test_the_only_node_may_have_its_database_itself() -> None:
    node = machine("a", "10.0.0.2", kept=KEPT.replace("10.0.0.9", "10.0.0.2"))
    assert Site(machine("front", "10.0.0.1", made="", kept=""), [node]).deploy() > 0


def test_an_installed_package_can_not_be_deployed_anywhere(three: Site, tmp_path: Path) -> None:
    order = Order(three.wish, checkout=tmp_path)
    with pytest.raises(DeployError) as error:
        cluster.deploy_all(three.cluster, order, {}, three.tell)
    assert error.value.code == "no_checkout"
    assert three.told == []


def test_where_the_front_is_not_answered_players_stay_where_they_were(three: Site) -> None:
    three.front.on("http://10.0.0.3:8090/health", code=1)
    with pytest.raises(DeployError) as error:
        three.deploy()
    assert error.value.params == {"host": "root@front", "nodes": "10.0.0.3:8090"}
    assert site.SITE not in three.front.files


def test_a_machine_may_be_front_and_node() -> None:
    first = machine("a", "10.0.0.2")
    both = Site(first, [first, machine("b", "10.0.0.3")])
    both.deploy()
    assert "server 127.0.0.1:8090 " in first.files[places.NODES][0]
    assert {site.SITE, places.NODE_SITE} <= first.files.keys()
    assert kept_wish(first) == both.wish
    assert "site_gone" not in {step for who, step, _ in both.told if who == "root@a"}
    assert "retired" not in {step for _, step, _ in both.told}
    assert both.deploy() == 0


def test_the_front_may_be_typed_in_another_way_than_among_the_nodes() -> None:
    front = machine("a", "10.0.0.2")
    found = cluster.of(front, Wish(nodes=(("ana@A", ""),)), lambda _: machine("a", "10.0.0.2"))
    assert found.nodes[0].target is front


def test_one_machine_under_two_names_is_refused_before_it_is_closed(three: Site) -> None:
    three.nodes[1].on("os-release", FACTS.replace("203.0.113.7", "10.0.0.1"))
    with pytest.raises(DeployError) as error:
        three.deploy()
    assert (error.value.code, error.value.params) == ("node_twice", {"host": "root@b"})
    assert three.told == []


def test_a_game_that_was_alone_on_the_front_ends_when_others_serve(three: Site) -> None:
    three.front.links[places.LIVE] = places.socket(1)
    three.front.on(f"test ! -L {places.LIVE}", code=1)
    three.deploy()
    assert "retired" in three.steps("root@front")
    assert [said for said in three.front.said if "disable -q --now killer-backup.timer" in said]


@pytest.mark.parametrize(
    ("names", "code"), [("10.0.0.5 STREAM node\n10.0.0.6 DGRAM", ""), ("", "no_address")]
)
def test_a_name_is_what_the_front_knows_by_it(three: Site, names: str, code: str) -> None:
    three.front.on("getent ahostsv4 node.internal", names)
    three.wish = replace(three.wish, nodes=(("root@a", "node.internal"), ("root@b", "fd00::7")))
    if code:
        with pytest.raises(DeployError) as error:
            three.cluster  # noqa: B018  # asking is the deed
        assert error.value.code == code
    else:
        assert three.cluster.doors == ["10.0.0.5:8090", "[fd00::7]:8090"]


@pytest.mark.parametrize("given", ["fe80::1%$(reboot)", "fe80::1%eth0", "$(reboot)"])
def test_what_is_no_plain_address_is_asked_of_nobody(three: Site, given: str) -> None:
    three.wish = replace(three.wish, nodes=(("root@a", given),))
    with pytest.raises(DeployError) as error:
        three.cluster  # noqa: B018  # asking is the deed
    assert error.value.code == "no_address"
    asked = " ".join(three.front.said).replace(shlex.quote(given), "")
    assert given not in asked


LOOKOUT = f"{places.UNITS}/{front.UNIT}"


def test_a_list_in_which_somebody_is_down_stays_while_the_nodes_are_the_same(three: Site) -> None:
    three.deploy()
    marked = three.front.files[places.NODES][0].replace("2s;", "2s down;", 1)
    three.front.files[places.NODES] = (marked, "644", "root")
    three.deploy()
    assert three.front.files[places.NODES][0] == marked
    three.wish = replace(three.wish, nodes=three.wish.nodes[:2])
    three.told.clear()
    three.deploy()
    assert three.front.files[places.NODES][0] == marked, "the lookout knows whom it has left out"
    assert "10.0.0.2:8090 10.0.0.3:8090\n" in three.front.files[LOOKOUT][0]
    restarts = [each for each in three.front.said if f"systemctl restart {front.UNIT}" in each]
    assert len(restarts) == 2, "the first time and now"
    assert "lookout" in three.steps("root@front")


def test_a_front_that_fails_half_way_is_watched_over_as_before(three: Site) -> None:
    three.deploy()
    three.wish = replace(three.wish, nodes=three.wish.nodes[:2], domain="localhost")
    three.front.on("nginx -t", code=1, err="no such certificate")
    before = [three.front.files[path] for path in (places.NODES, LOOKOUT)]
    three.front.said.clear()
    with pytest.raises(DeployError):
        three.deploy()
    assert [three.front.files[path] for path in (places.NODES, LOOKOUT)] == before
    assert not [said for said in three.front.said if "stop" in said]


def test_a_list_that_no_lookout_keeps_any_more_is_made_anew(three: Site) -> None:
    three.front.files[places.NODES] = ("server 10.0.0.9:8090 max_fails=1;\n", "644", "root")
    three.front.on(f"is-active {front.UNIT}", code=1)
    three.deploy()
    assert "10.0.0.9" not in three.front.files[places.NODES][0]


def test_restart_and_rollback_go_from_node_to_node(three: Site) -> None:
    cluster.restart(three.cluster, three.tell)
    assert [slots.live(node) for node in three.nodes] == [2, 2, 2]
    assert {served(node) for node in three.nodes} == {MADE}
    three.nodes[0].links[places.PREVIOUS] = NEW
    assert cluster.rollback(three.cluster, three.tell) == NEW.rpartition("/")[2]
    assert {served(node) for node in three.nodes} == {NEW}


def test_after_half_an_update_rollback_leaves_those_alone_that_were_not_reached(
    three: Site,
) -> None:
    three.nodes[0] = machine("a", "10.0.0.2", made=NEW)
    three.nodes[0].links[places.PREVIOUS] = MADE
    for node in three.nodes:
        node.on("^ls -d", f"{MADE}/{places.COMPLETE}\n")
    cluster.rollback(three.cluster, three.tell)
    assert {served(node) for node in three.nodes} == {MADE}
    assert [slots.live(node) for node in three.nodes] == [2, 1, 1]


def test_a_rollback_finds_the_same_release_for_another_kind_of_machine(three: Site) -> None:
    other = f"{places.RELEASES}/0.1.0-20261128T120000Z-cccccccccccc"
    three.nodes[0].links[places.PREVIOUS] = NEW
    three.nodes[0].files[f"{NEW}/{places.COMPLETE}"] = ("5eed5eed5eed\n", "644", "root")
    for node, found in zip(three.nodes[1:], (other, NEW), strict=True):
        node.on("^ls -d")
        node.on(f"^grep -lxF 5eed5eed5eed {places.RELEASES}", f"{found}/{places.COMPLETE}\n")
    cluster.rollback(three.cluster, three.tell)
    assert [served(node) for node in three.nodes] == [NEW, other, NEW]


Deed = Callable[[Cluster, cluster.TellOf], object]


@pytest.mark.parametrize(
    ("deed", "code"), [(cluster.restart, "nothing_there"), (cluster.rollback, "no_previous")]
)
def test_where_one_node_has_no_release_none_is_touched(three: Site, deed: Deed, code: str) -> None:
    three.nodes[0].links[places.PREVIOUS] = NEW
    three.nodes[2] = machine("c", "10.0.0.4", made="")
    three.nodes[2].on("^ls -d")
    with pytest.raises(DeployError) as error:
        deed(three.cluster, three.tell)
    assert (error.value.code, error.value.params) == (code, {"host": "root@c"})
    assert three.told == []


def marked(command: str) -> str:
    """Give what becomes of two lines of a journal."""
    mark = command.partition(" | ")[2]
    said = subprocess.run(
        ["sh", "-c", mark],
        input="a line of %s \\n\n  \n",
        capture_output=True,
        text=True,
        check=True,
    )
    return said.stdout


def test_every_journal_is_shown_with_its_machine_and_one_is_followed(three: Site) -> None:
    three.nodes[2].name = "root@c/'$(exit 1)&"
    three.wish = replace(three.wish, nodes=tuple((node.name, "") for node in three.nodes))
    assert cluster.logs(three.cluster, follow=False, lines=5) == 0
    for each in (three.front, *three.nodes):
        assert marked(each.said[-1]) == f"{each.name}: a line of %s \\n\n{each.name}:   \n"
    with pytest.raises(DeployError) as error:
        cluster.logs(three.cluster, follow=True, lines=5)
    assert "killer logs -f root@a" in error.value.sentence


def test_what_is_remembered_is_read_as_it_was_written(three: Site) -> None:
    three.deploy()
    kept = json.loads(three.front.files[places.WISHES][0])
    assert kept["nodes"] == [["root@a", ""], ["root@b", ""], ["root@c", ""]]
