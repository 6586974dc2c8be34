"""A verdict is green only when every line of every step is; whatever is missed turns it red."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from crowd import samples
from killer.crowd.figures import KINDS, Faults, Report, Step, Times
from killer.crowd.verdict import (
    CODES,
    FAULTS,
    LIMITS,
    Line,
    Verdict,
    amount,
    inside,
    judge,
    milliseconds,
    moment,
    number,
    share,
)
from killer.language import LANGUAGES, speaking

LATE = Times(count=400, p50=100, p95=500, p99=800, worst=900)


def judged(**changed) -> Verdict:
    return judge(samples.report(samples.step(50), samples.step(100, **changed)))


def red(verdict: Verdict) -> list[str]:
    return [line.code for line in verdict.whole.red]


def line(verdict: Verdict, code: str) -> Line:
    return next(each for each in verdict.steps[-1].lines if each.code == code)


def test_a_calm_server_passes_and_holds_the_largest_crowd() -> None:
    verdict = judge(samples.report())
    assert verdict.passed
    assert (verdict.holds, verdict.asked) == (100, 100)
    assert verdict.answer == "OUI"
    assert verdict.question == "100 personnes\u00a0?"


def test_every_line_is_told_for_every_step_and_over_all() -> None:
    verdict = judge(samples.report())
    assert [tuple(each.code for each in size.lines) for size in verdict.steps] == [CODES] * 5
    assert tuple(each.code for each in verdict.whole.lines) == CODES
    assert [len(found) for _, found in verdict.rows] == [5] * len(CODES)


@pytest.mark.parametrize("kind", KINDS)
def test_one_error_of_any_kind_is_red_on_a_line_of_its_own(kind: str) -> None:
    assert red(judged(errors={kind: 1})) == [kind]


def test_an_error_of_a_kind_that_nobody_knows_does_not_pass() -> None:
    assert red(judged(errors={"gremlins": 3})) == ["http"]


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_of_any_kind_is_red_on_a_line_of_its_own(fault: str) -> None:
    assert red(judged(faults=Faults(**{fault: 1}))) == [fault]


def test_the_faults_are_all_judged() -> None:
    assert set(FAULTS) == set(Faults.__struct_fields__)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"times": LATE}, "p95"),
        ({"cpu": 0.8}, "cpu"),
        ({"memory": 0.5}, "memory"),
        ({"delay": replace(LATE, p95=1000)}, "delay"),
    ],
)
def test_a_limit_that_is_reached_is_missed(changed: dict, code: str) -> None:
    verdict = judged(**changed)
    assert red(verdict) == [code]
    assert not verdict.passed
    assert verdict.holds == 50


@pytest.mark.parametrize(
    "changed",
    [{"times": replace(LATE, p95=499.9)}, {"cpu": 0.7999}, {"memory": 0.4999}],
)
def test_a_figure_just_below_its_limit_passes_narrowly(changed: dict) -> None:
    verdict = judged(**changed)
    assert verdict.passed
    assert [each.state for each in verdict.whole.lines].count("near") == 1


def test_what_was_not_measured_is_neither_green_nor_red() -> None:
    verdict = judge(samples.unknown())
    assert {each.code for each in verdict.whole.unknown} == {"cpu", "memory"}
    assert verdict.passed
    assert line(verdict, "cpu").state == "unknown"
    assert "non mesuré" in line(verdict, "cpu").sentence


def test_streams_that_the_server_does_not_count_are_neither_kept_nor_closed() -> None:
    verdict = judged(faults=Faults(leaked=None))
    assert line(verdict, "leaked").passed is None
    assert line(verdict, "leaked").result == "non mesuré"
    assert verdict.passed


def test_a_step_without_a_request_can_not_pass() -> None:
    verdict = judged(times=Times())
    assert red(verdict) == ["played"]
    assert line(verdict, "503").passed is None


def test_a_step_that_was_broken_off_can_not_pass_and_says_why() -> None:
    verdict = judge(samples.broken_off())
    assert red(verdict) == ["played", "connection"]
    assert "ne répond plus depuis 30 s" in line(verdict, "played").sentence


def test_a_step_that_was_broken_off_proves_nothing_about_the_truth() -> None:
    verdict = judge(samples.broken_off())
    assert all(line(verdict, fault).passed is None for fault in FAULTS)


def test_what_a_broken_step_has_seen_go_wrong_is_red_all_the_same() -> None:
    assert "lost" in red(judged(broken_off="stop", faults=Faults(lost=2)))


def test_without_a_death_nothing_is_known_about_deaths() -> None:
    verdict = judged(deaths=0, delay=Times(), last=Times())
    assert [line(verdict, code).passed for code in ("lost", "doubled", "delay")] == [None] * 3
    assert verdict.passed


def test_a_death_that_no_phone_ever_hears_of_is_red() -> None:
    verdict = judged(delay=Times(), last=Times())
    assert red(verdict) == ["delay"]
    assert line(verdict, "delay").result == "jamais"


def test_without_streams_nothing_is_known_about_streams() -> None:
    verdict = judged(streams=0, delay=Times(), last=Times())
    unseen = ("dropped", "gaps", "leaked", "delay")
    assert [line(verdict, code).passed for code in unseen] == [None] * 4


def test_what_holds_is_the_largest_crowd_before_the_first_red_one() -> None:
    slow = samples.step(25, times=LATE)
    steps = [samples.step(100), slow, samples.step(10), samples.step(5)]
    verdict = judge(samples.report(*steps))
    assert (verdict.holds, verdict.asked) == (10, 100)
    assert verdict.answer == "NON, mais 10\u00a0: OUI"


def test_a_size_that_was_played_twice_holds_only_when_both_did() -> None:
    verdict = judge(samples.report(samples.step(50), samples.step(50, times=LATE)))
    assert verdict.holds == 0
    assert verdict.answer == "NON"


def test_nothing_played_is_nothing_proved() -> None:
    verdict = judge(nothing())
    assert not verdict.passed
    assert (verdict.holds, verdict.asked, verdict.rows) == (0, 0, [])


def nothing() -> Report:
    return replace(samples.report(), steps=())


def test_over_all_the_worst_step_is_told() -> None:
    verdict = judge(samples.slow())
    worst = {each.code: each for each in verdict.whole.lines}
    assert (worst["cpu"].found, worst["cpu"].phones) == (0.93, 100)
    assert (worst["503"].found, worst["503"].result) == (37, "37")
    assert worst["dropped"].state == "red"


def test_over_all_a_red_line_is_worse_than_a_larger_green_one() -> None:
    ended, broken = samples.step(10), samples.step(5, broken_off="stop")
    verdict = judge(samples.report(ended, broken))
    assert red(verdict) == ["played"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", CODES)
def test_every_red_line_says_what_to_do(code: str, language: str) -> None:
    missed = Line(code, LIMITS.get(code, 0), 1234, passed=False, phones=100)
    with speaking(language):
        assert missed.sentence.endswith(missed.cure)
        assert missed.cure.endswith(".")


def test_english_is_spoken_too() -> None:
    with speaking("en"):
        verdict = judge(samples.slow())
        assert f"{verdict.question} {verdict.answer}" == "100 people? NO, but 25: YES"
        assert line(verdict, "p95").sentence.startswith(
            "Response time (95% of requests): 812\u00a0ms, but wanted less than 500\u00a0ms."
        )


def test_a_figure_below_its_limit_is_never_written_like_the_limit() -> None:
    assert milliseconds(499.96) == "499\u00a0ms"
    assert share(0.7999) == "79\u00a0%"
    assert amount("memory", 0.0719) == "7,1\u00a0%"


def test_numbers_are_shorter_the_larger_they_are() -> None:
    assert [number(value) for value in (0, 0.125, 3.46, 84.6, 1234.5)] == [
        "0",
        "0,12",
        "3,4",
        "84",
        "1\u202f234",
    ]


def test_a_moment_that_nobody_knows_keeps_its_name() -> None:
    assert (moment("burst"), moment("siesta")) == ("rafale de morts", "siesta")


def test_words_lose_their_capital_inside_a_sentence() -> None:
    assert inside("Morts perdues") == "morts perdues"


def test_a_step_knows_its_own_size() -> None:
    step: Step = samples.step(7)
    assert judge(samples.report(step)).size(7).phones == 7


def test_the_question_is_about_the_crowd_that_was_asked_for_even_when_it_never_came() -> None:
    played = samples.report(samples.step(25), samples.step(50))
    whole = replace(played, asked=(25, 50, 100))
    assert judge(played).passed
    verdict = judge(whole)
    assert not verdict.passed
    assert (verdict.asked, verdict.holds) == (100, 50)
    with speaking("fr"):
        assert "100" in verdict.question
        assert "50" in verdict.answer


def test_without_any_step_nothing_is_held() -> None:
    verdict = judge(replace(samples.report(), steps=(), asked=(5,)))
    assert (verdict.passed, verdict.asked, verdict.holds) == (False, 5, 0)
