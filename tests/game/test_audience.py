"""Who may know what: news for everybody, cards for few, prey for the hunter alone."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis.stateful import invariant

from game.any_game import AnyGame, Step
from game.players import (
    ALICE,
    BOB,
    CHARLIE,
    DIANE,
    Story,
    a_game,
    a_story,
    alice,
    bob,
    enrolments,
    over,
    paused,
    play,
    round_table,
    running,
)
from killer.game import audience
from killer.game import commands as c
from killer.game.audience import News, Prey
from killer.game.model import Game, PlayerId, State, Status, Visibility
from killer.game.rules import decide

DISCREET, DEATHS, OPEN = Visibility.DISCREET, Visibility.DEATHS, Visibility.OPEN


def told(visibility, *commands, game=None):
    """Give the news of every event of the last command."""
    before = play(game or running(4), c.SetVisibility(visibility), *commands[:-1])
    news = []
    for event in decide(before, commands[-1]):
        before = before.after(event)
        news.append(audience.news(before, event))
    return news


@pytest.mark.parametrize(
    ("visibility", "command", "news"),
    [
        (DISCREET, c.Die(BOB), News("died")),
        (DEATHS, c.Die(BOB), News("died", "Bob")),
        (OPEN, c.Die(BOB), News("died", "Bob", "Alice")),
        (OPEN, c.Kill(BOB), News("died", "Bob", "Alice")),
        (OPEN, c.Kill(BOB, credited=False), News("died", "Bob")),
        (DISCREET, c.GiveUp(BOB), News("gaveup")),
        (DEATHS, c.GiveUp(BOB), News("gaveup", "Bob")),
        (OPEN, c.GiveUp(BOB), News("gaveup", "Bob")),
        (DISCREET, c.Remove(BOB), News("removed")),
        (OPEN, c.Remove(BOB), News("removed", "Bob")),
        (OPEN, c.Pause(), News("paused")),
        (OPEN, c.End(), News("ended")),
        (OPEN, c.Reshuffle(5), News("reshuffled")),
        (OPEN, c.Edit(BOB, (("nickname", "Robert"),)), News("changed")),
        (OPEN, c.NoteContacts(BOB, ("phone",)), News("changed")),
        (OPEN, c.EndSessions(BOB), News("changed")),
        (OPEN, c.SetVisibility(DISCREET), News("changed")),
    ],
)
def test_an_event_tells_what_the_visibility_allows(visibility, command, news):
    assert told(visibility, command) == [news]


def test_a_pause_that_is_over_is_told():
    assert told(OPEN, c.Resume(), game=paused(3)) == [News("resumed")]


@pytest.mark.parametrize(("visibility", "who"), [(DISCREET, ""), (DEATHS, "Bob"), (OPEN, "Bob")])
def test_who_comes_back_is_told_when_deaths_are(visibility, who):
    assert told(visibility, c.Die(BOB), c.Revive(BOB, 1)) == [News("revived", who)]


@pytest.mark.parametrize(("visibility", "who"), [(DISCREET, ""), (DEATHS, "Zoé"), (OPEN, "Zoé")])
def test_a_late_joiner_is_told_once(visibility, who):
    assert told(visibility, c.Enrol("Zoé")) == [News("changed"), News("joined", who)]


def test_enrolments_are_told_before_the_start_and_organisers_never():
    boss = c.Enrol("Orga", status=Status.OUT, organiser=True)
    assert told(DISCREET, c.Enrol("Zoé"), game=a_game(2)) == [News("enrolled", "Zoé")]
    assert told(OPEN, boss, game=a_game(2)) == [News("changed")]
    assert told(OPEN, boss) == [News("changed")]


def test_the_roster_of_a_game_that_began_elsewhere_is_not_told():
    assert told(OPEN, round_table(1, 2, 3), game=a_game(3)) == [News("changed")]
    fallen = c.NoteFall("Bob", Status.DEAD, "Alice")
    assert told(OPEN, fallen, game=a_game(3)) == [News("changed")]
    assert told(OPEN, c.Start(1), game=a_game(3)) == [News("started")]


@pytest.mark.parametrize(("visibility", "who"), [(DISCREET, ""), (DEATHS, "Bob"), (OPEN, "Bob")])
@pytest.mark.parametrize("fall", [c.Die(BOB), c.GiveUp(BOB), c.Remove(BOB)])
def test_an_undone_fall_is_told_like_the_fall(visibility, who, fall):
    story = Story(*enrolments(4), c.Start(1), c.SetVisibility(visibility))
    story.play(fall)
    (undone,) = story.undo(story.game.version)
    assert audience.news(story.game, undone) == News("undone", who, cause=undone.kind)


def test_another_undo_names_nobody():
    story = a_story(4)
    story.play(c.SetVisibility(OPEN), c.Edit(BOB, (("year", "M2"),)))
    (undone,) = story.undo(story.game.version)
    assert audience.news(story.game, undone) == News("undone", cause="edited")


@pytest.mark.parametrize("game", [running(3), paused(3)])
def test_the_living_know_their_prey_while_the_hunt_is_on(game):
    assert audience.prey(game, alice(game)) == Prey("Bob", "défi 2", "", "promo 2")


def test_nobody_knows_a_prey_before_the_start_or_after_the_end():
    for game in (play(a_game(3), round_table(1, 2, 3)), over(3)):
        assert alice(game).target == BOB
        assert audience.prey(game, alice(game)) is None


def test_the_dead_and_the_winner_know_no_prey():
    game = play(running(3), c.Die(BOB))
    assert audience.prey(game, bob(game)) is None
    game = play(game, c.Die(CHARLIE))
    assert audience.prey(game, alice(game)) is None


def test_organisers_see_everything_in_a_row():
    game = play(running(4), c.Die(BOB))
    assert audience.row(game, alice(game)) == audience.Row(
        "Alice", Status.ALIVE, "Charlie", "Diane", "défi 1", 1, None, None
    )
    assert audience.row(game, bob(game)) == audience.Row(
        "Bob", Status.DEAD, None, None, "défi 2", 0, "Alice", 1
    )


def cards(game: Game, command: c.Command) -> frozenset[PlayerId]:
    """Give the cards that change with the first event of a command."""
    event = decide(game, command)[0]
    return audience.cards(game, game.after(event), event)


@pytest.mark.parametrize(
    ("command", "whose"),
    [
        (c.Die(BOB), {ALICE, BOB}),
        (c.GiveUp(BOB), {ALICE, BOB}),
        (c.Remove(BOB), {ALICE, BOB}),
        (c.Kill(BOB, credited=False), {ALICE, BOB}),
        (c.Edit(BOB, (("challenge", "chanter"),)), {ALICE}),
        (c.Edit(BOB, (("nickname", "Robert"),)), {ALICE, BOB}),
        (c.Edit(BOB, (("photo", "b.webp"),)), {ALICE, BOB}),
        (c.Edit(BOB, (("organiser", True),)), set()),
        (c.SetVisibility(OPEN), set()),
        (c.Pause(), set()),
        (c.End(), {ALICE, BOB, CHARLIE, DIANE}),
    ],
)
def test_only_those_whose_card_changes_are_told_to_look_again(command, whose):
    assert cards(running(4), command) == whose


def test_the_hunter_of_a_killer_is_not_told_that_the_prey_has_killed():
    assert DIANE not in cards(running(4), c.Die(BOB))


def test_everybody_looks_again_when_the_ring_of_the_roster_starts():
    assert cards(play(a_game(3), round_table(1, 2, 3)), c.Start(1)) == {ALICE, BOB, CHARLIE}


def test_a_killer_looks_again_when_the_kill_no_longer_counts():
    game = play(running(4), c.Die(BOB))
    assert cards(game, c.Remove(BOB)) == {ALICE, BOB}


def visible(game: Game, player: PlayerId) -> tuple[object, ...]:
    """Give what a player's own page shows, worked out by the test itself."""
    own = game.players[player]
    kills = sum(p.killed_by == player for p in game.players.values())
    shown = (own.nickname, own.year, own.photo, own.status, kills)
    hunting = own.status is Status.ALIVE and game.state in {State.RUNNING, State.PAUSED}
    prey = game.players.get(own.target) if hunting else None
    return (*shown, prey and (prey.nickname, prey.challenge, prey.photo, prey.year))


class DiscreetGame(AnyGame):
    """Every event of a random game tells enough and not too much."""

    @invariant()
    def cards_name_exactly_those_whose_card_changed(self) -> None:
        for before, event, after in self.steps:
            changed = {p for p in before.players if visible(before, p) != visible(after, p)}
            assert audience.cards(before, after, event) == changed

    @invariant()
    def news_never_tell_who_hunts_whom(self) -> None:
        for step in self.steps:
            check_news(step)

    @invariant()
    def only_hunters_know_a_prey(self) -> None:
        for player in self.game.players.values():
            prey = audience.prey(self.game, player)
            hunting = self.game.state in {State.RUNNING, State.PAUSED}
            assert (prey is not None) is (hunting and player.status is Status.ALIVE)


def check_news(step: Step) -> None:
    _before, event, after = step
    news = audience.news(after, event)
    named = {after.find(name) for name in (news.who, news.by) if name}
    hunted = {(p.id, p.target) for p in after.alive}
    if after.state is not State.PREPARING:
        assert not [(a.id, b.id) for a in named for b in named if (a.id, b.id) in hunted]
    if after.visibility is Visibility.DISCREET:
        assert not named or news.kind == "enrolled"
    if after.visibility is not Visibility.OPEN:
        assert not news.by


DiscreetGame.TestCase.settings = settings(max_examples=40, stateful_step_count=30)
TestRandomGames = DiscreetGame.TestCase
