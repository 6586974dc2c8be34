"""Errands that were asked for on a page: carried out, gone on with, given up with a sentence."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from chores_desk import LINK, MAILS, PHOTOS, Works, box, google, template, works
from engines import bucket as s3_
from engines.processes import free_port
from killer.chores import PAUSE, Chores
from killer.mail import credentials
from killer.mail.round import LEASE
from killer.sheets.google import Google
from killer.store import errands, keeping, log, mails
from mail.worlds import SITE, addresses_of, states
from web.world import BOSS

__all__ = ["box", "google", "template", "works"]


# --- done ---


def test_photos_that_were_asked_for_are_fetched_in_the_organiser_s_name(works: Works) -> None:
    works.give_links()
    works.ask(PHOTOS)
    works.chores().tick()
    errand = works.latest("photos")
    assert (errand.state, errand.done, errand.failed, errand.total) == ("done", 8, 0, 8)
    assert works.faces() == 8
    assert "8 photos récupérées" in works.page(PHOTOS)
    with works.world.site.database.read() as connection:
        recorded = log.since(connection, 1, works.world.game.version - 1)[-1]
    assert (recorded.actor, recorded.reason) == (works.world.who(BOSS).id, "photos")


def test_photos_that_fail_one_by_one_are_counted_by_reason(works: Works) -> None:
    works.give_links()
    first, second = (LINK.format(n).partition("=")[2] for n in (1, 2))
    works.google.put_file(first, b"no picture")
    works.google.unshare(second)
    works.ask(PHOTOS)
    works.chores().tick()
    errand = works.latest("photos")
    assert (errand.state, errand.done, errand.failed) == ("done", 6, 2)
    assert dict(errand.detail) == {"not_an_image": "1", "not_shared": "1"}


def test_mails_that_were_asked_for_go_out_once_to_each(works: Works) -> None:
    works.ask(MAILS)
    chores = works.chores()
    chores.tick()
    errand = works.latest()
    assert (errand.state, errand.done, errand.failed, errand.total) == ("done", 8, 0, 8)
    assert sorted(works.box.recipients) == sorted(addresses_of(works.world).values())
    assert SITE in works.box.mails[0][1].get_body(("plain",)).get_content()
    chores.tick()
    assert len(works.box.mails) == 8, "what is done is not done again"


def test_errands_are_done_in_their_order(works: Works) -> None:
    works.give_links()
    works.ask(PHOTOS)
    works.ask(MAILS)
    works.box.on_mail = lambda _count: seen.append(works.latest("photos").state)
    seen: list[str] = []
    works.chores().tick()
    assert set(seen) == {"done"}
    assert works.latest().state == "done"


def test_how_far_an_errand_is_is_noted(works: Works) -> None:
    seen: list[tuple[str, int, int]] = []

    def look(_count: int) -> None:
        errand = works.latest()
        seen.append((errand.state, errand.done, errand.total))

    works.box.on_mail = look
    works.clock.step = 1.0
    works.ask(MAILS)
    works.chores().tick()
    assert seen == [("doing", n, 8) for n in range(8)]


def test_not_every_mail_is_a_note(works: Works) -> None:
    seen: list[int] = []
    works.box.on_mail = lambda _count: seen.append(works.latest().done)
    works.ask(MAILS)
    works.chores().tick()
    assert set(seen) == {0}


# --- left off, and gone on with ---


def test_a_stop_in_the_middle_leaves_the_rest_to_whoever_takes_over(works: Works) -> None:
    works.box.on_mail = lambda count: works.stops.append(True) if count == 3 else None
    works.ask(MAILS)
    works.chores().tick()
    errand = works.latest()
    assert (errand.state, errand.done, len(works.box.mails)) == ("waiting", 3, 3)
    assert 'hx-trigger="every 2s"' in works.page(MAILS)
    works.chores().tick()
    assert works.latest().state == "done"
    assert Counter(works.box.recipients) == Counter(addresses_of(works.world).values())


def test_a_stop_that_passes_at_once_is_no_failure(works: Works) -> None:
    """A keeper may lose its lease and get it back before the run has ended."""
    works.ask(MAILS)
    chores, site = works.chores(), works.world.site
    asked = iter([False, True])
    stop = lambda: next(asked, False)  # noqa: E731  # one question is answered with yes
    chores = Chores(site.settings, site.play, works.client, stop, works.clock)
    chores.tick()
    assert (works.latest().state, works.box.mails) == ("waiting", [])
    works.clock.time += PAUSE
    chores.tick()
    assert (works.latest().state, len(works.box.mails)) == ("done", 8)


def test_photos_go_on_where_a_stop_left_them(works: Works) -> None:
    works.give_links()
    works.ask(PHOTOS)
    chores, looks, site = works.chores(), iter(range(99)), works.world.site
    stop = lambda: next(looks) >= 4  # noqa: E731  # the first question is the chores' own
    chores = Chores(site.settings, site.play, works.client, stop, works.clock)
    chores.tick()
    first = works.latest("photos")
    assert (first.state, first.done, first.total) == ("waiting", 3, 8)
    works.chores().tick()
    assert (works.latest("photos").state, works.faces()) == ("done", 8)
    assert works.google.count("file") == 8


def test_who_is_to_stop_begins_nothing(works: Works) -> None:
    works.ask(MAILS)
    chores = works.chores()
    works.stops.append(True)
    chores.tick()
    assert (works.latest().state, works.box.mails) == ("waiting", [])


def test_what_a_dead_process_left_off_is_taken_up_again(works: Works) -> None:
    """It was killed while it sent: its errand says doing, its lease of the mails lasts."""
    works.ask(MAILS)
    works.note(errands.replace(works.latest(), state="doing", done=0, total=8))
    database = works.world.site.database
    assert keeping.take_lease(database, LEASE, "the dead", 90)
    chores = works.chores()
    chores.tick()
    assert (works.latest().state, works.box.mails) == ("waiting", [])
    assert 'hx-trigger="every 2s"' in works.page(MAILS)
    keeping.leave_lease(database, LEASE, "the dead")
    chores.tick()
    assert works.box.mails == [], "not at once"
    works.clock.time += PAUSE
    chores.tick()
    assert (works.latest().state, len(works.box.mails)) == ("done", 8)


class KilledError(BaseException):
    """The end of a process."""


def test_an_errand_survives_the_death_of_its_process(works: Works) -> None:
    def die(count: int) -> None:
        if count == 3:
            works.stops.append(True)

    def stop() -> bool:
        if works.stops:
            raise KilledError
        return False

    works.box.on_mail = die
    works.ask(MAILS)
    site = works.world.site
    with pytest.raises(KilledError):
        Chores(site.settings, site.play, works.client, stop, works.clock).tick()
    assert (works.latest().state, len(works.box.mails)) == ("doing", 3)
    works.chores().tick()
    assert works.latest().state == "done"
    assert Counter(works.box.recipients) == Counter(addresses_of(works.world).values())


# --- what Google says ---


def test_an_error_that_lasts_ends_the_errand_with_its_sentence(works: Works) -> None:
    works.give_links()
    works.google.switch_off("drive")
    works.ask(PHOTOS)
    chores = works.chores()
    chores.tick()
    errand = works.latest("photos")
    assert (errand.state, dict(errand.detail)["stopped"]) == ("failed", "google.api_disabled")
    page = works.page(PHOTOS)
    assert "Google Drive API n’est pas activée" in page
    assert "https://console." in page
    assert "hx-trigger" not in page
    works.clock.time += PAUSE
    chores.tick()
    assert works.latest("photos") == errand, "nobody tries again by himself"
    works.google.switch_on("drive")
    works.ask(PHOTOS)
    for _ in range(2):  # the first call after a rest goes alone
        chores.tick()
        works.clock.time += PAUSE
    assert (works.latest("photos").state, works.faces()) == ("done", 8)


def test_an_error_that_passes_is_waited_out(works: Works) -> None:
    works.give_links()
    works.google.fail(503, None, on="file")
    works.ask(PHOTOS)
    chores = works.chores()
    chores.tick()
    assert (works.latest("photos").state, works.faces()) == ("waiting", 0)
    assert 'hx-trigger="every 2s"' in works.page(PHOTOS)
    works.google.clear()
    asked = works.google.count("file")
    works.clock.time += PAUSE - 1
    chores.tick()
    assert works.google.count("file") == asked, "not yet"
    for wait in (1, PAUSE):  # the first call after a rest goes alone
        works.clock.time += wait
        chores.tick()
    assert (works.latest("photos").state, works.faces()) == ("done", 8)


def test_a_folder_that_cannot_be_used_is_named(works: Works) -> None:
    works.give_links()
    folder = works.world.site.settings.photos
    folder.write_text("in the way")
    works.ask(PHOTOS)
    works.chores().tick()
    assert works.latest("photos").state == "failed"
    assert str(folder) in works.page(PHOTOS)


def test_a_bucket_that_is_away_keeps_the_photos_waiting(works: Works) -> None:
    works.give_links()
    site = works.world.site
    gone = s3_.fields(s3_.variables(f"http://127.0.0.1:{free_port()}", "photos"))
    settings = replace(site.settings, **gone)
    chores = Chores(settings, site.play, works.client, lambda: False, works.clock)
    works.ask(PHOTOS)
    chores.tick()
    assert (works.latest("photos").state, works.faces()) == ("waiting", 0)
    assert dict(works.latest("photos").detail)["stopped"] == "shelf.away"
    works.clock.time += PAUSE
    works.chores().tick()
    assert (works.latest("photos").state, works.faces()) == ("done", 8)


def test_a_mail_server_that_takes_no_more_ends_the_errand(works: Works) -> None:
    works.box.faults.sender = ["452 4.3.1 enough for today"]
    works.ask(MAILS)
    works.chores().tick()
    errand = works.latest()
    assert (errand.state, dict(errand.detail)["stopped"]) == ("failed", "quota")
    assert "MAIL_RATE" in works.page(MAILS)


class BrokenGoogle(Google):
    """Fails as nobody has foreseen."""

    def file(self, file_id: str, most: int) -> bytes:
        raise RuntimeError(file_id)


def test_an_errand_that_crashes_holds_up_no_other(works: Works) -> None:
    works.give_links()
    works.ask(PHOTOS)
    works.ask(MAILS)
    works.chores(BrokenGoogle(Path())).tick()
    assert works.latest().state == "done"
    assert works.latest("photos").state == "doing"
    assert set(states(works.world).values()) == {"sent"}
    works.chores().tick()
    assert works.latest("photos").state == "done"


def test_a_mail_that_is_asked_for_while_others_go_out_goes_out_too(works: Works) -> None:
    first = works.world.who("Ana").id

    def again(count: int) -> None:
        if count == 5:  # Ana's went out before: hers is asked for once more
            with works.world.site.database.write() as connection:
                mails.ask(connection, works.world.number, [first], credentials.KIND, "fr")

    works.box.on_mail = again
    works.ask(MAILS)
    chores = works.chores()
    chores.tick()
    assert works.latest().state == "waiting"
    works.clock.time += PAUSE
    chores.tick()
    assert works.latest().state == "done"
    assert Counter(works.box.recipients)[addresses_of(works.world)["Ana"]] == 2
