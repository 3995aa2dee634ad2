"""Sign-ins between the password and the second factor: rows of ten minutes, bound to a browser by a cookie.

The cookie holds a random token and nothing else; it opens no page but that of the second factor.
"""

from __future__ import annotations

import secrets
from typing import NamedTuple

from dashboard import clock
from dashboard.access.keys import digest
from dashboard.models import PendingSignIn, User

COOKIE = "stopa_step"
KEPT_S = 600


class Pending(NamedTuple):
    """A user who has proved the password, and how."""

    user: User
    method: str


def start(user: User, method: str) -> str:
    """Keep that the user has proved who they are by `method`, and return the token for the cookie."""
    token, now = secrets.token_urlsafe(32), clock.now_s()
    p = PendingSignIn
    p.delete().where(p.created_ts < now - KEPT_S).execute()
    values = {"user_id": user.id, "created_ts": now, "stamp": _stamp(user), "method": method}
    p.create(token_hash=digest(token), **values)
    return token


def find(token: str) -> Pending | None:
    """Return the sign-in of a token; None if it is too old, or if its user may not sign in any more.

    A new password ends it: it proved the old one.
    """
    row = PendingSignIn.get_or_none(PendingSignIn.token_hash == digest(token)) if token else None
    if row is None or clock.now_s() - row.created_ts > KEPT_S:
        return None
    user: User | None = User.get_or_none(User.id == row.user_id)
    if user is None or user.deactivated_ts is not None or user.access_id is None:
        return None
    return Pending(user, row.method) if _stamp(user) == row.stamp else None


def end(token: str) -> bool:
    """Forget the sign-in of a token; return whether there was one, which is true once."""
    return bool(PendingSignIn.delete().where(PendingSignIn.token_hash == digest(token)).execute())


def _stamp(user: User) -> str:
    return digest(user.password_hash or "")
