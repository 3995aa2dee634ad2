"""Signing in at an OpenID Connect provider: the way there, and what it answers.

The way there leaves a mark in the browser's signed cookie. An answer counts once, in the browser that went,
within KEPT_S.
"""

from __future__ import annotations

import hmac
import logging
from typing import Any, NamedTuple

from flask import Response, current_app, make_response, redirect, request, session, url_for
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access import identities, oidc, sign_in_settings, throttle
from dashboard.access.guard import public
from dashboard.access.oidc import Started
from dashboard.access.sessions import Method
from dashboard.notify import safe_http
from dashboard.pages.signin import commands
from dashboard.pages.signin.views import bp, go_on, page, wait_text
from dashboard.web.page import local_path

MARK = "oidc"  # in the browser's cookie: the latest ways there
MARKS = 3  # as many tabs may sign in at once; a cookie holds 4 KB
KEPT_S = 600
TARGET_MAX = 300  # characters of where to go on
log = logging.getLogger("stopa")


class _Mark(NamedTuple):
    started: Started
    target: str
    at_ts: int


@bp.get("/sign-in/provider")
@public
def provider() -> Response:
    """Lead the browser to the provider; 503 and the page for signing in when it does not answer."""
    chosen, target = sign_in_settings.load(), local_path(request.args.get("next"))
    if not chosen.enabled:
        return make_response(redirect(url_for(".show", next=target)))
    try:
        with safe_http.call(oidc.BODY_MAX):
            started = oidc.start(chosen, _callback())
    except oidc.UnreachableError as error:
        return _unreachable(error, target)
    mark = _Mark(started._replace(url=""), target if len(target) <= TARGET_MAX else "/", clock.now_s())
    session[MARK] = [*session.get(MARK, ()), mark][-MARKS:]
    return make_response(redirect(started.url))


@bp.get("/sign-in/callback")
@public
def callback() -> Response:
    """Sign in whom the provider proves; otherwise the page for signing in with the reason."""
    chosen, mark = sign_in_settings.load(), _mark(request.args.get("state", ""))
    if not chosen.enabled or mark is None:
        commands.fail("", Method.OIDC, "state")
        error = _("This sign-in was used already, took too long or began elsewhere. Try again.")
        return page("/", error, status=400)
    ip = request.remote_addr or ""
    tried = throttle.attempt(throttle.by_provider(ip), ip)
    if tried.first:
        commands.fail("", Method.OIDC, "throttled")
    if tried.wait_s:
        return page(mark.target, wait_text(tried.wait_s), status=429)
    try:
        with safe_http.call(oidc.BODY_MAX):
            proof = _proof(chosen, mark.started)
        entered = commands.enter_by_provider(chosen, proof, ip)
    except oidc.UnreachableError as error:
        throttle.succeeded(tried)
        return _unreachable(error, mark.target)
    except oidc.RejectedError as error:
        log.warning("a sign-in by the provider was refused: %s", error)
        commands.fail("", Method.OIDC, str(error)[:200])
        return page(mark.target, _("The provider didn't confirm this sign-in. Try again."), status=403)
    except identities.RefusedError as error:
        return page(mark.target, _(error.message), status=403)
    throttle.succeeded(tried)
    return go_on(entered, mark.target)


def _proof(chosen: sign_in_settings.SignIn, started: Started) -> oidc.Proof:
    if error := request.args.get("error"):
        raise oidc.RejectedError(f"{error} {request.args.get('error_description', '')}"[:200])
    return oidc.finish(chosen, _callback(), request.args.get("code", ""), started)


def _mark(state: str) -> _Mark | None:
    """Take the mark of this state out of the browser's cookie; None without one, or when it is too old."""
    marks = [_Mark(Started(*each[0]), *each[1:]) for each in _stored()]
    found = next((each for each in marks if _same(each.started.state, state)), None)
    session[MARK] = [each for each in marks if each is not found]
    age_s = clock.now_s() - found.at_ts if found is not None else -1
    return found if 0 <= age_s <= KEPT_S else None


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _stored() -> list[Any]:
    marks: list[Any] = session.get(MARK, [])
    return marks


def _callback() -> str:
    return str(current_app.config["STOPA"].base_url) + url_for(".callback")


def _unreachable(error: oidc.UnreachableError, target: str) -> Response:
    log.warning("the sign-in provider does not answer: %s", error)
    commands.fail("", Method.OIDC, "unreachable")
    return page(target, _("The sign-in provider doesn't answer. Try again, or use a password."), status=503)
