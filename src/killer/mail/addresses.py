"""Which mail addresses can be written to, and which web addresses are worth sending."""

from __future__ import annotations

import re
from email.errors import HeaderParseError, MessageError
from email.headerregistry import Address
from email.utils import parseaddr
from ipaddress import ip_address
from urllib.parse import urlsplit

LONGEST = 254  # RFC 5321, 4.5.3.1.3
LOCAL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}")
LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")


def sound(written: str) -> str:
    """Give a mail address as the mail's envelope wants it, or nothing when it is none.

    A domain beyond ASCII becomes what DNS knows; before the @, only ASCII reaches every server.
    """
    local, at, domain = written.strip().rpartition("@")
    try:
        domain = domain.encode("idna").decode()
    except UnicodeError:
        return ""
    labels = domain.split(".")
    known = bool(LOCAL.fullmatch(local)) and all(LABEL.fullmatch(label) for label in labels)
    dotted = local.startswith(".") or local.endswith(".") or ".." in local
    address = f"{local}{at}{domain}"
    return address if known and not dotted and len(address) <= LONGEST else ""


def sender(written: str) -> Address | None:
    """Read `Killer <killer@example.org>` or a bare address; nothing when it is neither."""
    name, address = parseaddr(written)
    try:
        known = sound(address)
        return Address(plain(name), addr_spec=known) if known else None
    except (HeaderParseError, MessageError, ValueError, IndexError):
        return None


def plain(text: str) -> str:
    """Make one line of a text: what can't be printed becomes a space."""
    return " ".join("".join(ch if ch.isprintable() else " " for ch in text).split())


def is_here(host: str) -> bool:
    """Tell whether a host is this machine and no other."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.casefold().rstrip(".") in {"localhost", "ip6-localhost"}


def leads_nowhere(address: str) -> bool:
    """Tell whether a web address opens nothing on anybody else's phone."""
    return is_here(urlsplit(address).hostname or "")
