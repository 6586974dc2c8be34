"""What the nodes of a cluster must agree on: each has settings of its own, all serve one game."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from io import StringIO
from urllib.parse import urlsplit

from dotenv import dotenv_values

from killer.ops.failures import DeployError
from killer.ops.machine import laid_over
from killer.ops.site import addresses_of

SHARED = ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "SESSION_BACKEND", "PHOTOS_URL")
STORES = ("DATABASE_URL", "REDIS_URL")
ALONE = {"localhost", "127.0.0.1", "::1"}  # on each node another machine


def planned(
    kept: Mapping[str, str | None], own: Mapping[str, str], fresh: Callable[[], str]
) -> dict[str, str]:
    """Give each machine's killer.env: its own, or for a new one that of the first that has one.

    Args:
        kept: what each has, by its name; None or nothing for a new one.
        own: settings of the inventory, which a new node gets on top.
        fresh: makes settings when no node has any.

    Raises:
        DeployError: the nodes would not serve the same game; the values are not told.
    """
    first = next((text for text in kept.values() if text), "")
    new = laid_over(first, own) if first else fresh()
    texts = {name: text or new for name, text in kept.items()}
    wanted = _shared(new)
    for name, text in texts.items():
        _check(name, _shared(text), wanted, several=len(texts) > 1)
    return texts


def check_open(text: str, closed: Mapping[str, Collection[str]]) -> None:
    """Refuse a database or a Redis on a machine whose firewall would shut the others out.

    Args:
        text: the settings that all share.
        closed: the addresses of each such machine, by its name.

    Raises:
        DeployError: which one it is, and what leads there.
    """
    found = _shared(text)
    for setting in STORES:
        leads = addresses_of(urlsplit(found[setting]).hostname or "")
        for name, addresses in closed.items():
            if leads & {*addresses}:
                raise DeployError("closed_in", host=name, setting=setting)


def _shared(text: str) -> dict[str, str]:
    found = dotenv_values(stream=StringIO(text), interpolate=False)
    values = {name: (found.get(name) or "").strip() for name in SHARED}
    values["SECRET_KEY"] = values["SECRET_KEY"] or (found.get("FLASK_SECRET_KEY") or "").strip()
    values["SESSION_BACKEND"] = values["SESSION_BACKEND"] or "cookie"
    return values


def _check(name: str, found: dict[str, str], wanted: dict[str, str], *, several: bool) -> None:
    database = urlsplit(found["DATABASE_URL"])
    if database.scheme not in {"postgresql", "postgres"}:
        raise DeployError("not_postgresql", host=name)
    if not found["SECRET_KEY"]:
        raise DeployError("no_secret", host=name)
    for setting in STORES if several else ():
        if urlsplit(found[setting]).hostname in ALONE:
            raise DeployError("only_here", host=name, setting=setting)
    for setting in SHARED:
        if found[setting] != wanted[setting]:
            raise DeployError("disagree", host=name, setting=setting)
