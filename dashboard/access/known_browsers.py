"""Browsers from which accounts have been signed in to: a signed cookie that names both.

It grants nothing. It keeps strangers' failures from locking out whoever used the account here before; see
throttle. A new password invalidates it.
"""

from __future__ import annotations

import secrets

from flask import current_app
from itsdangerous import BadSignature, URLSafeTimedSerializer

from dashboard.access.keys import digest
from dashboard.models import User

COOKIE = "stopa_known"
KEPT_S = 365 * 86400
ACCOUNTS = 5  # of one browser; the oldest makes way


def browser(cookie: str, user: User | None) -> str | None:
    """Return the id of the browser that sent the cookie if `user` has signed in from it, else None."""
    found = _read(cookie).get(str(user.id)) if user is not None and user.password_hash else None
    return found[0] if found is not None and user is not None and found[1] == _stamp(user) else None


def remember(cookie: str, user: User) -> str:
    """Return the cookie with `user` added; `user` has just proved the password."""
    known = {key: value for key, value in _read(cookie).items() if key != str(user.id)}
    latest = list(known.items())[-(ACCOUNTS - 1) :]
    added = (str(user.id), [secrets.token_hex(8), _stamp(user)])
    return str(_serializer().dumps(dict([*latest, added])))


def _read(cookie: str) -> dict[str, list[str]]:
    try:
        found: dict[str, list[str]] = _serializer().loads(cookie, max_age=KEPT_S)
    except BadSignature:
        return {}
    return found


def _stamp(user: User) -> str:
    return digest(user.password_hash or "")[:16]


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="known-browser")
