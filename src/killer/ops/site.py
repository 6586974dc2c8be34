"""The site in front of the game: nginx, its certificate, its limits."""

from __future__ import annotations

import shlex
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from killer.ops import places
from killer.ops.failures import DeployError
from killer.ops.machine import Wish
from killer.ops.render import bodies, quiet, render, style_hash, waiting_page
from killer.ops.steps import Paper, Step, condition, papers
from killer.ops.survey import Facts
from killer.ops.target import Target

SITE = "/etc/nginx/conf.d/killer.conf"
MAIN = "/etc/nginx/nginx.conf"
FILES = f"{places.UNITS}/nginx.service.d/killer.conf"
DEFAULT = "/etc/nginx/sites-enabled/default"
WAITING = "/var/www/killer/waiting.html"
CHALLENGES = "/var/www/killer/acme"
TLS = f"{places.SETTINGS}/tls"
HOOK = "/etc/letsencrypt/renewal-hooks/deploy/killer-nginx"
LOOPBACK = "127.0.0.1"
CONNECTIONS = 16384  # of one process of nginx: an open phone takes two
RELOAD = (
    "nginx -t && (systemctl reload nginx || systemctl restart nginx) && systemctl enable -q nginx"
)


@dataclass(frozen=True, slots=True)
class Certificate:
    """The two files of a certificate, on the machine."""

    chain: str
    key: str


GIVEN = Certificate(f"{TLS}/certificate.pem", f"{TLS}/key.pem")


def certificate(wish: Wish) -> Certificate | None:
    """Give where the certificate lies or will lie; None for a site without HTTPS."""
    if wish.certificate:
        return GIVEN
    place = f"/etc/letsencrypt/live/{wish.domain}"
    return Certificate(f"{place}/fullchain.pem", f"{place}/privkey.pem") if wish.domain else None


def site(wish: Wish, facts: Facts, shown: Certificate | None) -> str:
    """Write nginx's configuration."""
    return render(
        "nginx.conf",
        balanced=bool(wish.nodes),
        domain=wish.domain,
        certificate=shown,
        hsts=bool(wish.domain),
        ipv6=facts.ipv6,
        bodies=bodies(),
        quiet=quiet(),
        challenges=CHALLENGES,
        waiting=WAITING,
        style=style_hash(waiting_page()),
    )


def inner(fronts: Iterable[str], facts: Facts) -> str:
    """Write the configuration of a node's nginx, which only the front may ask."""
    return render(
        "nginx-node.conf",
        fronts=sorted({LOOPBACK, *fronts}),
        ipv6=facts.ipv6,
        bodies=bodies(),
        quiet=quiet(),
        waiting=WAITING,
        style=style_hash(waiting_page()),
    )


def capacity(target: Target) -> Step:
    """Give the step of nginx's own limits: Debian's 768 connections are some 300 phones."""
    so = f"grep -qE '^\\s*worker_connections {CONNECTIONS};' {MAIN} && test ! -e {DEFAULT}"
    limit = Paper(FILES, render("nginx-limits"))
    deed = (
        rf"sed -i -E 's/^(\s*)worker_connections\s+[0-9]+;/\1worker_connections {CONNECTIONS};/'"
        f" {MAIN}"
        f" && rm -f {DEFAULT} && nginx -t && systemctl daemon-reload && systemctl restart nginx"
    )

    def widen() -> None:
        limit.lay(target)
        target.run(deed, "nginx_refused")

    return Step("nginx", lambda: target.holds(so) and limit.lies_on(target), widen)


def plain(target: Target, wish: Wish, facts: Facts) -> Step:
    """Give the step of a site without HTTPS, which answers Let's Encrypt's questions too."""
    return _site_step("site", target, wish, facts, None)


def secure(target: Target, wish: Wish, facts: Facts) -> Step:
    """Give the step of the site over HTTPS."""
    return _site_step("site_tls", target, wish, facts, certificate(wish))


def node(target: Target, fronts: Iterable[str], facts: Facts) -> Step:
    """Give the step of a node's site."""
    return _laid("site_node", target, Paper(places.NODE_SITE, inner(fronts, facts)))


def shown(target: Target) -> bool:
    """Tell whether there is a site for phones."""
    return target.read(SITE) is not None


def gone(target: Target) -> Step:
    """Give the step that takes the site of phones away where only the front comes now."""
    return condition("site_gone", target, f"test ! -e {SITE}", f"rm {SITE} && {RELOAD}")


def _site_step(
    name: str, target: Target, wish: Wish, facts: Facts, shown: Certificate | None
) -> Step:
    return _laid(name, target, Paper(SITE, site(wish, facts, shown)))


def _laid(name: str, target: Target, wanted: Paper) -> Step:
    step = papers(name, target, [Paper(WAITING, waiting_page()), wanted])

    def lay() -> None:
        before = target.read(wanted.path)
        step.do()
        answer = target.ask(f"install -d {CHALLENGES}; {RELOAD}")
        if answer.code:
            _put_back(target, wanted.path, before)
            raise DeployError("nginx_refused", answer.said, host=target.name)

    return Step(name, lambda: step.settled() and target.holds("systemctl is-active -q nginx"), lay)


def _put_back(target: Target, path: str, before: str | None) -> None:
    """Leave nginx with the site that it knew."""
    if before is None:
        target.ask(f"rm -f {path}")
    else:
        target.write(path, before)


def given(target: Target, chain: Path, key: Path) -> Step:
    """Give the step of a certificate that somebody else made."""
    try:
        files = [
            Paper(GIVEN.chain, chain.read_text(encoding="utf-8")),
            Paper(GIVEN.key, key.read_text(encoding="utf-8"), "600"),
        ]
    except (OSError, UnicodeDecodeError) as error:
        raise DeployError("no_certificate", file=f"{chain}, {key}") from error
    reload = "systemctl is-active -q nginx && systemctl reload nginx; true"
    return papers("certificate", target, files, reload)


def asked_for(target: Target, wish: Wish) -> Step:
    """Give the step of a certificate from Let's Encrypt, which asks the site a question first."""
    wanted = certificate(wish)
    assert wanted
    hook = Paper(HOOK, "#!/bin/sh\nsystemctl reload nginx\n", "755")
    who = f"-m {shlex.quote(wish.email)}" if wish.email else "--register-unsafely-without-email"
    deed = (
        f"certbot certonly -n --agree-tos {who} --webroot -w {CHALLENGES}"
        f" -d {wish.domain} --keep-until-expiring"
    )

    def ask() -> None:
        target.run(deed, "certbot_failed", domain=wish.domain)
        hook.lay(target)

    so = f"test -s {wanted.chain} && test -s {wanted.key}"
    return Step("certificate", lambda: target.holds(so) and hook.lies_on(target), ask)


def answers_questions(target: Target) -> bool:
    """Tell whether the site that is there lets Let's Encrypt ask."""
    return target.holds(f"grep -q acme-challenge {SITE}")


def check_domain(target: Target, wish: Wish, facts: Facts) -> None:
    """Refuse a name that doesn't lead to this machine: Let's Encrypt counts failed tries.

    Raises:
        DeployError: it leads nowhere, or elsewhere.
    """
    domain = wish.domain
    wanted = certificate(wish)
    if not domain or wish.certificate or (wanted and target.holds(f"test -s {wanted.chain}")):
        return
    leads, here = addresses_of(domain), {*facts.addresses, *addresses_of(target.host)}
    if not leads & here:
        shown = ", ".join(sorted(leads)) or "-"
        raise DeployError("domain", domain=domain, leads=shown, here=", ".join(sorted(here)) or "-")


def addresses_of(name: str) -> set[str]:
    """Give what a name leads to from here; nothing when to nowhere."""
    try:
        return {str(each[4][0]) for each in socket.getaddrinfo(name, None)}
    except OSError:
        return set()
