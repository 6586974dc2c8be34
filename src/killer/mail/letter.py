"""One mail with a sign-in link: a player, a link, a game and a language in, a message out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from killer.language import say, speaking
from killer.mail.addresses import plain
from killer.mail.paper import drawn


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail says; `url` is the sign-in link, which holds `once` for an organiser."""

    nickname: str
    address: str
    url: str
    game: str
    sender: Address
    language: str = "fr"
    once: bool = False


def message(letter: Letter, date: datetime) -> EmailMessage:
    """Write the mail, plain and in HTML.

    Whatever a nickname or a game is called, it stays one line of text: it can't become a header.

    Raises:
        ValueError: the address is none.
    """
    with speaking(letter.language):
        texts = _texts(letter)
        mail = EmailMessage(policy=SMTP)
        mail["Subject"] = texts["subject"]
        mail["From"] = letter.sender
        mail["To"] = Address(addr_spec=letter.address)
        mail["Date"] = format_datetime(date)
        mail["Message-ID"] = message_id(letter)
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answering machine answers it
        mail["X-Auto-Response-Suppress"] = "All"  # the same for Exchange
        mail.set_content(_plain(texts), cte="quoted-printable")
        page = drawn(texts, letter.language)
        mail.add_alternative(page, subtype="html", cte="quoted-printable")
        mail["Content-Language"] = letter.language  # set_content would take it along
    return mail


def message_id(letter: Letter) -> str:
    """Name the mail: the same for the same player and link, so that a repetition is recognised."""
    told = f"killer mail\n{letter.address}\n{letter.url}".encode()
    return f"<{hashlib.sha256(told).hexdigest()[:40]}@{letter.sender.domain}>"


def _texts(letter: Letter) -> dict[str, str]:
    game, nickname = plain(letter.game), plain(letter.nickname)
    kind = "once" if letter.once else "often"
    return {
        "subject": say("mail.letter.subject", game=game),
        "game": game,
        "hello": say("mail.letter.hello", nickname=nickname),
        "kicker": say("mail.letter.kicker"),
        "what": say("mail.letter.what"),
        "button": say("mail.letter.button"),
        "else": say("mail.letter.else"),
        "url": letter.url,
        "lasts": say(f"mail.letter.lasts.{kind}"),
        "secret": say("mail.letter.secret"),
        "why": say("mail.letter.why", game=game),
    }


def _plain(texts: dict[str, str]) -> str:
    parts = (texts[name] for name in ("hello", "what", "url", "lasts", "secret"))
    return "\n\n".join((*parts, f"-- \n{texts['why']}")) + "\n"
