"""`killer photos`: fetching those that the form's links name, and looking after their place."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from killer.cli import common
from killer.cli.common import game_named, refuse
from killer.language import say
from killer.media import fetch as fetch_
from killer.media.bucket import bucket_of
from killer.media.fetch import Plan, Report
from killer.media.pictures import LARGEST, SIZES
from killer.media.shelf import ShelfError
from killer.play import Request
from killer.sheets.google import Google, GoogleError
from killer.store import photos
from killer.store.database import StoreUnavailableError
from killer.web.site import Site


def fetch(
    game: Annotated[str | None, typer.Option()] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run")] = False,
    again: Annotated[bool, typer.Option("--again")] = False,
) -> None:
    """Fetch the photos that the form's links name."""
    site = common.site()
    number = game_named(site, game)
    planned = fetch_.plan(site.play, number, again=again)
    if dry_run:
        counts = {"there": planned.there, "without": planned.without}
        typer.echo(say("cli.photos.would", todo=len(planned.links), **counts))
        return
    if not site.settings.key_file.name:
        refuse(say("cli.photos.no_account"))
    report = _fetch(site, number, planned, again=again)
    _show(report)
    if report.failed or report.left:
        raise typer.Exit(1)


def _fetch(site: Site, number: int, planned: Plan, *, again: bool) -> Report:
    settings = site.settings
    google = Google(settings.key_file, url=settings.google_url, timeout=settings.google_timeout)
    todo = len(planned.links)
    with (
        common.asked_to_end() as ending,
        common.progress(say("cli.photos.progress"), todo) as bar,
    ):

        def told(done: int, failed: int, total: int) -> None:
            bar.update(bar.task_ids[0], completed=done + failed, total=total)

        return fetch_.fetch(
            site.play,
            number,
            site.shelf,
            lambda file_id: google.file(file_id, LARGEST),
            told,
            lambda: bool(ending),
            request=Request(reason="killer photos fetch"),
            again=again,
        )


def _show(report: Report) -> None:
    """Say what was done, what failed and why, and what ended it early."""
    if report.failed:
        table = Table(*(say(f"cli.photos.{column}") for column in ("count", "who", "why")))
        for code, count in report.reasons:
            who = ", ".join(nickname for nickname, why in report.failed if why == code)
            table.add_row(count, Text(who), say(f"photo.{code}"), style="red")
        Console(stderr=True).print(table)
    counts = {"there": report.there, "without": report.without}
    done, failed = len(report.done), len(report.failed)
    typer.echo(say("cli.photos.done", done=done, failed=failed, **counts))
    if report.error:
        typer.echo(_sentence(report.error), err=True)
    if report.left:
        typer.echo(say("cli.photos.left", left=report.left), err=True)


def check() -> None:
    """Check the place where the photos are."""
    site = common.site()
    bucket = bucket_of(site.settings)
    if bucket is None:
        typer.echo(say("cli.photos.here", folder=site.settings.photos))
        return
    try:
        bucket.check()
        there = {file for file, _ in bucket.files("")}
    except ShelfError as error:
        refuse(_sentence(error), error)
    typer.echo(say("cli.photos.well", place=site.settings.photos_url))
    with site.database.read() as connection:
        shown = photos.shown(connection)
    if missing := sum(
        f"{g}/{photo}-{size}.webp" not in there for g, photo in shown for size in SIZES
    ):
        refuse(say("cli.photos.not_there", n=missing))
    typer.echo(say("cli.photos.complete"))


def push() -> None:
    """Put this machine's photos into the bucket."""
    site = common.site()
    if not site.settings.photos_url:
        refuse(say("cli.photos.no_url"))
    files = site.shelf.copies()
    try:
        with common.progress(say("cli.photos.pushing"), len(files)) as bar:
            told = partial(bar.update, bar.task_ids[0])
            done = site.shelf.hand_over(files, lambda there: told(completed=there))
    except ShelfError as error:
        typer.echo(_sentence(error), err=True)
        refuse(say("cli.photos.push_left"), error)
    typer.echo(say("cli.photos.pushed", n=done))


def _sentence(error: Exception) -> str:
    match error:
        case GoogleError() | ShelfError():
            return say(error.sentence, **error.params)
        case StoreUnavailableError():
            return say("cli.store_unavailable", cause=error)
        case _:
            raise error
