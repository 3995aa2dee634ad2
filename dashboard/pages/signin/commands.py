"""Signs users in and out, and changes their preferences and passwords."""

from __future__ import annotations

from typing import NamedTuple

from flask import request
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access import (
    first_admin,
    identities,
    known_browsers,
    passwords,
    pending_sign_ins,
    sessions,
    sign_in_settings,
    throttle,
    two_factor,
)
from dashboard.access.identities import RefusedError
from dashboard.access.oidc import Proof
from dashboard.access.sessions import Method
from dashboard.access.sign_in_settings import SignIn
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.i18n.message import N_
from dashboard.jobs import counters
from dashboard.models import User

EVERYWHERE = "all"
WRONG_CODE = N_("Incorrect code, or one that was used already.")


class Refused(Exception):  # noqa: N818
    """A failed sign-in. `wait_s` > 0 is the time in seconds until the next attempt is allowed."""

    def __init__(self, wait_s: int = 0) -> None:
        super().__init__("refused")
        self.wait_s = wait_s


class Entered(NamedTuple):
    """A user who has proved who they are. `token` is of a session, or of a pending sign-in (see `pends`)."""

    user: User
    token: str
    pends: bool = False  # the second factor is due


def sign_in(login: str, password: str, ip: str, known: str) -> Entered:
    """Sign a user in by login and password, as far as the second factor, or raise Refused.

    An unknown user, a wrong password, a deactivated user, a user without a role and one who may not use a
    password are indistinguishable, also by the time taken. `known` is a cookie; see known_browsers.
    """
    user = User.get_or_none(User.login == login)
    browser = known_browsers.browser(known, user)
    limits = throttle.by_stranger(login, ip)
    if user is not None and browser is not None:
        limits = throttle.by_known_browser(user.id, browser)
    tried = throttle.attempt(limits, ip, user.id if user else None)
    _pass(tried, ("user", "", login))
    chosen = sign_in_settings.load()
    right = passwords.check(password, user.password_hash if user else None)
    takes = user is not None and user.deactivated_ts is None and user.access_id is not None
    if user is None or not right or not takes or not chosen.takes_password(user):
        audit.record("auth.sign_in_failed", "r", ("user", "", login), outcome="failure")
        counters.add("sign_ins", result="failed")
        raise Refused
    with database.atomic():
        throttle.succeeded(tried)
        return enter(user, ip)


def enter_by_provider(chosen: SignIn, proof: Proof, ip: str) -> Entered:
    """Sign in whom a provider proves, as far as the second factor, or raise identities.RefusedError."""
    try:
        user = identities.of_proof(chosen, proof)
    except RefusedError as error:
        fail(error.login, Method.OIDC, error.message)
        raise
    return enter(user, ip, Method.OIDC, proof.id_token)


def fail(login: str, method: Method, why: str) -> None:
    """Record that somebody could not sign in by another way than a password."""
    details = {"method": method.value, "why": why}
    audit.failed("auth.sign_in_failed", ("user", "", login[:60]), details)
    counters.add("sign_ins", result="failed")


def enter(user: User, ip: str, method: str = Method.PASSWORD, id_token: str = "") -> Entered:
    """Sign in a user who has proved who they are by `method`, as far as the second factor.

    It is due where the role requires it, and after a password where the user has one.
    """
    has = two_factor.state(user.id) is not None
    if not (two_factor.is_required(user) or (has and method == Method.PASSWORD)):
        return Entered(user, start_session(user, ip, method, id_token=id_token))
    with database.atomic():
        if not has:
            two_factor.begin(user.id)
        return Entered(user, pending_sign_ins.start(user, method), pends=True)


def start_session(
    user: User,
    ip: str,
    method: str = Method.PASSWORD,
    factor: two_factor.Proof | None = None,
    id_token: str = "",
) -> str:
    """Sign in a user who has proved who they are, in one transaction; return the token of the session."""
    with database.atomic():
        User.update(last_sign_in_ts=clock.now_s()).where(User.id == user.id).execute()
        who, details = ("user", user.id, user.login), {"method": method}
        if factor is not None:
            details["second_factor"] = factor
        audit.record("auth.signed_in", "r", audit.user_target(user), details=details, actor=who)
        counters.add("sign_ins", result="signed_in")
        return sessions.start(user, ip, request.user_agent.string, method, id_token)


def take_code(user: User, code: str, ip: str, known: str) -> two_factor.Proof | None:
    """Use up a code of a user whose password was right; None where it is wrong, Refused after too many."""
    limits = throttle.for_code(user.id, known_browsers.browser(known, user))
    tried = throttle.attempt(limits, ip, user.id)
    _pass(tried, audit.user_target(user))
    with database.atomic():
        proof = two_factor.take(user.id, code)
        if proof is None:
            _code_failed(user)
        else:
            throttle.succeeded(tried)
    return proof


def set_up_at_sign_in(user: User, code: str, ip: str) -> list[str] | None:
    """Turn on the second factor of a user whose password was right; return recovery codes, None for a wrong
    code. Raises Refused after too many."""
    tried = throttle.attempt(throttle.for_code(user.id, None), ip, user.id)
    _pass(tried, audit.user_target(user))
    codes = turn_on(user, code, ("user", user.id, user.login))
    if codes is None:
        _code_failed(user)
    else:
        throttle.succeeded(tried)
    return codes


def _pass(tried: throttle.Attempt, target: audit.Target) -> None:
    """Raise Refused for an attempt to sign in that has to wait; record the first one."""
    if tried.first:
        audit.record("auth.sign_in_failed", "r", target, {}, {"why": "throttled"}, "denied")
    if tried.wait_s:
        counters.add("sign_ins", result="limited")
        raise Refused(tried.wait_s)


def _code_failed(user: User) -> None:
    details = {"why": "second_factor"}
    audit.record("auth.sign_in_failed", "r", audit.user_target(user), details=details, outcome="failure")
    counters.add("sign_ins", result="failed")


def turn_on(user: User, code: str, actor: audit.Actor | None = None) -> list[str] | None:
    """Turn on the second factor with a code of the new secret; return recovery codes, or None."""
    with database.atomic():
        codes = two_factor.confirm(user.id, code)
        if codes is not None:
            audit.record("auth.two_factor_on", "u", audit.user_target(user), actor=actor)
    return codes


def prove(user: User, password: str, code: str | None, ip: str) -> dict[str, str]:
    """Check the password of a user who is signed in, and `code` unless it is None.

    Return what is wrong by field. Without a password of Stopa's own only the code counts.
    Raises Refused after too many failures.
    """
    tried = throttle.attempt(throttle.for_own_password(user.id), ip, user.id)
    if tried.wait_s:
        raise Refused(tried.wait_s)
    if user.password_hash and not passwords.check(password, user.password_hash):
        return {"current": _("Incorrect current password.")}
    if code is not None and two_factor.take(user.id, code) is None:
        return {"code": _(WRONG_CODE)}
    throttle.succeeded(tried)
    return {}


def turn_off(user: User) -> None:
    """Remove the second factor. Where the role requires one the user is signed out, and sets up a new one."""
    with database.atomic():
        two_factor.remove(user.id)
        if two_factor.is_required(user):
            sessions.end_all(user.id)
        audit.record("auth.two_factor_off", "u", audit.user_target(user))


def renew_codes(user: User) -> list[str]:
    with database.atomic():
        codes = two_factor.renew_codes(user.id)
        audit.record("auth.recovery_codes_made", "u", audit.user_target(user))
    return codes


def check_setup_code(code: str, ip: str) -> bool:
    """Return whether the one-time code is right, or raise Refused after too many wrong ones.

    One transaction: of right codes that come at once none is counted as wrong, nor one that comes after the
    administrator was added, when there is no code any more.
    """
    with database.atomic():
        tried = throttle.attempt(throttle.for_setup(ip), ip)
        if tried.wait_s:
            raise Refused(tried.wait_s)
        right = first_admin.code_is_right(code)
        if right or not first_admin.needs_setup():
            throttle.succeeded(tried)
    return right


def sign_out(token: str, user: User) -> None:
    with database.atomic():
        sessions.end(token)
        audit.record("auth.signed_out", "r", audit.user_target(user))


def end_sign_ins(user: User, token: str, which: str) -> bool:
    """End the session of this start, all (EVERYWHERE), or all but that of `token` (""); return whether the
    session of `token` ended."""
    with database.atomic():
        if which in ("", EVERYWHERE):
            number = sessions.end_all(user.id, but=None if which else token)
        else:
            number = sessions.end_one(user.id, which)
        audit.record("auth.sessions_ended", "u", audit.user_target(user), details={"sessions": number})
    return which in (EVERYWHERE, sessions.start_of(token))


def save_preferences(user: User, locale: str, timezone: str) -> None:
    changes = audit.differences(
        {"locale": user.locale, "timezone": user.timezone}, {"locale": locale, "timezone": timezone}
    )
    if changes:
        with database.atomic():
            User.update(locale=locale, timezone=timezone).where(User.id == user.id).execute()
            audit.record("user.updated", "u", audit.user_target(user), changes)


def change_password(user: User, password: str, token: str) -> None:
    """Set a new password and end all other sessions of the user."""
    with database.atomic():
        User.update(password_hash=passwords.make(password)).where(User.id == user.id).execute()
        sessions.end_all(user.id, but=token)
        audit.record("auth.password_changed", "u", audit.user_target(user), {"password": ("", "")})
