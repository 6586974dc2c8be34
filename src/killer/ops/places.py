"""Where everything lies on the machine that is deployed to."""

from __future__ import annotations

import re

USER = "killer"
WEB = "www-data"  # as whom Debian's nginx runs
HOME = "/opt/killer"
RELEASES = f"{HOME}/releases"
LIBRARIES = f"{HOME}/libraries"
SLOTS = f"{HOME}/slots"
CURRENT = f"{HOME}/current"
PREVIOUS = f"{HOME}/previous"
LIVE = f"{HOME}/live.sock"  # a link to the socket of the slot that players reach
SOCKETS = "/run/killer"
DATA = "/var/lib/killer"
SETTINGS = "/etc/killer"
ENVIRONMENT = f"{SETTINGS}/killer.env"
WISHES = f"{SETTINGS}/deploy.json"
UNITS = "/etc/systemd/system"
NODE_PORT = 8090  # on which a node's own nginx answers the front
NODE_SITE = "/etc/nginx/conf.d/killer-node.conf"
NODES = "/etc/nginx/killer-nodes.inc"  # the front's list of nodes; the lookout marks who is down
LOOKOUT = f"{HOME}/lookout.py"
COMPLETE = "complete"  # a file that says that a folder was filled to the end, and from what

BOTH = (1, 2)
FIRST_PORT = 8080


def other(slot: int) -> int:
    """Give the slot beside a slot; the first when there is none."""
    return 2 if slot == 1 else 1


def port(slot: int) -> int:
    """Give the port of a slot on the machine itself, for checks and figures."""
    return FIRST_PORT + slot


def socket(slot: int) -> str:
    """Give the socket by which nginx reaches a slot."""
    return f"{SOCKETS}/{slot}.sock"


def slot_of(path: str) -> int:
    """Give the slot to which a socket belongs; 0 for none."""
    found = re.fullmatch(rf"{SOCKETS}/([12])\.sock", path.strip())
    return int(found[1]) if found else 0


def units(slot: int) -> str:
    """Give the names of a slot's units, the service first: it stops before its socket."""
    return f"killer@{slot}.service killer@{slot}.socket"


#: The settings in force, which `killer serve` tells when it starts and a deployment when it ends.
TOLD = (
    "bind",
    "workers",
    "worker_class",
    "worker_connections",
    "timeout",
    "keepalive",
    "preload_app",
)
