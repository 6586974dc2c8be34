"""A whole party on its phones: everybody signed in, everybody listening, bursts of deaths."""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass

from e2e.phones import Phone, Stream, following, together
from e2e.rosters import Person
from e2e.server import Server
from e2e.tale import Tale


@dataclass
class Party:
    """The players' phones by nickname, their streams, and what must have happened so far."""

    server: Server
    host: Phone
    phones: dict[str, Phone]
    streams: list[Stream]
    tale: Tale

    def told(self) -> dict[str, str | None]:
        """Ask every phone that still plays for its target."""
        living = sorted(self.tale.targets)
        found = together(lambda nickname: self.phones[nickname].target(), living)
        return dict(zip(living, found, strict=True))

    def burst(self, dying: list[str], giving_up: list[str]) -> None:
        """Let all of them leave in the same second, some with repeated taps and keys."""
        deeds = [(n, "/api/death") for n in dying] + [(n, "/api/giveup") for n in giving_up]
        random.shuffle(deeds)
        versions = together(lambda deed: self.leave(*deed), deeds)
        for _, nickname in sorted(zip(versions, (n for n, _ in deeds), strict=True)):
            self.tale.falls(nickname, gave_up=nickname in giving_up)

    def leave(self, nickname: str, path: str) -> int:
        """Tap once or several times; give the version at which it happened."""
        phone, key = self.phones[nickname], secrets.token_hex(8)
        taps = random.choice([(key,), (key, key), (key, ""), (key, key, secrets.token_hex(8))])
        hands = [phone, *(phone.twin() for _ in taps[1:])]
        pairs = list(zip(hands, taps, strict=True))
        answers = together(lambda pair: pair[0].ask("POST", path, {}, key=pair[1]), pairs)
        versions = [answer.version for answer in answers]
        again = phone.ask("POST", path, {}, key=key).version
        assert again == versions[0], f"{nickname} repeated a key and was told another version"
        return min(versions)


def gather(server: Server, roster: list[Person]) -> Party:
    """Sign everybody in with the password of the sheet, open all streams, start the game."""
    phones = {p.nickname: Phone(server.port, p.nickname) for p in roster if not p.organiser}
    answers = together(lambda p: phones[p.nickname].sign_in(p.password), roster[: len(phones)], 20)
    assert {answer.status for answer in answers} == {200}
    host = server.organiser()
    streams = following(list(phones.values()), phones[roster[0].nickname].me()["game"]["version"])
    host.ask("POST", "/api/organiser/game/start", {}).version  # noqa: B018  # asserts that it is 200
    party = Party(server, host, phones, streams, Tale(dict.fromkeys(phones, "")))
    party.tale.targets = {n: str(target) for n, target in party.told().items()}
    return party
