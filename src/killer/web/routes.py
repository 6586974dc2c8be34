"""Every URL: who may call it, how often, what it takes and gives."""

from __future__ import annotations

from killer.web import (
    api,
    board,
    door,
    edition,
    mails,
    organiser,
    photos,
    player,
    rehearsals,
    roster_upload,
    screen,
    shapes,
    sheet,
    status,
    weather,
)
from killer.web.route import Route, View, Who

OFTEN = "60/minute"  # a person's taps
BUSY = "1200/minute"  # an organiser's, or a program's in an organiser's name

DESK = "/organiser"
ONE = f"{DESK}/players/<nickname:nickname>"
API_DESK = "/api/organiser"
API_ONE = f"{API_DESK}/players/<nickname:nickname>"


def _reading(rule: str, view: View, who: Who, gives: type) -> Route:
    """Give a route of which the reader may have the answer already."""
    return Route("GET", rule, view, who, gives=gives, etag=True)


_MACHINES = (
    Route("GET", "/health", status.health, Who.MACHINE, gives=str),
    Route("GET", "/health/ready", status.ready, Who.MACHINE, gives=shapes.Ready),
    Route("GET", "/metrics", status.show_metrics, Who.MACHINE, gives=str),
    Route("GET", "/static/<fingerprint>/<path:name>", status.static_file, Who.MACHINE),
)

_SCREENS = (
    Route("GET", "/screen/<token>", screen.page, Who.MACHINE),
    _reading("/api/screen/<token>", screen.status, Who.MACHINE, edition.ScreenStatus),
    _reading("/api/screen/<token>/<edition>", screen.whole, Who.MACHINE, edition.Screen),
)

_PLAYERS_API = (
    Route("POST", "/api/login", api.login, Who.ANYBODY, "", shapes.SignIn, shapes.SignedIn),
    Route("POST", "/api/logout", api.logout, Who.ANYBODY, status=204),
    _reading("/api/me", api.me, Who.PLAYER, shapes.Me),
    Route("POST", "/api/death", api.death, Who.PLAYER, OFTEN, shapes.Why, shapes.Version),
    Route("POST", "/api/giveup", api.giveup, Who.PLAYER, OFTEN, shapes.Why, shapes.Version),
    _reading("/api/leaderboard", api.leaderboard, Who.PLAYER, shapes.Leaderboard),
    _reading("/api/players", api.players, Who.PLAYER, shapes.Faces),
    Route("GET", "/api/events", api.events, Who.PLAYER, gives=str),
    Route("GET", "/api/openapi.json", api.openapi, Who.ANYBODY),
)


def _command(rule: str, view: View, takes: type) -> Route:
    return Route("POST", rule, view, Who.ORGANISER, BUSY, takes, shapes.Version)


_ORGANISERS_API = (
    _reading(f"{API_DESK}/players", api.organiser_players, Who.ORGANISER, shapes.Table),
    _command(f"{API_DESK}/players", api.organiser_add, shapes.Newcomer),
    _command(f"{API_DESK}/game/<verb>", api.organiser_game, shapes.Why),
    _command(f"{API_ONE}/kill", api.organiser_kill, shapes.Killing),
    _command(f"{API_ONE}/revive", api.organiser_revive, shapes.Why),
    _command(f"{API_ONE}/remove", api.organiser_remove, shapes.Why),
    _command(f"{API_ONE}/signout", api.organiser_signout, shapes.Why),
    _command(f"{API_DESK}/undo/<number:version>", api.organiser_undo, shapes.Why),
    Route(
        "GET",
        f"{API_DESK}/weather",
        weather.current,
        Who.ORGANISER,
        gives=shapes.Weather,
        blind=True,
    ),
    Route(
        "POST",
        f"{API_DESK}/rehearsals",
        rehearsals.make,
        Who.ORGANISER,
        OFTEN,
        shapes.RehearsalWish,
        shapes.Rehearsal,
    ),
    Route(
        "DELETE",
        f"{API_DESK}/rehearsals/<number:number>",
        rehearsals.remove,
        Who.ORGANISER,
        OFTEN,
        status=204,
    ),
)

_PAGES = (
    Route("GET", "/sign-in", door.sign_in_page, Who.ANYBODY),
    Route("POST", "/sign-in", door.sign_in, Who.ANYBODY),
    Route("GET", "/s/<token>", door.link_page, Who.ANYBODY),
    Route("POST", "/s/<token>", door.use_link, Who.ANYBODY),
    Route("POST", "/sign-out", door.sign_out, Who.ANYBODY),
    Route("POST", "/language", door.choose_language, Who.ANYBODY),
    Route("GET", "/", player.home, Who.PLAYER),
    Route("GET", "/card", player.card_fragment, Who.PLAYER),
    Route("GET", "/death", player.leave_page, Who.PLAYER),
    Route("POST", "/death", player.death, Who.PLAYER, OFTEN),
    Route("GET", "/giveup", player.leave_page, Who.PLAYER),
    Route("POST", "/giveup", player.give_up, Who.PLAYER, OFTEN),
    Route("GET", "/photo", photos.page, Who.PLAYER),
    Route("POST", "/photo", photos.upload, Who.PLAYER, photos.UPLOADS, largest=photos.LARGEST),
    Route("POST", "/photo/remove", photos.remove, Who.PLAYER, OFTEN),
    Route("GET", "/photos/<name>", photos.show, Who.PLAYER),
    Route("GET", "/feed", board.news, Who.PLAYER),
    Route("GET", "/leaderboard", board.leaderboard, Who.PLAYER),
    Route("GET", "/players", board.players, Who.PLAYER),
    Route("GET", "/podium", board.podium, Who.PLAYER),
)

_ORGANISERS_PAGES = (
    Route("GET", DESK, organiser.table, Who.ORGANISER),
    Route("GET", f"{DESK}/game/<verb>", organiser.confirm, Who.ORGANISER),
    Route("POST", f"{DESK}/game/<verb>", organiser.steer, Who.ORGANISER, BUSY),
    Route("GET", f"{DESK}/challenges", organiser.challenges, Who.ORGANISER),
    Route("GET", f"{DESK}/add", organiser.add_page, Who.ORGANISER),
    Route("POST", f"{DESK}/players", organiser.add, Who.ORGANISER, BUSY),
    Route("GET", f"{DESK}/log", organiser.audit, Who.ORGANISER),
    Route("POST", f"{DESK}/undo/<number:version>", organiser.undo, Who.ORGANISER, BUSY),
    Route("GET", f"{DESK}/import", roster_upload.page, Who.ORGANISER),
    Route(
        "POST",
        f"{DESK}/import",
        roster_upload.upload,
        Who.ORGANISER,
        BUSY,
        largest=roster_upload.LARGEST,
    ),
    Route("GET", f"{DESK}/sheet", sheet.page, Who.ORGANISER),
    Route("POST", f"{DESK}/sheet/<number:number>/apply", sheet.apply, Who.ORGANISER, BUSY),
    Route("POST", f"{DESK}/sheet/<number:number>/refuse", sheet.refuse, Who.ORGANISER, BUSY),
    Route("GET", screen.PAGE, screen.desk, Who.ORGANISER),
    Route("POST", screen.PAGE, screen.show, Who.ORGANISER, BUSY),
    Route("POST", f"{screen.PAGE}/close", screen.close, Who.ORGANISER, BUSY),
    Route("GET", f"{DESK}/weather", weather.page, Who.ORGANISER, blind=True),
    Route("GET", f"{DESK}/photos", photos.album, Who.ORGANISER),
    Route("POST", f"{DESK}/photos", photos.fetch_all, Who.ORGANISER, BUSY),
    Route("GET", f"{DESK}/mails", mails.page, Who.ORGANISER),
    Route("POST", f"{DESK}/mails", mails.ask, Who.ORGANISER, BUSY),
    Route("POST", f"{DESK}/cards", mails.print_cards, Who.ORGANISER, OFTEN),
    Route("POST", f"{ONE}/mail", mails.ask_one, Who.ORGANISER, BUSY),
    Route("GET", ONE, organiser.player, Who.ORGANISER),
    Route("POST", f"{ONE}/kill", organiser.kill, Who.ORGANISER, BUSY),
    Route("POST", f"{ONE}/revive", organiser.revive, Who.ORGANISER, BUSY),
    Route("POST", f"{ONE}/remove", organiser.remove, Who.ORGANISER, BUSY),
    Route("POST", f"{ONE}/signout", organiser.sign_out, Who.ORGANISER, BUSY),
    Route("POST", f"{ONE}/link", organiser.link, Who.ORGANISER, BUSY),
    Route("POST", f"{ONE}/edit", organiser.edit, Who.ORGANISER, BUSY),
    Route("POST", f"{ONE}/remove-photo", photos.remove_of, Who.ORGANISER, BUSY),
)

ROUTES = (*_MACHINES, *_SCREENS, *_PLAYERS_API, *_ORGANISERS_API, *_PAGES, *_ORGANISERS_PAGES)
