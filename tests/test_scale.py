"""The arithmetic of a fleet behaves as fleets do, and its simulation says the same."""

from __future__ import annotations

import re
import sys
from dataclasses import fields, replace
from pathlib import Path
from random import Random
from statistics import fmean

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parent.parent))

from benchmarks import compared, figures, fleet, heat, measured, scale, storm, weekend
from benchmarks.assumed import STEPS, Assumed, clock
from benchmarks.book import Book
from benchmarks.compared import Case, Pair
from benchmarks.heat import POLICIES
from benchmarks.measured import Cost

ROOT = Path(__file__).parent.parent
FIGURES = ROOT / "docs" / "capacite.json"
COST = Cost(
    play=1.5,
    idle=80,
    green=250,
    rate=0.4,
    p95=150,
    delay=600,
    sign_in=36,
    link=1.5,
    death=5,
    delivery=0.012,
    stream=0.4,
    card=1.4,
    burst=370,
    start=4,
    transfer=3,
    log=2,
    visit=38,
    base=110,
    worker=18,
    phone=0.3,
)
PLACED = ("two", "least")
shares = st.floats(0.05, 1)
assumptions = st.builds(
    Assumed,
    cores=st.integers(1, 16),
    shard=st.integers(2, 5),
    largest=st.floats(100, 3000),
    tail=st.floats(0.6, 3),
    guess=st.floats(0, 1),
    dated=st.booleans(),
    playing=shares,
    saturday=shares,
    evening=shares,
    deaths=st.floats(0, 0.3),
    spectators=shares,
)


def many_on_a_shard(assumed: Assumed) -> Assumed:
    """Let no game be larger than a third of a shard.

    What a shard holds of games as large as itself is one or none, and no law of many describes it.
    """
    return replace(
        assumed, largest=min(assumed.largest, fleet.limit(assumed, COST, assumed.shard) / 3)
    )


crowded = assumptions.map(many_on_a_shard)


# --- what was measured ---


def test_every_cost_is_read_from_the_figures() -> None:
    parts = figures.read(FIGURES)
    cost = measured.costs(Book(parts))
    assert cost is not None
    doubled = {
        name: msgspec.structs.replace(part, rows=twice(part)) for name, part in parts.items()
    }
    found = measured.costs(Book(doubled))
    assert found is not None
    kept = {"green", "burst"}  # names of rows; a ratio of two figures
    for one in fields(Cost):
        ratio = getattr(found, one.name) / getattr(cost, one.name)
        assert ratio == pytest.approx(1 if one.name in kept else 2), one.name


def twice(part: figures.Part) -> dict[str, dict[str, figures.Figure]]:
    return {
        row: {name: figures.Figure(2 * each.value, each.unit) for name, each in told.items()}
        for row, told in part.rows.items()
    }


@pytest.mark.parametrize(
    ("part", "row", "column", "changed"),
    [
        ("signins", "au plus vite", "CPU par connexion", {"sign_in"}),
        ("routes", "POST /api/death", "500", {"death"}),
        ("routes", "GET /api/events", "500", {"stream"}),
        ("routes", "GET /card", "500", {"card"}),
        ("streams", "10000", "CPU par livraison", {"delivery"}),
        ("deaths", "ensemble", "durée", {"burst"}),
        ("growth", "démarrage du serveur", "1000", {"start"}),
        ("growth", "import", "1000", {"transfer"}),
        ("first_load", "en tout", "taille", {"visit"}),
        ("crowd-postgresql", "500", "CPU par téléphone en jeu", {"play", "idle"}),
        ("crowd-postgresql", "500", "débit", {"rate"}),
        ("crowd-postgresql", "500", "annonce p95", {"delay"}),
    ],
)
def test_a_figure_that_was_measured_anew_changes_its_cost_and_no_other(
    part: str, row: str, column: str, changed: set[str]
) -> None:
    parts = figures.read(FIGURES)
    cost = measured.costs(Book(parts))
    rows = {name: dict(told) for name, told in parts[part].rows.items()}
    rows[row][column] = figures.Figure(1.5 * rows[row][column].value, rows[row][column].unit)
    parts[part] = msgspec.structs.replace(parts[part], rows=rows)
    found = measured.costs(Book(parts))
    names = [one.name for one in fields(Cost)]
    assert {name for name in names if getattr(found, name) != getattr(cost, name)} == changed


@pytest.mark.parametrize("part", ["crowd-postgresql", "routes", "signins", "streams", "growth"])
def test_without_a_measured_cost_there_is_no_arithmetic(part: str) -> None:
    parts = {name: each for name, each in figures.read(FIGURES).items() if name != part}
    assert measured.costs(Book(parts)) is None


def test_a_crowd_that_was_not_green_proves_nothing() -> None:
    parts = figures.read(FIGURES)
    red = msgspec.to_builtins(parts["crowd-postgresql"])
    for row in red["rows"].values():
        if "tenu" in row:
            row["tenu"]["value"] = 0.0
    parts["crowd-postgresql"] = msgspec.convert(red, figures.Part)
    assert measured.costs(Book(parts)) is None


# --- what a fleet holds ---


def test_a_node_holds_what_its_cpu_allows_but_not_more_than_was_seen() -> None:
    assumed = Assumed(cores=4)
    assert fleet.budget(assumed, COST) == 4 * (800 - 80)
    assert fleet.node(assumed, COST) == 1000  # 250 phones a core; its CPU would allow 1,920
    assert fleet.node(assumed, replace(COST, play=5)) == 576  # 2,880 ms, 5 ms each


@pytest.mark.parametrize(
    ("nodes", "count", "spared"), [(1, 1, 1), (3, 1, 2), (30, 10, 2), (7, 2, 2.5)]
)
def test_a_shard_may_lose_a_node(nodes: int, count: int, spared: float) -> None:
    assert fleet.shards(Assumed(), nodes) == count
    assert fleet.limit(Assumed(), COST, nodes) == spared * 1000


@settings(max_examples=10, deadline=None)
@given(crowded, st.integers(1, 60), st.sampled_from(list(POLICIES)))
def test_another_shard_never_holds_less(assumed: Assumed, count: int, policy: str) -> None:
    few, more = (heat.holds(policy, assumed, COST, n * assumed.shard) for n in (count, count + 1))
    assert few <= more


@settings(max_examples=10, deadline=None)
@given(crowded, st.integers(1, 40), st.sampled_from(list(POLICIES)))
def test_larger_nodes_and_larger_shards_never_hold_less(
    assumed: Assumed, count: int, policy: str
) -> None:
    held = heat.holds(policy, assumed, COST, count * assumed.shard)
    more_cores = replace(assumed, cores=assumed.cores + 1)
    assert heat.holds(policy, more_cores, COST, count * assumed.shard) >= held
    larger = replace(assumed, shard=assumed.shard + 1)
    assert heat.holds(policy, larger, COST, count * larger.shard) >= held


@settings(max_examples=30, deadline=None)
@given(assumptions, st.integers(1, 2000), st.integers(1, 300), st.sampled_from(PLACED))
def test_a_placement_varies_never_more_than_chance(
    assumed: Assumed, each: int, count: int, policy: str
) -> None:
    at = fleet.busiest(fleet.weekend(assumed))
    chance, placed = (
        heat.scatter(one, assumed, each * count, count, at).variance for one in ("hash", policy)
    )
    assert placed <= chance * (1 + 1e-9)


@settings(max_examples=15, deadline=None)
@given(assumptions, st.integers(1, 500), st.integers(1, 100), st.sampled_from(list(POLICIES)))
def test_the_hottest_shard_has_the_mean_at_least_and_more_with_more_games(
    assumed: Assumed, each: int, count: int, policy: str
) -> None:
    at = fleet.busiest(fleet.weekend(assumed))
    one, two = (heat.hottest(policy, assumed, n * each * count, count, at) for n in (1, 2))
    assert fleet.open_phones(assumed, each, at) <= one * (1 + 1e-9)
    assert one <= two


def test_with_the_usual_sizes_a_look_at_two_shards_holds_more_than_a_hash() -> None:
    hashed, two, least = (heat.holds(policy, Assumed(), COST, 300) for policy in POLICIES)
    assert 1.5 * hashed < two <= least


def test_to_know_the_weekend_of_a_game_is_worth_something() -> None:
    known, unknown = (heat.holds("two", Assumed(dated=told), COST, 300) for told in (True, False))
    assert known > 1.05 * unknown


@pytest.mark.parametrize(
    "wrong", [{"cores": 0}, {"playing": 1.5}, {"smallest": 500, "largest": 50}]
)
def test_what_makes_no_sense_is_refused_by_its_name(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Assumed(**wrong)


@given(assumptions)
def test_the_law_of_sizes_is_whole_and_within_its_ends(assumed: Assumed) -> None:
    assert assumed.moment(0) == pytest.approx(1)
    assert assumed.smallest <= assumed.moment(1) <= assumed.largest
    assert assumed.size(0) == round(assumed.smallest)
    assert assumed.size(1) == pytest.approx(assumed.largest, abs=1)


@pytest.mark.parametrize("power", [1, 2])
def test_sizes_are_drawn_by_the_law_whose_moments_are_reckoned(power: int) -> None:
    assumed, steps = Assumed(largest=300), 20_000
    drawn = fmean(assumed.size((n + 0.5) / steps) ** power for n in range(steps))
    assert drawn == pytest.approx(assumed.moment(power), rel=0.01)


def test_deaths_wait_for_the_morning() -> None:
    hours = Assumed().awake
    eight, midnight = STEPS - 16 * 6, STEPS
    assert clock(eight) == "Sunday 08:00"
    assert hours[eight] == hours[eight - 8 * 6] == pytest.approx(12 + 16)
    assert hours[midnight] == pytest.approx(12 + 16 + 16)


def test_flows_grow_with_the_games() -> None:
    assumed = Assumed()
    moments = fleet.weekend(assumed)
    at = fleet.busiest(moments)
    for flow in (
        lambda games: fleet.worst_deaths(assumed, games, moments),
        lambda games: fleet.deliveries(assumed, games, at),
        lambda games: fleet.sign_ins(assumed, games),
        lambda games: fleet.look_ups(assumed, games, at),
        lambda games: fleet.bandwidth(assumed, COST, games, at),
        lambda games: fleet.touched(assumed, games, 10, moments),
    ):
        assert flow(200) == pytest.approx(2 * flow(100))


# --- a node dies ---


def test_how_long_phones_wait_is_read_from_their_script() -> None:
    wait, script = storm.patience(), storm.LIVE.read_text().replace("_", "")
    assert f"SILENCE = {wait.silence * 1000:.0f}" in script
    assert wait.ping < wait.silence
    assert 0 < wait.again[0] < wait.again[1] < wait.retry
    with pytest.raises(ValueError, match="the script has changed"):
        storm.number(r"NOTHING = (\d+)", script)


@pytest.mark.parametrize("kind", storm.KINDS)
@pytest.mark.parametrize("phones", [300, 1500, 3000, 3700])
@pytest.mark.parametrize("back", [1, 20])  # cheap to come back; so dear that they queue
def test_a_storm_goes_as_it_was_reckoned(kind: str, phones: int, back: int) -> None:
    cost = replace(COST, stream=back * COST.stream, card=back * COST.card)
    hit, wait = storm.shard(Assumed(), cost, 3, phones), storm.patience()
    paper = storm.expect(kind, hit, wait, Assumed())
    found = storm.simulate(kind, hit, wait, Assumed(), Random(1))
    assert found.settled == pytest.approx(paper.settled, rel=0.05)
    assert found.busiest == pytest.approx(paper.busiest, rel=0.12)


@pytest.mark.parametrize("kind", storm.KINDS)
def test_a_shard_without_room_for_its_phones_never_settles(kind: str) -> None:
    hit, wait = storm.shard(Assumed(), COST, 3, 4000), storm.patience()
    paper = storm.expect(kind, hit, wait, Assumed())
    assert paper == storm.simulate(kind, hit, wait, Assumed(), Random(1))
    assert paper.settled == storm.LONG


def test_who_asks_before_a_cut_node_is_taken_out_waits_for_that() -> None:
    hit, wait = storm.shard(Assumed(), COST, 3, 900), storm.patience()
    slow = Assumed(out=40)
    assert storm.expect("cut", hit, wait, slow).settled >= 40
    assert storm.simulate("cut", hit, wait, slow, Random(1)).settled >= 40


# --- the simulated weekend ---


@pytest.mark.parametrize("policy", POLICIES)
def test_a_weekend_begins_and_ends_with_nobody(policy: str) -> None:
    found = weekend.simulate(policy, Assumed(), 60, 4, Random(7))
    assert len(found.open) == 4
    assert found.total(0) == found.total(STEPS - 1) == 0
    assert min(map(min, found.open)) == 0
    assert 0 < sum(found.died) < sum(found.arrived)
    assert found == weekend.simulate(policy, Assumed(), 60, 4, Random(7))


def test_without_deaths_everybody_follows_until_the_end() -> None:
    assumed = Assumed(deaths=0, evening=1, playing=1, guess=0, saturday=0)
    found = weekend.simulate("hash", assumed, 40, 2, Random(1))
    assert sum(found.died) == 0
    assert found.total(found.busiest()) == sum(found.arrived)


def test_a_game_has_one_left_at_least() -> None:
    assumed = Assumed(deaths=1000, playing=1, guess=0)
    found = weekend.simulate("hash", assumed, 30, 2, Random(1))
    assert sum(found.arrived) - sum(found.died) == 30


def test_the_least_loaded_shard_is_taken_and_the_better_of_two_is_no_worse_than_chance() -> None:
    loads = {}
    for policy, place in weekend.PLACES.items():
        where = place(20, Random(3))
        counts = [0] * 20
        for _ in range(2000):
            counts[where(1.0)] += 1
        loads[policy] = max(counts)
    assert loads["least"] == 100 < loads["two"] < loads["hash"]


@pytest.mark.parametrize(("seed", "dated"), [(1, True), (2, True), (3, False)])
def test_arithmetic_and_simulation_agree(seed: int, *, dated: bool) -> None:
    case = Case(Assumed(largest=300, dated=dated), COST, 24, 320)
    found = compared.pairs(case, seed, 16)
    assert len(found) == 15
    assert not [pair for pair in found if not pair.agrees]


def test_a_shard_is_too_hot_as_rarely_as_was_promised() -> None:
    assumed = Assumed(cores=1, weekends=10)
    games = heat.holds("two", assumed, COST, 9)
    at = fleet.busiest(fleet.weekend(assumed))
    most = fleet.limit(assumed, COST, 9)
    played = [weekend.simulate("two", assumed, games, 3, Random(seed)) for seed in range(100)]
    hot = sum(each.hottest(at.step) > most for each in played)
    assert 2 <= hot <= 22  # of 100, one in ten


# --- what is printed ---


def test_the_command_puts_paper_and_simulation_side_by_side(capsys) -> None:
    scale.main(["--nodes", "24", "--games", "320", "--largest", "300", "--runs", "16"])
    said = capsys.readouterr().out
    cost = measured.costs(Book(figures.read(FIGURES)))
    assert cost is not None
    assert f"{cost.play:.3g} ms/s" in said
    assert "hottest shard, better of two" in said
    assert len(re.findall(r"[+-]\d+\.\d%", said)) == 15


def test_a_small_fleet_is_simulated_more_often_than_a_large_one() -> None:
    assert scale.enough(100) == 1000
    assert scale.enough(1_000_000) == 4


def test_two_that_are_too_far_apart_are_told_and_the_command_fails(capsys) -> None:
    pair = Pair("phones", "", 100, 130, 0.12)
    assert not pair.agrees
    assert scale.side_by_side(pair)[2:5] == ("100", "130", "+30.0%")
    with pytest.raises(SystemExit, match=r"too far apart: .*hottest shard"):
        scale.main(["--nodes", "60", "--games", "5", "--runs", "1"])


@pytest.mark.parametrize("words", [["--playing", "2"], ["--nodes", "0"], ["--games", "many"]])
def test_a_wrong_word_is_refused(words: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as refused:
        scale.main(words)
    assert refused.value.code == 2
    assert words[0].strip("-") in capsys.readouterr().err


def test_without_figures_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="Measure it first: make capacity"):
        scale.main(["--figures", str(tmp_path / "none.json")])
