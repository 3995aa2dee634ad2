"""Reads of one user's trace: the viewer's scope first, typed rows out.

Page, fragment, totals, PDF, XLSX, CSV and API all stand on these reads.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.clock import DAY_S, Span
from dashboard.models import Activity
from dashboard.tracing import statements, surroundings
from dashboard.tracing.ongoing import AsOf, settled
from dashboard.tracing.surroundings import INSIDE, acts
from dashboard.tracing.types import NOT_TAKEN, SHOWN, ClosedRow, IntervalRow, Kind, State

ID_MAX = 2**63 - 1  # of a column of 64 bits
NO_SOURCE = 0  # the id of none
UNTAKEN = (State.MISSED.value, State.REJECTED.value)


class ActivityRow(NamedTuple):
    """A line of the activity list. `hidden`: outside the viewer's queues, so without content."""

    id: int
    interaction_id: int
    n: int
    channel: str
    direction: str
    state: str
    source_id: int
    queue_id: int | None
    queue: str
    contact_name: str
    contact_phone: str
    contact_email: str
    title: str
    start: int
    end: int | None
    closed: int | None
    ringing_s: int
    handling_s: int
    talk_s: int
    hold_s: int
    inferred: bool
    user_id: int
    end_bound: int | None = None
    end_reason: str | None = None
    proved_s: int | None = None
    expires_ts: int | None = None
    hidden: bool = False


class Filter(NamedTuple):
    """What the list is narrowed to; empty collections narrow nothing, `inferred` also means bounded ends."""

    channels: Collection[str] = ()
    states: Collection[str] = ()
    queue_id: int | None = None
    inferred: bool = False


def as_of(instant: int | None = None) -> AsOf:
    """Return the instant (now, if none is given) with the last lines of files."""
    return AsOf(clock.now_s() if instant is None else instant, horizons())


def intervals(scope: Scope, user_id: int, span: Span, at: AsOf | None = None) -> list[IntervalRow]:
    """Return the intervals of the user's day that overlap `span`, by start; nothing is clipped but what
    time or the end of a file has bounded as of `at`.

    Two index ranges: rows that begin within a day before the span, and the few long or open
    ones from further back. Pauses carry their type's present label. A user outside the scope
    gives []. Work outside the viewer's queues comes without content, marked hidden.
    """
    if not scope.sees(user_id):
        return []
    rows = statements.INTERVALS.rows(user=user_id, start=span.start, end=span.end, edge=span.start - DAY_S)
    at = at or as_of()
    found = sorted((_interval(row) for row in rows if row[0] in SHOWN), key=lambda row: row.start)
    found = settled((forgotten_login(user_id, row, at) for row in found), at)
    if scope.queues is None or user_id == scope.viewer_id:
        return found
    return [row if _open_to(scope, user_id, row) else _opaque(row) for row in found]


def forgotten_login(user_id: int, row: IntervalRow, at: AsOf) -> IntervalRow:
    """Return a login whose shift is over but not written as such, ended at the last sign of life."""
    last = min(at.instant, at.horizons.get(row.source_id, at.instant))
    if row.kind != Kind.LOGIN or row.end is not None or row.expires is None or row.expires > last:
        return row
    seen = acts(user_id, row.expires - surroundings.limits().shift, row.expires)
    return row._replace(end=max([row.start, *seen]), inferred=True)


def _interval(row: Sequence[Any]) -> IntervalRow:
    *facts, proved, expires, reason = row
    return IntervalRow(*facts)._replace(proved=proved, expires=expires, reason=reason)


def closed(scope: Scope, user_id: int, span: Span) -> list[ClosedRow]:
    """Return the activities that ended for this user in the span, for the counts (an index range)."""
    if not scope.sees(user_id):
        return []
    found = statements.CLOSED.rows(user=user_id, start=span.start, end=span.end)
    return [ClosedRow(*row) for row in found]


def event_counts(scope: Scope, user_id: int, span: Span) -> dict[str, int]:
    """Return how many events of each type the user caused in the span (an index range), but acts inside
    the dashboard."""
    if not scope.sees(user_id):
        return {}
    found = statements.EVENT_COUNTS.rows(user=user_id, start=span.start * 1000, end=span.end * 1000)
    return {type_: count for type_, count in found if type_ not in INSIDE}


def horizons() -> dict[int, int]:
    """Return source → last known second, for sources that are files: what they left open ends there."""
    return {source: last // 1000 for source, last in statements.HORIZONS.rows()}


def activities(scope: Scope, user_id: int, span: Span, at: AsOf) -> list[ActivityRow]:
    """Return the user's activities that overlap `span`, by (start, id); none on a day that has not come.

    Content of queues outside the scope is blanked.
    """
    if not scope.sees(user_id) or span.start > at.instant:
        return []
    over_files = [source for source, last in at.horizons.items() if last < span.start]
    rows = statements.ACTIVITIES.rows(
        user=user_id,
        start=span.start,
        end=span.end,
        edge=span.start - DAY_S,
        instant=at.instant,
        over_files=over_files or [NO_SOURCE],
    )
    found = [_row(scope, bounded_row(ActivityRow(*row), at)) for row in rows]
    return sorted(found, key=lambda row: (row.start, row.id))


def matches(row: ActivityRow, wanted: Filter, at: AsOf) -> bool:
    """Return whether the list shows this row under a filter; one on a queue finds no hidden work."""
    if wanted.channels and row.channel not in wanted.channels:
        return False
    if NOT_TAKEN in wanted.states:
        if row.state not in UNTAKEN or row.channel == "dialled":
            return False
    elif wanted.states and row.state not in wanted.states:
        return False
    if wanted.inferred and not row.inferred:
        expired = row.expires_ts is not None and row.expires_ts <= at.instant
        is_bounded = row.end_bound is not None or expired or row.source_id in at.horizons
        if row.end is not None or not is_bounded:
            return False
    return wanted.queue_id is None or row.queue_id == wanted.queue_id


def activity(scope: Scope, activity_id: int) -> ActivityRow | None:
    """Return one activity, or None when there is none or its user is outside the scope."""
    if activity_id > ID_MAX:
        return None
    found = [ActivityRow(*row) for row in statements.activities().where(Activity.id == activity_id).tuples()]
    if not found or not scope.sees(found[0].user_id):
        return None
    own = found[0].user_id == scope.viewer_id
    return _row(scope, bounded_row(found[0], as_of())) if own or scope.can(Permission.TRACING_VIEW) else None


def bounded_row(row: ActivityRow, at: AsOf) -> ActivityRow:
    """Return the row with the bound that time or the end of its file has set and nobody has written yet."""
    if row.end is not None or row.end_bound is not None:
        return row
    bound = at.bound(row.source_id, row.channel, row.expires_ts)
    if bound is None:
        return row
    state = State.POSTPONED if bound.reason == "idle" else row.state
    return row._replace(state=state, end_bound=bound.at, end_reason=str(bound.reason))


def not_taken() -> Any:
    """Return the condition of what rang at its user, who did not take it; a dialled call rings elsewhere."""
    return Activity.state.in_(UNTAKEN) & (Activity.channel != "dialled")


def _row(scope: Scope, row: ActivityRow) -> ActivityRow:
    if scope.content(row.user_id, row.queue_id):
        return row
    return row._replace(
        direction="",
        queue_id=None,
        queue="",
        contact_name="",
        contact_phone="",
        contact_email="",
        title="",
        hidden=True,
    )


def _open_to(scope: Scope, user_id: int, row: IntervalRow) -> bool:
    return row.activity_id is None or scope.content(user_id, row.queue_id)


def _opaque(row: IntervalRow) -> IntervalRow:
    return row._replace(queue_id=None, label="", hidden=True)


def clipped(
    found: Collection[IntervalRow],
    span: Span,
    as_of: int,
    ends: Mapping[int, int],
    kind: Kind = Kind.HANDLING,
) -> dict[int, int]:
    """Return activity → seconds of `kind` inside the span, as the list and its totals show them."""
    totals: dict[int, int] = {}
    for row in found:
        if row.kind != kind or row.activity_id is None:
            continue
        last = row.end if row.end is not None else min(as_of, ends.get(row.source_id, as_of))
        inside = min(last, span.end, as_of) - max(row.start, span.start)
        totals[row.activity_id] = totals.get(row.activity_id, 0) + max(0, inside)
    return totals
