"""`killer status`: the server's weather in the terminal, live or once, for people or as JSON."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Annotated

import msgspec
import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from killer.bulletin import Bulletin, bulletin
from killer.cli import common
from killer.language import say
from killer.settings import Settings
from killer.station import knock
from killer.watch.register import NAME, Register

EVERY = 2.0  # seconds between two looks
STYLES = {"green": "green", "orange": "yellow", "red": "bold red"}
SIGNS = {"green": "●", "orange": "▲", "red": "■"}


def status(
    *,
    watch: Annotated[bool | None, typer.Option("--watch/--once")] = None,
    json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Tell how the server is."""
    settings, console = common.settings(), Console()
    with common.folder(settings), suppress(FileNotFoundError):
        (settings.data_dir / NAME).open("rb").close()  # or it would seem that nobody measures
    live = console.is_terminal and not json if watch is None else watch
    if live:
        said = _follow(settings, console)
    else:
        said = _look(settings)
        if json:
            typer.echo(msgspec.json.encode(said))
        elif said:
            console.print(_drawn(said), highlight=False)
    if said is None:
        common.refuse(say("weather.status.no_server"))
    raise typer.Exit(said.colour == "red")


def _look(settings: Settings) -> Bulletin | None:
    """Give the newest bulletin; None when nobody measures and no server answers."""
    now, reading = time.time(), Register(settings.data_dir).read()
    said = bulletin(reading, now)
    stale = said.lines[0].name == "measure"
    if stale and knock((settings.listens_at, settings.port)) is None:
        return None
    return said


def _follow(settings: Settings, console: Console) -> Bulletin | None:
    """Look again and again until somebody has seen enough."""
    said = None
    with suppress(KeyboardInterrupt), Live(console=console, auto_refresh=False) as screen:
        while True:
            said = _look(settings)
            drawn = _drawn(said) if said else Text(say("weather.status.no_server"), STYLES["red"])
            hint = Text(say("weather.status.live"), "bright_black")
            screen.update(Group(drawn, Text(), hint), refresh=True)
            time.sleep(EVERY)
    return said


def _drawn(said: Bulletin) -> RenderableType:
    """Draw the verdict and a row for each line."""
    style = STYLES[said.colour]
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for line in said.lines:
        colour = STYLES[line.colour]
        word = Text(f"{SIGNS[line.colour]} {say(f'weather.colour.{line.colour}')}", colour)
        told = (line.title, line.figure, f"{line.text} {line.more}".strip())
        table.add_row(word, *map(Text, told))
    head = Text(f"{SIGNS[said.colour]} {say('weather.title')} : {said.verdict}", f"bold {style}")
    parts: list[RenderableType] = [head, Text(), table]
    if said.unsent:
        parts += [Text(), Text(said.unsent, STYLES["orange"])]
    return Group(*parts)
