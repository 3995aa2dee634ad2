"""Server-side sessions: they end at sign-out, at deactivation, at a change of password."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, cast

from peewee import JOIN

from dashboard import clock
from dashboard.access.keys import digest
from dashboard.db import Model
from dashboard.db.prepared import Prepared, slot
from dashboard.models import Access, Session, SignInAttempt, User

IDLE_S = 12 * 3600
ABSOLUTE_S = 7 * 24 * 3600
SEEN_EVERY_S = 60  # writing each request would make every page a write
WINDOW_S = 15 * 60
MAX_PER_LOGIN = 5
MAX_PER_IP = 30


def start(user: User, ip: str) -> str:
    """Open a session and return its token; only the token's hash is stored."""
    token = secrets.token_urlsafe(32)
    moment = clock.now_s()
    Session.delete().where(Session.created_ts < moment - ABSOLUTE_S).execute()
    Session.create(token_hash=digest(token), user_id=user.id, created_ts=moment, seen_ts=moment, ip=ip)
    return token


def find(token: str) -> User | None:
    """Return the active user of a live session with the access at hand, else None; one query."""
    found = _LIVE.rows(hash=digest(token))
    moment = clock.now_s()
    if not found:
        return None
    row = found[0]
    seen_ts, created_ts = row[-2:]
    user = _filled(User, row)
    if user.deactivated_ts is not None:
        return None
    if moment - seen_ts > IDLE_S or moment - created_ts > ABSOLUTE_S:
        return None
    if user.access_id is not None:
        user.access = _filled(Access, row[len(User._meta.sorted_fields) :])
        user._dirty.clear()  # it was read, not changed
    if moment - seen_ts > SEEN_EVERY_S:
        Session.update(seen_ts=moment).where(Session.token_hash == digest(token)).execute()
    return cast(User, user)


_LIVE = Prepared(
    lambda: (
        User.select(User, Access, Session.seen_ts, Session.created_ts)
        .join(Access, JOIN.LEFT_OUTER)
        .switch(User)
        .join(Session, on=(Session.user_id == User.id))
        .where(Session.token_hash == slot("hash"))
    )
)


def _filled(model: type[Model], values: Sequence[Any]) -> Any:
    """Return a row of `model` as read from the database, from values in the order of the model's fields."""
    fields = model._meta.sorted_fields
    data = {field.name: field.python_value(value) for field, value in zip(fields, values, strict=False)}
    row: Any = model(__no_default__=1, **data)
    row._dirty.clear()
    return row


def end(token: str) -> None:
    Session.delete().where(Session.token_hash == digest(token)).execute()


def end_all(user_id: int, but: str | None = None) -> None:
    """End every session of a user, except that of the token `but`."""
    gone = Session.user_id == user_id
    if but is not None:
        gone &= Session.token_hash != digest(but)
    Session.delete().where(gone).execute()


def throttled(login: str, ip: str) -> int:
    """Return the seconds to wait before another try, 0 when a try is free now.

    At most 5 failures an account and 30 an address in 15 minutes, counted in the database so
    that they hold over processes and restarts.
    """
    since = clock.now_s() - WINDOW_S
    for key, most in ((f"login:{login.lower()}", MAX_PER_LOGIN), (f"ip:{ip}", MAX_PER_IP)):
        tries = [
            row[0]
            for row in SignInAttempt.select(SignInAttempt.at_ts)
            .where((SignInAttempt.key == key) & (SignInAttempt.at_ts > since))
            .order_by(SignInAttempt.at_ts.desc())
            .limit(most)
            .tuples()
        ]
        if len(tries) >= most:
            return max(1, int(tries[-1]) + WINDOW_S - clock.now_s())
    return 0


def failed(login: str, ip: str) -> None:
    moment = clock.now_s()
    SignInAttempt.delete().where(SignInAttempt.at_ts < moment - WINDOW_S).execute()
    for key in (f"login:{login.lower()[:120]}", f"ip:{ip}"):
        SignInAttempt.create(key=key, at_ts=moment)


def succeeded(login: str) -> None:
    SignInAttempt.delete().where(SignInAttempt.key == f"login:{login.lower()}").execute()
