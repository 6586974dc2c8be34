"""Alerts: a mail and a webhook's message that say what is red, and later that it is over."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from functools import partial

import structlog

from killer import bulletin
from killer.language import say, speaking
from killer.mail import addresses
from killer.mail.failures import MailError
from killer.mail.post import Post
from killer.settings import Settings
from killer.watch import machine, metrics
from killer.watch.alarm import Message
from killer.watch.weather import Colour, Line

PATIENCE = 10.0  # seconds for each step of a mail, and for a webhook

_log = structlog.get_logger()
_OPENER = urllib.request.build_opener()


class Alerts:
    """The ways that the settings name."""

    def __init__(self, settings: Settings, patience: float = PATIENCE) -> None:
        self._settings, self._patience = settings, patience

    @property
    def wanted(self) -> bool:
        """Tell whether anybody wants to be told."""
        return bool(self._settings.alert_mail or self._settings.alert_webhook)

    def send(self, message: Message, lines: tuple[Line, ...]) -> str:
        """Tell everybody; give the key of the sentence why somebody wasn't told, or nothing."""
        with speaking(self._settings.language):
            subject, text = words(message, lines, self._settings.address)
        ways: list[tuple[str, Callable[[], None]]] = []
        if mail := self._settings.alert_mail:  # each by itself: a bad one silences nobody behind it
            ways += [("mail", partial(self._mail, to, subject, text)) for to in mail.split(",")]
        if self._settings.alert_webhook:
            ways.append(("webhook", lambda: self._call(f"{subject}\n\n{text}")))
        tried = [(name, _done(name, way, message, n)) for n, (name, way) in enumerate(ways, 1)]
        failed = [name for name, done in tried if not done]
        return f"weather.unsent.{failed[0]}" if failed else ""

    def _mail(self, written: str, subject: str, text: str) -> None:
        post = Post(self._settings, self._patience)
        try:
            post.hand(_letter(post.sender, written, subject, text), lambda: None)
        finally:
            post.close()

    def _call(self, text: str) -> None:
        """Say it as Slack, Mattermost, Zulip, Google Chat and Discord's /slack addresses want."""
        asked = urllib.request.Request(  # noqa: S310  # the settings let http and https through
            self._settings.alert_webhook,
            json.dumps({"text": text}).encode(),
            {"Content-Type": "application/json", "User-Agent": "killer"},
        )
        _OPENER.open(asked, timeout=self._patience).close()


def words(message: Message, lines: tuple[Line, ...], address: str) -> tuple[str, str]:
    """Write an alert's subject and text, without anything about anybody."""
    red = [line for line in lines if line.colour is Colour.RED]
    said = [f"{bulletin.title(line.name)} : {bulletin.sentence(line)}" for line in red]
    where = say(
        "weather.alert.where", machine=machine.name(), address=f"{address}/organiser/weather"
    )
    whole = (say(f"weather.alert.{message}.text"), *said, where)
    return say(f"weather.alert.{message}.subject"), "\n\n".join(whole)


def _letter(sender: Address, written: str, subject: str, text: str) -> EmailMessage:
    known = addresses.sound(written)
    if not known:
        raise ValueError("ALERT_MAIL")
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = subject
    mail["From"] = sender
    mail["To"] = Address(addr_spec=known)
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = make_msgid(domain=sender.domain)
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text, cte="quoted-printable")
    return mail


def _done(name: str, way: Callable[[], None], message: Message, which: int) -> bool:
    """Try a way; it is noted by its place among all, without an address, which may be a secret."""
    try:
        way()
    except (MailError, OSError, ValueError) as error:  # urllib's and http's errors are among them
        cause = error.code if isinstance(error, MailError) else type(error).__name__
        _log.error("alert.failed", way=name, which=which, message=message, cause=cause)
        metrics.ALERTS.labels(name, "failed").inc()
        return False
    _log.info("alert.sent", way=name, which=which, message=message)
    metrics.ALERTS.labels(name, "sent").inc()
    return True
