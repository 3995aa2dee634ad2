"""Writes what the fold concluded: rows of interactions, activities and intervals.

Only the projection calls this, one at a time (Lock.PROJECTION), so ids may be given out here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from dashboard.clock import DAY_S
from dashboard.db import dialect
from dashboard.db.prepared import Prepared, slot
from dashboard.events import horizon
from dashboard.models import Activity, Interaction, Interval
from dashboard.tracing.bounds import Bound, Bounded, EndReason
from dashboard.tracing.presence import Presence
from dashboard.tracing.types import PRESENCE, FoldedInteraction, Kind, Segment

INTERACTION_COLUMNS = (
    "id",
    "source_id",
    "external_id",
    "channel",
    "direction",
    "queue_id",
    "contact_id",
    "first_ms",
    "queued_ts",
    "answered_ts",
    "ended_ts",
    "wait_s",
    "talk_s",
    "outcome",
    "reason",
    "timeouts",
    "end_bound",
    "end_reason",
    "expires_ts",
    "completed_by",
)
ACTIVITY_COLUMNS = (
    "id",
    "interaction_id",
    "user_id",
    "n",
    "source_id",
    "channel",
    "direction",
    "state",
    "queue_id",
    "contact_id",
    "title",
    "start_ts",
    "end_ts",
    "closed_ts",
    "ringing_s",
    "handling_s",
    "talk_s",
    "hold_s",
    "inferred",
    "long",
    "end_bound",
    "end_reason",
    "proved_s",
    "expires_ts",
)
INTERVAL_COLUMNS = (
    "user_id",
    "kind",
    "channel",
    "start_ts",
    "end_ts",
    "long",
    "activity_id",
    "queue_id",
    "source_id",
    "key",
    "label",
    "paid",
    "inferred",
    "reported_s",
    "opened_ms",
    "closed_ms",
    "proved_ts",
    "end_reason",
    "expires_ts",
)
CHUNK = 500


_MINE = (Interaction.source == slot("source")) & Interaction.external_id.in_([slot("names")])
_KNOWN = Prepared(lambda: Interaction.select(Interaction.external_id, Interaction.id).where(_MINE))
_FROZEN = Prepared(
    lambda: Interaction.select(Interaction.external_id).where(_MINE & Interaction.frozen_ms.is_null(False))
)


def unfrozen(source: int, names: Sequence[str]) -> Sequence[str]:
    """Return those of `names` that may be folded: an interaction whose events were deleted may not."""
    if not horizon.horizon_ms():
        return names
    frozen = {name for (name,) in _FROZEN.rows(source=source, names=list(names))}
    return [name for name in names if name not in frozen]


def interactions(source: int, folded: Mapping[str, Outcome], gone: Collection[str] = ()) -> None:
    """Replace the rows of these interactions of a source, keeping the ids they have; delete those `gone`."""
    known = dict(_KNOWN.rows(source=source, names=[*folded, *gone]))
    ids = _Ids(dialect.highest_id("interaction"))  # before the rows go: their ids come back
    works = _Ids(dialect.highest_id("activity"))
    stints = _forget(sorted(known.values()))
    facts: list[tuple[Any, ...]] = []
    activities: list[tuple[Any, ...]] = []
    intervals: list[tuple[Any, ...]] = []
    for name, one in folded.items():
        ident = known.get(name) or next(ids)
        facts.append((ident, source, name, *_facts(one)))
        for found in one.works:
            work = found.activity
            number = stints.get((ident, work.user_id, work.n)) or next(works)
            activities.append((number, ident, work.user_id, work.n, source, *_work(found)))
            intervals += [_segment(found, number, source, segment) for segment in work.segments]
    dialect.insert_many("interaction", INTERACTION_COLUMNS, facts)
    dialect.insert_many("activity", ACTIVITY_COLUMNS, activities)
    dialect.insert_many("interval", INTERVAL_COLUMNS, intervals)


def presence_rows(user: int, since_ms: int) -> list[Presence]:
    """Return the user's recorded presence that is open or was ended by events since `since_ms`."""
    of_user = (Interval.user_id == user) & (Interval.kind <= max(PRESENCE))
    # Two index ranges; asked for with one OR, the database walks all the user's days.
    still_open = Interval.select().where(of_user & Interval.closed_ms.is_null())
    ended = Interval.select().where(of_user & (Interval.closed_ms >= since_ms))
    return [
        presence_of(row)
        for row in (*still_open, *ended)
        if row.kind == Kind.PAUSE or row.end_reason != EndReason.FIRST_TO_LAST
    ]


def presence_of(row: Interval) -> Presence:
    return Presence(
        kind=row.kind,
        key=row.key,
        start=row.start_ts,
        end=row.end_ts,
        label=row.label,
        paid=row.paid,
        inferred=row.inferred,
        reported_s=row.reported_s,
        opened_ms=row.opened_ms,
        closed_ms=row.closed_ms,
        source_id=row.source_id,
        id=row.id,
        expires=row.proved_ts,
        reason=row.end_reason or "",
    )


def presence(user: int, gone: Sequence[int], rows: Sequence[Presence]) -> None:
    """Delete the rows that later events had made, and write what the fold says now."""
    stale = sorted({*gone, *(row.id for row in rows if row.id is not None)})
    for part in _chunks(stale):
        Interval.delete().where(Interval.id.in_(part)).execute()
    dialect.insert_many(
        "interval",
        INTERVAL_COLUMNS,
        [
            (
                user,
                int(row.kind),
                "",
                row.start,
                row.end,
                _long(row.start, row.end),
                None,
                int(row.key) if row.key.isdecimal() and row.kind != PRESENCE[0] else None,
                row.source_id,
                row.key,
                row.label,
                row.paid,
                row.inferred,
                row.reported_s,
                row.opened_ms,
                row.closed_ms,
                row.expires,  # kept for when the row opens again
                row.reason or None,
                row.expires if row.end is None else None,
            )
            for row in rows
        ],
    )


_ACTIVITIES = Prepared(
    lambda: Activity.select(Activity.interaction_id, Activity.user_id, Activity.n, Activity.id).where(
        Activity.interaction_id.in_([slot("ids")])
    )
)
_NO_INTERVALS = Prepared(lambda: Interval.delete().where(Interval.activity_id.in_([slot("ids")])))
_NO_ACTIVITIES = Prepared(lambda: Activity.delete().where(Activity.interaction_id.in_([slot("ids")])))
_NO_INTERACTIONS = Prepared(lambda: Interaction.delete().where(Interaction.id.in_([slot("ids")])))


def _forget(ids: Sequence[int]) -> dict[tuple[int, int, int], int]:
    """Delete the rows of these interactions; return (interaction, user, n) → the activity's id."""
    stints: dict[tuple[int, int, int], int] = {}
    for part in _chunks(ids):
        mine = list(part)
        found = {(inter, user, n): ident for inter, user, n, ident in _ACTIVITIES.rows(ids=mine)}
        stints.update(found)
        for works in _chunks(sorted(found.values())):
            _NO_INTERVALS.run(ids=list(works))
        _NO_ACTIVITIES.run(ids=mine)
        _NO_INTERACTIONS.run(ids=mine)
    return stints


def _facts(outcome: Outcome) -> tuple[Any, ...]:
    one = outcome.interaction
    return (
        one.channel,
        one.direction,
        one.queue_id,
        one.contact_id,
        one.first_ms,
        one.queued_ts,
        one.answered_ts,
        one.ended_ts,
        one.wait_s,
        one.talk_s,
        one.outcome,
        one.reason,
        one.timeouts,
        *_bound(outcome.bound),
        outcome.expires,
        _completed_by(one),
    )


def _completed_by(one: FoldedInteraction) -> int | None:
    """Return the user who closed an interaction last."""
    closed = [(work.closed, n) for n, work in enumerate(one.activities) if work.closed is not None]
    return one.activities[max(closed)[1]].user_id if closed else None


def _work(found: Bounded) -> tuple[Any, ...]:
    work = found.activity
    return (
        work.channel,
        work.direction,
        str(work.state),
        work.queue_id,
        work.contact_id,
        work.title[:200],
        work.start,
        work.end,
        work.closed,
        work.ringing_s,
        work.handling_s,
        work.talk_s,
        work.hold_s,
        work.inferred,
        _long(work.start, work.end),
        *_bound(found.bound),
        None if found.bound is None else work.handling_s,
        found.expires,
    )


def _segment(found: Bounded, number: int, source: int, segment: Segment) -> tuple[Any, ...]:
    work, is_open = found.activity, segment.end is None
    unproved = found.bound is not None and segment.kind == Kind.UNPROVED
    return (
        work.user_id,
        int(segment.kind),
        work.channel,
        segment.start,
        segment.end,
        _long(segment.start, segment.end),
        number,
        work.queue_id,
        source,
        "",
        "",
        False,
        segment.inferred,
        None,
        0,
        None,
        found.proved_ts if is_open else None,
        str(found.bound.reason) if found.bound is not None and unproved else None,
        found.expires if is_open else None,
    )


def _bound(bound: Bound | None) -> tuple[int | None, str | None]:
    return (None, None) if bound is None else (bound.at, str(bound.reason))


def _long(start: int, end: int | None) -> bool:
    return end is None or end - start > DAY_S


class Outcome(NamedTuple):
    """A folded interaction with what bounds it and each of its activities."""

    interaction: FoldedInteraction
    works: Sequence[Bounded]
    bound: Bound | None = None
    expires: int | None = None


class _Ids(Iterator[int]):
    """Rising ids after the highest in use."""

    def __init__(self, last: int) -> None:
        self.last = last

    def __next__(self) -> int:
        self.last += 1
        return self.last


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]
