"""Alerts reach a real mail server and a real webhook, say what to do, and nothing about anybody."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from engines.smtp import BREAK, PASSWORD, USER, Box, mail_server
from killer.alerts import Alerts
from killer.settings import Settings
from killer.watch.weather import Line, Sheet, judge
from watch.skies import seen

BROKEN = judge(
    seen(
        faults=2,
        disk_free=120_000_000,
        sheet=Sheet(trouble="google.not_shared", details={"address": "robot@example.org"}),
    ),
    {},
)
WELL = judge(seen(), {})


@dataclass
class Hook:
    """A webhook's other end: what it was told, and what it answers."""

    port: int = 0
    answer: int = 200
    told: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/services/T0/the-secret-of-the-hook"


@pytest.fixture
def hook() -> Iterator[Hook]:
    found = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library's name
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.told.append((self.headers["Content-Type"], json.loads(body)))
            self.send_response(found.answer)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        found.port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield found
        server.shutdown()


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with mail_server(tmp_path) as found:
        yield found


def mailing(box: Box, to: str = "chef@example.org", **more: str) -> Settings:
    return Settings(
        smtp_host="localhost",
        smtp_port=box.port,
        smtp_user=USER,
        smtp_password=PASSWORD,
        smtp_ca_file=box.ca_file,
        mail_from="Killer <killer@example.org>",
        public_url="https://killer.example.org",
        alert_mail=to,
        **more,
    )


def sent(settings: Settings, lines: tuple[Line, ...] = BROKEN, message: str = "red") -> str:
    return Alerts(settings, patience=20.0).send(message, lines)


def test_nobody_is_told_when_nobody_wants_to_be(hook: Hook) -> None:
    assert not Alerts(Settings()).wanted
    assert sent(Settings()) == ""
    assert Alerts(Settings(alert_webhook=hook.url)).wanted


def test_a_mail_says_what_is_red_and_what_to_do(box: Box) -> None:
    assert sent(mailing(box, "chef@example.org, adjoint@example.org")) == ""
    assert box.recipients == ["chef@example.org", "adjoint@example.org"]
    mail = box.mail_to("adjoint@example.org")
    assert mail["Subject"] == "Killer\u00a0: le serveur est au rouge"
    text = plain(mail.get_content())
    assert "Anneau des cibles : L'anneau est rompu : 2 fautes. Mettez la partie en pause" in text
    assert "Disque : Le disque est presque plein : 120 Mo libres." in text
    assert f"Machine : {socket.gethostname()}. " in text
    assert "https://killer.example.org/organiser/weather" in text
    assert "robot@" not in text
    assert "Feuille" not in text, "orange wakes nobody"
    assert box.secured == box.signed_in == [True, True]


def test_the_end_is_told_without_any_line(box: Box) -> None:
    assert sent(mailing(box), WELL, "over") == ""
    mail = box.mail_to("chef@example.org")
    assert "le serveur va mieux" in plain(mail["Subject"])
    assert "Vous pouvez vous recoucher" in mail.get_content()


def test_a_webhook_gets_the_text_as_slack_and_mattermost_want_it(hook: Hook) -> None:
    assert sent(Settings(alert_webhook=hook.url, language="en"), message="again") == ""
    ((kind, body),) = hook.told
    assert (kind, list(body)) == ("application/json", ["text"])
    assert body["text"].startswith("Killer: the server is still red\n\n")
    assert "The ring is broken: 2 faults." in body["text"]


def test_a_failure_is_named_and_logged_without_secrets(hook: Hook, box: Box) -> None:
    hook.answer = 500
    with capture_logs() as logs:
        assert sent(mailing(box, alert_webhook=hook.url)) == "weather.unsent.webhook"
    assert [entry["event"] for entry in logs] == ["alert.sent", "alert.failed"]
    assert "the-secret" not in str(logs)
    assert "@example.org" not in str(logs)
    assert box.recipients == ["chef@example.org"], "the mail goes out all the same"


@pytest.mark.parametrize("fault", [BREAK, "550 no", "421 later"])
def test_a_mail_server_that_refuses_keeps_the_webhook_from_nothing(
    hook: Hook, box: Box, fault: str
) -> None:
    box.faults.sender = [fault] * 9
    assert sent(mailing(box, alert_webhook=hook.url)) == "weather.unsent.mail"
    assert len(hook.told) == 1


def test_an_address_that_is_none_and_a_server_that_is_none_are_failures(hook: Hook) -> None:
    assert sent(Settings(alert_mail="chef@example.org")) == "weather.unsent.mail"
    hook.port = 1
    assert sent(Settings(alert_webhook=hook.url)) == "weather.unsent.webhook"


def test_an_address_with_a_mistake_is_a_failure(box: Box) -> None:
    assert sent(mailing(box, "chef chez example")) == "weather.unsent.mail"
    assert box.recipients == []


@contextmanager
def silent() -> Iterator[int]:
    """Take connections and never say anything."""
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        yield server.server_port


def test_a_webhook_that_never_answers_is_given_up() -> None:
    with silent() as port:
        settings = Settings(alert_webhook=f"http://127.0.0.1:{port}/")
        assert Alerts(settings, patience=0.2).send("red", BROKEN) == "weather.unsent.webhook"


def plain(text: str) -> str:
    return re.sub("\u00a0", " ", text)
