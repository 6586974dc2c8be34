"""The settings: their defaults, who wins, what is refused, and the secret that is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from killer import settings
from killer.language import say, speaking
from killer.settings import CPUS, EXAMPLES, BadSettingError, Settings, as_environment, load

GOOD = "a secret that nobody else has"

#: As section 7 of the design has them.
DEFAULTS = {
    "host": "127.0.0.1",
    "port": 8080,
    "data_dir": Path("data"),
    "worker_class": "gevent",
    "worker_connections": 1000,
    "timeout": 120,
    "keepalive": 5,
    "preload": True,
    "access_log": "",
    "error_log": "-",
    "loglevel": "info",
}
BAD = [
    ("PORT", "http", "not_a_number"),
    ("PORT", "-1", "not_a_number"),
    ("PORT", "8080.5", "not_a_number"),
    ("GUNICORN_WORKERS", "four", "not_a_number"),
    ("GUNICORN_TIMEOUT", "120s", "not_a_number"),
    ("GUNICORN_PRELOAD", "maybe", "not_a_flag"),
    ("SECRET_KEY", "short", "weak_secret"),
    ("FLASK_SECRET_KEY", "Change-Me", "weak_secret"),
    ("GUNICORN_WORKER_CLASS", "eventlet", "worker_class"),
    ("DATABASE_URL", "mysql://localhost/killer", "database_url"),
    ("DATABASE_URL", "killer.sqlite3", "database_url"),
    ("KILLER_LANGUAGE", "de", "language"),
    ("PORT", "0", "port"),
    ("GOOGLE_REQUEST_TIMEOUT", "0", "no_time"),
    ("PORT", "70000", "port"),
    ("REDIS_URL", "127.0.0.1:6379", "redis_url"),
    ("REDIS_URL", "http://redis", "redis_url"),
    ("SESSION_BACKEND", "files", "session_backend"),
    ("SESSION_BACKEND", "redis", "sessions_nowhere"),
    ("STATIC_BASE_URL", "cdn.example.org", "static_base_url"),
    ("STATIC_BASE_URL", "https://cdn.example.org; script-src *", "static_base_url"),
    ("STATIC_BASE_URL", "https://cdn.example.org/?a=b", "static_base_url"),
]
BUCKET = {
    "PHOTOS_URL": "s3://photos-killer/week-end",
    "S3_ENDPOINT_URL": "https://s3.example.org:9000",
    "AWS_ACCESS_KEY_ID": "a key",
    "AWS_SECRET_ACCESS_KEY": "its secret",
}
BAD_BUCKETS = [
    ("PHOTOS_URL", "https://s3.example.org/photos", "photos_url"),
    ("PHOTOS_URL", "s3://", "photos_url"),
    ("PHOTOS_URL", "s3://Photos_Killer", "photos_url"),
    ("PHOTOS_URL", "s3://photos/../others", "photos_url"),
    ("PHOTOS_URL", "s3://photos/a//b", "photos_url"),
    ("PHOTOS_URL", "s3://key:hidden@photos/a", "photos_url"),
    ("S3_ENDPOINT_URL", "s3.example.org", "s3_endpoint"),
    ("S3_ENDPOINT_URL", "https://key:hidden@s3.example.org", "s3_endpoint"),
    ("S3_ENDPOINT_URL", "https://s3.example.org/path", "s3_endpoint"),
    ("AWS_REGION", "Paris, France", "s3_region"),
    ("AWS_ACCESS_KEY_ID", "", "s3_key"),
    ("AWS_SECRET_ACCESS_KEY", "", "s3_key"),
]


def a_dotenv(folder: Path, *lines: str) -> Path:
    path = folder / ".env"
    path.write_text("\n".join(lines))
    return path


def test_the_defaults_are_those_of_the_design() -> None:
    found = load({})
    assert {name: getattr(found, name) for name in DEFAULTS} == DEFAULTS
    assert found == Settings()


def test_the_number_of_workers_follows_the_processors_and_the_class() -> None:
    assert load({}).worker_count == 4 * CPUS
    assert load({"GUNICORN_WORKER_CLASS": "sync"}).worker_count == 2 * CPUS + 1
    assert load({"GUNICORN_WORKERS": "9"}).worker_count == 9


def test_the_database_is_a_file_in_the_data_folder_unless_it_is_named(tmp_path: Path) -> None:
    assert load({"DATA_DIR": str(tmp_path)}).database == f"sqlite:///{tmp_path}/killer.sqlite3"
    assert load({}).database.startswith("sqlite:////")
    url = "postgresql://app@db/killer"
    assert load({"DATABASE_URL": url}).database == url


def test_what_stands_behind_the_server_is_named_without_a_password() -> None:
    assert settings.in_use(load({})) == {
        "database": "sqlite",
        "bell": "look",
        "limits": "database",
        "sessions": "cookie",
        "static": "here",
        "photos": "here",
    }
    several = {
        "DATABASE_URL": "postgres://app:hidden@db/killer",
        "REDIS_URL": "redis://:hidden@redis/0",
        "SESSION_BACKEND": "redis",
        "STATIC_BASE_URL": "https://cdn.example.org",
        **BUCKET,
    }
    assert settings.in_use(load(several)) == {
        "database": "postgresql",
        "bell": "redis, else postgresql, else look",
        "limits": "redis, else database",
        "sessions": "redis",
        "static": "https://cdn.example.org",
        "photos": "s3://photos-killer/week-end",
    }
    assert settings.in_use(load({"DATABASE_URL": "postgresql://db/k"}))["bell"] == (
        "postgresql, else look"
    )


def test_each_server_on_the_same_data_has_figures_of_its_own(tmp_path: Path) -> None:
    alone = load({"DATA_DIR": str(tmp_path)})
    assert alone.figures == tmp_path / "metrics-8080"
    beside = load({"DATA_DIR": str(tmp_path), "RUNTIME_DIRECTORY": "/run/killer-2"})
    assert beside.figures == Path("/run/killer-2/metrics-8080")
    assert load(as_environment(alone)).figures == alone.figures


@pytest.mark.parametrize(
    "copied",
    [
        "1aB-c_D",
        "https://docs.google.com/spreadsheets/d/1aB-c_D/edit?gid=0#gid=0",
        "https://docs.google.com/spreadsheets/u/1/d/1aB-c_D/edit",  # with several accounts
    ],
)
def test_a_spreadsheet_is_known_by_its_address_too(copied: str) -> None:
    assert Settings(sheet_id=copied).spreadsheet == "1aB-c_D"


def test_a_server_for_this_once_touches_nobodys_data(tmp_path: Path) -> None:
    real = load(
        {
            "DATABASE_URL": "postgresql://db/killer",
            "REDIS_URL": "redis://redis",
            "SESSION_BACKEND": "redis",
            "STATIC_BASE_URL": "https://cdn.example.org",
            "SHEET_ID": "sheet",
            "SMTP_HOST": "smtp",
            "BACKUP_DIR": "/srv/backups",
            "BACKUP_TO": "/mnt/disk",
            "RUNTIME_DIRECTORY": "/run/killer-1",
            "ALERT_MAIL": "orga@example.org",
            "ALERT_WEBHOOK": "https://chat.example.org/hook",
            "PORT": "9000",
        }
        | {name: value for name, value in BUCKET.items() if name != "S3_ENDPOINT_URL"}
    )
    here = settings.throw_away(real, tmp_path)
    wanted = Settings(data_dir=tmp_path, port=9000, loglevel="warning")
    assert here == wanted


def test_the_address_is_what_people_type() -> None:
    assert load({"HOST": "0.0.0.0", "PORT": "9000"}).address == "http://127.0.0.1:9000"
    assert load({"PUBLIC_URL": "https://killer.example.org/"}).address == (
        "https://killer.example.org"
    )


@pytest.mark.parametrize(("name", "value", "code"), BAD)
def test_a_bad_value_is_refused_with_a_sentence_that_names_it(
    name: str, value: str, code: str
) -> None:
    with pytest.raises(BadSettingError) as caught:
        load({name: value})
    assert caught.value.code == code
    for language in ("fr", "en"):
        with speaking(language):
            sentence = say(f"settings.{code}", **caught.value.params)
        assert name.removeprefix("FLASK_") in sentence


@pytest.mark.parametrize(("name", "value", "code"), BAD_BUCKETS)
def test_a_bucket_that_can_t_be_meant_is_refused(name: str, value: str, code: str) -> None:
    with pytest.raises(BadSettingError) as caught:
        load(BUCKET | {name: value})
    assert caught.value.code == code
    for language in ("fr", "en"):
        with speaking(language):
            sentence = say(f"settings.{code}", **caught.value.params)
        assert name in sentence
        assert "hidden" not in sentence


def test_a_bucket_s_name_that_is_refused_is_told_by_the_rule() -> None:
    with pytest.raises(BadSettingError) as caught:
        load(BUCKET | {"PHOTOS_URL": "s3://Photos_Killer"})
    sentence = say("settings.photos_url", **caught.value.params)
    assert "minuscules, des chiffres, des tirets et des points" in sentence
    assert "pas «" not in sentence


def test_without_a_bucket_nobody_minds_the_keys_of_others() -> None:
    """On many machines they are in the environment, for other programs."""
    assert load({"AWS_ACCESS_KEY_ID": "a key", "AWS_REGION": "Paris, France"}).photos_url == ""
    assert load(BUCKET | {"PHOTOS_URL": "s3://photos"}).photos_url == "s3://photos"


@pytest.mark.parametrize("example", sorted(EXAMPLES))
def test_no_example_is_taken_for_a_secret(example: str) -> None:
    with pytest.raises(BadSettingError) as caught:
        load({"SECRET_KEY": example.upper()})
    assert caught.value.params == {"name": "SECRET_KEY", "value": ""}


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    dotenv = a_dotenv(tmp_path, "PORT=9000", "HOST=0.0.0.0", "# PORT=1", "KILLER_LANGUAGE=")
    found = load({"PORT": "9001"}, dotenv)
    assert (found.port, found.host, found.language) == (9001, "0.0.0.0", "fr")


def test_an_empty_variable_hides_the_one_of_the_file(tmp_path: Path) -> None:
    dotenv = a_dotenv(tmp_path, "DATABASE_URL=postgresql://app@db/production")
    assert load({"DATABASE_URL": ""}, dotenv).database_url == ""


def test_a_file_that_is_not_there_changes_nothing(tmp_path: Path) -> None:
    assert load({}, tmp_path / ".env") == Settings()


def test_the_process_s_own_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "9002")
    monkeypatch.setenv("KILLER_LANGUAGE", "en")
    assert load().port == 9002
    assert settings.language() == "en"
    assert settings.inherited()["PORT"] == "9002"


@pytest.mark.parametrize(
    "found",
    [
        Settings(),
        Settings(port=1, preload=False, workers=3, data_dir=Path("/srv/killer"), secret_key=GOOD),
        Settings(database_url="postgresql://a:b@c/d", language="en", worker_class="sync"),
    ],
)
def test_settings_survive_the_way_through_the_environment(found: Settings) -> None:
    assert load(settings.as_environment(found)) == found


def test_a_server_that_is_started_gets_no_setting_from_elsewhere(tmp_path: Path) -> None:
    """The throw-away game of `killer demo` must not end up in the production database."""
    around = {"DATABASE_URL": "postgresql://app@db/production", "PUBLIC_URL": "https://real"}
    dotenv = a_dotenv(tmp_path, *(f"{name}={value}" for name, value in around.items()))
    mine = Settings(data_dir=tmp_path)
    assert load(around | settings.as_environment(mine), dotenv) == mine


def test_backups_lie_with_the_data_unless_a_folder_is_named(tmp_path: Path) -> None:
    assert load({"DATA_DIR": str(tmp_path)}).backups == tmp_path / "backups"
    assert load({"BACKUP_DIR": "/mnt/disk"}).backups == Path("/mnt/disk")
    again = load(settings.as_environment(Settings(data_dir=tmp_path)))
    assert again.backups == tmp_path / "backups"
