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


def build() -> typer.Typer:
    """Make the command line in the current language."""
    app = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_show_locals=False,  # there are passwords among them
        help=say("cli.help"),
    )
    for name, command in COMMANDS.items():
        app.command(name, help=say(f"cli.{name}.help"))(command)
    for group, commands in GROUPS.items():
        below = typer.Typer(no_args_is_help=True, help=say(f"cli.{group}.help"))
        for name, command in commands.items():
            below.command(name, help=say(f"cli.{group}.{name}.help"))(command)
        app.add_typer(below, name=group)
    return app
