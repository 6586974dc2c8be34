"""Every environment variable that the server reads, in one frozen class, each with its sentence."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from io import StringIO
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from killer import patterns

EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104  # only compared
#: Settings that are one word of a few; a code of the same name has the sentence.
CHOICES = {
    "worker_class": ("gevent", "sync"),
    "loglevel": ("debug", "info", "warning", "error", "critical"),
    "language": ("fr", "en"),
    "smtp_security": ("starttls", "tls", "none"),
    "session_backend": ("cookie", "redis"),
}
#: How a server listens and works. Whatever else is set belongs to the real one: its data, its
#: public address, its proxies, its secrets, its sheet, its mails, its alerts.
SERVING = (
    *("host", "port", "language", "worker_class", "workers", "worker_connections"),
    *("timeout", "keepalive", "preload"),
)
CPUS = len(os.sched_getaffinity(0))


class BadSettingError(Exception):
    """An environment variable can't be used; `code` names the sentence `settings.<code>`."""

    def __init__(self, code: str, name: str, value: str) -> None:
        super().__init__(f"{name}: {code}")
        self.code = code
        self.params = {"name": name, "value": value}


def _variable(default: Any, name: str, says: str, *aliases: str, shown: bool = True) -> Any:
    told = {"names": (name, *aliases), "says": says}
    return field(default=default, metadata=told, repr=shown)


def _secret(name: str, says: str, *aliases: str) -> Any:
    """Describe what no error and no log may show."""
    return _variable("", name, says, *aliases, shown=False)


@dataclass(frozen=True)
class Settings:
    """The settings of one deployment; a field's metadata has its variable's names and sentence."""

    host: str = _variable("127.0.0.1", "HOST", "Address to listen on; 0.0.0.0 for every network.")
    port: int = _variable(8080, "PORT", "Port to listen on.")
    secret_key: str = _secret(
        "SECRET_KEY",
        "Signs the session cookies; made and kept in DATA_DIR on the first start.",
        "FLASK_SECRET_KEY",
    )
    data_dir: Path = _variable(  # noqa: RUF009  # an immutable field description
        Path("data"),
        "DATA_DIR",
        "Folder of the SQLite file, the photos, the kept secret and the backups.",
    )
    backup_dir: Path = _variable(  # noqa: RUF009  # an immutable field description
        Path(), "BACKUP_DIR", "Folder of the backups; DATA_DIR/backups when empty."
    )
    backup_minutes: int = _variable(
        10, "BACKUP_MINUTES", "Minutes between two backups during a game; 0 for none by itself."
    )
    backup_to: str = _variable(
        "", "BACKUP_TO", "Where each backup is copied to: user@host:folder, or a mounted disk."
    )
    runtime_dir: Path = _variable(  # noqa: RUF009  # an immutable field description
        Path(), "RUNTIME_DIRECTORY", "Folder of this process's figures; DATA_DIR when empty."
    )
    database_url: str = _secret(
        "DATABASE_URL", "sqlite:///… or postgresql://…; DATA_DIR/killer.sqlite3 when empty."
    )
    redis_url: str = _secret(
        "REDIS_URL",
        "redis://… for several machines: their bell, their limits, and sessions if wanted.",
    )
    session_backend: str = _variable(
        "cookie", "SESSION_BACKEND", "cookie, or redis to keep the sessions in REDIS_URL."
    )
    static_base_url: str = _variable(
        "", "STATIC_BASE_URL", "Address of a CDN that fetches /static/ from here."
    )
    public_url: str = _variable(
        "", "PUBLIC_URL", "Address that players type, for sign-in links; http://HOST:PORT if empty."
    )
    proxies: int = _variable(
        0, "PROXIES", "How many reverse proxies stand in front, to know a phone's own address."
    )
    metrics_token: str = _secret(
        "METRICS_TOKEN", "Bearer token that opens /metrics from elsewhere than this machine."
    )
    language: str = _variable("fr", "KILLER_LANGUAGE", "Language of the command line, fr or en.")
    worker_class: str = _variable(
        "gevent", "GUNICORN_WORKER_CLASS", "gevent, or sync as the way back (pages poll then)."
    )
    workers: int = _variable(
        0, "GUNICORN_WORKERS", "Worker processes; 0 for 4 x CPUs (gevent) or 2 x CPUs + 1 (sync)."
    )
    worker_connections: int = _variable(
        1000, "GUNICORN_WORKER_CONNECTIONS", "Connections that one gevent worker holds."
    )
    timeout: int = _variable(
        120, "GUNICORN_TIMEOUT", "Seconds of silence after which a worker is replaced."
    )
    keepalive: int = _variable(
        5, "GUNICORN_KEEPALIVE", "Seconds that an idle connection stays open."
    )
    preload: bool = _variable(
        True, "GUNICORN_PRELOAD", "Load the application once, before the fork, to share memory."
    )
    access_log: str = _variable(
        "", "GUNICORN_ACCESS_LOG", "File of the access log; - for the terminal, empty for none."
    )
    error_log: str = _variable(
        "-", "GUNICORN_ERROR_LOG", "File of the server's log; - for the terminal."
    )
    loglevel: str = _variable("info", "GUNICORN_LOGLEVEL", "debug, info, warning or error.")
    sheet_id: str = _variable("", "SHEET_ID", "The Google Sheet: its address, or the id in it.")
    key_file: Path = _variable(  # noqa: RUF009  # an immutable field description
        Path(), "SERVICE_ACCOUNT_FILE", "The service account's key, the JSON file from Google."
    )
    google_timeout: int = _variable(
        10, "GOOGLE_REQUEST_TIMEOUT", "Seconds that Google has for one answer."
    )
    players_ttl: int = _variable(
        30, "PLAYERS_CACHE_TTL", "Seconds between two readings of the players' tab, for everybody."
    )
    actions_ttl: int = _variable(
        30, "ACTIONS_CACHE_TTL", "Seconds between two readings of the challenges' tab."
    )
    players_tab: str = _variable(
        "", "SHEET_PLAYERS_TAB", "Title of the players' tab; found by its headers when empty."
    )
    actions_tab: str = _variable(
        "", "SHEET_CHALLENGES_TAB", "Title of the challenges' tab; found by its headers when empty."
    )
    sheet_targets: bool = _variable(
        False, "SHEET_TARGETS", "Write the secret targets into the sheet, for all who can open it."
    )
    google_url: str = _variable(
        "", "GOOGLE_API_URL", "Another address in the place of Google's API, for tests."
    )
    photo_accel: bool = _variable(
        False, "PHOTO_ACCEL", "Let nginx send the photos (X-Accel-Redirect to /_photos/)."
    )
    photos_url: str = _variable(
        "", "PHOTOS_URL", "s3://bucket/prefix in which all machines keep photos; DATA_DIR if empty."
    )
    s3_endpoint: str = _variable(
        "https://s3.amazonaws.com", "S3_ENDPOINT_URL", "Who keeps that bucket, when not Amazon."
    )
    s3_key: str = _variable("", "AWS_ACCESS_KEY_ID", "The key's name that opens the bucket.")
    s3_secret: str = _secret("AWS_SECRET_ACCESS_KEY", "The secret of that key.")
    s3_region: str = _variable("us-east-1", "AWS_REGION", "The region of the bucket.")
    smtp_host: str = _variable("", "SMTP_HOST", "The mail server; no mail is sent when empty.")
    smtp_port: int = _variable(587, "SMTP_PORT", "Port of the mail server.")
    smtp_user: str = _variable("", "SMTP_USER", "Account on the mail server.")
    smtp_password: str = _secret("SMTP_PASSWORD", "Password of that account.")
    smtp_security: str = _variable(
        "starttls", "SMTP_SECURITY", "starttls, tls, or none (on this machine only)."
    )
    smtp_ca_file: Path = _variable(  # noqa: RUF009  # an immutable field description
        Path(), "SMTP_CA_FILE", "Certificates to trust besides the system's."
    )
    mail_from: str = _variable("", "MAIL_FROM", "Sender of the mails: Killer <killer@example.org>.")
    alert_mail: str = _variable(
        "", "ALERT_MAIL", "Who gets a mail when the server is in trouble; several with commas."
    )
    alert_webhook: str = _secret(
        "ALERT_WEBHOOK", "Address that gets the same as JSON, as Slack and Mattermost want it."
    )
    mail_rate: int = _variable(60, "MAIL_RATE", "Mails a minute at most; 0 for no limit.")

    @property
    def database(self) -> str:
        """Give the address of the database."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'killer.sqlite3'}"

    @property
    def address(self) -> str:
        """Give the address by which people reach this server, without a slash at the end."""
        host = f"[{self.listens_at}]" if ":" in self.listens_at else self.listens_at
        return self.public_url.rstrip("/") or f"http://{host}:{self.port}"

    @property
    def listens_at(self) -> str:
        """Give the host by which this machine reaches the server."""
        return "127.0.0.1" if self.host in EVERYWHERE else self.host

    @property
    def spreadsheet(self) -> str:
        """Give the id of the Google Sheet, from its address or by itself; empty when none."""
        found = re.search(r"/spreadsheets/(?:u/\d+/)?d/([\w-]+)", self.sheet_id)
        return found[1] if found else self.sheet_id

    @property
    def figures(self) -> Path:
        """Give the folder of the workers' figures: another one for each server on the same data."""
        empty = self.runtime_dir == Path()
        return (self.data_dir if empty else self.runtime_dir).absolute() / "metrics"

    @property
    def photos(self) -> Path:
        """Give the folder of the photos, or of their copies where a bucket has them."""
        return self.data_dir.absolute() / "photos"

    @property
    def backups(self) -> Path:
        """Give the folder of the backups."""
        chosen = self.backup_dir if self.backup_dir.name else self.data_dir / "backups"
        return chosen.absolute()

    @property
    def worker_count(self) -> int:
        """Give the number of worker processes."""
        by_cpus = 2 * CPUS + 1 if self.worker_class == "sync" else 4 * CPUS
        return self.workers or by_cpus


NAMES = {one.name: one.metadata["names"][0] for one in fields(Settings)}


def load(environment: Mapping[str, str] | None = None, dotenv: Path | None = None) -> Settings:
    """Read the settings: the environment first, then `.env`.

    Raises:
        BadSettingError: a value can't be used.
    """
    kept = _kept(dotenv) if dotenv else {}
    found = kept | dict(os.environ if environment is None else environment)
    values = {}
    for one in fields(Settings):
        name, raw = _raw(one.metadata["names"], found)
        if raw:
            values[one.name] = _parse(name, raw, one.default)
    return _checked(Settings(**values))


def _kept(dotenv: Path) -> dict[str, str]:
    """Read what a file sets; one that isn't there sets nothing."""
    try:
        text = dotenv.read_bytes().decode("utf-8-sig")  # some editors put a mark before the text
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BadSettingError("file_unread", str(dotenv), error.strerror or "") from error
    except UnicodeDecodeError as error:
        raise BadSettingError("file_encoding", str(dotenv), "") from error
    return {name: value for name, value in dotenv_values(stream=StringIO(text)).items() if value}


def _raw(names: tuple[str, ...], found: Mapping[str, str]) -> tuple[str, str]:
    return next(((n, found[n]) for n in names if found.get(n)), (names[0], ""))


def _parse(name: str, raw: str, default: Any) -> Any:
    if isinstance(default, bool):
        return _flag(name, raw)
    if isinstance(default, int):
        if not raw.strip().isdecimal():
            raise BadSettingError("not_a_number", name, raw)
        return int(raw)
    return Path(raw).expanduser() if isinstance(default, Path) else raw.strip()


def _flag(name: str, raw: str) -> bool:
    word = raw.strip().casefold()
    if word not in {"1", "true", "yes", "on", "0", "false", "no", "off"}:
        raise BadSettingError("not_a_flag", name, raw)
    return word in {"1", "true", "yes", "on"}


def _checked(settings: Settings) -> Settings:
    if settings.secret_key and patterns.is_guessable(settings.secret_key):
        raise BadSettingError("weak_secret", "SECRET_KEY", "")
    for name, words in CHOICES.items():
        if (found := getattr(settings, name)) not in words:
            raise BadSettingError(name, NAMES[name], found)
    _check_database(settings.database_url)
    _check_outside(settings)
    _check_bucket(settings)
    if settings.google_timeout < 1:
        raise BadSettingError("no_time", "GOOGLE_REQUEST_TIMEOUT", str(settings.google_timeout))
    if settings.port not in range(1, 65536):
        raise BadSettingError("port", "PORT", str(settings.port))
    return settings


def _check_database(url: str) -> None:
    if url in {"sqlite://", "sqlite:///:memory:"}:
        raise BadSettingError("no_memory", "DATABASE_URL", "")
    if url and not (patterns.SQLITE.fullmatch(url) or patterns.POSTGRESQL.fullmatch(url)):
        raise BadSettingError("database_url", "DATABASE_URL", "")


def _check_outside(settings: Settings) -> None:
    """Refuse addresses of others that can't be meant, without a word of them: they hold secrets."""
    for name, pattern in (
        ("redis_url", patterns.REDIS),
        ("static_base_url", patterns.ORIGIN),
        ("alert_webhook", patterns.WEBHOOK),
    ):
        if (url := getattr(settings, name)) and not pattern.fullmatch(url):
            raise BadSettingError(name, NAMES[name], "")
    if settings.session_backend == "redis" and not settings.redis_url:
        raise BadSettingError("sessions_nowhere", "SESSION_BACKEND", settings.session_backend)
    if settings.key_file.name and str(settings.key_file).lstrip().startswith("{"):
        raise BadSettingError("key_file", NAMES["key_file"], "")  # the key, and not its file


def _check_bucket(settings: Settings) -> None:
    """Refuse a bucket that can't be meant, or to which there is no key."""
    if not settings.photos_url:
        return
    for name, pattern in (
        ("photos_url", patterns.BUCKET),
        ("s3_endpoint", patterns.ENDPOINT),
        ("s3_region", patterns.REGION),
    ):
        if not pattern.fullmatch(getattr(settings, name)):
            raise BadSettingError(name, NAMES[name], "")  # it may hold a secret
    if not settings.s3_key or not settings.s3_secret:
        name = "AWS_SECRET_ACCESS_KEY" if settings.s3_key else "AWS_ACCESS_KEY_ID"
        raise BadSettingError("s3_key", name, "")


def in_use(settings: Settings) -> dict[str, str]:
    """Name what stands behind the server, without anybody's password."""
    database = "sqlite" if settings.database.startswith("sqlite:") else "postgresql"
    notices = ["postgresql"] if database == "postgresql" else []
    bells = ["redis", *notices] if settings.redis_url else notices
    return {
        "database": database,
        "bell": ", else ".join([*bells, "look"]),
        "limits": "redis, else database" if settings.redis_url else "database",
        "sessions": settings.session_backend,
        "static": settings.static_base_url or "here",
        "photos": settings.photos_url or "here",
    }


def throw_away(settings: Settings, folder: Path) -> Settings:
    """Give the settings of a server in a folder for this once: nobody's data, address or secret."""
    serving = {name: getattr(settings, name) for name in SERVING}
    return Settings(**serving, data_dir=folder, loglevel="warning")


def language() -> str:
    """Give the language of the command line, before anything else is read."""
    return os.environ.get("KILLER_LANGUAGE", "fr")


def under_gunicorn(folder: str) -> bool:
    """Tell whether this process is one of several workers, which share that folder's variable."""
    return bool(os.environ.get(folder))


def multiprocess_folder(folder: str) -> Path | None:
    """Give the folder in which the workers count together, when this is one of them."""
    found = os.environ.get(folder)
    return Path(found) if found else None


def inherited() -> dict[str, str]:
    """Give the environment of this process, for a server that it starts."""
    return dict(os.environ)


def as_environment(settings: Settings) -> dict[str, str]:
    """Write settings as the variables from which `load` reads them again."""
    return {  # empty ones hide those of `.env`, by every name that they have
        name: str(getattr(settings, one.name))
        for one in fields(Settings)
        for name in one.metadata["names"]
    }
