"""Whose row it is, whatever organisers have done to the sheet."""

from __future__ import annotations

from dataclasses import replace

from game.players import a_game
from killer.game.model import PlayerId
from killer.sheets.columns import recognise
from killer.sheets.identity import everyone, mark_of, owners, tag_of
from killer.sheets.roster import Entry
from killer.sheets.tables import table_of
from killer.store.people import Contact, Said

TAG = tag_of(1_700_000_000_000)
GAME = a_game(4)
ROWS = [
    Entry(p.nickname, stamp=f"17/10/2026 08:0{i}", email=f"j{i}@example.org", mark=mark_of(i, TAG))
    for i, p in GAME.players.items()
]
BARE = [Entry(row.nickname) for row in ROWS]
CONTACTS = {
    PlayerId(i): Contact(row.email, said=Said(row.nickname, stamp=row.stamp))
    for i, row in enumerate(ROWS, 1)
}
NO_FORM = {i: Contact(said=Said(c.said.nickname)) for i, c in CONTACTS.items() if c.said}


def whose(entries: list[Entry], contacts: dict[PlayerId, Contact] = CONTACTS) -> list[int | None]:
    return [one.player for one in owners(GAME, entries, contacts, TAG)]


def test_a_sort_changes_nobody() -> None:
    assert whose(ROWS[::-1]) == [4, 3, 2, 1]
    assert whose(BARE[::-1], NO_FORM) == [4, 3, 2, 1]


def test_a_corrected_mail_or_time_is_made_good_by_our_column() -> None:
    rows = [replace(ROWS[0], email="new@example.org"), replace(ROWS[1], stamp="18/10/2026")]
    assert whose(rows) == [1, 2]


def test_without_our_column_a_corrected_mail_is_made_good_by_the_name() -> None:
    assert whose([replace(ROWS[0], email="new@example.org", mark="")]) == [1]


def test_corrected_and_swapped_nicknames_stay_with_their_rows() -> None:
    swapped = [replace(ROWS[0], nickname="Bob"), replace(ROWS[1], nickname="Alice")]
    assert whose([replace(ROWS[2], nickname="Charles"), *swapped]) == [3, 1, 2]
    unmarked = [replace(row, mark="") for row in swapped]
    assert whose(unmarked) == [1, 2]
    formless = [replace(row, stamp="", email="") for row in swapped]
    assert whose(formless, NO_FORM) == [1, 2]


def test_of_a_row_and_its_copy_the_one_with_the_player_s_name_is_the_player_s() -> None:
    copy = replace(ROWS[0], nickname="Zoé")
    assert whose([copy, ROWS[0]]) == [None, 1]
    assert whose([ROWS[0], copy]) == [1, None]
    assert whose([ROWS[0], ROWS[0]]) == [1, None]


def test_the_column_of_another_game_is_not_believed() -> None:
    other = tag_of(1_800_000_000_000)
    assert other != TAG
    stranger = Entry("Zoé", mark=mark_of(PlayerId(2), other))
    assert whose([stranger, replace(ROWS[1], mark=mark_of(PlayerId(1), other))]) == [None, 2]


def test_our_column_sorted_alone_loses_against_the_form() -> None:
    torn = [replace(row, mark=ROWS[-n].mark) for n, row in enumerate(ROWS, 1)]
    assert whose(torn) == [1, 2, 3, 4]


def test_somebody_renamed_here_is_known_by_what_the_sheet_said() -> None:
    contacts = {PlayerId(2): Contact(said=Said("Bobby"))}
    assert whose([Entry("Bobby"), Entry("Zoé")], contacts) == [2, None]


def test_a_shared_mail_names_nobody() -> None:
    contacts = {PlayerId(i): Contact("family@example.org", said=Said()) for i in (1, 2)}
    assert whose([Entry("Zoé", email="family@example.org")], contacts) == [None]


def test_an_emptied_name_leaves_the_row_to_its_player() -> None:
    header = ["Horodateur", "Surnom", "Adresse e-mail", "ID Killer"]
    rows = [["", "", "", ROWS[1].mark], ["", "", "j3@example.org", ""], ["", "", "", ""]]
    known = everyone(recognise(table_of("t", [header, *rows])))
    assert whose(list(known)) == [2, 3]
