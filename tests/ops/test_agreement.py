"""Nodes that share a game share its secret, its database, its Redis, or nothing is done."""

from __future__ import annotations

import pytest

from killer.ops import agreement
from killer.ops.failures import DeployError

SECRET = "a-secret-of-thirty-two-characters"
URL = "postgresql://app:hidden@10.0.0.9/killer"
KEPT = f"# mine\nSECRET_KEY={SECRET}\nDATABASE_URL={URL}\nSMTP_HOST=smtp.example.org\n"
FRESH = f"SECRET_KEY={SECRET}fresh\nDATABASE_URL={URL}\n"


def planned(kept: dict[str, str | None], **own: str) -> dict[str, str]:
    return agreement.planned(kept, own, lambda: FRESH)


def test_the_first_time_all_get_the_same_fresh_settings() -> None:
    assert planned({"a": None, "b": ""}) == {"a": FRESH, "b": FRESH}


def test_an_example_in_a_comment_is_not_taken_for_the_setting() -> None:
    found = planned({"old": f"# MAIL_RATE=60\n{KEPT}MAIL_RATE=20\n", "new": None}, MAIL_RATE="30")
    assert found["new"] == f"# MAIL_RATE=60\n{KEPT}MAIL_RATE=30\n"


def test_a_new_node_gets_those_of_one_that_is_there_and_nobody_s_are_changed() -> None:
    found = planned({"new": None, "old": KEPT}, MAIL_RATE="30", SMTP_HOST="other.example.org")
    assert found["old"] == KEPT
    assert found["new"].startswith(f"# mine\nSECRET_KEY={SECRET}\n")
    assert "SMTP_HOST=other.example.org\n" in found["new"], "at the place of the old one"
    assert found["new"].endswith("MAIL_RATE=30\n")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("SECRET_KEY", "another-secret-of-many-characters"),
        ("DATABASE_URL", "postgresql://app:other@10.0.0.9/killer"),
        ("REDIS_URL", "redis://10.0.0.9/0"),
        ("SESSION_BACKEND", "redis"),
        ("PHOTOS_URL", "s3://elsewhere"),
        ("S3_ENDPOINT_URL", "https://s3.example.org"),
        ("AWS_REGION", "fr-par"),
    ],
)
@pytest.mark.parametrize("quoted", ["{}", "'{}'"])
def test_nodes_that_disagree_are_named_without_what_they_say(
    setting: str, value: str, quoted: str
) -> None:
    other = "".join(line for line in KEPT.splitlines(True) if not line.startswith(setting))
    with pytest.raises(DeployError) as error:
        planned({"a": KEPT, "b": f"{other}{setting}={quoted.format(value)}\n"})
    assert error.value.code == "disagree"
    assert error.value.params == {"host": "b", "setting": setting}
    assert value not in error.value.sentence


def test_an_inventory_that_says_something_else_than_the_nodes_is_not_ignored() -> None:
    with pytest.raises(DeployError) as error:
        planned({"a": KEPT, "b": KEPT}, DATABASE_URL="postgresql://app@10.0.0.8/killer")
    assert error.value.params == {"host": "a", "setting": "DATABASE_URL"}


def test_the_same_said_differently_is_the_same() -> None:
    alias = KEPT.replace("SECRET_KEY", "FLASK_SECRET_KEY").replace(URL, f'"{URL}"')
    planned({"a": KEPT, "b": f"{alias}SESSION_BACKEND=cookie\nREDIS_URL=\n"})


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (KEPT.replace("postgresql", "sqlite"), "not_postgresql"),
        (KEPT.replace("DATABASE_URL", "# DATABASE_URL"), "not_postgresql"),
        (KEPT.replace("SECRET_KEY", "# SECRET_KEY"), "no_secret"),
        (KEPT.replace("10.0.0.9", "localhost"), "only_here"),
        (f"{KEPT}REDIS_URL=redis://127.0.0.1:6379/0\n", "only_here"),
    ],
)
def test_settings_for_one_machine_alone_are_refused(text: str, code: str) -> None:
    with pytest.raises(DeployError) as error:
        planned({"a": text, "b": None})
    assert error.value.code == code
    assert "hidden" not in error.value.sentence


def test_a_cluster_of_one_may_have_its_database_at_home() -> None:
    text = KEPT.replace("10.0.0.9", "localhost")
    assert planned({"a": text}) == {"a": text}
