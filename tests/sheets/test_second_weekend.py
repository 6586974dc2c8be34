"""A sheet that served before: what an earlier game wrote there is nobody's fate in the next one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from kept_sheet import Keep, Kept, form

from killer.game import commands as c
from killer.game.model import Status
from killer.store import games


@pytest.fixture
def again(keep: Keep) -> Kept:
    """The sheet of a finished game, with its targets, under the hand of a new game."""
    kept = keep(form(6), targets=True)
    kept.start()
    kept.do(c.Die(kept.player("Ada").id), c.Die(kept.player("Bob").id))
    kept.do(c.Remove(kept.player("Chloé").id))
    kept.level()
    with kept.world.database.write() as connection:
        number = games.create(connection, "Le week-end d'après")
    kept.world = replace(kept.world, number=number)
    kept.take_over()
    return kept


def test_the_dead_of_the_last_weekend_play_again_and_who_did_not_play_does_not(
    again: Kept,
) -> None:
    again.level()
    status = {player.nickname: player.status for player in again.game.players.values()}
    assert status.pop("Chloé") is Status.OUT
    assert set(status.values()) == {Status.ALIVE}
    assert not any(player.target for player in again.game.players.values())


def test_what_the_last_game_wrote_is_cleared_and_its_marks_are_ours(again: Kept) -> None:
    before = {again.cell(name, "ID Killer") for name in ("Ada", "Dov")}
    again.level()
    for header in ("Cible actuelle", "Tué par", "Ordre d'élimination", "Nombre de kills"):
        assert not any(again.column(header)), header
    assert [again.cell(name, "État") for name in ("Ada", "Chloé", "Dov")] == ["", "out", ""]
    assert not before & set(again.column("ID Killer"))


def test_the_next_game_starts_and_is_written_like_any_other(again: Kept) -> None:
    again.start()
    again.do(c.Die(again.player("Dov").id))
    again.level()
    assert again.cell("Dov", "État") == "dead"
    assert again.cell("Ada", "État") == "alive"
    assert not again.asked()
