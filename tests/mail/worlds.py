"""A game whose players have addresses, and a run of mails to a server of the test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import zxingcpp
from PIL.Image import Image

from engines.smtp import PASSWORD, USER, Box
from killer.mail import credentials
from killer.mail.credentials import Report, Wanted
from killer.mail.round import Pace
from killer.settings import Settings
from killer.store import mails, people
from killer.store.mails import Mail
from killer.store.people import Contact
from web.world import World

SITE = "https://killer.example.org"


@dataclass
class Naps:
    """A clock that only moves when somebody sleeps."""

    time: float = 1000.0
    taken: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.taken.append(seconds)
        self.time += seconds

    @property
    def pace(self) -> Pace:
        return Pace(lambda: self.time, self.sleep, lambda: 1.0)


def settings_for(box: Box, **more: Any) -> Settings:
    return Settings(
        **{
            "smtp_host": "localhost",
            "smtp_port": box.port,
            "smtp_user": USER,
            "smtp_password": PASSWORD,
            "smtp_ca_file": box.ca_file,
            "mail_from": "Killer <killer@party.example>",
            "mail_rate": 0,
        }
        | more
    )


def addresses_of(world: World) -> dict[str, str]:
    """Give everybody but the organiser an address."""
    playing = (p for p in world.game.players.values() if not p.organiser)
    return {p.nickname: f"player{p.id}@party.example" for p in playing}


def give_addresses(world: World, **more: str) -> dict[str, str]:
    found = addresses_of(world) | more
    contacts = {world.who(name).id: Contact(email=email) for name, email in found.items()}
    with world.site.database.write() as connection:
        people.set_contacts(connection, world.number, contacts)
    return found


def send(world: World, box: Box, wanted: Wanted | None = None, **more: Any) -> Report:
    """Send mails with a clock that nobody waits for."""
    options = {"pace": Naps().pace, "patience": 20.0} | more
    settings = options.pop("settings", None) or settings_for(box)
    site = world.site
    return credentials.send(
        site.database, settings, world.number, SITE, wanted or Wanted(), **options
    )


def log(world: World) -> dict[str, Mail]:
    """Give what became of each one's mail, by nickname."""
    with world.site.database.read() as connection:
        found = mails.sent(connection, world.number, credentials.KIND)
    return {world.game.players[player].nickname: mail for player, mail in found.items()}


def states(world: World) -> dict[str, str]:
    return {nickname: mail.state for nickname, mail in log(world).items()}


def signs_in(world: World, token: str) -> str:
    """Sign in with a link's token on a new phone; give the nickname, or nothing when refused."""
    answer = world.visitor().post("/api/login", json={"token": token})
    return str(answer.json["nickname"]) if answer.status_code == 200 else ""


def codes_in(picture: Image) -> list[zxingcpp.Barcode]:
    """Read a picture's QR codes; a drawing can pass for a barcode, or for a micro QR code."""
    return zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCodeModel2)
