"""Whom the viewer may trace, since when there are events of a user, and who never signs in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.db import rows
from dashboard.db.prepared import Prepared, slot
from dashboard.events import horizon
from dashboard.models import Event, Interval, User
from dashboard.tracing.bounds import EndReason
from dashboard.tracing.surroundings import INSIDE
from dashboard.tracing.types import ORIGINALS, PRESENCE, Kind


class Person(NamedTuple):
    """A user as the picker and the head of the trace show one."""

    id: int
    login: str
    name: str
    created_ts: int
    deactivated_ts: int | None


# A recorded sign-in, whatever corrections lie over it.
SIGNED_IN = Interval.kind.in_((Kind.LOGIN, Kind.LOGIN_ORIGINAL)) & (
    Interval.end_reason.is_null() | (Interval.end_reason != EndReason.CORRECTED.value)
)
_COLUMNS = (User.id, User.login, User.name, User.created_ts, User.deactivated_ts)


def _with_traces(condition: Any) -> Any:
    """Return the query of users with what is known of their whole time, a step in an index each.

    That is the earliest event in ms, acts in the dashboard aside, the horizon, the earliest interval, and
    whether a sign-in was recorded: by the index of presence, and under corrections.
    """
    e, i = Event, Interval
    event = e.select(e.time_ms).where((e.user_id == User.id) & e.type.not_in(INSIDE))
    stretch = i.select(i.start_ts).where(i.user_id == User.id)
    sign_in = i.select(i.id).where((i.user_id == User.id) & SIGNED_IN)
    present = sign_in.where(i.kind <= max(PRESENCE)).order_by(i.closed_ms)
    original = sign_in.where(i.kind >= min(ORIGINALS.values()))
    parts = (event.order_by(e.time_ms), horizon.stored(), stretch.order_by(i.start_ts), present, original)
    return User.select(*_COLUMNS, *(part.limit(1) for part in parts)).where(condition)


_BY_LOGIN = Prepared(lambda: _with_traces(User.login == slot("login")))
_BY_ID = Prepared(lambda: _with_traces(User.id == slot("user")))


class Traced(NamedTuple):
    """A person who may be traced, there since `person.created_ts`.

    That is when they were made here, or the local day of the first event, or of what is left of their days,
    if earlier. Events tell of users before they are made here, the imported ones of years ago.
    `never_signed_in`: no sign-in was ever reported, as for members of a queue log.
    """

    person: Person
    never_signed_in: bool


def person(scope: Scope, login: str) -> Person | None:
    """Return the user of that login, or None when there is none or not for this viewer."""
    found = rows(User.select(*_COLUMNS).where((User.login == login) & scope.allows(User.id)), Person)
    return found[0] if found and _may_trace(scope, found[0].id) else None


def traced(scope: Scope, login: str, zone: str) -> Traced | None:
    """Return the user of that login as `person`, with what is known of the whole time."""
    found = _BY_LOGIN.rows(login=login)
    return _traced(found[0], zone) if found and _may_trace(scope, found[0][0]) else None


def _may_trace(scope: Scope, user_id: int) -> bool:
    own = user_id == scope.viewer_id
    return own or (scope.sees(user_id) and scope.can(Permission.TRACING_VIEW))


def _traced(row: Sequence[Any], zone: str) -> Traced:
    event_ms, horizon_ms, stretch, present, original = row[len(_COLUMNS) :]
    one = Person(*row[: len(_COLUMNS)])
    known = [] if event_ms is None else [event_ms // 1000]
    if int(horizon_ms or 0) and stretch is not None:
        known.append(stretch)
    first = min(known, default=one.created_ts)
    if first < one.created_ts:
        one = one._replace(created_ts=clock.day(clock.local_date(first, zone), zone).start)
    return Traced(one, present is None and original is None)


def employed_since(user_id: int, zone: str) -> int:
    """Return the second since when the user of that id is there."""
    return _traced(_BY_ID.rows(user=user_id)[0], zone).person.created_ts


def people(scope: Scope, deactivated: bool) -> list[Person]:
    """Return whom the viewer may trace; oneself always, deactivated users on request."""
    wanted = scope.allows(User.id)
    if not scope.can(Permission.TRACING_VIEW):
        wanted = User.id == scope.viewer_id
    if not (deactivated and scope.can(Permission.TRACING_DEACTIVATED)):
        wanted &= User.deactivated_ts.is_null()
    return rows(User.select(*_COLUMNS).where(wanted).order_by(User.name), Person)


def never_signed_in(user_id: int) -> bool:
    """Return whether no sign-in of the user of that id was ever reported."""
    return _traced(_BY_ID.rows(user=user_id)[0], "UTC").never_signed_in
