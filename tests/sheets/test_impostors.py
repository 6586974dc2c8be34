"""Anybody may answer a form: a row that only bears somebody's name gets nothing of theirs."""

from __future__ import annotations

from kept_sheet import Keep, Kept, answer, form

from killer.game import commands as c
from killer.game.model import PlayerId, Status
from killer.store import people
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
    assert corrections(kept) == ["sheet.taken_name"]
    assert private(kept, "Boss") == (None, Contact())
    kept.start()
    assert corrections(kept) == ["sheet.taken_name"]
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
    assert "sheet.taken_name" in corrections(kept)
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
