"""Photos: shown to the players of their game only, sent from a phone, fetched from Drive."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from flask import Response, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from killer.game.model import Game, PlayerId
from killer.language import say, say_kept
from killer.media import fetch, own
from killer.media.aside import UPLOADS as PLACES
from killer.media.aside import prepare_aside
from killer.media.pictures import SIZES, BadPhotoError, Photo, Size
from killer.media.shelf import NAME, ShelfError
from killer.store import errands
from killer.store.errands import OPEN, Errand
from killer.threads import FullError
from killer.web import deeds, render
from killer.web.faces import Person, photo_url
from killer.web.problems import ProblemError
from killer.web.site import asked, outer_address, site, viewer

LARGEST = 15 * 1024 * 1024  # bytes of an upload, what is around the photo included
UPLOADS = "20/hour"
FOREVER = "private, max-age=31536000, immutable"  # another picture has another name
BUSY_SECONDS = 30
QUEUE_SECONDS = 10
NOT_KEPT = {"full": "disk_full", "folder": "no_shelf"}  # what a player is told

# --- showing ---


def show(name: str) -> Response:
    """Give a photo of the viewer's game, for a year: its name changes with the picture."""
    size = next((each for each in SIZES if each == request.args.get("size", "medium")), None)
    if size is None or not NAME.fullmatch(name) or name not in viewer().feed.once("photos", _worn):
        raise ProblemError(404, "not_found")
    etag = f'"{name}-{size}"'
    headers = {
        "Cache-Control": FOREVER,
        "ETag": etag,
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if etag in request.headers.get("If-None-Match", ""):
        return Response(status=304, headers=headers)
    return Response(_body(name, size, headers), headers=headers, content_type="image/webp")


def _worn(game: Game) -> frozenset[str]:
    """Name the photos that somebody has now: what was taken away is shown no longer."""
    return frozenset(player.photo for player in game.players.values() if player.photo)


def _body(name: str, size: Size, headers: dict[str, str]) -> bytes:
    """Read a picture, or let nginx do it."""
    number = viewer().feed.number
    shelf = site().shelf
    if site().settings.photo_accel and shelf.path(number, name, size).exists():
        del headers["ETag"]  # nginx makes its own
        headers["X-Accel-Redirect"] = f"/_photos/{number}/{name}-{size}.webp"
        return b""
    try:
        data = shelf.read(number, name, size)
    except ShelfError as error:  # the page is whole without it, and no proxy doubts this machine
        raise ProblemError(404, "photo_away") from error
    if data is None:
        raise ProblemError(404, "not_found")
    return data


# --- from the phone ---


def page(problem: str = "") -> ResponseReturnValue:
    """Show the own photo and the form to change it."""
    feed = viewer().feed
    me = feed.game.players[viewer().player.id]
    shown = Person(me.nickname, me.year, photo_url(me.photo, "large"))
    return render.page("photo.html", me=shown, problem=problem), 422 if problem else 200


def upload() -> ResponseReturnValue:
    """Take a photo from the viewer's phone."""
    given = request.files.get("photo")
    if not given or not given.filename:
        return page(say("photos.none_chosen"))
    try:
        photo = _prepared(given)
    except BadPhotoError as error:
        return page(say(f"photo.{error.code}"))
    number = viewer().feed.number
    try:
        name = site().shelf.keep(number, photo)
    except ShelfError as error:
        code = NOT_KEPT.get(error.code, "no_bucket")
        raise ProblemError(503, code, retry_after=BUSY_SECONDS) from error
    own.wear(site().play, number, viewer().player.id, name, asked())
    render.leave_notice(say("photos.changed"))
    return redirect("/photo", 303)


def _prepared(given: FileStorage) -> Photo:
    """Make the pictures when it is this photo's turn; until then it stays on the disk."""
    try:
        with PLACES.taken((viewer().feed.number, viewer().player.id)):
            return prepare_aside(given.read)
    except FullError as full:
        status, code = (429, "photo_waiting") if full.own else (503, "photos_busy")
        raise ProblemError(status, code, retry_after=QUEUE_SECONDS) from full


def remove() -> ResponseReturnValue:
    """Take the own photo away."""
    _take_off(viewer().player.id)
    render.leave_notice(say("photos.removed"))
    return redirect("/photo", 303)


def remove_of(nickname: str) -> ResponseReturnValue:
    """Take a player's photo away, as an organiser."""
    player = deeds.player_named(nickname)
    _take_off(player.id, request.form.get("reason", ""))
    render.leave_notice(say("photos.removed_of", nickname=player.nickname))
    return redirect(f"/organiser/players/{quote(player.nickname, safe='')}", 303)


def _take_off(player: PlayerId, reason: str = "") -> None:
    own.take_off(site().play, viewer().feed.number, player, asked(reason))


# --- the organisers' page ---


@dataclass(frozen=True, slots=True)
class Failure:
    """Whose photo could not be had, and why."""

    nickname: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Album:
    """How far a game's photos are."""

    players: int
    faces: int
    waiting: int
    failures: tuple[Failure, ...]
    errand: Errand | None
    can_fetch: bool

    @property
    def busy(self) -> bool:
        """Tell whether a fetch is under way."""
        return self.errand is not None and self.errand.state in OPEN

    @property
    def stopped(self) -> str:
        """Say why the last fetch left off, if that was kept in words that we know."""
        told = dict(self.errand.detail) if self.errand else {}
        return say_kept(told.pop("stopped"), **told) if "stopped" in told else ""


def album() -> ResponseReturnValue:
    """Show how far the photos are, and the button that fetches them."""
    part = request.args.get("part") == "album"
    template = "organiser/_album.html" if part else "organiser/photos.html"
    return render.page(template, album=_album())


def _album() -> Album:
    game, number = viewer().game, viewer().feed.number
    planned = fetch.plan(site().play, number)
    failures = [
        Failure(link.nickname, say_kept(f"photo.{link.failure}"))
        for link in planned.links
        if link.failure
    ]
    with site().database.read() as connection:
        errand = errands.latest(connection, number, "photos")
    return Album(
        players=len(game.playing),
        faces=sum(bool(player.photo) for player in game.playing),
        waiting=len(planned.links) - len(failures),
        failures=tuple(failures),
        errand=errand,
        can_fetch=site().settings.key_file.name != "",
    )


def fetch_all() -> ResponseReturnValue:
    """Ask for all photos that the form's links name."""
    with site().database.write() as connection:
        number, actor = viewer().feed.number, viewer().player.id
        if deeds.once(connection):
            errands.ask(connection, number, "photos", actor, outer_address())
    return redirect("/organiser/photos", 303)
