"""The command line: `killer`, or `python -m killer`."""

from __future__ import annotations

import sys

from killer import cli, language, settings
from killer.language import say
from killer.settings import BadSettingError
from killer.store.database import StoreUnavailableError


def main() -> None:
    """Run a command; a user's mistake gives a sentence and exit code 1, never a traceback."""
    language.choose(settings.language())
    try:
        cli.build()()
    except BadSettingError as error:
        sys.exit(say(f"settings.{error.code}", **error.params))
    except StoreUnavailableError as error:
        sys.exit(say("cli.store_unavailable", cause=str(error)))


if __name__ == "__main__":
    main()
