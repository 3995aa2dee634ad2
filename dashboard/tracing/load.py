"""Reads of one user's trace: the viewer's scope first, typed rows out.

Page, fragment, totals, PDF, XLSX, CSV and API all stand on these reads.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import peewee

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.clock import DAY_S, Span
from dashboard.db.prepared import plain
from dashboard.models import Activity, Contact, PauseType, Queue
from dashboard.tracing import statements, surroundings
from dashboard.tracing.ongoing import AsOf, settled
from dashboard.tracing.surroundings import INSIDE, acts
from dashboard.tracing.types import NOT_TAKEN, SHOWN, ClosedRow, IntervalRow, Kind, State

ID_MAX = 2**63 - 1  # of a column of 64 bits


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
    times = {"user": user_id, "start": span.start, "end": span.end, "edge": span.start - DAY_S}
    found = [_interval(row) for row in statements.INTERVALS_OLDER.rows(**times)]
    found += [_interval(row) for row in statements.INTERVALS_NEAR.rows(**times)]
    at = at or as_of()
    found = [row for row in found if row.kind in SHOWN]
    found = settled((forgotten_login(user_id, row, at) for row in found), at)
    if any(row.label for row in found):
        labels = dict(PauseType.select(PauseType.name, PauseType.label).tuples())
        found = [row._replace(label=labels.get(row.label, row.label)) for row in found]
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


def activities(
    scope: Scope,
    user_id: int,
    span: Span,
    wanted: Filter = Filter(),
    after: tuple[int, int] | None = None,
    limit: int | None = None,
    descending: bool = False,
    at: AsOf | None = None,
) -> list[ActivityRow]:
    """Return the user's activities that overlap `span`, by (start, id); none on a day that has not come.

    `after` is the (start, id) of the last row of the page before, so that every page costs the
    same. Content of queues outside the scope is blanked, and filters on it find nothing there.
    """
    if not scope.sees(user_id):
        return []
    at = at or as_of()
    parts = _parts(user_id, span, at)
    found: list[ActivityRow] = []
    for part in reversed(parts) if descending else parts:
        if limit is not None and len(found) >= limit:
            break
        query = _activity_query().where(part & _filter(scope, user_id, wanted, at))
        found += _page(query, after, None if limit is None else limit - len(found), descending)
    return [_row(scope, bounded_row(row, at)) for row in found]


def counts(
    scope: Scope, user_id: int, span: Span, wanted: Filter = Filter(), at: AsOf | None = None
) -> dict[str, int]:
    """Return how many of these activities there are, by channel (from the index alone)."""
    totals: dict[str, int] = {}
    if not scope.sees(user_id):
        return totals
    at = at or as_of()
    for part in _parts(user_id, span, at):
        query = Activity.select(Activity.channel, peewee.fn.COUNT(Activity.id))
        query = query.where(part & _filter(scope, user_id, wanted, at)).group_by(Activity.channel)
        for channel, count in plain(query):
            totals[channel] = totals.get(channel, 0) + count
    return totals


def activity(scope: Scope, activity_id: int) -> ActivityRow | None:
    """Return one activity, or None when there is none or its user is outside the scope."""
    if activity_id > ID_MAX:
        return None
    found = [ActivityRow(*row) for row in _activity_query().where(Activity.id == activity_id).tuples()]
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


def _parts(user_id: int, span: Span, at: AsOf) -> tuple[Any, ...]:
    """Return the conditions of the two index ranges, older first: long ones from before, and near ones.
    None for a period that has not begun."""
    if span.start > at.instant:
        return ()
    a = Activity
    edge = span.start - DAY_S
    over_files = [source for source, last in at.horizons.items() if last < span.start]
    expired = (a.expires_ts < span.start) & (a.expires_ts <= at.instant)
    ongoing = a.end_bound.is_null() & (a.expires_ts.is_null() | ~expired)
    if over_files:
        ongoing &= a.source_id.not_in(over_files)
    over = (a.end_ts > span.start) | (a.end_ts.is_null() & (ongoing | (a.end_bound >= span.start)))
    older = (a.user_id == user_id) & a.long & (a.start_ts < edge) & over
    near = (a.user_id == user_id) & (a.start_ts >= edge) & (a.start_ts < span.end)
    return older, near & (over | (a.start_ts >= span.start))


def _page(
    query: Any, after: tuple[int, int] | None, limit: int | None, descending: bool
) -> list[ActivityRow]:
    a = Activity
    if after is not None:
        key = peewee.Tuple(a.start_ts, a.id)
        query = query.where(key < after if descending else key > after)
    order = (a.start_ts.desc(), a.id.desc()) if descending else (a.start_ts, a.id)
    return [ActivityRow(*row) for row in plain(query.order_by(*order).limit(limit))]


def _activity_query() -> Any:
    a = Activity
    name = peewee.fn.COALESCE
    return (
        a.select(
            a.id,
            a.interaction_id,
            a.n,
            a.channel,
            a.direction,
            a.state,
            a.source_id,
            a.queue_id,
            name(Queue.label, ""),
            name(Contact.name, ""),
            name(Contact.phone, ""),
            name(Contact.email, ""),
            a.title,
            a.start_ts,
            a.end_ts,
            a.closed_ts,
            a.ringing_s,
            a.handling_s,
            a.talk_s,
            a.hold_s,
            a.inferred,
            a.user_id,
            a.end_bound,
            a.end_reason,
            a.proved_s,
            a.expires_ts,
        )
        .join(Queue, peewee.JOIN.LEFT_OUTER, on=(Queue.id == a.queue_id))
        .join(Contact, peewee.JOIN.LEFT_OUTER, on=(Contact.id == a.contact_id))
    )


def not_taken() -> Any:
    """Return the condition of what rang at its user, who did not take it; a dialled call rings elsewhere."""
    return Activity.state.in_([State.MISSED.value, State.REJECTED.value]) & (Activity.channel != "dialled")


def _filter(scope: Scope, user_id: int, wanted: Filter, at: AsOf) -> Any:
    a = Activity
    condition: Any = a.id.is_null(False)
    if wanted.channels:
        condition &= a.channel.in_(sorted(wanted.channels))
    if NOT_TAKEN in wanted.states:
        condition &= not_taken()
    elif wanted.states:
        condition &= a.state.in_(sorted(wanted.states))
    if wanted.inferred:
        of_file = a.source_id.in_(list(at.horizons))
        bounded = a.end_bound.is_null(False) | (a.expires_ts <= at.instant) | of_file
        condition &= a.inferred | (a.end_ts.is_null() & bounded)
    if wanted.queue_id is not None:
        visible = scope.content(user_id, wanted.queue_id)
        condition &= (a.queue_id == wanted.queue_id) & (a.id.is_null(not visible))
    return condition


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
