"""Signs users in and out, and changes their preferences and passwords."""

from __future__ import annotations

from dashboard import clock
from dashboard.access import first_admin, known_browsers, passwords, sessions, throttle
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.jobs import counters
from dashboard.models import User


class Refused(Exception):  # noqa: N818
    """A failed sign-in. `wait_s` > 0 is the time in seconds until the next attempt is allowed."""

    def __init__(self, wait_s: int = 0) -> None:
        super().__init__("refused")
        self.wait_s = wait_s


def sign_in(login: str, password: str, ip: str, known: str) -> tuple[str, User]:
    """Return the token of a new session and its user, or raise Refused.

    An unknown user, a wrong password, a deactivated user and a user without a role are indistinguishable,
    also by the time taken. `known` is the cookie of the browser; see known_browsers.
    """
    user = User.get_or_none(User.login == login)
    browser = known_browsers.browser(known, user)
    limits = throttle.by_stranger(login, ip)
    if user is not None and browser is not None:
        limits = throttle.by_known_browser(user.id, browser)
    tried = throttle.attempt(limits, ip, user.id if user else None)
    if tried.first:
        audit.record("auth.sign_in_failed", "r", ("user", "", login), {}, {"why": "throttled"}, "denied")
    if tried.wait_s:
        counters.add("sign_ins", result="limited")
        raise Refused(tried.wait_s)
    right = passwords.check(password, user.password_hash if user else None)
    if user is None or not right or user.deactivated_ts is not None or user.access_id is None:
        audit.record("auth.sign_in_failed", "r", ("user", "", login), outcome="failure")
        counters.add("sign_ins", result="failed")
        raise Refused
    with database.atomic():
        throttle.succeeded(tried)
        token = start_session(user, ip)
    return token, user


def start_session(user: User, ip: str) -> str:
    """Sign in a user who has proved who they are, in one transaction; return the token of the session."""
    with database.atomic():
        User.update(last_sign_in_ts=clock.now_s()).where(User.id == user.id).execute()
        who = ("user", user.id, user.login)
        audit.record("auth.signed_in", "r", audit.user_target(user), actor=who)
        counters.add("sign_ins", result="signed_in")
        return sessions.start(user, ip)


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


def sign_out_elsewhere(user: User, token: str) -> int:
    """End all sessions of the user but this one; return their number."""
    with database.atomic():
        number = sessions.end_all(user.id, but=token)
        audit.record("auth.sessions_ended", "u", audit.user_target(user), details={"sessions": number})
    return number


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
