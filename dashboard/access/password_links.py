"""Links by which a user chooses a password: after a forgotten one, or the first one by an invitation.

A link is ordered, and its token made when the mail is sent; the database holds the hash alone. It works once,
until its time is over, another link is ordered, or the password or address of the user changes.
"""

from __future__ import annotations

import secrets
from typing import NamedTuple

from dashboard import clock
from dashboard.access import sessions, sign_in_settings
from dashboard.access.keys import digest
from dashboard.db import database
from dashboard.models import PasswordLink, User

RESET_S = 3600
INVITATION_S = 7 * 86400


class Made(NamedTuple):
    """A link that is to be sent; `invites` where the user has no password yet."""

    user: User
    token: str
    expires_ts: int
    invites: bool


def may_have(user: User | None) -> bool:
    """Return whether a user may choose a password by a link: with a role and an address, not deactivated,
    and not where passwords are for the emergencies of others."""
    if user is None or user.access_id is None or user.deactivated_ts is not None or not user.email:
        return False
    return sign_in_settings.load().takes_password(user)


def order(user_id: int) -> None:
    """Replace the user's link by one that is still to be sent."""
    fresh = {"created_ts": clock.now_s(), "token_hash": "", "stamp": "", "expires_ts": None, "problem": ""}
    added = PasswordLink.insert(user_id=user_id, **fresh)
    added.on_conflict(conflict_target=[PasswordLink.user_id], update=fresh).execute()


def make_token(user_id: int) -> Made | None:
    """Return the ordered link of a user with a new token; None where it was withdrawn, or may not be had."""
    user: User | None = User.get_or_none(User.id == user_id)
    if user is None or not may_have(user):
        return None
    token, invites = secrets.token_urlsafe(32), user.password_hash is None
    expires_ts = clock.now_s() + (INVITATION_S if invites else RESET_S)
    values = {"token_hash": digest(token), "stamp": _stamp(user), "expires_ts": expires_ts, "problem": ""}
    changed = PasswordLink.update(values).where(PasswordLink.user_id == user_id).execute()
    return Made(user, token, expires_ts, invites) if changed else None


def find(token: str) -> User | None:
    """Return the user of a valid token, else None."""
    row = PasswordLink.get_or_none(PasswordLink.token_hash == digest(token)) if token else None
    if row is None or row.expires_ts is None or clock.now_s() >= row.expires_ts:
        return None
    user: User | None = User.get_or_none(User.id == row.user_id)
    return user if user is not None and may_have(user) and _stamp(user) == row.stamp else None


def use(token: str, password_hash: str) -> User | None:
    """Set the password of a valid token's user, once, and end the user's sessions; else return None."""
    with database.atomic():
        user = find(token)
        if user is None or not withdraw(user.id, token):
            return None
        values = {"password_hash": password_hash, "version": User.version + 1}
        User.update(values).where(User.id == user.id).execute()
        sessions.end_all(user.id)
    return user


def of_user(user_id: int) -> PasswordLink | None:
    row: PasswordLink | None = PasswordLink.get_or_none(PasswordLink.user_id == user_id)
    return row


def failed(user_id: int, why: str) -> None:
    """Note why the mail with the link was not sent, a marked sentence."""
    PasswordLink.update(problem=why, expires_ts=None).where(PasswordLink.user_id == user_id).execute()


def withdraw(user_id: int, token: str | None = None) -> bool:
    """Delete the user's link, or the one of this token; return whether there was one, which is true once."""
    mine = PasswordLink.user_id == user_id
    if token is not None:
        mine &= PasswordLink.token_hash == digest(token)
    return bool(PasswordLink.delete().where(mine).execute())


def _stamp(user: User) -> str:
    return digest(f"{user.password_hash or ''} {user.email}")
