"""Server-side sign-in sessions. They end at sign-out, at deactivation and when the password changes."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from peewee import JOIN, fn

from dashboard import clock
from dashboard.access.keys import digest
from dashboard.access.scope import GRANT_COLUMNS, Grant, with_members
from dashboard.db import Model, dialect
from dashboard.db.failure import is_away
from dashboard.db.prepared import Prepared, slot
from dashboard.models import Access, AccessGrant, PendingSignIn, Session, TwoFactor, User

IDLE_S = 12 * 3600
ABSOLUTE_S = 7 * 24 * 3600
AGENT_MAX = 200
START, MOST = 16, 100  # characters of a hash that stand for a session on pages; sessions on one
SEEN_EVERY_S = 60  # avoids a write on every request


class Method(StrEnum):
    """How a user proves who they are."""

    PASSWORD = "password"  # noqa: S105  the name of a way
    OIDC = "oidc"
    HEADER = "header"


class Found(NamedTuple):
    """A valid session: its active user with the role loaded, the grants of the role, and `method`."""

    user: User
    grants: list[Grant]
    method: str


def start(user: User, ip: str, agent: str = "", method: str = Method.PASSWORD, id_token: str = "") -> str:
    """Create a session and return its token. Only the hash of the token is stored.

    `agent` is what the browser says of itself, `method` how the user proved who they are, `id_token` that of
    a provider.
    """
    token = secrets.token_urlsafe(32)
    moment = clock.now_s()
    Session.delete().where(Session.created_ts < moment - ABSOLUTE_S).execute()
    times = {"created_ts": moment, "seen_ts": moment}
    about = {"ip": ip[:64], "agent": agent[:AGENT_MAX], "method": method, "id_token": id_token}
    Session.create(token_hash=digest(token), user_id=user.id, **times, **about)
    return token


def find(token: str) -> Found | None:
    """Return the session of this token; None when it is not valid or its user is not active.

    Nor is it where the role requires a second factor and the user has none: the next sign-in sets it up.
    """
    rows = _LIVE.rows(hash=digest(token))
    moment = clock.now_s()
    if not rows:
        return None
    row = rows[0]
    seen_ts, created_ts, method, factor_ts = row[_GRANT_AT - 4 : _GRANT_AT]
    user = _filled(User, row)
    if user.deactivated_ts is not None:
        return None
    if moment - seen_ts > IDLE_S or moment - created_ts > ABSOLUTE_S:
        return None
    if user.access_id is not None:
        user.access = _filled(Access, row[_ACCESS_AT:])
        user._dirty.clear()  # loaded, not modified
        if user.access.two_factor and factor_ts is None:
            return None
    if moment - seen_ts > SEEN_EVERY_S:
        _mark_seen(token, moment)
    return Found(user, [row[_GRANT_AT:] for row in rows if row[_GRANT_AT] is not None], method)


def _mark_seen(token: str, moment: int) -> None:
    """Note that a session is in use; not now where the database takes nothing, for a page is only read."""
    try:
        with dialect.short_wait():
            Session.update(seen_ts=moment).where(Session.token_hash == digest(token)).execute()
    except Exception as error:
        if not is_away(error):
            raise


def _live() -> Any:
    """A row for each grant, one at least: user, role, the session, second factor, grant."""
    about = (Session.seen_ts, Session.created_ts, Session.method, TwoFactor.confirmed_ts)
    query = User.select(User, Access, *about, *GRANT_COLUMNS)
    query = query.join(Session, on=(Session.user_id == User.id)).switch(User)
    query = query.join(TwoFactor, JOIN.LEFT_OUTER, on=(TwoFactor.user_id == User.id)).switch(User)
    query = query.join(Access, JOIN.LEFT_OUTER).join(AccessGrant, JOIN.LEFT_OUTER)
    return with_members(query, User.id).where(Session.token_hash == slot("hash"))


_LIVE = Prepared(_live)
_ACCESS_AT = len(User._meta.sorted_fields)
_GRANT_AT = _ACCESS_AT + len(Access._meta.sorted_fields) + 4


def _filled(model: type[Model], values: Sequence[Any]) -> Any:
    """Return an instance of `model` from raw values in the order of the model's fields."""
    fields = model._meta.sorted_fields
    data = {field.name: field.python_value(value) for field, value in zip(fields, values, strict=False)}
    row: Any = model(__no_default__=1, **data)
    row._dirty.clear()
    return row


def end(token: str) -> None:
    Session.delete().where(Session.token_hash == digest(token)).execute()


def id_token(token: str) -> str | None:
    """Return the ID token that a session began with, "" if it was not kept; None for another method."""
    mine = (Session.token_hash == digest(token)) & (Session.method == Method.OIDC)
    row = Session.get_or_none(mine)
    return row.id_token if row is not None else None


def end_all(user_id: int, but: str | None = None) -> int:
    """End all sessions of a user except that of the token `but`; return their number.

    Sign-ins whose second factor is due end as well.
    """
    PendingSignIn.delete().where(PendingSignIn.user_id == user_id).execute()
    gone = Session.user_id == user_id
    if but is not None:
        gone &= Session.token_hash != digest(but)
    number: int = Session.delete().where(gone).execute()
    return number


def end_one(user_id: int, start: str) -> int:
    """End the user's session whose hash has this start; return the number, 0 or 1."""
    mine = (Session.user_id == user_id) & (fn.SUBSTR(Session.token_hash, 1, START) == start)
    return int(Session.delete().where(mine).execute())


def start_of(token: str) -> str:
    """Return what stands for a session on pages: the start of its hash, which opens nothing."""
    return digest(token)[:START]


def count(user_id: int) -> int:
    """Return in how many sessions a user is signed in now."""
    return int(_valid(user_id).count())


def valid(user_id: int) -> list[Session]:
    """Return the sessions in which a user is signed in now, the one used last first; at most MOST."""
    return list(_valid(user_id).order_by(Session.seen_ts.desc(), Session.token_hash).limit(MOST))


def _valid(user_id: int) -> Any:
    moment = clock.now_s()
    live = (Session.seen_ts >= moment - IDLE_S) & (Session.created_ts >= moment - ABSOLUTE_S)
    return Session.select().where((Session.user_id == user_id) & live)
