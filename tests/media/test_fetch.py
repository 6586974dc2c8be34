"""Fetching: who gets which photo, what is told of the rest, and how it goes on after anything."""

from __future__ import annotations

import threading

import pytest

from killer.game import commands as c
from killer.media import own
from killer.media.fetch import plan
from killer.media.pictures import Photo, prepare
from killer.media.shelf import ShelfError
from killer.play import Request
from killer.store.photos import DONE, Tried
from media.conftest import LINK, Album, DriveError
from media.darkroom import from_a_phone, photograph, png_bomb

ONE, TWO, THREE = "1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "1bbbbbbbbbbbbbbb", "1ccccccccccccccc"
BY_HAND = Request(reason="by hand")


def people(album: Album) -> list[str]:
    return sorted(player.nickname for player in album.world.game.players.values())


@pytest.fixture
def ana(album: Album) -> str:
    """Somebody whose link leads to a photo."""
    nickname = people(album)[0]
    album.drive.files[ONE] = photograph(1)
    album.link(nickname, LINK.format(ONE))
    return nickname


def send(album: Album, nickname: str, number: int) -> str:
    """Send a photo from the phone."""
    name = album.shelf.keep(album.world.number, prepare(photograph(number)))
    own.wear(album.world.play, album.world.number, album.world.player(nickname).id, name, BY_HAND)
    return name


def test_a_link_becomes_a_photo_on_the_shelf(album: Album, ana: str) -> None:
    report = album.fetch()
    assert (report.done, report.failed, report.left, report.error) == ((ana,), (), 0, None)
    name = album.photo(ana)
    assert name == album.shelf.name(album.world.number, prepare(photograph(1)))
    assert album.shelf.read(album.world.number, name, "medium")
    assert album.tried(ana) == Tried(LINK.format(ONE), DONE)
    assert album.world.log()[-1].reason == "photos"


def test_what_was_fetched_is_not_fetched_again(album: Album, ana: str) -> None:
    album.fetch()
    before = album.world.game.version
    again = album.fetch()
    assert (again.done, again.there) == ((), 1)
    assert album.drive.asked[ONE] == 1
    assert album.world.game.version == before


def test_what_was_fetched_is_fetched_again_on_demand(album: Album, ana: str) -> None:
    album.fetch()
    album.drive.files[ONE] = photograph(2)
    assert album.fetch(again=True).done == (ana,)
    expected = album.shelf.name(album.world.number, prepare(photograph(2)))
    assert album.photo(ana) == expected


def test_of_several_links_the_first_that_is_a_picture_wins(album: Album, ana: str) -> None:
    album.drive.files |= {TWO: b"a text", THREE: photograph(3)}
    album.link(ana, ", ".join(LINK.format(each) for each in (TWO, THREE, ONE)))
    assert album.fetch().done == (ana,)
    assert album.photo(ana) == album.shelf.name(album.world.number, prepare(photograph(3)))
    assert album.drive.asked[ONE] == 0


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (b"", "empty"),
        (b"Bonjour", "not_an_image"),
        (from_a_phone()[:900], "damaged"),
        (png_bomb(9000, 9000), "too_many_pixels"),
        (DriveError("file_not_shared"), "not_shared"),
        (DriveError("file_too_large"), "too_large"),
        (DriveError("refused"), "not_downloaded"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_failure_is_told_with_its_reason_and_concerns_nobody_else(
    album: Album, ana: str, found: bytes | Exception, code: str
) -> None:
    other = people(album)[1]
    album.drive.files[TWO] = found
    album.link(other, LINK.format(TWO))
    report = album.fetch()
    assert (report.done, report.failed) == ((ana,), ((other, code),))
    assert report.reasons == ((code, "1"),)
    assert album.photo(other) == ""
    assert album.tried(other) == Tried(LINK.format(TWO), code)


def test_a_cell_without_a_link_is_a_failure_without_a_download(album: Album, ana: str) -> None:
    album.link(ana, "demande-moi en vrai")
    assert album.fetch().failed == ((ana, "no_link"),)
    assert not album.drive.asked


def test_what_failed_is_tried_again_the_next_time(album: Album, ana: str) -> None:
    album.drive.files[ONE] = DriveError("file_not_shared")
    album.fetch()
    album.drive.files[ONE] = photograph(1)
    assert album.fetch().done == (ana,)


def test_an_error_that_passes_ends_the_fetch_and_loses_nothing(album: Album) -> None:
    for n, nickname in enumerate(people(album)):
        album.drive.files[f"1ddddddddddd{n}"] = photograph(n)
        album.link(nickname, LINK.format(f"1ddddddddddd{n}"))
    album.drive.files["1ddddddddddd4"] = DriveError("quota", retry=True)
    report = album.fetch()
    assert isinstance(report.error, DriveError)
    assert report.failed == ()
    assert report.left >= 1
    assert len(report.done) + report.left == len(people(album))
    album.drive.files["1ddddddddddd4"] = photograph(4)
    rest = album.fetch()
    assert (len(rest.done), rest.there) == (report.left, len(report.done))
    del album.drive.asked["1ddddddddddd4"]
    assert set(album.drive.asked.values()) == {1}


def test_it_is_told_how_far_it_is_and_leaves_off_when_asked(album: Album) -> None:
    for n, nickname in enumerate(people(album)):
        album.drive.files[f"1ddddddddddd{n}"] = photograph(n) if n else b"nothing"
        album.link(nickname, LINK.format(f"1ddddddddddd{n}"))
    calls = iter(range(100))
    first = album.fetch(stop=lambda: next(calls) >= 3)
    assert len(first.done) + len(first.failed) == 3
    assert first.left == len(people(album)) - 3
    assert album.told[0] == (0, 0, 8)
    assert album.told[-1] == (len(first.done), len(first.failed), 8)
    rest = album.fetch()
    assert (rest.left, rest.there) == (0, len(first.done))
    assert max(album.drive.asked[f"1ddddddddddd{n}"] for n in range(1, 8)) == 1


def test_a_full_shelf_ends_the_fetch_with_its_error(album: Album, ana: str) -> None:
    album.shelf.folder.write_text("in the way")
    report = album.fetch()
    assert isinstance(report.error, ShelfError)
    assert (album.tried(ana), album.photo(ana)) == (None, "")


def test_a_photo_whose_coming_was_undone_stays_away(album: Album, ana: str) -> None:
    album.fetch()
    album.world.perform(c.Undo(album.world.game.version))
    assert album.photo(ana) == ""
    assert album.fetch().there == 1


# --- whose photo counts ---


def test_a_photo_from_the_phone_is_not_overwritten_by_an_older_link(album: Album, ana: str) -> None:
    mine = send(album, ana, 7)
    for again in (False, True):
        assert album.fetch(again=again).there == 1
    assert album.photo(ana) == mine
    assert not album.drive.asked


def test_a_photo_from_the_phone_takes_the_place_of_a_fetched_one(album: Album, ana: str) -> None:
    album.fetch()
    mine = send(album, ana, 7)
    album.fetch(again=True)
    assert album.photo(ana) == mine


def test_a_link_that_is_newer_than_the_photo_from_the_phone_counts(album: Album, ana: str) -> None:
    send(album, ana, 7)
    album.drive.files[TWO] = photograph(2)
    album.link(ana, LINK.format(TWO))
    assert album.fetch().done == (ana,)
    assert album.photo(ana) == album.shelf.name(album.world.number, prepare(photograph(2)))


def test_a_photo_that_nobody_knows_the_origin_of_stays(album: Album, ana: str) -> None:
    album.world.perform(c.Edit(album.world.player(ana).id, (("photo", "f" * 32),)))
    assert album.fetch().there == 1
    assert album.photo(ana) == "f" * 32


def test_a_photo_that_was_taken_away_does_not_come_back_by_itself(album: Album, ana: str) -> None:
    album.fetch()
    own.take_off(album.world.play, album.world.number, album.world.player(ana).id, BY_HAND)
    assert album.photo(ana) == ""
    assert album.fetch(again=True).there == 1
    assert album.photo(ana) == ""


def test_a_photo_that_is_sent_while_the_link_is_fetched_wins(album: Album, ana: str) -> None:
    began, sent = threading.Event(), threading.Event()

    def slow(_file_id: str) -> bytes:
        began.set()
        assert sent.wait(20)
        return photograph(1)

    album.drive.file = slow
    reports = []
    fetching = threading.Thread(target=lambda: reports.append(album.fetch()))
    fetching.start()
    assert began.wait(20)
    mine = send(album, ana, 7)
    sent.set()
    fetching.join(20)
    assert (reports[0].done, reports[0].there) == ((), 1)
    assert album.photo(ana) == mine


def test_two_fetches_at_the_same_time_do_the_work_once(album: Album, ana: str) -> None:
    together = threading.Barrier(2)

    def together_file(_file_id: str) -> bytes:
        together.wait(20)
        return photograph(1)

    album.drive.file = together_file
    reports = []
    threads = [
        threading.Thread(target=lambda: reports.append(album.fetch(again=True))) for _ in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted((len(r.done), r.there) for r in reports) == [(0, 1), (1, 0)]
    assert album.world.kinds().count("edited") == 1


def test_a_plan_counts_who_is_to_be_fetched_who_is_there_and_who_has_nothing(
    album: Album, ana: str
) -> None:
    everybody = len(people(album))
    before = plan(album.world.play, album.world.number)
    assert ([link.nickname for link in before.links], before.there) == ([ana], 0)
    assert before.without == everybody - 1
    send(album, people(album)[1], 5)
    album.fetch()
    after = plan(album.world.play, album.world.number)
    assert (after.links, after.there, after.without) == ((), 1, everybody - 2)


def test_what_is_prepared_is_what_is_kept(album: Album, ana: str) -> None:
    album.fetch()
    expected: Photo = prepare(photograph(1))
    kept = {file.read_bytes() for file in album.files()}
    assert kept == set(expected.files.values())
