"""The client of Google when Google, the network or the organiser's settings fail."""

from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from google_desk import COLUMNS, SHEET, Desk, desk, slept
from requests import exceptions as web_errors

from house.sentences import messages, placeholders
from killer.sheets.google import Google, GoogleError
from killer.sheets.pace import Pace

__all__ = ["desk", "slept"]

ALWAYS = None


@pytest.mark.parametrize(
    ("trouble", "code", "retry"),
    [
        (429, "quota", True),
        (500, "google_down", True),
        (503, "google_down", True),
        ("reset", "unreachable", True),
        ("half", "half_answer", True),
        ("broken", "half_answer", True),
        (403, "not_shared", False),
        (404, "no_such_sheet", False),
        (401, "key_refused", False),
        (418, "refused", False),
    ],
)
@pytest.mark.parametrize("what", ["tabs", "columns"])
def test_every_trouble_is_an_error_of_ours(
    desk: Desk, trouble: Any, code: str, what: str, *, retry: bool
) -> None:
    desk.google.fail(trouble, ALWAYS)
    error = desk.error(what)
    assert (error.code, error.retry) == (code, retry)
    tries = 1 if not retry else 3
    assert desk.counts["read", code] == tries
    desk.google.clear()
    assert getattr(desk.client, what)(SHEET) is not None


@pytest.mark.parametrize("trouble", ["silence", "drip"])
def test_silence_and_a_body_that_never_ends_are_given_up(
    desk: Desk, slept: list[float], trouble: Any
) -> None:
    assert desk.client.tabs(SHEET)
    desk.counts.clear()
    desk.hasty(1.5)
    desk.google.fail(trouble, 2, on="read", seconds=1 if trouble == "drip" else 60)
    assert desk.client.tabs(SHEET)
    assert desk.counts["read", "silent"] == 2
    assert slept == [1, 2]


@pytest.mark.parametrize("trouble", ["reset", "half", "broken", 500, 429])
def test_the_way_to_a_token_fails_like_the_others(desk: Desk, trouble: Any) -> None:
    desk.google.fail(trouble, 2, on="token")
    assert desk.client.tabs(SHEET)
    assert desk.google.count("token") == 3
    assert desk.counts["token", "ok"] == 1


def test_a_passing_trouble_is_not_noticed(desk: Desk, slept: list[float]) -> None:
    desk.google.fail(429, retry_after=7)
    desk.google.fail(503)
    assert desk.client.tabs(SHEET)
    assert slept == [7, 2]
    assert desk.counts == {
        ("token", "ok"): 1,
        ("read", "quota"): 1,
        ("read", "google_down"): 1,
        ("read", "ok"): 1,
    }


def test_a_long_retry_after_is_handed_on_at_once(desk: Desk, slept: list[float]) -> None:
    desk.google.fail(429, retry_after=60)
    error = desk.error()
    assert (error.code, error.retry_after, slept) == ("quota", 60, [])


def test_a_write_is_repeated_since_that_changes_nothing(desk: Desk) -> None:
    mark = desk.marked()["status"]
    desk.google.fail("reset", on="write", late=True)
    desk.client.write(SHEET, {mark: {1: "Mort"}})
    assert (desk.tab.cell(1, "Statut"), desk.google.count("write")) == ("Mort", 3)


@pytest.mark.parametrize("trouble", ["reset", "half", 503, "silence"])
def test_adding_columns_is_never_repeated_blindly(desk: Desk, trouble: Any) -> None:
    desk.hasty(1.5 if trouble == "silence" else 20)
    desk.google.fail(trouble, on="write", late=True, seconds=60)
    assert desk.error("add_columns", SHEET, 0, 2, 0, COLUMNS).retry
    assert desk.google.count("write") == 1
    assert desk.tab.rows()[0] == ["Surnom", "Équipe", "Statut", "Éliminations"]


def test_adding_columns_is_repeated_when_google_was_only_busy(desk: Desk) -> None:
    desk.google.fail(429, on="write")
    assert desk.marked().keys() == COLUMNS.keys()


def test_a_server_that_is_gone_is_unreachable_and_found_again(desk: Desk) -> None:
    desk.client.tabs(SHEET)
    desk.google.stop()
    assert desk.error().code == "unreachable"
    desk.google.start()
    assert desk.client.tabs(SHEET)


def test_after_three_failures_google_is_left_alone(desk: Desk) -> None:
    desk.google.unshare(SHEET)
    assert [desk.error().code for _ in range(4)] == ["not_shared"] * 3 + ["resting"]
    assert desk.google.count("read") == 3
    desk.google.sheet("another", {"Feuille 1": []})
    assert desk.client.tabs("another")


def test_a_sheet_that_isn_t_shared_says_with_whom_to_share_it(desk: Desk) -> None:
    desk.google.unshare(SHEET)
    assert desk.error().params == {"address": desk.client.address}


@pytest.mark.parametrize("api", ["sheets", "drive"])
def test_an_api_that_is_off_says_where_to_switch_it_on(desk: Desk, api: str) -> None:
    desk.google.switch_off(api)
    error = desk.error() if api == "sheets" else desk.error("file", "photo", 10)
    assert (error.code, error.retry) == ("api_disabled", False)
    assert error.params["api"] == f"Google {api.title()} API"
    assert error.params["url"] == (
        "https://console.developers.google.com/apis/api/"
        f"{api}.googleapis.com/overview?project=123456789012"
    )


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("This operation is not supported for this document", "not_a_sheet"),
        ("You are trying to edit a protected cell or object.", "protected"),
    ],
)
def test_refusals_that_an_organiser_can_mend_have_a_sentence(
    desk: Desk, message: str, code: str
) -> None:
    desk.google.fail(400, message=message)
    assert desk.error().code == code


def test_a_key_that_google_forgot_is_refused_until_another_file_is_there(
    desk: Desk, tmp_path: Path
) -> None:
    other = desk.google.key_file(tmp_path, "other@un-projet.iam.gserviceaccount.com")
    del desk.google.accounts.keys[desk.client.address]
    error = desk.error()
    assert (error.code, error.retry) == ("key_refused", False)
    other.replace(tmp_path / "killer.json")
    assert desk.client.tabs(SHEET)
    assert desk.google.calls[-1].account == desk.client.address
    assert desk.client.address.startswith("other@")


def test_a_wrong_clock_has_its_own_sentence(desk: Desk) -> None:
    desk.google.now = lambda: time.time() + 86_400
    assert desk.error().code == "clock_wrong"


def test_a_token_that_died_is_replaced(desk: Desk) -> None:
    desk.client.tabs(SHEET)
    desk.google.forget_tokens()
    assert desk.client.tabs(SHEET)
    assert desk.google.count("token") == 2


@pytest.mark.parametrize(
    "content",
    ["", "[]", "no JSON", '{"installed": {}}', "\\udcff", "WITHOUT KEY", "WITHOUT ADDRESS"],
)
def test_a_file_that_is_no_key_is_told(desk: Desk, tmp_path: Path, content: str) -> None:
    key = json.loads(desk.google.key_file(tmp_path).read_text())
    damaged = {
        "WITHOUT KEY": json.dumps({**key, "private_key": "-----BEGIN"}),
        "WITHOUT ADDRESS": json.dumps({**key, "client_email": None}),
    }
    file = tmp_path / "bad.json"
    file.write_text(damaged.get(content, content), encoding="utf-8")
    desk.client = Google(file, url=desk.google.url)
    assert desk.error().code == "bad_key_file"
    assert desk.error().params == {"file": str(file)}
    assert desk.google.calls == []


def test_nobody_else_is_asked_behind_our_back(desk: Desk) -> None:
    """A newer google-auth looks up allowed regions at another host, in a thread of its own."""
    desk.client.tabs(SHEET)
    regions = getattr(desk.client._opened.credentials, "_rab_manager", None)
    assert regions is None or regions.refresh_manager._worker is None


def test_a_certificate_out_of_its_time_means_a_wrong_clock(desk: Desk) -> None:
    def broken(*_: object) -> object:
        raise web_errors.SSLError("certificate verify failed: certificate is not yet valid")

    desk.client = Google(desk.client._key_file, url="", pace=Pace(tries=1))
    with pytest.raises(GoogleError, match="clock_wrong"):
        desk.client._ask("read", SHEET, broken)


def test_an_address_where_nobody_answers_is_an_error_of_ours(desk: Desk) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        client = Google(desk.client._key_file, url=url, pace=Pace(tries=1))
        with pytest.raises(GoogleError, match="unreachable"):
            client.tabs(SHEET)


def test_many_threads_may_ask_at_once(desk: Desk) -> None:
    answers: list[Any] = []
    threads = [
        threading.Thread(target=lambda: answers.append(desk.client.tabs(SHEET))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [answers[0]] * 8


def test_every_error_has_a_sentence_that_gets_its_words(desk: Desk) -> None:
    told = messages("fr")
    for break_ in (lambda: desk.google.unshare(SHEET), lambda: desk.google.switch_off("sheets")):
        break_()
        error = desk.error()
        assert placeholders(told[error.sentence]) <= error.params.keys()
