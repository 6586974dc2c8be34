"""A throw-away game of invented players, half of them bots that play, to see a game move."""

from __future__ import annotations

import random
import signal
import tempfile
import time
from dataclasses import replace
from itertools import product
from pathlib import Path

import typer

from killer import app as app_
from killer import serve
from killer import settings as settings_
from killer.game import commands as c
from killer.game.model import Game, PlayerId, Status
from killer.game.refusals import Refusal
from killer.language import say
from killer.settings import Settings
from killer.store import games, people
from killer.web.site import Site

BOTS = 50
WORKERS = 2
FIRST = (
    "Agile",
    "Brave",
    "Calme",
    "Espiègle",
    "Fidèle",
    "Habile",
    "Lunaire",
    "Rapide",
    "Sage",
    "Tenace",
)
SECOND = (
    "Blaireau",
    "Cigogne",
    "Daim",
    "Furet",
    "Geai",
    "Hérisson",
    "Lynx",
    "Martre",
    "Panda",
    "Renard",
)
YEARS = ("1A", "2A", "3A", "4A", "5A")
CHALLENGES = (
    "Lui faire raconter une blague sur les canards",
    "Obtenir qu'il ou elle porte ton sac dans l'escalier",
    "Lui faire dire « ornithorynque » sans que ça paraisse bizarre",
    "Lui faire chanter le début d'une chanson de l'été",
    "Réussir à échanger une chaussette avec lui ou elle",
    "Lui faire prendre une photo avec un inconnu",
    "Lui faire compter à voix haute jusqu'à douze",
    "Obtenir qu'il ou elle te dessine un mouton",
)
ORGANISER = "Orga Démo"


def run(settings: Settings, pace: float) -> None:
    """Show a game until Ctrl-C; a bot falls about every `pace` seconds."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end like Ctrl-C: nothing stays
    try:
        with tempfile.TemporaryDirectory(prefix="killer-demo-") as folder:
            here = settings_.throw_away(settings, Path(folder))
            _show(replace(here, workers=settings.workers or WORKERS), pace)
    except KeyboardInterrupt:
        typer.echo("\n" + say("cli.demo.bye"))


def _show(settings: Settings, pace: float) -> None:
    serve.check_port(settings)
    serve.prepare(settings)
    site = app_.build(settings)
    number = _make_game(site)
    with serve.beside(settings):
        _show_links(site, number)
        _play(site, number, pace)


def _make_game(site: Site) -> int:
    with site.database.write() as connection:
        number = games.create(connection, say("cli.demo.game"))
    names = [f"{second} {first}" for first, second in product(FIRST, SECOND)]
    random.shuffle(names)
    newcomers = [
        c.Enrol(name, random.choice(YEARS), random.choice(CHALLENGES))  # noqa: S311  # invented
        for name in names
    ]
    organiser = c.Enrol(ORGANISER, status=Status.OUT, organiser=True)
    site.play.perform(number, *newcomers, organiser)
    site.play.perform(number, c.Start(random.getrandbits(63)))
    return number


def _is_bot(player: PlayerId) -> bool:
    return player <= BOTS


def _show_links(site: Site, number: int) -> None:
    """Offer the seat of a person who hunts a bot, and the organisers' desk."""
    game = site.hub.feed(number).game
    seat = next(
        p for p in game.alive if not _is_bot(p.id) and p.target is not None and _is_bot(p.target)
    )
    desk = game.find(ORGANISER)
    assert desk is not None
    with site.database.write() as connection:
        tokens = people.new_links(connection, number, [seat.id, desk.id])
    typer.echo(say("cli.demo.ready", url=site.settings.address))
    address = f"{site.settings.address}/s/"
    typer.echo(say("cli.demo.player", nickname=seat.nickname, link=address + tokens[seat.id]))
    typer.echo(say("cli.demo.organiser", nickname=desk.nickname, link=address + tokens[desk.id]))
    typer.echo(say("cli.demo.stop"))


def _play(site: Site, number: int, pace: float) -> None:
    """Let bots fall, hunted by bots, until nobody but people is left."""
    while True:
        time.sleep(pace * random.uniform(0.6, 1.4))  # noqa: S311  # a human rhythm
        victim = _next_victim(site.hub.feed(number).game)
        if victim is None:
            continue
        tired = random.randrange(10) == 0  # noqa: S311  # one in ten gives up
        try:
            site.play.perform(number, c.GiveUp(victim) if tired else c.Die(victim))
        except Refusal:
            continue  # the organiser has paused or ended the game


def _next_victim(game: Game) -> PlayerId | None:
    bots = [p.id for p in game.alive if _is_bot(p.id)]
    hunted = [p for p in bots if p in game.hunters and _is_bot(game.hunters[p])]
    chosen = hunted or bots
    return random.choice(chosen) if chosen else None  # noqa: S311  # a game
