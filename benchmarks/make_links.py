"""Print a session cookie and a sign-in token for every player of the game in a folder."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from killer import app, settings
from killer import secret as secret_
from killer.store import people
from killer.web.sessions import Session, SignedCookies

found = replace(settings.load(), data_dir=Path(sys.argv[1]))
site = app.build(found)
cookies = SignedCookies(secret_.of(found))
for row in site.hub.games():
    players = site.hub.feed(row.id).game.players.values()
    with site.database.write() as connection:
        tokens = people.new_links(connection, row.id, [player.id for player in players])
    for player in players:
        session = Session(game=row.id, player=player.id, sessions=player.sessions)
        words = (player.nickname, f"killer={cookies.write(session)}", tokens[player.id])
        sys.stdout.write("\t".join(words) + "\n")
