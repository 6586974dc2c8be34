"""What a frame's bytes are, who is told of a changed card, and that no frame holds a secret."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant

from game.any_game import AnyGame
from game.players import ALICE, BOB, CHARLIE, DIANE, NAMES, play, running
from killer.game import audience
from killer.game import commands as c
from killer.game import events as e
from killer.game.model import Game, Visibility
from killer.game.rules import decide
from killer.live.frames import PING, Frame, encode, moment, resync
from killer.store.log import Recorded

KEYS = {"version", "type", "at", "alive", "players", "state", "text"}
AT = 1_790_000_000_123

#: Names, challenges and years that no sentence of ours holds by itself.
INVENTED = re.compile(r"Joueur \d+|défi \d+|promo \d+|" + "|".join(NAMES))


def frame_of(before: Game, event: e.Event) -> Frame:
    after = before.after(event)
    return encode(before, after, Recorded(after.version, event, AT, ALICE, "une raison secrète"))


def frame_after(game: Game, command: c.Command) -> Frame:
    return frame_of(game, decide(game, command)[0])


def lines(block: bytes) -> dict[str, str]:
    """Read one block of a stream as a browser would."""
    assert block.endswith(b"\n\n")
    assert block.count(b"\n\n") == 1
    return dict(line.split(": ", 1) for line in block.decode().splitlines() if line)


def data(block: bytes) -> dict:
    return json.loads(lines(block)["data"])


def test_a_frame_is_an_event_of_a_stream_with_its_version_as_its_place() -> None:
    game = running(4)
    found = lines(frame_after(game, c.Die(BOB)).public)
    assert list(found) == ["id", "event", "data"]
    assert (found["id"], found["event"]) == (str(game.version + 1), "died")
    assert json.loads(found["data"]) == {
        "version": game.version + 1,
        "type": "died",
        "at": "2026-09-21T14:13:20Z",
        "alive": 3,
        "players": 4,
        "state": "running",
        "text": {"fr": "Bob est tombé.", "en": "Bob has fallen."},
    } | {"text": data(frame_after(game, c.Die(BOB)).public)["text"]}


def test_a_frame_speaks_french_and_english() -> None:
    text = data(frame_after(running(4), c.Die(BOB)).public)["text"]
    assert set(text) == {"fr", "en"}
    assert text["fr"] != text["en"]
    assert all("Bob" in sentence for sentence in text.values())


def test_only_those_whose_card_changed_are_told_to_look() -> None:
    frame = frame_after(running(5), c.Die(BOB))
    told = [viewer for viewer in range(1, 6) if "card" in data(frame.to(viewer))]
    assert told == [ALICE, BOB]
    assert data(frame.to(ALICE)) == data(frame.public) | {"card": True}
    assert frame.to(CHARLIE) == frame.public


def test_the_start_tells_everybody_to_look() -> None:
    frame = frame_of(play(running(4), c.Pause()), e.Resumed())
    assert not frame.cards
    begun = frame_after(play(Game(), *(c.Enrol(n) for n in "ABC")), c.Start(1))
    assert begun.cards == {1, 2, 3}


@pytest.mark.parametrize("command", [c.EndSessions(BOB), c.NoteContacts(BOB, ("email",))])
def test_what_concerns_nobody_else_tells_nothing(command: c.Command) -> None:
    found = data(frame_after(running(4), command).public)
    assert (found["type"], found["text"]) == ("changed", None)


def test_a_new_challenge_is_told_to_the_hunter_without_its_words() -> None:
    frame = frame_after(running(4), c.Edit(BOB, (("challenge", "chanter"),)))
    assert frame.cards == {ALICE}
    assert b"chanter" not in frame.public + frame.personal


@pytest.mark.parametrize(
    ("visibility", "who", "by"),
    [
        (Visibility.DISCREET, False, False),
        (Visibility.DEATHS, True, False),
        (Visibility.OPEN, True, True),
    ],
)
def test_a_death_names_whom_the_game_allows(visibility: Visibility, who: bool, by: bool) -> None:  # noqa: FBT001  # a table
    frame = frame_after(replace(running(4), visibility=visibility), c.Die(BOB))
    assert (b"Bob" in frame.public, b"Alice" in frame.public) == (who, by)


def test_ping_and_resync_have_no_place() -> None:
    assert "id" not in lines(PING)
    assert "id" not in lines(resync(7))
    assert lines(resync(7))["event"] == "resync"
    assert data(resync(7)) == {"version": 7}


def test_a_moment_is_written_in_utc() -> None:
    assert moment(0) == "1970-01-01T00:00:00Z"


def spoken(word: str, said: str) -> bool:
    """Tell whether a word is in a text: « Joueur 1 » is not in « Joueur 12 »."""
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", said) is not None


def test_a_word_is_spoken_only_when_it_stands_alone() -> None:
    assert spoken("Joueur 1", "Joueur 1 est mort")
    assert not spoken("Joueur 1", "Joueur 12 est mort")


class FramedGame(AnyGame):
    """Every step of any game as a frame."""

    @invariant()
    def a_frame_holds_nothing_but_what_everybody_may_know(self) -> None:
        for before, event, after in self.steps:
            frame = frame_of(before, event)
            found = data(frame.public)
            assert set(found) == KEYS
            assert data(frame.personal) == found | {"card": True}
            assert (found["version"], found["alive"]) == (after.version, len(after.alive))
            assert "raison" not in frame.personal.decode()
            self.names_only_who_is_news(frame, after)

    def names_only_who_is_news(self, frame: Frame, after: Game) -> None:
        """Whatever is the own of any player is in no sentence, but for the names of the news."""
        said = str(data(frame.personal)["text"])
        for name in sorted({frame.news.who, frame.news.by} - {""}, key=len, reverse=True):
            said = said.replace(name, "…")
        for player in after.players.values():
            for own in (player.nickname, player.challenge, player.year):
                assert not (INVENTED.fullmatch(own) and spoken(own, said)), own

    @invariant()
    def the_hunter_is_named_only_in_an_open_game(self) -> None:
        for before, event, after in self.steps:
            by = frame_of(before, event).news.by
            assert not by or after.visibility is Visibility.OPEN

    @invariant()
    def whoever_sees_another_card_is_told(self) -> None:
        for before, event, after in self.steps:
            cards = frame_of(before, event).cards
            for player in before.players:
                changed = audience.prey(before, before.players[player]) != audience.prey(
                    after, after.players[player]
                )
                assert not changed or player in cards


FramedGame.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestFramesOfRandomGames = FramedGame.TestCase


def test_no_frame_of_a_whole_game_tells_a_hunter_s_hunter_anything() -> None:
    """Diane must not learn from her own stream that her target's hunter moved."""
    frame = frame_after(running(6), c.Die(BOB))
    assert DIANE not in frame.cards
    assert CHARLIE not in frame.cards
