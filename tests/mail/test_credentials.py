"""Each player's link exactly once, whatever the mail server does."""

from __future__ import annotations

import itertools
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from engines.smtp import BREAK, SILENCE, Box, mail_server, token_of
from killer.game import commands as c
from killer.game.model import Status
from killer.mail import credentials
from killer.mail.credentials import Wanted
from killer.store import keeping, mails
from killer.store.mails import FAILED, HANDING, SENT, Mail
from killer.store.tables import leases, links
from mail.worlds import (
    Naps,
    addresses_of,
    give_addresses,
    log,
    send,
    settings_for,
    signs_in,
    states,
)
from web.world import BOSS, PLAYERS, World

ANA, BO = "player1@party.example", "player2@party.example"


def kept_links(world: World) -> int:
    with world.site.database.read() as connection:
        return connection.execute(select(func.count()).select_from(links)).scalar()


def everybody_once(world: World, box: Box) -> None:
    """Each player got one mail, whose link signs in."""
    assert Counter(box.recipients) == Counter(addresses_of(world).values())
    assert states(world) == dict.fromkeys(PLAYERS, SENT)
    for nickname, address in addresses_of(world).items():
        assert signs_in(world, box.token(address)) == nickname


def left_in_handing(world: World, nickname: str) -> None:
    """Leave what a run leaves that is killed between the dot and the answer."""
    with world.site.database.write() as connection:
        row = Mail(addresses_of(world)[nickname], HANDING)
        mails.note(connection, world.number, world.who(nickname).id, credentials.KIND, row)


# --- when nothing goes wrong ---


def test_each_player_gets_one_link_that_signs_in(world: World, box: Box) -> None:
    report = send(world, box)
    assert report.complete
    assert sorted(report.sent) == sorted(PLAYERS)
    everybody_once(world, box)
    assert all(box.secured)
    assert all(box.signed_in)
    assert box.connections == 1


def test_a_second_run_sends_nothing(world: World, box: Box) -> None:
    send(world, box)
    again = send(world, box)
    assert (again.sent, again.already, again.complete) == ((), len(PLAYERS), True)
    everybody_once(world, box)


def test_again_sends_another_link_and_the_first_still_holds(world: World, box: Box) -> None:
    send(world, box)
    first = box.token(ANA)
    send(world, box, Wanted(again=True, only=frozenset({world.who("Ana").id})))
    second = token_of(box.mails[-1][1])
    assert first != second
    assert signs_in(world, first) == signs_in(world, second) == "Ana"


def test_whoever_has_no_address_is_named_and_nobody_fails(world: World, box: Box) -> None:
    give_addresses(world, Ana="  ")
    report = send(world, box)
    assert report.without == ("Ana",)
    assert report.complete
    assert ANA not in box.recipients


def test_what_is_no_address_fails_without_a_word_to_the_server(world: World, box: Box) -> None:
    give_addresses(world, Ana="ana@party.example\r\nBcc: evil@x.example", Bo="pas d'adresse")
    report = send(world, box)
    assert report.failed == (("Ana", "address"), ("Bo", "address"))
    assert len(box.mails) == len(PLAYERS) - 2


def test_organisers_are_left_out_unless_asked_and_their_link_holds_once(
    world: World, box: Box
) -> None:
    give_addresses(world, **{BOSS: "orga@party.example"})
    send(world, box)
    assert "orga@party.example" not in box.recipients
    send(world, box, Wanted(organisers=True))
    token = box.token("orga@party.example")
    assert signs_in(world, token) == BOSS
    assert signs_in(world, token) == ""


def test_whoever_doesn_t_play_is_left_out(world: World, box: Box) -> None:
    world.do(c.Enrol("Spectatrice", status=Status.OUT))
    give_addresses(world, Spectatrice="s@party.example")
    send(world, box)
    assert "s@party.example" not in box.recipients


def test_only_whom_an_organiser_asked_for_gets_a_mail_in_the_language_of_the_page(
    world: World, box: Box
) -> None:
    with world.site.database.write() as connection:
        mails.ask(connection, world.number, [world.who("Bo").id], credentials.KIND, "en")
    report = send(world, box, credentials.ASKED_FOR)
    assert report.sent == ("Bo",)
    assert box.recipients == [BO]
    assert "sign-in link" in box.mail_to(BO)["Subject"]


def test_what_is_asked_for_while_mails_go_out_goes_out_too(world: World, box: Box) -> None:
    def ask(nickname: str) -> None:
        with world.site.database.write() as connection:
            mails.ask(connection, world.number, [world.who(nickname).id], credentials.KIND, "fr")

    ask("Bo")
    box.on_mail = lambda count: ask("Ana") if count == 1 else None
    report = send(world, box, credentials.ASKED_FOR)
    assert report.sent == ("Bo", "Ana")


# --- refusals ---


def test_a_refused_address_fails_alone_and_keeps_no_link(world: World, box: Box) -> None:
    box.faults.refused = {ANA, BO}
    report = send(world, box)
    assert dict(report.failed) == {
        "Ana": "recipient_refused 550 5.1.1 … no such user here",
        "Bo": "recipient_refused 550 5.1.1 … no such user here",
    }
    assert len(report.sent) == len(PLAYERS) - 2
    assert kept_links(world) == len(PLAYERS) - 2
    assert report.reasons == (("recipient_refused", "2"),)


def test_a_mail_refused_after_the_dot_fails_and_its_link_is_gone(world: World, box: Box) -> None:
    box.faults.dot = {ANA: ["554 5.7.1 spam"]}
    report = send(world, box)
    assert report.failed == (("Ana", "content_refused 554 5.7.1 spam"),)
    assert kept_links(world) == len(PLAYERS) - 1


def test_who_failed_is_tried_again_by_the_next_run(world: World, box: Box) -> None:
    box.faults.refused = {ANA}
    send(world, box)
    box.faults.refused = set()
    assert send(world, box).sent == ("Ana",)
    everybody_once(world, box)


@pytest.mark.parametrize("stage", ["recipient", "data", "dot"])
def test_not_now_is_tried_again_at_the_end_with_the_same_mail(
    world: World, box: Box, stage: str
) -> None:
    setattr(box.faults, stage, {ANA: ["451 4.7.1 Greylisted, come back"]})
    report = send(world, box)
    assert report.complete
    assert box.recipients[-1] == ANA
    everybody_once(world, box)


def test_not_now_is_not_asked_for_ever(world: World, box: Box) -> None:
    box.faults.recipient = {ANA: ["451 4.2.0 Greylisted"] * 9}
    naps = Naps()
    report = send(world, box, pace=naps.pace)
    assert report.failed == (("Ana", "later 451 4.2.0 Greylisted"),)
    assert len(box.faults.recipient[ANA]) == 9 - 3
    assert sum(naps.taken) == 360
    assert kept_links(world) == len(PLAYERS) - 1


@pytest.mark.parametrize(
    "answer", ["421 4.7.0 too many", "450 4.7.1 slow down", "452 4.3.1 full", "550 5.4.5 quota"]
)
@pytest.mark.parametrize("stage", ["recipient", "dot"])
def test_too_many_stops_and_the_next_run_goes_on(
    world: World, box: Box, stage: str, answer: str
) -> None:
    third = "player3@party.example"
    setattr(box.faults, stage, {third: [answer]})
    report = send(world, box)
    assert (report.stopped, report.said, report.failed) == ("quota", answer, ())
    assert report.left == len(PLAYERS) - len(report.sent) == 6
    assert report.reasons == (("stopped", "quota"),)
    assert kept_links(world) == len(report.sent)
    assert send(world, box).complete
    everybody_once(world, box)


def test_a_refused_sender_stops_everything(world: World, box: Box) -> None:
    box.faults.sender = ["550 5.7.1 not yours"]
    report = send(world, box)
    assert (report.stopped, report.left, len(box.mails)) == ("sender_refused", len(PLAYERS), 0)


# --- lines that break ---


@pytest.mark.parametrize("stage", ["recipient", "data", "dot"])
@pytest.mark.parametrize("fault", [BREAK, SILENCE])
def test_a_line_that_breaks_is_opened_again(world: World, box: Box, stage: str, fault: str) -> None:
    setattr(box.faults, stage, {BO: [fault]})
    report = send(world, box, patience=2.0 if fault == SILENCE else 20.0)
    assert report.complete
    assert box.connections == 2
    everybody_once(world, box)
    assert kept_links(world) == len(PLAYERS)


def test_a_lost_answer_leads_to_the_same_mail_again(world: World, box: Box) -> None:
    box.faults.lost = [BO]
    assert send(world, box).complete
    first, second = (mail for address, mail in box.mails if address == BO)
    assert first["Message-ID"] == second["Message-ID"]
    assert token_of(first) == token_of(second)
    assert signs_in(world, token_of(first)) == "Bo"
    assert kept_links(world) == len(PLAYERS)


def test_after_three_lost_answers_the_mail_is_uncertain(world: World, box: Box) -> None:
    box.faults.lost = [BO] * 9
    report = send(world, box)
    assert report.uncertain == ("Bo",)
    assert len(report.sent) == len(PLAYERS) - 1
    assert box.recipients.count(BO) == 3
    assert states(world)["Bo"] == HANDING
    assert signs_in(world, next(token_of(m) for to, m in box.mails if to == BO)) == "Bo"


def test_a_refusal_after_a_lost_answer_leaves_the_link_that_may_have_arrived(
    world: World, box: Box
) -> None:
    box.faults.lost = [BO]
    box.faults.dot = {BO: []}
    box.on_mail = lambda _count: box.faults.dot.update({BO: ["554 5.7.1 twice the same"]})
    report = send(world, box, Wanted(only=frozenset({world.who("Bo").id})))
    assert report.uncertain == ("Bo",)
    assert signs_in(world, box.token(BO)) == "Bo"


def test_a_mail_that_breaks_every_line_is_given_up_alone(world: World, box: Box) -> None:
    box.faults.recipient = {BO: [BREAK] * 9}
    report = send(world, box)
    assert report.failed == (("Bo", "broken"),)
    assert len(report.sent) == len(PLAYERS) - 1
    assert len(box.faults.recipient[BO]) == 9 - 3


def test_a_server_that_is_gone_ends_the_run_after_longer_and_longer_pauses(
    world: World, tmp_path: Path
) -> None:
    naps, running = Naps(), ExitStack()
    box = running.enter_context(mail_server(tmp_path))

    def told(sent: int, _failed: int, _total: int) -> None:
        if sent:
            running.close()

    report = send(world, box, pace=naps.pace, told=told)
    assert (report.stopped, report.left) == ("unreachable", len(PLAYERS) - 1)
    assert sum(naps.taken) == 2 + 4 + 8 + 16 + 32
    assert kept_links(world) == 1


def test_a_server_that_was_never_there_ends_the_run_soon(world: World, box: Box) -> None:
    naps = Naps()
    settings = settings_for(box, smtp_port=1)
    report = send(world, box, settings=settings, pace=naps.pace)
    assert (report.stopped, report.left) == ("unreachable", len(PLAYERS))
    assert sum(naps.taken) == 2
    assert kept_links(world) == 0


# --- a run that was killed ---


def test_a_mail_left_in_the_middle_is_not_sent_again_by_itself(world: World, box: Box) -> None:
    left_in_handing(world, "Bo")
    report = send(world, box)
    assert report.uncertain == ("Bo",)
    assert not report.complete
    assert BO not in box.recipients


@pytest.mark.parametrize("how", ["again_uncertain", "only"])
def test_an_uncertain_mail_goes_out_again_when_somebody_says_so(
    world: World, box: Box, how: str
) -> None:
    left_in_handing(world, "Bo")
    wanted = Wanted(again_uncertain=True)
    if how == "only":
        wanted = Wanted(only=frozenset({world.who("Bo").id}))
    assert send(world, box, wanted).complete
    assert box.recipients.count(BO) == 1
    assert states(world)["Bo"] == SENT


# --- two at the same time ---


def test_while_one_run_sends_another_one_sends_nothing(world: World, box: Box) -> None:
    other: list[str] = []
    box.on_mail = lambda count: other.append(send(world, box).stopped) if count == 1 else None
    # the server asks the second run while the first waits for its answer
    assert send(world, box).complete
    assert other == ["busy"]
    everybody_once(world, box)


def test_a_run_that_lost_its_lease_sends_no_further_dot(world: World, box: Box) -> None:
    def steal(count: int) -> None:
        if count == 2:
            with world.site.database.write() as connection:
                connection.execute(update(leases).values(holder="somebody else"))

    box.on_mail = steal
    report = send(world, box)
    assert report.stopped == "busy"
    assert len(box.mails) == 2
    assert kept_links(world) == 2
    assert set(states(world).values()) == {SENT}


def test_a_run_gives_the_lease_back(world: World, box: Box) -> None:
    send(world, box)
    assert keeping.take_lease(world.site.database, "mails", "the next one", 1)


def test_a_long_run_keeps_its_lease(world: World, box: Box) -> None:
    naps = Naps()
    taken: list[int] = []

    def sleep(seconds: float) -> None:
        naps.sleep(seconds)
        with world.site.database.write() as connection:
            taken.append(connection.execute(select(leases.c.expires)).scalar())
            connection.execute(update(leases).values(expires=leases.c.expires - 1))

    pace = credentials.Pace(lambda: naps.time, sleep, lambda: 1.0)
    assert send(world, box, settings=settings_for(box, mail_rate=2), pace=pace).complete
    renewals = sum(after > before for before, after in itertools.pairwise(taken))
    assert renewals >= 7 * 30 / 16 - 1


# --- its pace ---


def test_mails_go_out_no_faster_than_wished(world: World, box: Box) -> None:
    naps = Naps()
    send(world, box, settings=settings_for(box, mail_rate=30), pace=naps.pace)
    assert sum(naps.taken) == 2 * (len(PLAYERS) - 1)
    assert max(naps.taken) <= 1


def test_it_tells_how_far_it_is(world: World, box: Box) -> None:
    box.faults.refused = {ANA}
    told: list[tuple[int, int, int]] = []
    send(world, box, told=lambda *figures: told.append(figures))
    assert told[0] == (0, 0, len(PLAYERS))
    assert told[1] == (0, 1, len(PLAYERS))
    assert told[-1] == (len(PLAYERS) - 1, 1, len(PLAYERS))


def test_whoever_becomes_an_organiser_meanwhile_gets_a_link_for_once(
    world: World, box: Box
) -> None:
    rights = (("organiser", True),)

    def told(sent: int, _failed: int, _total: int) -> None:
        if sent == 1:
            world.do(*(c.Edit(world.who(name).id, rights) for name in PLAYERS[1:]))

    send(world, box, told=told)
    last = box.token(addresses_of_all(world)[PLAYERS[-1]])
    assert signs_in(world, last) == PLAYERS[-1]
    assert signs_in(world, last) == ""


def addresses_of_all(world: World) -> dict[str, str]:
    return {name: f"player{world.who(name).id}@party.example" for name in PLAYERS}


def test_it_stops_when_it_is_told_to_and_goes_on_later(world: World, box: Box) -> None:
    report = send(world, box, stop=lambda: len(box.mails) == 3)
    assert (report.stopped, len(report.sent), report.left) == ("stopped", 3, len(PLAYERS) - 3)
    assert send(world, box).complete
    everybody_once(world, box)


def test_a_stop_after_a_lost_answer_says_that_the_mail_is_uncertain(world: World, box: Box) -> None:
    box.faults.lost = [ANA]
    report = send(world, box, stop=lambda: len(box.mails) == 1)
    assert report.uncertain == ("Ana",)
    assert states(world)["Ana"] == HANDING


# --- what is left behind ---


def test_neither_log_nor_detail_holds_an_address_or_a_token(world: World, box: Box) -> None:
    box.faults.recipient = {ANA: [f"550 <{ANA}> and player1 are unknown"]}
    report = send(world, box)
    details = " ".join(detail for _, detail in report.failed) + str(log(world)["Ana"].detail)
    assert states(world)["Ana"] == FAILED
    assert "@" not in details
    assert "player1" not in details
