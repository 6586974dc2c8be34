"""Anybody may answer a form: a row that only bears somebody's name gets nothing of theirs."""

from __future__ import annotations

import pytest
from kept_sheet import Keep, Kept, answer, form

from killer import passwords
from killer.game import commands as c
from killer.game import events as e
from killer.game.model import PlayerId, Status
from killer.store import log, people
from killer.store.people import Contact

PASSWORD = "Mot de passe"
EVIL = "evil@example.org"


def with_passwords(players: int) -> list[list[str]]:
    head, *rows = form(players)
    return [[*head, PASSWORD], *([*row, f"secret-{n}"] for n, row in enumerate(rows))]


def evil_row(nickname: str) -> list[str]:
    row = [*answer(77), "evil password"]
    row[1], row[4] = nickname, EVIL
    return row


def private(kept: Kept, nickname: str) -> tuple[str | None, Contact]:
    player: PlayerId = kept.player(nickname).id
    with kept.world.database.read() as connection:
        hashed = people.hashes(connection, kept.world.number).get(player)
        return hashed, people.read_contacts(connection, kept.world.number).get(player, Contact())


def corrections(kept: Kept) -> list[str]:
    return [one.code for one in kept.look().corrections]


def test_an_organiser_s_name_brings_neither_a_password_nor_a_mail(keep: Keep) -> None:
    kept = keep(with_passwords(4))
    kept.do(c.Enrol("Boss", status=Status.OUT, organiser=True))
    kept.tab.append(evil_row("boss"))
    assert corrections(kept) == ["roster.taken_name"]
    assert private(kept, "Boss") == (None, Contact())
    kept.start()
    assert corrections(kept) == ["roster.taken_name"]
    assert kept.look(everything=True).plan
    assert private(kept, "Boss") == (None, Contact())


def test_a_player_who_was_added_by_hand_is_connected_by_hand_only(keep: Keep) -> None:
    kept = keep(with_passwords(4))
    kept.do(c.Enrol("Zoé"))
    kept.tab.append(evil_row("Zoé"))
    kept.level()
    assert private(kept, "Zoé") == (None, Contact())
    kept.look(everything=True)
    hashed, contact = private(kept, "Zoé")
    assert hashed
    assert contact.email == EVIL


def test_a_row_that_takes_a_lost_row_s_name_is_not_its_player(keep: Keep) -> None:
    kept = keep(with_passwords(4))
    kept.start()
    before = private(kept, "Bob")
    kept.tab.delete_row(kept.row("Bob"))
    kept.tab.append(evil_row("Bob"))
    assert "roster.taken_name" in corrections(kept)
    assert private(kept, "Bob") == before


def test_one_refused_row_leaves_the_passwords_of_the_others_alone(keep: Keep) -> None:
    kept = keep(with_passwords(5))
    kept.start()
    kept.do(c.Enrol("Inconnue"))
    ada = kept.player("Ada").id
    with kept.world.database.write() as connection:
        people.set_hashes(connection, kept.world.number, {ada: "set by hand"})
    kept.put("Bob", "Surnom", "Inconnue")
    assert "refusal.nickname_taken" in corrections(kept)
    assert private(kept, "Ada")[0] == "set by hand"


def test_a_crowd_of_newcomers_is_not_offered_one_by_one(keep: Keep) -> None:
    kept = keep(with_passwords(4))
    kept.start()
    for n in range(100, 180):
        kept.tab.append([*answer(n), ""])
    kept.level()
    assert len(kept.offers()) == 50


def without(head: str, rows: list[list[str]]) -> list[list[str]]:
    place = rows[0].index(head)
    return [row[:place] + row[place + 1 :] for row in rows]


def newest_first(kept: Kept) -> None:
    """Sort the sheet as an organiser does who wants to see what has just come in."""
    head, *rows = kept.tab.rows()
    for number, row in enumerate([head, *rows[::-1]]):
        for place in range(len(head)):
            kept.tab.set(number, place, row[place] if place < len(row) else "")


def answers_as_bob(kept: Kept, mail: str = "") -> None:
    """Send another answer to the form, with Bob's name and a password of one's own."""
    row = evil_row("Bob")
    row[4] = mail
    if "Adresse e-mail" not in kept.tab.rows()[0]:
        del row[4]
    kept.tab.append([*row, "oui"] if "Admin" in kept.tab.rows()[0] else row)


def told_of(kept: Kept) -> list[tuple[str, str]]:
    return [(one.code, dict(one.params).get("nickname", "")) for one in kept.look().corrections]


@pytest.mark.parametrize("begun", [True, False])
@pytest.mark.parametrize("mail", [None, "", "j1@example.org"])
@pytest.mark.parametrize("above", [True, False])
def test_whoever_answers_under_a_player_s_name_takes_nothing_of_his(
    keep: Keep, mail: str | None, *, begun: bool, above: bool
) -> None:
    rows = with_passwords(4)
    kept = keep(without("Adresse e-mail", rows) if mail is None else rows)
    kept.start() if begun else kept.level()
    before, version = private(kept, "Bob"), kept.game.version
    answers_as_bob(kept, mail or "")
    if above:
        newest_first(kept)
    for _ in range(3):
        assert told_of(kept) == [("roster.taken_name", "Bob")]
    kept.look(everything=True)
    assert private(kept, "Bob") == before
    assert kept.game.version == version
    assert len(kept.game.players) == 4
    assert kept.offers() == []
    kept.take_over()  # another keeper knows no better
    kept.look()
    assert private(kept, "Bob") == before


def test_an_organiser_of_the_sheet_stays_who_he_was(keep: Keep) -> None:
    head, *rows = with_passwords(4)
    kept = keep([[*head, "Admin"], *([*row, "oui" if row[1] == "Bob" else ""] for row in rows)])
    kept.start()
    before = private(kept, "Bob")
    answers_as_bob(kept, "j1@example.org")
    newest_first(kept)
    kept.level()
    assert private(kept, "Bob") == before


@pytest.mark.parametrize("mail", [EVIL, "j1@example.org", ""])
def test_a_lost_row_s_name_is_not_marked_as_its_player_s_either(keep: Keep, mail: str) -> None:
    kept = keep(with_passwords(4))
    kept.start()
    before = private(kept, "Bob")
    kept.tab.delete_row(kept.row("Bob"))
    answers_as_bob(kept, mail)
    for _ in range(3):
        assert "roster.taken_name" in corrections(kept)
    assert kept.cell("Bob", "ID Killer") == ""
    assert private(kept, "Bob") == before


def test_a_player_s_mail_under_another_name_is_somebody_new(keep: Keep) -> None:
    kept = keep(with_passwords(4))
    kept.level()
    before = private(kept, "Bob")
    kept.tab.delete_row(kept.row("Bob"))
    row = evil_row("Zed")
    row[4] = "j1@example.org"
    kept.tab.append(row)
    kept.level()
    assert private(kept, "Bob") == before
    assert kept.player("Zed").id != kept.player("Bob").id


def test_an_organiser_vouches_for_a_row_by_writing_its_mark(keep: Keep) -> None:
    kept = keep(with_passwords(4))
    kept.start()
    before = private(kept, "Bob")
    kept.tab.delete_row(kept.row("Bob"))
    answers_as_bob(kept, "j1@example.org")
    [fault] = [one for one in kept.look().corrections if one.code == "roster.taken_name"]
    kept.put("Bob", "ID Killer", dict(fault.params)["mark"])
    assert corrections(kept) == []
    assert private(kept, "Bob")[1].phone == "06.39.98.00.77"
    assert private(kept, "Bob")[0] == before[0]  # passwords of old are compared by hand only
    kept.look(everything=True)
    assert passwords.fits(private(kept, "Bob")[0], "evil password")


def test_an_organiser_corrects_a_password_in_the_player_s_own_row(keep: Keep) -> None:
    kept = keep(with_passwords(4))
    kept.start()
    answers_as_bob(kept)
    newest_first(kept)
    own = next(n for n, row in enumerate(kept.tab.rows()) if row[4] == "j1@example.org")
    kept.level()
    kept.tab.set(own, PASSWORD, "forgotten no more")
    kept.level()
    assert passwords.fits(private(kept, "Bob")[0], "forgotten no more")


def test_a_mark_copied_into_an_intruder_s_row_gives_it_nothing(keep: Keep) -> None:
    kept = keep(without("Adresse e-mail", with_passwords(4)))
    kept.start()
    before, mark = private(kept, "Bob"), kept.cell("Bob", "ID Killer")
    answers_as_bob(kept)
    newest_first(kept)
    kept.put("Bob", "ID Killer", mark)  # the upper one's, which is the intruder's
    for _ in range(2):
        assert told_of(kept) == [("roster.taken_name", "Bob")]
    assert private(kept, "Bob") == before


def test_of_two_answers_by_one_name_the_first_holds_wherever_it_stands(keep: Keep) -> None:
    kept = keep(with_passwords(4))
    answers_as_bob(kept, "j1@example.org")
    newest_first(kept)
    kept.level()
    assert told_of(kept) == [("roster.taken_name", "Bob")]
    assert passwords.fits(private(kept, "Bob")[0], "secret-1")


def test_a_password_from_the_sheet_leaves_a_trace_without_itself(keep: Keep) -> None:
    kept = keep(with_passwords(4))
    kept.start()
    version = kept.game.version
    kept.put("Bob", PASSWORD, "brand new")
    kept.level()
    with kept.world.database.read() as connection:
        [record] = log.since(connection, kept.world.number, version)
    assert record.event == e.ContactsChanged(kept.player("Bob").id, ("password",))
    assert record.reason == "sheet"
    assert "brand new" not in repr(record)


def test_a_player_s_lasting_link_ends_when_the_sheet_makes_an_organiser_of_him(
    keep: Keep,
) -> None:
    head, *rows = form(4)
    kept = keep([[*head, "Admin"], *([*row, ""] for row in rows)])
    kept.level()
    with kept.world.database.write() as connection:
        bob = kept.player("Bob").id
        token = people.new_links(connection, kept.world.number, [bob])[bob]
    kept.put("Bob", "Admin", "oui")
    kept.level()
    assert kept.player("Bob").organiser
    with kept.world.database.read() as connection:
        assert people.who_has_link(connection, token) is None


def test_an_emptied_cell_demotes_nobody_and_a_removed_organiser_does_not_come_back(
    keep: Keep,
) -> None:
    head, *rows = form(4)
    kept = keep([[*head, "Admin"], *([*row, "oui" if row[1] == "Bob" else ""] for row in rows)])
    kept.level()
    kept.put("Bob", "Admin", "")
    kept.level()
    assert kept.player("Bob").organiser
    kept.put("Bob", "Admin", "oui")
    kept.level()
    kept.do(c.Dismiss(kept.player("Bob").id, even_last=True))
    kept.level()
    kept.look(everything=True)
    assert not kept.player("Bob").organiser
