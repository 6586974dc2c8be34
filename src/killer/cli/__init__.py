"""The command line, put together in the current language."""

from __future__ import annotations

from collections.abc import Callable

import typer

from killer.cli import (
    backup,
    cards,
    database,
    deploy,
    loadtest,
    mail,
    photos,
    roster,
    server,
    sheet,
    status,
    words,
)
from killer.language import say

COMMANDS: dict[str, Callable[..., None]] = {
    "demo": server.demo,
    "serve": server.serve,
    "import": roster.import_,
    "check": server.check,
    "status": status.status,
    "cards": cards.cards,
    "loadtest": loadtest.loadtest,
    "backup": backup.backup,
    "restore": backup.restore,
    "migrate-database": database.migrate_database,
    "deploy": deploy.deploy,
    "restart": deploy.restart,
    "rollback": deploy.rollback,
    "logs": deploy.logs,
}
GROUPS: dict[str, dict[str, Callable[..., None]]] = {
    "organiser": {
        "add": server.organiser_add,
        "list": server.organiser_list,
        "remove": server.organiser_remove,
    },
    "sheet": {"check": sheet.check, "pull": sheet.pull, "push": sheet.push, "sync": sheet.sync},
    "photos": {"fetch": photos.fetch, "check": photos.check, "push": photos.push},
    "mail": {"credentials": mail.credentials_},
    "links": {"revoke": cards.revoke, "new": cards.new},
}

#: Under which head the help lists the commands.
PANELS = {
    "game": (*("demo", "serve", "import", "check", "cards"), *GROUPS),
    "server": ("status", "loadtest", "backup", "restore", "migrate-database"),
    "machines": ("deploy", "restart", "rollback", "logs"),
}


def build() -> typer.Typer:
    """Make the command line in the current language."""
    app = typer.Typer(
        cls=words.Root,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_show_locals=False,  # there are passwords among them
        help=say("cli.help"),
    )
    for panel, names in PANELS.items():
        for name in names:
            _add(app, name, say(f"cli.panel.{panel}"))
    return app


def _add(app: typer.Typer, name: str, panel: str) -> None:
    sentence = say(f"cli.{name}.help")
    if name in COMMANDS:
        add = app.command(name, cls=words.Command, help=sentence, rich_help_panel=panel)
        add(COMMANDS[name])
        return
    below = typer.Typer(cls=words.Group, no_args_is_help=True, help=sentence)
    for each, command in GROUPS[name].items():
        below.command(each, cls=words.Command, help=say(f"cli.{name}.{each}.help"))(command)
    app.add_typer(below, name=name, rich_help_panel=panel)
