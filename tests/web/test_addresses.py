"""A nickname in an address is that nickname and nobody else's, whatever stands behind it."""

from __future__ import annotations

import pytest

from killer.game import commands as c
from killer.web.routes import ROUTES
from web.world import BOSS, WORST_NAMES, World, quoted, submit

PLACE = "<nickname:nickname>"
NAMED = [route for route in ROUTES if PLACE in route.rule]
SUFFIXES = sorted({route.rule.partition(PLACE)[2] for route in NAMED} | {"/photo", "/remove/", "/"})


@pytest.mark.parametrize("route", NAMED, ids=lambda route: route.name)
def test_every_address_finds_its_own_view_and_its_own_player(still: World, route) -> None:
    addresses = still.app.url_map.bind("localhost")
    names = [*WORST_NAMES, *(f"Bob{one}{other}" for one in SUFFIXES for other in SUFFIXES)]
    for nickname in names:
        path = route.rule.replace(PLACE, nickname)  # as servers give it, decoded
        assert addresses.match(path, route.method) == (route.name, {"nickname": nickname})


def test_whoever_is_called_like_an_address_is_removed_himself(world: World) -> None:
    boss = world.phone(BOSS)
    world.do(c.Enrol("Ana/photo", seed=1))
    world.do(c.Edit(world.who("Ana").id, (("photo", "abc"),)))
    one = f"/organiser/players/{quoted('Ana/photo')}"
    assert submit(boss, f"{one}/remove", one, reason="parti").status_code == 303
    assert world.who("Ana/photo").status == "out"
    assert (world.who("Ana").status, world.who("Ana").photo) == ("alive", "abc")
