"""A real application over one small game, and clients that are signed in as anybody."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from killer import app as app_
from killer import passwords, serve
from killer import secret as secret_
from killer.game import commands as c
from killer.game.model import Game, Player, Status
from killer.settings import Settings
from killer.store import games, people
from killer.store.tables import metadata
from killer.web.sessions import COOKIE, Session, SignedCookies
from killer.web.site import Site

SECRET = "a secret that is long enough for tests"
PLAYERS = ("Ana", "Bo", "Chloé", "Dédé", "Élie", "Fleur de Lys", "Gus", "Hana")
BOSS = "Orga"
#: What nobody would call himself, and somebody will.
WORST_NAMES = (
    "Ana Lise", "Éloïse-Zoë", "a/b", "a//b", "/devant", "derrière/", "100 %", "%2F", "l'“autre”",
    'dit "Bob"', "🦊 Renard", "?a=b", "#1", "a\\b", "a;b", "x/kill", "a+b", "&amp;", "١٢٣", "...",
)  # fmt: skip
PASSWORD = "le mot de passe de tout le monde"


def token_in(page: TestResponse) -> str:
    """Give the CSRF token of a page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found, page.text
    return unescape(found[1])


@dataclass
class World:
    """One application, one game."""

    app: Flask
    number: int = 0

    @property
    def site(self) -> Site:
        return app_.site_of(self.app)

    @property
    def game(self) -> Game:
        return self.site.hub.feed(self.number).game

    def who(self, nickname: str) -> Player:
        found = self.game.find(nickname)
        assert found is not None
        return found

    def prey(self, nickname: str) -> Player:
        target = self.who(nickname).target
        assert target is not None
        return self.game.players[target]

    def hunter(self, nickname: str) -> Player:
        return self.game.players[self.game.hunters[self.who(nickname).id]]

    def do(self, *commands: c.Command) -> None:
        self.site.play.perform(self.number, *commands)

    def start(self) -> None:
        self.do(c.Start(7))

    def visitor(self) -> FlaskClient:
        """Somebody who isn't signed in."""
        return self.app.test_client()

    def cookie(self, nickname: str) -> str:
        player = self.who(nickname)
        held = Session(game=self.number, player=player.id, sessions=player.sessions)
        return SignedCookies(secret_.of(self.site.settings)).write(held)

    def phone(self, nickname: str) -> FlaskClient:
        """Somebody who is signed in."""
        client = self.visitor()
        client.set_cookie(COOKIE, self.cookie(nickname))
        return client

    def give_password(self, nickname: str, password: str = PASSWORD) -> None:
        hashed = passwords.hash_password(password)
        with self.site.database.write() as connection:
            people.set_hashes(connection, self.number, {self.who(nickname).id: hashed})

    def link(self, nickname: str, *, once: bool = False) -> str:
        """Give the token of a new sign-in link."""
        player = self.who(nickname).id
        with self.site.database.write() as connection:
            return people.new_links(connection, self.number, [player], once=once)[player]


def settings_in(folder: Path, **more: Any) -> Settings:
    return Settings(**{"data_dir": folder, "secret_key": SECRET} | more)


def empty_world(settings: Settings) -> World:
    """A prepared server with one game and nobody in it."""
    serve.prepare(settings)
    world = World(app_.create(settings))
    with world.site.database.write() as connection:
        world.number = games.create(connection, "Week-end")
    return world


def populate(world: World, players: tuple[str, ...] = PLAYERS) -> None:
    """Enrol everybody; what is to be done to somebody names nobody else."""
    enrolled = [
        c.Enrol(name, year=f"{n % 3 + 1}A", challenge=challenge_of(n))
        for n, name in enumerate(players)
    ]
    world.do(*enrolled, c.Enrol(BOSS, status=Status.OUT, organiser=True))


def challenge_of(number: int) -> str:
    return f"Défi n° {number:03} & <b>le tien</b>"


def submit(client: FlaskClient, url: str, page: str = "/sign-in", **fields: Any) -> TestResponse:
    """Send a form as the page that shows it would, with its token."""
    token = token_in(client.get(page))
    return client.post(url, data={"csrf_token": token} | fields)


def without_tokens(html: str) -> str:
    """Give a page without the words of chance in its forms: any short word may be in those."""
    return re.sub(r'(name="(?:csrf_token|idempotency_key)" value=")[^"]*', r"\1", html)


def contents(world: World) -> dict[str, list[Any]]:
    """Give every row of every table, but the counts of tries, which end by themselves."""
    with world.site.database.read() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
            if table.name != "hits"
        }


def quoted(nickname: str) -> str:
    return "".join(f"%{byte:02X}" for byte in nickname.encode())


def problem(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    """Give a problem's body after looking at what RFC 9457 wants of it."""
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    body = json.loads(answer.text)
    assert body["type"] == f"urn:killer:problem:{code}"
    assert body["status"] == status
    assert body["title"].strip()
    return body
