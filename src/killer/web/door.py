"""The pages before the game: signing in, a link's button, signing out, the language."""

from __future__ import annotations

from http import HTTPStatus

from flask import redirect, request, session
from flask.typing import ResponseReturnValue

from killer.language import LANGUAGES
from killer.store import people
from killer.web import entrance, render
from killer.web.problems import ProblemError, tell
from killer.web.site import site, viewer_or_none


def inside(wanted: str) -> str:
    """Give a path of this site: whatever else was asked for leads home.

    Browsers leave tabs and line ends out of an address, so "/<tab>/evil" would be another site.
    """
    local = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if local and wanted.isprintable() else "/"


def sign_in_page() -> ResponseReturnValue:
    """Show the form to sign in."""
    if viewer_or_none():
        return redirect("/")
    return render.page("sign_in.html", next=inside(request.args.get("next", "/")))


def sign_in() -> ResponseReturnValue:
    """Sign in with a nickname and its password."""
    form = request.form
    nickname = form.get("nickname", "")
    try:
        player = entrance.with_password(nickname, form.get("password", ""))
    except ProblemError as problem:
        told = _why(problem)
        page = render.page("sign_in.html", nickname=nickname, next=form.get("next"), **told)
        headers = {"Retry-After": str(problem.retry_after)} if problem.retry_after else {}
        return page, problem.status, headers
    start = "/organiser" if player.organiser else "/"
    wanted = inside(form.get("next") or "/")
    return redirect(start if wanted == "/" else wanted, 303)


def _why(problem: ProblemError) -> dict[str, str | int]:
    """Give what the form says about a sign-in that was refused."""
    match problem.status:
        case HTTPStatus.TOO_MANY_REQUESTS:
            return {"wait": round((problem.retry_after or 0) / 60) or 1}
        case HTTPStatus.SERVICE_UNAVAILABLE:
            return {"problem": tell(problem).title}
        case _:
            return {"wrong": True}


def link_page(token: str) -> ResponseReturnValue:
    """Show a link's button; only pressing it signs in, so that mail scanners don't use it up."""
    with site().database.read() as connection:
        account = people.who_has_link(connection, token)
    if account is None:
        return render.page("link.html", nickname=""), 404
    player = site().hub.feed(account.game).game.players[account.player]
    return render.page("link.html", nickname=player.nickname, token=token)


def use_link(token: str) -> ResponseReturnValue:
    """Sign in with a link."""
    try:
        player = entrance.with_link(token)
    except ProblemError as problem:
        if problem.status != 401:  # noqa: PLR2004  # Unauthorized
            raise
        return render.page("link.html", nickname=""), problem.status
    return redirect("/organiser" if player.organiser else "/", 303)


def sign_out() -> ResponseReturnValue:
    """Sign out of this device."""
    entrance.leave()
    return redirect("/sign-in", 303)


def choose_language() -> ResponseReturnValue:
    """Choose the language of the pages."""
    wanted = request.form.get("lang", "")
    if wanted in LANGUAGES:
        session["lang"] = wanted
    return redirect(inside(request.form.get("next", "/")), 303)
