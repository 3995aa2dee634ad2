"""Whom the viewer may trace, since when there are events of a user, and who never signs in."""

from __future__ import annotations

from typing import NamedTuple

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.db import rows
from dashboard.db.prepared import plain
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


def person(scope: Scope, login: str) -> Person | None:
    """Return the user of that login, or None when there is none or not for this viewer."""
    query = User.select(User.id, User.login, User.name, User.created_ts, User.deactivated_ts)
    found = rows(query.where((User.login == login) & scope.allows(User.id)), Person)
    if not found:
        return None
    one: Person = found[0]
    own = one.id == scope.viewer_id
    return one if own or scope.can(Permission.TRACING_VIEW) else None


def first_event_ts(user_id: int) -> int | None:
    """Return the second of the user's earliest event, acts in the dashboard aside, or of what is left of
    their days where that is earlier (a step in an index each)."""
    e, i = Event, Interval
    mine = e.select(e.time_ms).where((e.user_id == user_id) & e.type.not_in(INSIDE))
    found = [time_ms // 1000 for (time_ms,) in plain(mine.order_by(e.time_ms).limit(1))]
    if horizon.horizon_ms():
        days = i.select(i.start_ts).where(i.user_id == user_id)
        found += [start for (start,) in plain(days.order_by(i.start_ts).limit(1))]
    return min(found, default=None)


def employed_since(user_id: int, created_ts: int, zone: str) -> int:
    """Return when the user was there from: made here, or the local day of the first event if earlier.

    Events tell of users before they are made here, the imported ones of years ago.
    """
    first = first_event_ts(user_id)
    if first is None or first >= created_ts:
        return created_ts
    return clock.day(clock.local_date(first, zone), zone).start


def people(scope: Scope, deactivated: bool) -> list[Person]:
    """Return whom the viewer may trace; oneself always, deactivated users on request."""
    wanted = scope.allows(User.id)
    if not scope.can(Permission.TRACING_VIEW):
        wanted = User.id == scope.viewer_id
    if not (deactivated and scope.can(Permission.TRACING_DEACTIVATED)):
        wanted &= User.deactivated_ts.is_null()
    query = User.select(User.id, User.login, User.name, User.created_ts, User.deactivated_ts)
    return rows(query.where(wanted).order_by(User.name), Person)


# A recorded sign-in, whatever corrections lie over it.
SIGNED_IN = Interval.kind.in_((Kind.LOGIN, Kind.LOGIN_ORIGINAL)) & (
    Interval.end_reason.is_null() | (Interval.end_reason != EndReason.CORRECTED.value)
)


def never_signed_in(user_id: int) -> bool:
    """True when no sign-in of the user was ever reported, as for members of a queue log."""
    of_user = Interval.select(Interval.id).where((Interval.user_id == user_id) & SIGNED_IN)
    presence = of_user.where(Interval.kind <= max(PRESENCE))  # the index of presence: few rows a day
    original = of_user.where(Interval.kind >= min(ORIGINALS.values()))
    return not (plain(presence.order_by(Interval.closed_ms).limit(1)) or plain(original.limit(1)))
