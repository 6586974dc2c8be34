"""The emulated Google behaves like the real one where a game depends on it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from google.auth import crypt, jwt

from engines.google import Emulator, Formula
from engines.google.accounts import ADDRESS, AUDIENCE, GRANT
from engines.google.errors import Refused
from engines.google.fixtures import google
from engines.google.quota import Quota

__all__ = ["google"]

SCOPES = "https://www.googleapis.com/auth/spreadsheets"
GUESTS = [["Surnom", "Équipe"], ["Zoé", "rouge"], ["Ada", "bleu"], ["", "vert"]]
CELLS = "/v4/spreadsheets/s/values:batch"


class Client:
    """Asks without any library of Google's, but for signing."""

    def __init__(self, google: Emulator, folder: Path) -> None:
        self.google = google
        self.key = json.loads(google.key_file(folder).read_text())
        self.http = HTTPConnection("127.0.0.1", int(google.url.rpartition(":")[2]), timeout=30)
        self.token = ""

    def assertion(self, key: dict[str, str] | None = None, **claims: Any) -> str:
        now = int(time.time())
        content = {"iss": ADDRESS, "aud": AUDIENCE, "scope": SCOPES, "iat": now, "exp": now + 3600}
        signer = crypt.RSASigner.from_service_account_info(key or self.key)
        return jwt.encode(signer, {**content, **claims}).decode()

    def grant(self, assertion: str) -> tuple[int, Any]:
        form = f"grant_type={GRANT.replace(':', '%3A')}&assertion={assertion}"
        return self.ask("POST", "/token", form)

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        sent = body if isinstance(body, str) or body is None else json.dumps(body)
        self.http.request(method, path, sent, {"Authorization": f"Bearer {self.token}"})
        answer = self.http.getresponse()
        return answer.status, json.loads(answer.read())

    def sign_in(self, **claims: Any) -> Client:
        self.token = self.grant(self.assertion(**claims))[1]["access_token"]
        return self

    def write(self, option: str, *data: dict[str, Any]) -> tuple[int, Any]:
        return self.ask("POST", f"{CELLS}Update", {"valueInputOption": option, "data": list(data)})

    def change(self, *requests: dict[str, Any]) -> tuple[int, Any]:
        return self.ask("POST", "/v4/spreadsheets/s:batchUpdate", {"requests": list(requests)})


@pytest.fixture
def stranger(google: Emulator, tmp_path: Path) -> Iterator[Client]:
    """Somebody with a key and no token yet."""
    google.sheet("s", {"Joueurs": GUESTS}, size=(10, 4))
    client = Client(google, tmp_path)
    yield client
    client.http.close()


@pytest.fixture
def client(stranger: Client) -> Client:
    """Somebody with a token."""
    return stranger.sign_in()


def mark(index: int, key: str) -> dict[str, Any]:
    place = {"sheetId": 0, "dimension": "COLUMNS", "startIndex": index, "endIndex": index + 1}
    location = {"dimensionRange": place}
    metadata = {"metadataKey": "killer", "metadataValue": key, "visibility": "DOCUMENT"}
    return {"createDeveloperMetadata": {"developerMetadata": {**metadata, "location": location}}}


def message(answer: tuple[int, Any]) -> tuple[int, str, str]:
    error = answer[1]["error"]
    return answer[0], error["status"], error["message"]


def test_a_signed_request_gets_a_token(stranger: Client) -> None:
    status, answer = stranger.grant(stranger.assertion())
    assert (status, answer["token_type"], answer["expires_in"]) == (200, "Bearer", 3599)


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"iss": "nobody@example.org"}, "account not found"),
        ({"aud": "https://example.org"}, "audience"),
        ({"iat": 1_000_000_000, "exp": 1_000_003_600}, "reasonable timeframe"),
        ({"exp": int(time.time()) + 90_000}, "short-lived"),
    ],
)
def test_a_false_claim_is_refused(stranger: Client, claims: dict[str, Any], said: str) -> None:
    status, answer = stranger.grant(stranger.assertion(**claims))
    assert (status, answer["error"]) == (400, "invalid_grant")
    assert said in answer["error_description"]


def test_another_account_s_key_signs_nothing_for_this_one(stranger: Client, tmp_path: Path) -> None:
    other = json.loads(stranger.google.key_file(tmp_path, "other@example.org").read_text())
    status, answer = stranger.grant(stranger.assertion(other))
    assert (status, answer["error_description"]) == (400, "Invalid JWT Signature.")


def test_a_token_dies_after_an_hour(client: Client) -> None:
    client.google.now = lambda: time.time() + 3700
    assert client.ask("GET", "/v4/spreadsheets/s")[0] == 401


def test_a_token_opens_only_what_its_scopes_say(stranger: Client) -> None:
    stranger.google.put_file("photo", b"...")
    assert stranger.sign_in().ask("GET", "/drive/v3/files/photo?alt=media")[0] == 403
    stranger.sign_in(scope=f"{SCOPES}.readonly")
    assert stranger.ask("GET", f"{CELLS}Get?ranges=Joueurs")[0] == 200
    assert stranger.write("RAW", {"range": "Joueurs!A1", "values": [["x"]]})[0] == 403


def test_empty_cells_and_rows_at_the_end_are_left_out(client: Client) -> None:
    client.google.tab("s", "Joueurs").set(1, "Équipe", "")
    answer = client.ask("GET", f"{CELLS}Get?ranges='Joueurs'&ranges=Joueurs!C:D")[1]
    assert answer["valueRanges"][0]["values"] == [GUESTS[0], ["Zoé"], GUESTS[2], ["", "vert"]]
    assert "values" not in answer["valueRanges"][1]


def test_a_tab_that_is_not_there_is_a_bad_range(client: Client) -> None:
    client.google.tab("s", "Joueurs").rename("Invités")
    assert message(client.ask("GET", f"{CELLS}Get?ranges='Joueurs'")) == (
        400,
        "INVALID_ARGUMENT",
        "Unable to parse range: 'Joueurs'",
    )


def test_raw_keeps_what_user_entered_would_calculate(client: Client) -> None:
    tab = client.google.tab("s", "Joueurs")
    client.write("RAW", {"range": "Joueurs!A2", "values": [["=1+1"]]})
    client.write("USER_ENTERED", {"range": "Joueurs!A3", "values": [["=1+1", "0123"]]})
    assert (tab.raw(1, 0), tab.raw(2, 0), tab.raw(2, 1)) == ("=1+1", Formula("=1+1"), 123)
    assert tab.rows()[2] == ["2", "123"]
    assert client.write("", {"range": "Joueurs!A1", "values": [["x"]]})[0] == 400


def test_null_leaves_a_cell_and_an_empty_text_empties_it(client: Client) -> None:
    client.write("RAW", {"range": "Joueurs!A2:B2", "values": [[None, ""]]})
    assert client.google.tab("s", "Joueurs").rows()[1] == ["Zoé", ""]


def test_values_beyond_their_range_are_refused_with_all_the_others(client: Client) -> None:
    good = {"range": "Joueurs!A1", "values": [["new"]]}
    high = {"range": "Joueurs!A9:A10", "values": [["1"], ["2"], ["3"]]}
    assert "tried writing to row [11]" in message(client.write("RAW", good, high))[2]
    assert client.google.tab("s", "Joueurs").rows() == GUESTS


def test_metadata_goes_with_its_column_and_not_with_its_rows(client: Client) -> None:
    tab = client.google.tab("s", "Joueurs")
    assert client.change(mark(1, "team"))[0] == 200
    tab.insert_column("Équipe", "Âge")
    assert tab.marked() == {"team": 2}
    tab.move_column("Équipe", 0)
    assert (tab.marked(), tab.cell(1, "Équipe")) == ({"team": 0}, "rouge")
    tab.sort("Surnom")
    assert tab.marked() == {"team": 0}
    tab.delete_column("Équipe")
    assert tab.marked() == {}
    lookup = {"dataFilters": [{"developerMetadataLookup": {"metadataKey": "killer"}}]}
    assert client.ask("POST", "/v4/spreadsheets/s/developerMetadata:search", lookup) == (200, {})


def test_a_batch_is_done_whole_or_not_at_all(client: Client) -> None:
    tab = client.google.tab("s", "Joueurs")
    room = {"appendDimension": {"sheetId": 0, "dimension": "COLUMNS", "length": 2}}
    assert client.change(room, mark(1, "team"), mark(99, "beyond"))[0] == 400
    assert (tab.width, tab.marked(), tab.rows()) == (4, {}, GUESTS)


def test_columns_are_inserted_before_a_column_but_not_after_the_last(client: Client) -> None:
    place = {"sheetId": 0, "dimension": "COLUMNS", "startIndex": 4, "endIndex": 5}
    answer = client.change({"insertDimension": {"range": place, "inheritFromBefore": False}})
    assert "must be less than the grid size (4)" in message(answer)[2]


def test_an_unknown_request_is_refused(client: Client) -> None:
    assert client.change({"inventColumns": {}})[0] == 400
    assert client.ask("POST", "/v4/spreadsheets/s:batchUpdate", "{")[0] == 400


def test_sorting_moves_whole_rows_below_the_header_empty_cells_last(google: Emulator) -> None:
    tab = google.sheet("x", {"Joueurs": GUESTS})["Joueurs"]
    tab.sort("Surnom")
    assert tab.rows() == [GUESTS[0], GUESTS[2], GUESTS[1], GUESTS[3]]
    tab.sort("Surnom", reverse=True)
    assert tab.rows() == GUESTS


def test_sorting_some_columns_tears_the_rows_apart(google: Emulator) -> None:
    tab = google.sheet("x", {"Joueurs": GUESTS[:3]})["Joueurs"]
    tab.sort_range(["Surnom"], "Surnom")
    assert tab.rows()[1:] == [["Ada", "rouge"], ["Zoé", "bleu"]]


def test_organisers_add_and_remove_rows(google: Emulator) -> None:
    tab = google.sheet("x", {"Joueurs": GUESTS[:3]}, size=(3, 2))["Joueurs"]
    tab.append(["Bob", "vert"])
    tab.delete_row(1)
    tab.insert_row(1)
    assert tab.rows() == [GUESTS[0], ["", ""], GUESTS[2], ["Bob", "vert"]]


def test_the_hook_runs_once_between_the_request_and_the_write(client: Client) -> None:
    tab = client.google.tab("s", "Joueurs")
    client.google.before_write = lambda: tab.sort("Surnom")
    for _ in range(2):
        client.write("RAW", {"range": "Joueurs!B2", "values": [["or"]]})
        tab.sort("Surnom", reverse=True)
    assert tab.rows()[1:3] == [["Zoé", "or"], ["Ada", "or"]]


def test_who_is_not_invited_stays_outside_and_a_reader_writes_nothing(client: Client) -> None:
    cell = {"range": "Joueurs!A1", "values": [["x"]]}
    client.google.share("s", editor=False)
    assert client.ask("GET", "/v4/spreadsheets/s")[0] == 200
    assert message(client.write("RAW", cell))[:2] == (403, "PERMISSION_DENIED")
    client.google.unshare("s")
    assert client.ask("GET", "/v4/spreadsheets/s")[0] == 403
    assert client.ask("GET", "/v4/spreadsheets/another")[0] == 404


def test_an_api_that_is_switched_off_says_where_to_switch_it_on(client: Client) -> None:
    client.google.switch_off("sheets")
    error = client.ask("GET", "/v4/spreadsheets/s")[1]["error"]
    assert error["details"][0]["reason"] == "SERVICE_DISABLED"
    assert error["details"][1]["links"][0]["url"].startswith("https://console.developers.google")
    client.google.switch_on("sheets")
    assert client.ask("GET", "/v4/spreadsheets/s")[0] == 200


def test_the_quota_is_a_sliding_minute_that_speed_shortens() -> None:
    now = [0.0]
    quota = Quota(speed=10, clock=lambda: now[0])
    for _ in range(60):
        quota.count("read", "me")
    quota.count("write", "me")
    with pytest.raises(Refused):
        quota.count("read", "me")
    now[0] = 6.0
    quota.count("read", "me")
    assert quota.used("read", "me") == 1


def test_the_project_has_a_quota_too() -> None:
    quota = Quota(clock=lambda: 0.0)
    for n in range(300):
        quota.count("read", f"account {n % 6}")
    with pytest.raises(Refused):
        quota.count("read", "a seventh")


def test_beyond_the_quota_the_answer_is_429(client: Client) -> None:
    client.google.quota.for_account["read"] = 1
    assert client.ask("GET", "/v4/spreadsheets/s")[0] == 200
    assert message(client.ask("GET", "/v4/spreadsheets/s"))[:2] == (429, "RESOURCE_EXHAUSTED")


def test_troubles_come_as_often_as_asked_and_where_asked(client: Client) -> None:
    client.google.fail(503, 2, on="read", retry_after=7)
    assert client.write("RAW", {"range": "Joueurs!A1", "values": [["x"]]})[0] == 200
    assert [client.ask("GET", "/v4/spreadsheets/s")[0] for _ in range(3)] == [503, 503, 200]
    client.google.fail(500, None)
    assert [client.ask("GET", "/v4/spreadsheets/s")[0] for _ in range(5)] == [500] * 5
    client.google.clear()
    assert client.ask("GET", "/v4/spreadsheets/s")[0] == 200


@pytest.mark.parametrize(("late", "cell"), [(False, "Surnom"), (True, "x")])
def test_a_late_trouble_comes_after_the_deed(client: Client, *, late: bool, cell: str) -> None:
    client.google.fail("reset", late=late)
    with pytest.raises(ConnectionError):
        client.write("RAW", {"range": "Joueurs!A1", "values": [["x"]]})
    assert client.google.tab("s", "Joueurs").cell(0, 0) == cell


def test_every_call_is_in_the_log(client: Client) -> None:
    client.ask("GET", "/v4/spreadsheets/s")
    client.write("RAW", {"range": "Nowhere!A1", "values": [["x"]]})
    seen = [(call.kind, call.status) for call in client.google.calls]
    assert seen == [("token", 200), ("read", 200), ("write", 400)]
    assert client.google.calls[-1].body["valueInputOption"] == "RAW"
    assert client.google.calls[-1].account == ADDRESS
    assert client.google.count("write", 400) == 1


def test_a_stopped_google_is_gone_and_comes_back_at_the_same_address(client: Client) -> None:
    client.ask("GET", "/v4/spreadsheets/s")
    client.google.stop()
    with pytest.raises((ConnectionError, OSError)):
        client.ask("GET", "/v4/spreadsheets/s")
    client.http.close()
    with pytest.raises(ConnectionError):
        client.ask("GET", "/v4/spreadsheets/s")
    client.google.start()
    client.http.close()
    assert client.ask("GET", "/v4/spreadsheets/s")[0] == 200
