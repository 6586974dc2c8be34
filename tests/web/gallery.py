"""Every page in every state, from real games: rendered for tests, photographed for eyes.

python tests/web/gallery.py [FOLDER] [NAME…]
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from flask import Flask, Response, render_template, send_from_directory
from markupsafe import Markup
from werkzeug.serving import make_server

from killer.game import audience
from killer.game import commands as c
from killer.game.model import Game, Player, PlayerId, Visibility
from killer.game.rules import decide
from killer.language import say, speaking
from killer.live.frames import SILENT, sentence
from killer.web import board, pages
from killer.web.guard import POLICY

WEB = Path(pages.__file__).parent
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
SIZES = {
    "small": {"width": 320, "height": 568},
    "phone": {"width": 390, "height": 844},
    "laptop": {"width": 1280, "height": 800},
}
BEGAN = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)

FIRST = (
    *("Camille", "Sacha", "Maëlle", "Théo", "Inès", "Yanis", "Zoé", "Louison", "Jules", "Noor"),
    *("Élise", "Marius", "Apolline", "Bilal", "Rose", "Octave", "Sixtine", "Gaspard", "Fleur"),
    "Anatole",
)
LAST = ["Corbeau", "Loutre", "Tempête", "Orage", "Silex"]
CHALLENGES = (
    "Lui faire chanter le refrain d'une chanson d'amour devant au moins trois témoins",
    "Obtenir qu'il ou elle porte ton sac",
    "Lui faire dire « c'est pas faux »",
    "Te faire offrir un café, puis le boire sans dire merci",
    "Lui faire danser la macarena",
)
LONGEST_NAME = "Maximilienne-Alexandrine de la Rochefoucauld-Montmorency III"
LONGEST_CHALLENGE = (
    "Convaincre ta cible de t'expliquer, schéma à l'appui, le fonctionnement du moteur à "
    "explosion, puis lui faire recommencer depuis le début parce que tu n'as pas compris la "
    "bielle ; pendant ce temps un complice doit passer deux fois derrière elle avec un chapeau "
    "différent sans qu'elle le remarque, et à la fin elle doit te serrer la main en disant « au "
    "plaisir de vous revoir, cher collègue ». Les mots exacts comptent : un témoin extérieur au "
    "jeu devra pouvoir les confirmer le soir même aux organisateurs, faute."
)


@dataclass
class Told:
    """A game and the log that it was made of."""

    game: Game = field(default_factory=Game)
    records: list[pages.Record] = field(default_factory=list)

    def do(self, *commands: c.Command, actor: str = "", reason: str = "") -> Told:
        for command in commands:
            for event in decide(self.game, command):
                self.game = self.game.after(event)
                at = BEGAN + timedelta(minutes=7 * self.game.version)
                self.records.append(pages.Record(self.game.version, at, event, actor, reason))
        return self

    @property
    def newest(self) -> list[pages.Record]:
        return self.records[::-1]

    def player(self, nickname: str) -> Player:
        found = self.game.find(nickname)
        assert found is not None
        return found


def names(players: int) -> list[str]:
    pool = [
        f"{first} {last}" if i else first for i, last in enumerate(["", *LAST]) for first in FIRST
    ]
    return pool[:players]


def gathered(players: int = 100) -> Told:
    """A game that has not begun: organisers who don't play, and that many who do."""
    told = Told(Game(name="Week-end d'intégration"))
    told.do(
        *(
            c.Enrol(name, year="Bureau", status=pages.Status.OUT, organiser=True)
            for name in ("Agathe B.", "Karim")
        )
    )
    for i, name in enumerate(names(players)):
        told.do(c.Enrol(name, year=f"{i % 3 + 1}A", challenge=CHALLENGES[i % len(CHALLENGES)]))
    return told


def started(players: int = 100, falls: int = 0, visibility: Visibility = Visibility.OPEN) -> Told:
    """A game under way: Camille hunts Sacha and so on round, and some have fallen."""
    told = gathered(players)
    living = [p.nickname for p in told.game.alive]
    ring = tuple(zip(living, [*living[1:], living[0]], strict=True))
    told.do(c.SetVisibility(visibility), c.GiveTargets(ring), c.Start(1), actor="Karim")
    for i in range(falls):
        hunter = told.game.alive[i * 7 % 13 % len(told.game.alive) if i % 4 else 0]
        prey = hunter.target or PlayerId(0)
        told.do(c.GiveUp(prey) if i % 11 == 8 else c.Die(prey))
    return told


def extremes() -> Told:
    """The longest nickname and the longest challenge that the rules allow."""
    told = started(12, 3)
    target = told.player("Camille").target or PlayerId(0)
    fields = (("nickname", LONGEST_NAME[:60]), ("challenge", LONGEST_CHALLENGE[:500]))
    return told.do(c.Edit(target, fields), c.SetVisibility(Visibility.OPEN))


def over(players: int = 30) -> Told:
    """A game played to its end."""
    told = started(players)
    for i in count():
        if told.game.state == "over":
            return told
        hunter = told.game.alive[i * i % 5 % len(told.game.alive)]
        told.do(c.Die(hunter.target or PlayerId(0)))
    raise AssertionError


@dataclass(frozen=True)
class Sample:
    """One page in one state: a template and what it is given."""

    name: str
    template: str
    context: dict[str, Any]
    reveal: bool = False
    tap: str = ""


def seen(told: Told, nickname: str, **context: Any) -> dict[str, Any]:
    return {"game": told.game, "viewer": told.player(nickname), **context}


def news(told: Told) -> list[pages.FeedLine]:
    """Tell everybody's news, newest first."""
    known = ((record, audience.news(told.game, record.event)) for record in told.newest)
    return [
        pages.FeedLine(record.version, record.at, each.kind, sentence(each))
        for record, each in known
        if each.kind not in SILENT
    ]


def card_of(told: Told, nickname: str) -> dict[str, Any]:
    player = told.player(nickname)
    lines = news(told)[:20]
    return seen(told, nickname, card=pages.card(told.game, player), feed=lines)


def doors() -> Iterator[Sample]:
    nobody = {"game": None, "viewer": None}
    yield Sample("sign-in", "sign_in.html", nobody)
    yield Sample("sign-in-wrong", "sign_in.html", nobody | {"wrong": True, "nickname": "Camille"})
    yield Sample("sign-in-wait", "sign_in.html", nobody | {"wait": 4, "nickname": "Camille"})
    yield Sample("link", "link.html", nobody | {"nickname": "Camille", "token": "abc"})
    yield Sample("link-void", "link.html", nobody)
    for code in (401, 403, 404, 409, 429, 500, 503):
        yield Sample(f"error-{code}", "error.html", nobody | {"code": code})
    yield Sample(
        "error-sentence",
        "error.html",
        nobody | {"code": 409, "sentence": say("refusal.game_paused")},
    )


def cards() -> Iterator[Sample]:
    running, early = started(100, 43), gathered(34)
    fallen = next(p for p in running.game.fallen if p.status == "dead").nickname
    quitter = next(p for p in running.game.fallen if p.status == "gaveup").nickname
    yield Sample("card", "card.html", card_of(running, "Camille"), reveal=True)
    yield Sample("card-veiled", "card.html", card_of(running, "Camille"))
    yield Sample(
        "card-death", "card.html", card_of(running, "Camille"), reveal=True, tap=".btn-death"
    )
    yield Sample("card-preparing", "card.html", card_of(early, "Camille"))
    yield Sample("card-dead", "card.html", card_of(running, fallen))
    yield Sample("card-gaveup", "card.html", card_of(running, quitter))
    yield Sample("card-organiser", "card.html", card_of(running, "Karim"))
    yield Sample("card-long", "card.html", card_of(extremes(), "Camille"), reveal=True)
    ended = over()
    yield Sample("card-won", "card.html", card_of(ended, ended.game.alive[0].nickname))
    yield Sample("card-over", "card.html", card_of(ended, ended.game.fallen[9].nickname))
    together = started(20, 6).do(c.End())
    yield Sample("card-together", "card.html", card_of(together, together.game.alive[0].nickname))
    paused = started(20, 4).do(c.Pause())
    yield Sample("card-paused", "card.html", card_of(paused, "Camille"), reveal=True)
    for leave in ("death", "giveup"):
        yield Sample(f"leave-{leave}", "leave.html", seen(running, "Camille", leave=leave))


def standings() -> Iterator[Sample]:
    running, ended = started(100, 43), over()
    discreet = started(20, 4, Visibility.DISCREET)
    phones = {PlayerId(1): "06 12 34 56 78"}
    for name, told in (("", running), ("-discreet", discreet), ("-long", extremes())):
        ranking = board.written_ranking(told.game)
        mine = ranking.places[told.player("Camille").id]
        shown = seen(told, "Camille", ranking=ranking, mine=mine)
        yield Sample(f"leaderboard{name}", "leaderboard.html", shown)
    for name, told in (("", running), ("-long", extremes())):
        faces = board.written_faces(told.game, phones)
        yield Sample(f"players{name}", "players.html", seen(told, "Camille", faces=faces))
    for name, told in (
        ("podium", ended),
        ("podium-running", running),
        ("podium-ties", started(20, 6).do(c.End())),
    ):
        yield Sample(name, "podium.html", seen(told, "Camille", podium=pages.podium(told.game)))


def desk() -> Iterator[Sample]:
    told, early, ended = started(100, 43), gathered(34), over()
    told.do(
        c.Pause(),
        c.Resume(),
        c.Kill(told.game.alive[5].id, credited=False),
        actor="Karim",
        reason="Litige tranché",
    )
    for name, each in (("", told), ("-preparing", early), ("-over", ended)):
        yield Sample(
            f"organiser{name}",
            "organiser/table.html",
            seen(each, "Karim", table=pages.table(each.game)),
        )
    yield Sample(
        "organiser-end",
        "organiser/table.html",
        seen(told, "Karim", table=pages.table(told.game)),
        tap='[data-dialog="end-dialog"]',
    )
    me = told.player("Camille")
    mine = [record for record in told.newest if getattr(record.event, "player", None) == me.id]
    about = pages.player_file(told.game, me, mine, ())
    yield Sample(
        "organiser-player",
        "organiser/player.html",
        seen(told, "Karim", file=about),
        tap=".deeds summary",
    )
    yield Sample(
        "organiser-link",
        "organiser/player.html",
        seen(told, "Karim", file=about, link="https://killer.example.org/s/VfQ2r8dXw0c3"),
    )
    yield Sample(
        "organiser-log",
        "organiser/log.html",
        seen(
            told,
            "Karim",
            lines=pages.log(told.game, told.newest[:40], {told.game.version - 2}),
            older=99,
        ),
    )
    for name in ("add", "import", "challenges"):
        context = seen(told, "Karim", table=pages.table(told.game))
        yield Sample(f"organiser-{name}", f"organiser/{name}.html", context)
    taken = "Ce surnom est déjà pris par la ligne 3. Choisissez-en un autre."
    missing = "La colonne manque. Ajoutez-la ou choisissez un autre fichier."
    faults = (
        pages.Fault("joueurs.csv", 14, "Surnom", taken),
        pages.Fault("joueurs.csv", None, "Mot de passe", missing),
    )
    for name, found in (("faults", faults), ("sound", ())):
        preview = pages.Preview(
            new=96, changed=3, unchanged=1, organisers=2, faults=found, upload="u1"
        )
        yield Sample(
            f"organiser-import-{name}",
            "organiser/import.html",
            seen(told, "Karim", preview=preview),
        )
    links = [(name, f"https://killer.example.org/s/{i}") for i, name in enumerate(names(8))]
    yield Sample(
        "organiser-imported", "organiser/import.html", seen(told, "Karim", links=links, imported=99)
    )
    yield Sample(
        "organiser-confirm", "organiser/confirm.html", seen(early, "Karim", action="start")
    )


def samples() -> list[Sample]:
    notice = pages.Notice("C'est noté.")
    said = Sample("notice", "sign_in.html", {"game": None, "viewer": None, "notice": notice})
    return [*doors(), *cards(), *standings(), *desk(), said]


def application() -> Flask:
    """A site that only shows samples: /<language>/<name>."""
    app = Flask("gallery", template_folder=str(WEB / "templates"), static_folder=None)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    keys = count()
    app.jinja_env.globals.update(
        _=say,
        csrf=lambda: "token",
        once=lambda: f"key-{next(keys)}",
        static=lambda name: f"/static/{name}",
        script=lambda name: Markup(f'<script defer src="/static/{name}"></script>'),
        style=lambda name: Markup(f'<link rel="stylesheet" href="/static/{name}">'),
    )
    by_name: dict[str, dict[str, Sample]] = {}

    @app.get("/<lang>/<name>")
    def show(lang: str, name: str) -> Response:
        with speaking(lang):
            known = by_name.get(lang) or {sample.name: sample for sample in samples()}
            by_name[lang] = known
            answer = Response(render(known[name], lang))
        answer.headers["Content-Security-Policy"] = POLICY
        return answer

    @app.get("/api/events")
    def events() -> Response:
        return Response("retry: 60000\nevent: ping\ndata:\n\n", mimetype="text/event-stream")

    @app.get("/static/<path:name>")
    def static(name: str) -> Response:
        return send_from_directory(WEB / "static", name)

    return app


def render(sample: Sample, lang: str = "fr") -> str:
    """Render a sample, inside an application's context."""
    return render_template(sample.template, **{"lang": lang, "notice": None, **sample.context})


def shoot(folder: Path, wanted: list[str]) -> None:
    """Photograph every sample on a phone and a laptop, by day and by night; say what is wrong."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # only for eyes

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, application(), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    folder.mkdir(parents=True, exist_ok=True)
    with application().app_context():
        chosen = [s for s in samples() if not wanted or s.name in wanted]
    screens = os.environ.get("SCREENS", "phone-light,phone-dark,laptop-light,laptop-dark").split(
        ","
    )
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        for screen in screens:
            kind, scheme = screen.split("-")
            context = browser.new_context(
                viewport=SIZES[kind],
                color_scheme=scheme,
                has_touch=kind != "laptop",
                device_scale_factor=1,
            )
            page = context.new_page()
            page.on(
                "console",
                lambda m: print("console:", m.text) if "Content Security" in m.text else None,
            )
            page.on("pageerror", lambda e: print("error:", e))
            for sample in chosen:
                photograph(page, server.port, sample, folder / f"{sample.name}-{screen}.png")
        browser.close()
    server.shutdown()


def photograph(page: Any, port: int, sample: Sample, file: Path) -> None:
    lang = os.environ.get("LANGUAGE_SHOWN", "fr")
    page.goto(f"http://127.0.0.1:{port}/{lang}/{sample.name}", wait_until="load")
    page.evaluate(
        "shown => { const b = document.getElementById('reveal'); if (b) b.checked = shown }",
        sample.reveal,
    )
    if sample.tap:
        page.locator(sample.tap).first.click()
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if wide > 0:
        print(f"overflow: {file.name} by {wide} px")
    page.screenshot(path=str(file), full_page=not sample.tap and "WHOLE" in os.environ)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    shoot(Path(arguments[0] if arguments else "/tmp/gallery"), arguments[1:])
