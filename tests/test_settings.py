"""The settings: their defaults, who wins, what is refused, and the secret that is kept."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from killer import settings
from killer.language import say, speaking
from killer.settings import CPUS, BadSettingError, Settings, as_environment, load

GOOD = "a secret that nobody else has"

DEFAULT_OF = {one.name: one.default for one in fields(Settings)}
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
#: Secrets at the wrong place, or with a sign too many.
HIDDEN = [
    ("SECRET_KEY", "S3cret", "weak_secret"),
    ("FLASK_SECRET_KEY", "change-me-S3cret", "weak_secret"),
    ("DATABASE_URL", "postgresql://killer:S3cret@[fd00::1/db", "database_url"),
    ("DATABASE_URL", "postgresql://killer:S3cret%zz@db/killer", "database_url"),
    ("DATABASE_URL", "S3cret:postgresql://db/killer", "database_url"),
    ("DATABASE_URL", "S3cret@db/killer", "database_url"),
    ("DATABASE_URL", "sqlite://S3cret/killer.sqlite3", "database_url"),
    ("REDIS_URL", "redis://:S3cret@[fd00::1/0", "redis_url"),
    ("REDIS_URL", "S3cret@redis:6379", "redis_url"),
    ("STATIC_BASE_URL", "https://killer:S3cret@cdn.example.org", "static_base_url"),
    ("ALERT_WEBHOOK", "chat.example.org/S3cret", "alert_webhook"),
    ("AWS_REGION", "S3cret/region", "s3_region"),
    ("S3_ENDPOINT_URL", "https://[S3cret", "s3_endpoint"),
    ("SERVICE_ACCOUNT_FILE", '{"private_key": "S3cret"}', "key_file"),
]
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


def refusal(
    environment: dict[str, str], dotenv: Path | None = None, *, sentence: bool = False
) -> str:
    """Give the code, or the sentence, with which settings are refused."""
    with pytest.raises(BadSettingError) as caught:
        load(environment, dotenv)
    code = caught.value.code
    return say(f"settings.{code}", **caught.value.params) if sentence else code


def _another(name: str, default: object) -> object:
    """Give a value that nobody has by default."""
    kind = type(default)
    return not default if kind is bool else kind(f"of {name}") if kind is not int else 7001


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
    assert alone.figures == tmp_path / "metrics"
    beside = load({"DATA_DIR": str(tmp_path), "RUNTIME_DIRECTORY": "/run/killer-2"})
    assert beside.figures == Path("/run/killer-2/metrics")
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


def test_a_server_for_this_once_has_nobody_s_data_address_or_secret(tmp_path: Path) -> None:
    real = {name: _another(name, default) for name, default in DEFAULT_OF.items()}
    here = settings.throw_away(Settings(**real), tmp_path)
    kept = {name for name in DEFAULT_OF if getattr(here, name) == real[name]}
    assert kept == set(settings.SERVING)
    bare = {name: DEFAULT_OF[name] for name in settings.SERVING}
    assert replace(here, **bare) == Settings(data_dir=tmp_path, loglevel="warning")


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


@pytest.mark.parametrize("name", ["SECRET_KEY", "FLASK_SECRET_KEY"])
@pytest.mark.parametrize(
    "example", ["your-secret-key-here", "change-me-in-production", "Dev-Secret-Key-Change-Me"]
)
def test_no_example_is_taken_for_a_secret(name: str, example: str) -> None:
    assert refusal({name: example}) == "weak_secret"


@pytest.mark.parametrize(("name", "value", "code"), HIDDEN)
def test_a_secret_is_repeated_in_no_refusal(name: str, value: str, code: str) -> None:
    for language in ("fr", "en"):
        with speaking(language):
            sentence = refusal(BUCKET | {name: value}, sentence=True)
        assert name.removeprefix("FLASK_") in sentence
        assert not re.search("S3c|[Hh]idden", sentence)
    assert refusal(BUCKET | {name: value}) == code


def test_no_secret_is_in_what_the_settings_look_like() -> None:
    shown = repr(Settings(**{name: _another(name, was) for name, was in DEFAULT_OF.items()}))
    secret = {"secret_key", "database_url", "redis_url", "metrics_token", "s3_secret"}
    secret |= {"smtp_password", "alert_webhook"}
    assert {name for name in DEFAULT_OF if f"{name}=" not in shown} == secret


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    dotenv = a_dotenv(tmp_path, "PORT=9000", "HOST=0.0.0.0", "# PORT=1", "KILLER_LANGUAGE=")
    found = load({"PORT": "9001"}, dotenv)
    assert (found.port, found.host, found.language) == (9001, "0.0.0.0", "fr")


def test_an_empty_variable_hides_the_one_of_the_file(tmp_path: Path) -> None:
    dotenv = a_dotenv(tmp_path, "DATABASE_URL=postgresql://app@db/production")
    assert load({"DATABASE_URL": ""}, dotenv).database_url == ""


def test_a_file_that_is_not_there_changes_nothing(tmp_path: Path) -> None:
    assert load({}, tmp_path / ".env") == Settings()


def test_a_file_may_come_from_another_system(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("\ufeffPORT=9000\r\n# réglages\r\nHOST=::\r\n".encode())
    found = load({}, tmp_path / ".env")
    assert (found.port, found.host) == (9000, "::")


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16"])
def test_a_file_in_another_encoding_is_a_sentence(tmp_path: Path, encoding: str) -> None:
    (tmp_path / ".env").write_bytes("# réglages\nPORT=9000\n".encode(encoding))
    assert refusal({}, tmp_path / ".env") == "file_encoding"
    assert "UTF-8" in refusal({}, tmp_path / ".env", sentence=True)


def test_a_file_that_can_t_be_read_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    assert refusal({}, tmp_path / ".env") == "file_unread"
    assert str(tmp_path / ".env") in refusal({}, tmp_path / ".env", sentence=True)
    assert refusal({}, Path("/proc/self/mem")) == "file_unread"


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
    around |= {"FLASK_SECRET_KEY": GOOD}
    dotenv = a_dotenv(tmp_path, *(f"{name}={value}" for name, value in around.items()))
    mine = Settings(data_dir=tmp_path)
    assert load(around | settings.as_environment(mine), dotenv) == mine


def test_backups_lie_with_the_data_unless_a_folder_is_named(tmp_path: Path) -> None:
    assert load({"DATA_DIR": str(tmp_path)}).backups == tmp_path / "backups"
    assert load({"BACKUP_DIR": "/mnt/disk"}).backups == Path("/mnt/disk")
    again = load(settings.as_environment(Settings(data_dir=tmp_path)))
    assert again.backups == tmp_path / "backups"
