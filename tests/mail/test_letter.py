"""What a mail says, and that no nickname, game or address can make it say anything else."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from killer.mail import addresses
from killer.mail.letter import Letter, message, message_id
from web.world import WORST_NAMES

URL = "https://killer.example.org/s/AAAAAAAAAAAAAAAAAAAAAA"
SENDER = Address("Killer de l'été", addr_spec="killer@party.example")
DATE = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
HEADERS = {
    "Subject", "From", "To", "Date", "Message-ID", "Content-Language", "Auto-Submitted",
    "X-Auto-Response-Suppress", "MIME-Version", "Content-Type",
}  # fmt: skip


def letter(**more: object) -> Letter:
    told = {"nickname": "Ana", "address": "ana@party.example", "url": URL, "game": "Week-end"}
    return Letter(**{**told, "sender": SENDER, **more})


def arrived(**more: object) -> EmailMessage:
    """Give the mail as the other end reads it."""
    return message_from_bytes(message(letter(**more), DATE).as_bytes(), policy=default)


def plain(mail: EmailMessage) -> str:
    """Give the text, with line ends and spaces as a test writes them."""
    text = mail.get_body(("plain",)).get_content()
    return text.replace("\r\n", "\n").replace("\xa0", " ")


def html(mail: EmailMessage) -> str:
    return mail.get_body(("html",)).get_content().replace("\xa0", " ")


def test_a_mail_has_all_that_a_mail_needs() -> None:
    mail = arrived()
    assert mail["To"] == "ana@party.example"
    assert mail["From"].addresses[0] == SENDER
    assert mail["Date"].datetime == DATE
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@party.example>")
    assert mail["Subject"].replace("\xa0", " ") == "Killer « Week-end » : ton lien de connexion"
    assert mail.get_content_type() == "multipart/alternative"


@pytest.mark.parametrize("language", ["fr", "en"])
def test_both_forms_say_the_same_with_the_link_and_not_to_forward_it(language: str) -> None:
    mail = arrived(language=language)
    secret = {
        "fr": "Ne transfère pas ce mail : ce lien te connecte.",
        "en": "Don't forward this mail: the link signs you in.",
    }[language]
    assert secret in plain(mail)
    assert secret in html(mail).replace("&#x27;", "'")
    assert f"\n{URL}\n" in plain(mail)
    assert html(mail).count(URL) == 3  # the button, and the address as a link and as a text
    assert f'lang="{language}"' in html(mail)
    assert not re.search(r"%\(|undefined|[{}]", re.sub(r"(?s)<style>.*?</style>", "", html(mail)))


def test_an_organiser_is_told_that_the_link_holds_once() -> None:
    assert "qu’une fois" in plain(arrived(once=True))
    assert "qu’une fois" not in plain(arrived())


def test_a_mail_asks_no_other_site_for_anything() -> None:
    assert set(re.findall(r"https?://[^\"<\s]+", html(arrived()))) == {URL}
    assert not re.search(r"<(img|script|link|iframe)\b", html(arrived()))


def test_the_message_id_is_the_same_for_the_same_link_and_tells_nothing_of_it() -> None:
    first, again, other = letter(), letter(language="en"), letter(url=URL[:-1] + "B")
    assert message_id(first) == message_id(again) != message_id(other)
    assert URL.rpartition("/")[2] not in message_id(first)


@pytest.mark.parametrize("nickname", [*WORST_NAMES, "<script>alert(1)</script>", "مرحبا", "{url}"])
def test_any_nickname_arrives_as_it_is(nickname: str) -> None:
    mail = arrived(nickname=nickname)
    assert f"Bonjour {nickname}" in plain(mail)
    assert "<script" not in html(mail)


@settings(max_examples=40)
@given(text=st.text(max_size=80), game=st.text(max_size=80))
def test_no_text_becomes_a_header(text: str, game: str) -> None:
    mail = arrived(nickname=text, game=game)
    assert set(mail.keys()) == HEADERS
    assert not mail.defects
    assert len(mail["To"].addresses) == 1


@pytest.mark.parametrize(
    "evil", ["Ana\r\nBcc: x@evil.example", "A\nX-Evil: 1\n\nbody", "A\x0bB\x85C"]
)
def test_line_ends_in_a_nickname_or_a_game_are_spaces(evil: str) -> None:
    mail = arrived(nickname=evil, game=evil)
    assert set(mail.keys()) == HEADERS
    assert "Bcc" not in mail
    assert " ".join(evil.split()) in plain(mail)


def test_every_line_of_a_mail_fits_the_protocol() -> None:
    raw = message(letter(nickname="é" * 60, game="🦊" * 100), DATE).as_bytes()
    assert raw.isascii()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (" ana@party.example ", "ana@party.example"),
        ("Ana.B+killer@Party.Example", "Ana.B+killer@Party.Example"),
        ("ana@été.example", "ana@xn--t-9fab.example"),
        ("ana@localhost", "ana@localhost"),
    ],
)
def test_an_address_is_written_as_the_envelope_wants_it(written: str, meant: str) -> None:
    assert addresses.sound(written) == meant


@pytest.mark.parametrize(
    "written",
    [
        "", "ana", "@party.example", "ana@", "a b@party.example", "ana@party..example",
        "ana@-party.example", "ana@x@party.example", "ana@party.example\nBcc: x@evil.example",
        "ana@party.example, bo@party.example", "<ana@party.example>", ".ana@party.example",
        "a..b@party.example", "é@party.example", "a" * 65 + "@party.example", "ana@" + "x" * 300,
        "ana@party.example\x00", 'a"b@party.example', "ana@[127.0.0.1]",
    ],
)  # fmt: skip
def test_what_is_no_address_is_none(written: str) -> None:
    assert addresses.sound(written) == ""


@given(st.text(max_size=60))
def test_no_text_passes_for_an_address_that_breaks_a_line(text: str) -> None:
    for written in (text, f"{text}@party.example", f"ana@{text}"):
        found = addresses.sound(written)
        assert found == "" or re.fullmatch(r"[!-~]+@[A-Za-z0-9.-]+", found)


@pytest.mark.parametrize(
    ("address", "nowhere"),
    [
        ("http://127.0.0.1:8080", True), ("http://localhost", True), ("http://[::1]:80", True),
        ("http://192.168.1.5:8080", False), ("https://killer.example.org", False),
    ],
)  # fmt: skip
def test_an_address_of_this_machine_leads_players_nowhere(address: str, *, nowhere: bool) -> None:
    assert addresses.leads_nowhere(address) is nowhere
