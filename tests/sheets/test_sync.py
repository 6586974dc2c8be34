"""A game and its sheet are kept level: before the start, during the game, and after it."""

from __future__ import annotations

import pytest
from kept_sheet import FORM, OURS, Keep, Kept, form, name, old_form

from killer.game import commands as c
from killer.game.model import State, Status
from killer.sheets.google import GoogleError
from killer.sheets.sync import LostLeaseError
from killer.store import sheets
from killer.store.database import StoreUnavailableError
from store.worlds import World


@pytest.fixture
def kept(keep: Keep) -> Kept:
    """A running game of six whose sheet is level."""
    made = keep(form(6))
    made.start()
    return made


def states(kept: Kept) -> dict[str, tuple[str, ...]]:
    """Give what the sheet says of everybody, but for our own column."""
    return {p.nickname: tuple(kept.cell(p.nickname, h) for h in OURS[:4]) for p in everybody(kept)}


def everybody(kept: Kept) -> list:
    return list(kept.game.players.values())


# --- before the start ---


def test_before_the_start_the_roster_follows_the_sheet(keep: Keep) -> None:
    kept = keep(form(4))
    kept.level()
    assert [p.nickname for p in kept.game.alive] == [name(n) for n in range(4)]
    kept.put("Bob", "Surnom", "Robert")
    kept.put("Ada", "Défi ciblé", "chanter")
    kept.tab.append(["18/10/2026 09:00:00", "Zoé", "3A", "", "zoe@example.org", "siffler", "z"])
    kept.look()
    assert [p.nickname for p in kept.game.alive] == ["Ada", "Robert", "Chloé", "Dov", "Zoé"]
    assert (kept.player("Ada").challenge, kept.player("Zoé").challenge) == ("chanter", "siffler")


def test_before_the_start_nothing_is_added_but_our_own_column(keep: Keep) -> None:
    kept = keep(form(4))
    kept.level()
    assert kept.tab.rows()[0] == [*form(0)[0], "ID Killer"]


def test_challenges_of_the_second_tab_are_taken_when_it_is_their_turn(keep: Keep) -> None:
    kept = keep([[*row[:5], "", row[6]] for row in form(3)], Défis=[["Surnom", "Défi"]])
    kept.level()
    kept.google.tab("1kept-Sheet_id", "Défis").append(["Ada", "danser"])
    kept.look(challenges=False)
    assert kept.player("Ada").challenge == ""
    kept.look()
    assert kept.player("Ada").challenge == "danser"


# --- writing back ---


def test_missing_columns_come_at_the_right_and_every_row_says_what_the_game_says(
    kept: Kept,
) -> None:
    assert set(kept.tab.rows()[0][7:]) == set(OURS)
    kept.do(c.Die(kept.player("Bob").id))
    kept.level()
    killer = next(p for p in kept.game.alive if kept.game.kills.get(p.id))
    assert states(kept)["Bob"] == ("dead", killer.nickname, "1", "0")
    assert states(kept)[killer.nickname] == ("alive", "", "", "1")
    kept.do(c.Undo(kept.world.log()[-1].version))
    kept.level()
    assert set(states(kept).values()) == {("alive", "", "", "0")}


def test_a_level_sheet_costs_one_read_and_no_write(kept: Kept) -> None:
    before = len(kept.google.calls)
    assert kept.look().level
    assert [call.kind for call in kept.google.calls[before:]] == ["read"]


def test_everything_that_moved_is_written_in_one_batch(kept: Kept) -> None:
    kept.do(*(c.Die(p.id) for p in kept.game.alive[:3]))
    writes = kept.google.count("write")
    kept.look()
    assert kept.google.count("write") == writes + 1
    assert kept.look().level


@pytest.mark.parametrize("nickname", ["=1+1", "'x", "+33", "007", "1/2"])
def test_a_name_that_looks_like_something_else_stays_a_text(kept: Kept, nickname: str) -> None:
    kept.do(c.Edit(kept.player("Bob").id, (("nickname", nickname),)))
    prey = kept.player(nickname).target
    assert prey
    victim = kept.game.players[prey].nickname
    kept.do(c.Die(prey))
    kept.level()
    assert kept.tab.raw(kept.row(victim), "Tué par") == nickname


def test_targets_stay_out_of_the_sheet_whatever_happens(kept: Kept) -> None:
    kept.do(c.Die(kept.game.alive[0].id), c.Reshuffle(3))
    kept.put("Bob", "État", "dead")
    kept.level()
    assert "Cible actuelle" not in kept.tab.rows()[0]


def test_targets_that_stood_in_the_sheet_are_not_put_back_when_they_are_emptied(
    keep: Keep,
) -> None:
    kept = keep(old_form(6))
    kept.start()
    before = kept.column("Surnom de sa cible")
    kept.do(c.Die(kept.game.alive[0].id))
    kept.level()
    assert kept.column("Surnom de sa cible") == before  # nobody's new target is told
    kept.put("Bob", "Surnom de sa cible", "")
    kept.level()
    assert kept.cell("Bob", "Surnom de sa cible") == ""


def test_targets_of_no_use_are_not_erased_at_the_start(keep: Keep) -> None:
    rows = old_form(6)
    rows[1][5] = "Personne"  # an unknown target spoils the ring, and her row
    kept = keep(rows)
    kept.start()
    assert kept.column("Surnom de sa cible") == [row[5] for row in rows[1:]]
    assert kept.asked() == [("newcomer", "Ada", "Ada")]  # whom the start had left behind


def test_targets_are_written_when_the_settings_say_so(keep: Keep) -> None:
    kept = keep(form(6), targets=True)
    kept.start()
    kept.do(c.Die(kept.player("Bob").id))
    kept.level()
    for player in everybody(kept):
        target = kept.game.players[player.target].nickname if player.target else ""
        assert kept.cell(player.nickname, "Cible actuelle") == target


# --- the old format ---


def test_what_stands_beside_the_target_stays_its_owner_s_while_targets_are_written(
    keep: Keep,
) -> None:
    kept = keep(old_form(8), targets=True)
    kept.start()
    dares = {p.nickname: p.challenge for p in everybody(kept)}
    assert dares["Bob"] == "action 0"
    kept.do(c.Die(kept.player("Chloé").id), c.Die(kept.player("Bob").id))
    kept.level()
    assert kept.cell("Ada", "Surnom de sa cible") == "Dov"
    assert {p.nickname: p.challenge for p in everybody(kept)} == dares


def test_a_ring_that_was_not_taken_does_not_turn_the_challenges_round(keep: Keep) -> None:
    rows = old_form(6)
    rows[1][5] = "Personne"
    kept = keep(rows)
    kept.level()
    dares = {p.nickname: p.challenge for p in everybody(kept)}
    kept.do(c.Start(1))
    kept.level()
    assert {p.nickname: p.challenge for p in everybody(kept)} == dares


def test_a_rename_in_the_old_format_spoils_no_other_row(keep: Keep) -> None:
    kept = keep(old_form(6))
    kept.start()
    row = kept.row("Bob")
    kept.tab.set(row, "Surnom du tueur", "Robert")
    kept.tab.set(kept.row("Ada"), "Année", "5A")  # the row of Robert's hunter
    assert kept.look().corrections == ()
    kept.tab.set(row, "Année", "4A")
    assert kept.look().corrections == ()
    assert (kept.player("Robert").year, kept.player("Ada").year) == ("4A", "5A")
    assert kept.player("Robert").challenge == "action 0"


# --- during the game ---


def test_corrections_are_taken_during_the_game(kept: Kept) -> None:
    row = kept.row("Bob")
    fields = {"Surnom": "Robert", "Année": "5A", "Téléphone": "06", "Défi ciblé": "rire"}
    for header, text in fields.items():
        kept.tab.set(row, header, text)
    kept.look()
    player = kept.player("Robert")
    assert (player.year, player.challenge, player.id) == ("5A", "rire", 2)
    kept.level()
    assert kept.offers() == []


def test_a_written_death_is_offered_and_the_cell_put_right(kept: Kept) -> None:
    kept.put("Bob", "État", "mort")
    version = kept.game.version
    kept.level()
    assert kept.asked() == [("status", "Bob", "dead")]
    assert kept.cell("Bob", "État") == "alive"
    assert (kept.player("Bob").status, kept.game.version) == (Status.ALIVE, version)


def test_another_target_and_another_killer_are_offered(keep: Keep) -> None:
    kept = keep(form(6), targets=True)
    kept.start()
    other = next(p.nickname for p in kept.game.alive if p.id not in {1, kept.player("Ada").target})
    kept.put("Ada", "Cible actuelle", other)
    kept.put("Bob", "Tué par", "Ada")
    kept.level()
    assert set(kept.asked()) == {("target", "Ada", other), ("killed_by", "Bob", "Ada")}
    assert kept.cell("Ada", "Cible actuelle") != other


def test_another_target_in_a_sheet_without_ours_is_offered_and_put_back(keep: Keep) -> None:
    kept = keep(old_form(6))
    kept.start()
    kept.put("Ada", "Surnom de sa cible", "Dov")
    kept.level()
    assert kept.asked() == [("target", "Ada", "Dov")]
    assert kept.cell("Ada", "Surnom de sa cible") == "Bob"


def test_a_newcomer_and_a_lost_row_are_offered_once(kept: Kept) -> None:
    kept.tab.append(["18/10/2026 09:00:00", "Zoé", "", "", "zoe@example.org", "", "z"])
    kept.tab.delete_row(kept.row("Bob"))
    kept.look()
    assert set(kept.asked()) == {("newcomer", "Zoé", "Zoé"), ("gone", "Bob", "out")}
    kept.look()
    assert len(kept.offers()) == 2
    assert len(kept.game.players) == 6


def test_what_was_refused_is_not_asked_again(kept: Kept) -> None:
    kept.tab.append(["18/10/2026 09:00:00", "Zoé", "", "", "zoe@example.org", "", "z"])
    kept.look()
    with kept.world.database.write() as connection:
        sheets.refuse_offer(connection, kept.world.number, kept.offers()[0].id)
    place = kept.tab.index("Surnom")
    kept.tab.set(0, place, "???")  # for a moment nobody can read the sheet
    with pytest.raises(GoogleError):
        kept.look()
    kept.tab.set(0, place, "Surnom")
    kept.take_over()
    kept.look()
    assert [one.refused for one in kept.offers()] == [True]


def test_offers_that_came_true_or_were_taken_back_are_dropped(kept: Kept) -> None:
    kept.put("Bob", "État", "dead")
    kept.tab.append(["18/10/2026 09:00:00", "Zoé", "", "", "zoe@example.org", "", "z"])
    kept.level()
    kept.do(c.Die(kept.player("Bob").id))
    kept.tab.delete_row(kept.row("Zoé"))
    kept.level()
    assert kept.offers() == []


def test_an_emptied_name_is_no_lost_row(kept: Kept) -> None:
    row = kept.row("Bob")
    kept.tab.set(row, "Surnom", "")
    kept.do(c.Die(kept.player("Bob").id))
    kept.level()
    assert kept.tab.cell(row, "État") == "dead"
    assert kept.offers() == []
    assert kept.player("Bob").id == 2


def test_an_accident_makes_no_offers(keep: Keep) -> None:
    kept = keep(form(30))
    kept.start()
    kept.do(*(c.Die(p.id) for p in kept.game.alive[:12]))
    kept.level()
    before = states(kept)
    kept.tab.sort_range(OURS[:4], "État")
    kept.tab.set(3, "ID Killer", "")
    kept.level()
    assert (kept.offers(), states(kept)) == ([], before)


def test_a_sheet_emptied_by_mistake_changes_nothing(kept: Kept) -> None:
    rows = [list(row) for row in kept.tab.cells]
    kept.tab.cells[1:] = [[""] * kept.tab.width for _ in rows[1:]]
    kept.look()
    assert (len(kept.game.alive), kept.offers()) == (6, [])
    kept.tab.cells[:] = rows
    kept.level()
    assert kept.offers() == []


def test_a_rival_of_our_column_stays_its_owner_s(kept: Kept) -> None:
    kept.tab.insert_column(1, "Statut")
    kept.tab.set(1, 1, "payé")
    kept.put("Bob", "Année", "5A")
    kept.do(c.Die(kept.player("Bob").id))
    assert kept.look().corrections == ()
    kept.level()
    assert kept.column(1) == ["payé", "", "", "", "", ""]
    assert (kept.player("Bob").year, kept.cell("Bob", "État")) == ("5A", "dead")


def test_a_renamed_column_of_ours_stays_ours_and_is_no_answer(kept: Kept) -> None:
    kept.tab.set(0, "État", "Situation")
    kept.do(c.Die(kept.player("Bob").id))
    kept.level()
    assert kept.cell("Bob", "Situation") == "dead"
    assert "État" not in kept.tab.rows()[0]
    assert kept.world.kinds()[-1] == "died"


def test_tabs_that_change_their_titles_are_not_mistaken(keep: Keep) -> None:
    kept = keep(form(4), Défis=[["Surnom", "Défi"], ["Ada", "défi numéro 0"]])
    kept.start()
    second = kept.google.tab("1kept-Sheet_id", "Défis")
    kept.tab.rename("x")
    second.rename(FORM)
    kept.tab.rename("Défis")
    kept.do(c.Die(kept.player("Bob").id))
    left = second.rows()
    kept.level()
    assert (second.rows(), kept.cell("Bob", "État")) == (left, "dead")
    assert kept.offers() == []


# --- under the hand ---


def test_a_sort_under_the_hand_is_put_right_and_never_offered(kept: Kept) -> None:
    kept.do(c.Die(kept.player("Bob").id))
    kept.google.before_write = lambda: kept.tab.sort("Surnom", reverse=True)
    kept.look()
    kept.level()
    assert states(kept)["Bob"][0] == "dead"
    assert [row[0] for row in states(kept).values()].count("dead") == 1
    assert kept.offers() == []


@pytest.mark.parametrize("at", [1, 3])
def test_a_row_inserted_under_the_hand_holds_nothing_of_ours_afterwards(
    kept: Kept, at: int
) -> None:
    kept.do(c.Die(kept.player("Dov").id), c.Die(kept.player("Farid").id))
    kept.google.before_write = lambda: kept.tab.insert_row(at)
    kept.look()
    kept.level()
    assert not any(kept.tab.rows()[at])
    assert kept.offers() == []
    assert states(kept)["Farid"][0] == "dead"


def test_a_row_deleted_under_the_hand_leaves_nothing_below(kept: Kept) -> None:
    kept.do(c.Die(kept.player("Farid").id))
    kept.google.before_write = lambda: kept.tab.delete_row(1)
    kept.look()
    kept.level()
    assert len(kept.tab.rows()) == 6
    assert kept.asked() == [("gone", "Ada", "out")]


def test_a_column_deleted_under_the_hand_comes_back_at_the_right(kept: Kept) -> None:
    kept.do(c.Die(kept.player("Bob").id))
    kept.google.before_write = lambda: kept.tab.delete_column("État")
    kept.level()
    assert kept.tab.rows()[0][-1] == "État"
    assert kept.cell("Bob", "État") == "dead"


# --- another keeper ---


def test_another_keeper_finishes_the_work_and_invents_nothing(kept: Kept) -> None:
    kept.do(c.Die(kept.player("Bob").id))
    kept.google.fail("reset", times=None, on="write", late=True)  # written, and nobody knows
    with pytest.raises(GoogleError):
        kept.look()
    kept.google.clear()
    kept.do(c.Die(kept.player("Dov").id))
    kept.take_over()
    kept.level()
    assert states(kept)["Dov"][0] == states(kept)["Bob"][0] == "dead"
    assert kept.offers() == []


def test_another_keeper_takes_no_write_under_a_sort_for_an_edit(kept: Kept) -> None:
    kept.do(c.Die(kept.player("Bob").id))
    kept.google.before_write = lambda: kept.tab.sort("Surnom", reverse=True)
    kept.look()
    kept.take_over()
    kept.level()
    assert kept.offers() == []


def test_an_edit_made_while_nobody_kept_the_sheet_is_offered(kept: Kept) -> None:
    kept.put("Bob", "État", "dead")
    kept.take_over()
    kept.level()
    assert kept.asked() == [("status", "Bob", "dead")]


def test_who_has_lost_the_lease_changes_neither_the_sheet_nor_the_game(kept: Kept) -> None:
    kept.put("Bob", "Année", "5A")
    kept.do(c.Die(kept.player("Bob").id))
    version, rows = kept.game.version, kept.tab.rows()
    kept.sync.fence = lambda: False
    with pytest.raises(LostLeaseError):
        kept.look()
    assert (kept.game.version, kept.tab.rows()) == (version, rows)


# --- nothing at all ---


def rows_of_database(world: World) -> list[list[tuple]]:
    with world.database.read() as connection:
        raw = connection.connection.cursor()
        names = raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return [raw.execute(f"SELECT * FROM {one}").fetchall() for (one,) in sorted(names)]


@pytest.mark.parametrize("started", [False, True])
def test_a_dry_run_changes_nothing_anywhere(keep: Keep, *, started: bool) -> None:
    kept = keep(form(4))
    if started:
        kept.start()
        kept.do(c.Die(1))
        kept.put("Bob", "État", "dead")
    kept.tab.append(["18/10/2026 09:00:00", "Zoé", "", "", "zoe@example.org", "", "z"])
    kept.take_over()
    before, cells, writes = (
        rows_of_database(kept.world),
        kept.tab.rows(),
        kept.google.count("write"),
    )
    found = kept.look(dry=True)
    assert not found.level
    assert found.plan
    assert (rows_of_database(kept.world), kept.tab.rows()) == (before, cells)
    assert kept.google.count("write") == writes


def test_a_refusal_in_the_middle_is_told_and_stops_nobody_else(keep: Keep) -> None:
    kept = keep(form(4))
    kept.level()
    kept.do(c.Enrol("Robert"))  # by an organiser, on the site
    kept.do(c.Start(1))
    kept.level()
    kept.put("Bob", "Surnom", "Robert")
    kept.put("Chloé", "Année", "5A")
    found = kept.look()
    assert [one.code for one in found.corrections] == ["refusal.nickname_taken"]
    assert (kept.player("Chloé").year, kept.player("Bob").id) == ("5A", 2)


def test_a_database_that_fails_in_the_middle_is_asked_again(kept: Kept) -> None:
    kept.put("Bob", "Année", "5A")
    holder = kept.world.database.engine.raw_connection()
    holder.cursor().execute("BEGIN IMMEDIATE")
    kept.world.database.patience = 0.1
    with pytest.raises(StoreUnavailableError):
        kept.look()
    holder.rollback()
    kept.look()
    assert kept.player("Bob").year == "5A"


def test_after_the_end_the_sheet_says_how_it_ended(kept: Kept) -> None:
    kept.do(*(c.Die(p.id) for p in kept.game.alive[:5]))
    kept.level()
    assert kept.game.state is State.OVER
    assert [row[0] for row in states(kept).values()].count("alive") == 1
