"""How Google is asked: not too often, not for ever, and not at all while it is ill."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from killer.sheets.pace import GoogleError, Pace


class Time:
    """A clock that only moves when somebody sleeps or a try takes its time."""

    def __init__(self) -> None:
        self.now, self.slept = 1000.0, []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Asked:
    """Attempts that fail with each of these in turn, then work."""

    def __init__(self, *errors: GoogleError, takes: float = 0, time: Time | None = None) -> None:
        self.errors, self.takes, self.time = list(errors), takes, time
        self.left: list[float] = []

    def __call__(self, left: float) -> str:
        self.left.append(left)
        if self.time:
            self.time.now += self.takes
        if self.errors:
            raise self.errors.pop(0)
        return "done"

    @property
    def times(self) -> int:
        return len(self.left)


@pytest.fixture
def time() -> Time:
    return Time()


def pace(time: Time, chance: Callable[[], float] = lambda: 1.0, **how: float) -> Pace:
    return Pace(clock=time, sleep=time.sleep, chance=chance, **how)


def down(retry_after: float | None = None) -> GoogleError:
    return GoogleError("google_down", retry_after=retry_after)


def fails(one: Pace, error: GoogleError, what: str = "sheet", times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(GoogleError, match=error.code):
            one.call("file", what, Asked(error), again=False)


def test_what_works_is_asked_once(time: Time) -> None:
    asked = Asked()
    assert pace(time).call("read", "sheet", asked) == "done"
    assert (asked.times, time.slept) == (1, [])


def test_what_passes_is_tried_three_times_and_no_more(time: Time) -> None:
    asked = Asked(down(), down(), down())
    with pytest.raises(GoogleError, match="google_down"):
        pace(time).call("read", "sheet", asked)
    assert asked.times == 3


def test_the_third_try_may_still_succeed(time: Time) -> None:
    assert pace(time).call("read", "sheet", Asked(down(), down())) == "done"


def test_waits_double_and_chance_shortens_them_down_to_nothing(time: Time) -> None:
    pace(time).call("read", "sheet", Asked(down(), down()))
    assert time.slept == [1, 2]
    time.slept.clear()
    pace(time, chance=lambda: 0.25).call("read", "sheet", Asked(down(), down()))
    assert time.slept == [0.25, 0.5]


def test_what_somebody_has_to_repair_is_not_tried_again(time: Time) -> None:
    asked = Asked(GoogleError("not_shared"))
    with pytest.raises(GoogleError, match="not_shared"):
        pace(time).call("read", "sheet", asked)
    assert asked.times == 1


def test_a_wait_that_google_asks_for_is_kept(time: Time) -> None:
    assert pace(time).call("read", "sheet", Asked(GoogleError("quota", retry_after=12))) == "done"
    assert time.slept == [12]


def test_a_wait_of_more_than_twenty_seconds_is_handed_back_at_once(time: Time) -> None:
    asked = Asked(GoogleError("quota", retry_after=21))
    with pytest.raises(GoogleError) as caught:
        pace(time, budget=100).call("read", "sheet", asked)
    assert (caught.value.retry_after, asked.times, time.slept) == (21, 1, [])


def test_one_call_never_waits_beyond_its_budget(time: Time) -> None:
    asked = Asked(*[down(9)] * 5, takes=10, time=time)
    with pytest.raises(GoogleError, match="google_down"):
        pace(time, budget=25).call("read", "sheet", asked)
    assert asked.left == [25, 25 - 10 - 9]  # a third try would begin after the end
    assert time.slept == [9]


def test_a_try_is_told_how_long_it_may_take(time: Time) -> None:
    asked = Asked(down(), takes=4, time=time)
    pace(time, budget=25).call("read", "sheet", asked)
    assert asked.left == [25, 25 - 4 - 1]


@pytest.mark.parametrize("code", ["silent", "half_answer", "unreachable", "google_down"])
def test_what_must_not_happen_twice_is_not_repeated_when_it_may_have_happened(
    time: Time, code: str
) -> None:
    asked = Asked(GoogleError(code))
    with pytest.raises(GoogleError, match=code):
        pace(time).call("write", "sheet", asked, again=False)
    assert asked.times == 1


def test_what_must_not_happen_twice_is_repeated_after_a_clear_not_now(time: Time) -> None:
    asked = Asked(GoogleError("quota"))
    assert pace(time).call("write", "sheet", asked, again=False) == "done"
    assert asked.times == 2


@pytest.mark.parametrize("kind", ["read", "write"])
def test_forty_calls_a_minute_and_a_small_burst_are_all(time: Time, kind: str) -> None:
    one, begin = pace(time), time.now
    for _ in range(45):
        one.call(kind, "sheet", Asked())
    assert time.now - begin == pytest.approx(60)
    assert time.slept[0] == pytest.approx(1.5)
    assert len(time.slept) == 40


def test_reads_and_writes_have_a_bucket_each_and_files_none(time: Time) -> None:
    one = pace(time, read=1, write=1, burst=1)
    for kind in ("read", "write", "file", "file", "file"):
        one.call(kind, "sheet", Asked())
    assert time.slept == []


def test_every_try_counts_as_a_call(time: Time) -> None:
    pace(time, burst=1).call("read", "sheet", Asked(GoogleError("quota", retry_after=0.5)))
    assert sum(time.slept) == pytest.approx(1.5)


def test_nobody_queues_for_longer_than_the_budget(time: Time) -> None:
    one, asked = pace(time, read=1, burst=1, budget=25), Asked()
    one.call("read", "sheet", Asked())
    with pytest.raises(GoogleError, match="resting") as caught:
        one.call("read", "sheet", asked)
    assert (asked.times, time.slept, round(caught.value.retry_after or 0)) == (0, [], 60)
    time.now += 61
    assert one.call("read", "sheet", asked) == "done"


def test_many_threads_get_no_more_tokens_than_there_are() -> None:
    one, refused = pace(Time(), read=0.001, burst=5), []

    def ask() -> None:
        try:
            one.call("read", "sheet", Asked())
        except GoogleError as error:
            refused.append(error.code)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == ["resting"] * 15


def test_three_failed_calls_in_a_row_open_the_breaker(time: Time) -> None:
    one, asked = pace(time), Asked()
    fails(one, down(), times=3)
    with pytest.raises(GoogleError) as caught:
        one.call("read", "sheet", asked)
    error = caught.value
    assert (error.code, error.retry, error.retry_after, asked.times) == ("resting", True, 5, 0)
    assert isinstance(error.__cause__, GoogleError)
    assert error.__cause__.code == "google_down"


def test_two_failures_and_a_success_open_nothing(time: Time) -> None:
    one = pace(time)
    for _ in range(3):
        fails(one, down(), times=2)
        assert one.call("read", "sheet", Asked()) == "done"


def test_the_rest_doubles_up_to_half_a_minute_with_one_trial_each(time: Time) -> None:
    one, rests = pace(time), []
    fails(one, GoogleError("not_shared"), times=3)
    for _ in range(5):
        with pytest.raises(GoogleError, match="resting") as caught:
            one.call("read", "sheet", Asked())
        rests.append(caught.value.retry_after)
        time.now += caught.value.retry_after or 0
        fails(one, GoogleError("not_shared"))
    assert rests == [5, 10, 20, 30, 30]


def test_a_trial_that_works_closes_the_breaker(time: Time) -> None:
    one = pace(time)
    fails(one, down(), times=3)
    time.now += 5
    assert one.call("read", "sheet", Asked()) == "done"
    fails(one, down(), times=2)
    assert one.call("read", "sheet", Asked()) == "done"


def test_while_one_tries_the_others_rest_on(time: Time) -> None:
    one = pace(time)
    fails(one, down(), times=3)
    time.now += 5

    def trial(left: float) -> str:
        with pytest.raises(GoogleError, match="resting"):
            one.call("read", "sheet", Asked())
        return "tried"

    assert one.call("read", "sheet", trial) == "tried"


def test_a_trial_that_was_killed_does_not_keep_the_breaker_open_for_ever(time: Time) -> None:
    one = pace(time)
    fails(one, down(), times=3)
    time.now += 5

    def killed(left: float) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        one.call("read", "sheet", killed)
    time.now += 30
    assert one.call("read", "sheet", Asked()) == "done"


def test_one_sheet_s_failures_are_not_another_s(time: Time) -> None:
    one = pace(time)
    fails(one, GoogleError("not_shared"), times=3)
    assert one.call("read", "another", Asked()) == "done"


@pytest.mark.parametrize("code", ["file_not_shared", "file_too_large", "no_key_file"])
def test_what_is_not_google_s_fault_leads_to_no_rest(time: Time, code: str) -> None:
    one = pace(time)
    fails(one, GoogleError(code), times=5)
    assert one.call("file", "sheet", Asked()) == "done"
