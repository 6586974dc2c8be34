"""The line to the mail server: safe or not at all, and every trouble has its sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engines.smtp import Box, mail_server
from killer.language import LANGUAGES, say, speaking
from killer.mail.failures import Reach, refusal
from killer.settings import Settings
from mail.worlds import send, settings_for
from web.world import PLAYERS, World


def stopped(world: World, box: Box, **settings: Any) -> str:
    """Run once and give why nothing went out."""
    report = send(world, box, settings=settings_for(box, **settings))
    assert (report.sent, report.left, len(box.mails)) == ((), len(PLAYERS), 0)
    for language in LANGUAGES:
        with speaking(language):
            assert say(f"mail.{report.stopped}").endswith((".", ">", "465.", "starttls.", "."))
    return report.stopped


def test_a_wrong_password_stops_everything(world: World, box: Box) -> None:
    assert stopped(world, box, smtp_password="wrong") == "login"


def test_a_server_that_nobody_vouches_for_gets_nothing(world: World, box: Box) -> None:
    assert stopped(world, box, smtp_ca_file=Path()) == "certificate"


def test_a_server_with_another_s_certificate_gets_nothing(world: World, tmp_path: Path) -> None:
    with mail_server(tmp_path, names=("mail.elsewhere.example",)) as box:
        assert stopped(world, box) == "certificate"


def test_nothing_goes_out_in_clear_when_starttls_is_wanted(world: World, tmp_path: Path) -> None:
    with mail_server(tmp_path, security="mute") as box:
        assert stopped(world, box) == "no_starttls"


def test_a_clear_line_is_for_this_machine_only(world: World, box: Box) -> None:
    assert stopped(world, box, smtp_security="none", smtp_host="mail.example.org") == "insecure"


def test_a_clear_line_to_this_machine_will_do(world: World, tmp_path: Path) -> None:
    with mail_server(tmp_path, security="none") as box:
        settings = settings_for(box, smtp_security="none", smtp_user="")
        assert send(world, box, settings=settings).complete
        assert not any(box.secured)


def test_tls_from_the_first_byte_works(world: World, tmp_path: Path) -> None:
    with mail_server(tmp_path, security="tls") as box:
        assert send(world, box, settings=settings_for(box, smtp_security="tls")).complete
        assert box.signed_in == [True] * len(PLAYERS)


def test_tls_on_a_port_that_speaks_none_is_told(world: World, box: Box) -> None:
    assert stopped(world, box, smtp_security="tls") == "tls"


def test_a_port_where_nobody_listens_is_told(world: World, box: Box) -> None:
    assert stopped(world, box, smtp_port=1) == "unreachable"


def test_a_name_that_there_cannot_be_is_told(world: World, box: Box) -> None:
    assert stopped(world, box, smtp_host="smtp..example.org") == "unreachable"


def test_certificates_that_are_none_are_told(world: World, box: Box, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    assert stopped(world, box, smtp_ca_file=tmp_path / "ca.pem") == "ca_file"
    assert stopped(world, box, smtp_ca_file=tmp_path / "missing.pem") == "ca_file"


@pytest.mark.parametrize(
    ("settings", "code"),
    [({"smtp_host": ""}, "no_server"), ({"mail_from": "Killer <nobody>"}, "no_sender")],
)
def test_settings_that_lack_something_are_told(
    world: World, box: Box, settings: dict[str, str], code: str
) -> None:
    assert stopped(world, box, **settings) == code


def test_the_account_sends_when_no_sender_is_set(world: World, box: Box) -> None:
    settings = Settings(smtp_host="localhost", smtp_user="killer@party.example")
    assert settings.mail_from == ""
    assert stopped(world, box, mail_from="", smtp_user="killer@party.example") == "login"


def test_the_sender_of_the_envelope_is_that_of_the_mail(world: World, box: Box) -> None:
    send(world, box)
    assert {sender for sender, _ in box.envelopes} == {"killer@party.example"}
    assert {str(mail["From"]) for _, mail in box.mails} == {"Killer <killer@party.example>"}


@pytest.mark.parametrize(
    ("stage", "number", "said", "code", "reach"),
    [
        ("recipient", 550, "5.1.1 unknown", "recipient_refused", Reach.ONE),
        ("content", 552, "5.2.2 mailbox full", "content_refused", Reach.ONE),
        ("recipient", 450, "450 4.2.0 Greylisted", "later", Reach.LATER),
        ("recipient", 452, "452 4.2.2 mailbox full", "later", Reach.LATER),
        ("recipient", 451, "451 4.3.0 oops", "later", Reach.LATER),
        ("recipient", 450, "450 4.7.1 too many recipients", "quota", Reach.ALL),
        ("sender", 451, "451 4.3.0 oops", "quota", Reach.ALL),
        ("sender", 530, "530 5.7.0 sign in first", "login", Reach.ALL),
        ("content", 550, "550 5.4.5 Daily limit exceeded", "quota", Reach.ALL),
        ("content", 421, "421 bye", "quota", Reach.ALL),
    ],
)
def test_a_server_s_number_says_whom_it_concerns(
    stage: str, number: int, said: str, code: str, reach: Reach
) -> None:
    error = refusal(stage, number, said)
    assert (error.code, error.reach) == (code, reach)
