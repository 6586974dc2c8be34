"""What the command line says by itself, from the catalogues: the help, and what was typed wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from typer import rich_utils
from typer._click import Command as ClickCommand
from typer._click import Context
from typer._click.core import Parameter
from typer._click.exceptions import NoArgsIsHelpError, UsageError
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from killer.language import catalogue, say, say_kept

#: What is typed after an option or as an argument, where its type doesn't say it well.
VALUES = {
    "file": ("players", "challenges", "output", "whole", "file", "inventory", "certificate", "key"),
    "folder": ("out",),
    "game": ("game",),
    "nickname": ("only", "nickname"),
    "name": ("name", "domain"),
    "email": ("email",),
    "token": ("token", "metrics_token"),
    "steps": ("steps",),
    "seconds": ("hold",),
    "number": ("lines",),
    "from": ("source",),
    "to": ("target",),
}
#: The mistakes that Typer tells in English, the longer sentence first where two begin alike.
MISTAKES = (
    *("missing_option", "missing_argument", "missing_command", "no_option_but", "no_option"),
    *("no_command_but", "no_command", "too_many", "no_value", "no_value_wanted"),
    *("bad_value_of", "bad_value", "whole", "number", "least", "choice"),
)


class _Ours(ClickCommand):
    """Says how a command is used."""

    def get_usage(self, ctx: Context) -> str:
        """Give the line that shows what may be typed."""
        return super().get_usage(ctx).replace("Usage: ", say("cli.click.usage"), 1)


class Command(_Ours, TyperCommand):
    """A command whose own words are from the catalogues."""


class Group(_Ours, TyperGroup):
    """Commands below one word."""


class Root(Group):
    """The whole command line: it gives every command and option below it its sentence."""

    def __init__(self, **attributes: Any) -> None:  # Typer's
        """Fill in the sentences of the language that is spoken now."""
        super().__init__(**attributes)
        _speak()
        _fill(self, "")

    def make_context(
        self, info_name: str | None, args: list[str], parent: Context | None = None, **extra: object
    ) -> Context:
        """Read what was typed before the command's name."""
        with _told():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: Context) -> object:
        """Read the rest, and do it."""
        with _told():
            return super().invoke(ctx)


def _speak() -> None:
    """Give Typer's own words, which it keeps as constants of a module."""
    rich_utils.COMMANDS_PANEL_TITLE = say("cli.click.commands")
    rich_utils.ERRORS_PANEL_TITLE = say("cli.click.error")
    rich_utils.ABORTED_TEXT = say("cli.click.aborted")
    rich_utils.REQUIRED_LONG_STRING = say("cli.click.required")
    rich_utils.DEFAULT_STRING = say("cli.click.default", value="{}")
    rich_utils.RICH_HELP = say("cli.click.more", command="{command_path}", option="{help_option}")
    rich_utils.RANGE_STRING = ""  # a wrong number is told what is allowed


def _fill(command: ClickCommand, words: str) -> None:
    """Give a command, its options and what is below it their sentences."""
    command.short_help = say_kept(f"cli{words}.short") or None
    for param in command.get_params(Context(command)):
        _describe(param, words)
    if isinstance(command, TyperGroup):
        command.subcommand_metavar = say("cli.click.command")
        for name, each in command.commands.items():
            _fill(each, f"{words}.{name}")


def _describe(param: Parameter, words: str) -> None:
    assert isinstance(param, TyperOption | TyperArgument)
    key = f"{param.param_type_name}.{param.name}"
    param.help = say_kept(f"cli{words}.{key}") or say_kept(f"cli.{key}")
    if isinstance(param, TyperOption) and param.is_flag:
        param.metavar = ""  # nothing is to be typed after it
    for kind in (kind for kind, names in VALUES.items() if param.name in names):
        param.metavar = say(f"cli.value.{kind}")
    if isinstance(param, TyperArgument):
        vars(param)["display_type_rich"] = _nothing  # its name says it


def _nothing(ctx: Context) -> None:
    """Say nothing of a type."""


@contextmanager
def _told() -> Iterator[None]:
    """Tell what was typed wrong in the language of whoever typed it."""
    try:
        yield
    except NoArgsIsHelpError:
        raise
    except UsageError as error:
        raise UsageError(told(error.format_message()), error.ctx) from error


def told(mistake: str) -> str:
    """Give the sentence for a mistake that Typer tells; its own if it isn't a known one."""
    for name in MISTAKES:
        found = _pattern(f"cli.click.{name}").fullmatch(mistake)
        if found:
            return say(f"cli.click.{name}", **{n: told(v) for n, v in found.groupdict().items()})
    return mistake


@cache
def _pattern(key: str) -> re.Pattern[str]:
    """Read Typer's sentence, which the English catalogue has to the letter."""
    sentence = re.escape(str(catalogue("en")[key]))
    return re.compile(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.+)", sentence), re.DOTALL)
