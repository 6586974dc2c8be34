"""Print a session cookie for every player of the game in a folder."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from killer import app, settings
from killer.web.sessions import Session, SignedCookies

found = replace(settings.load({}), data_dir=Path(sys.argv[1]))
site = app.build(found)
cookies = SignedCookies(settings.secret(found))
for row in site.hub.games():
    for player in site.hub.feed(row.id).game.players.values():
        session = Session(game=row.id, player=player.id, sessions=player.sessions)
        sys.stdout.write(f"{player.nickname}\tkiller={cookies.write(session)}\n")
