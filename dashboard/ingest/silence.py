"""Notices that a live source is silent longer than its rhythm explains, once per silence, and its return.

The rhythm of a source are the slots of five minutes of the past four weeks in which events arrived, by hour
of the week in the site's time zone: nights and weekends without events are no silence. A source is silent
when that many empty slots in a row have a probability below one in 100,000. Files that are imported have no
rhythm, nor does a source of less than a week.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping

from dashboard import catalog, clock
from dashboard.clock import DAY_S
from dashboard.db import database
from dashboard.db.prepared import Prepared, slot
from dashboard.events import internal
from dashboard.i18n import site_zone
from dashboard.jobs import queue
from dashboard.models import Event, Source, SourceRhythm

SLOT_S, HOUR_S, WEEK_S = 300, 3600, 7 * DAY_S
WEEK_H = WEEK_S // HOUR_S
SLOTS = HOUR_S // SLOT_S
WEEKS = 4
SURPRISE = math.log(100_000)
BUSIEST = 0.95  # no slot is certain: three empty ones are never enough
AHEAD_S = 4 * WEEK_S  # further ahead nothing is due
EVERY_S = 30
GRACE_S = 1200  # after a start events that sources kept meanwhile are on their way
Hours = dict[str, int]  # second of an hour → its slots with events, as bits
_ARRIVED = Prepared(
    lambda: (
        Event.select(Event.source_id, Event.type)
        .where((Event.id > slot("after")) & (Event.id <= slot("to")))
        .distinct()
    )
)
_started: float | None = None
_looked: float | None = None


def note(after: int, to: int) -> None:
    """Note in the digest's transaction that events with `after` < id <= `to` have arrived.

    What Stopa records itself about a source does not count. A source that was silent is recorded as back.
    """
    rows = _ARRIVED.rows(after=after, to=to)
    sources = {source for source, type_ in rows if not catalog.is_internal(type_)}
    now = clock.now_s()
    for source in Source.select().where(Source.id.in_(sorted(sources)) & ~Source.is_file):
        known = SourceRhythm.get_or_none(SourceRhythm.source == source.id)
        if known is None or known.silent_ms or known.arrived_ms // 1000 // SLOT_S < now // SLOT_S:
            _note(source, known, now)


def look(every_s: float = EVERY_S, grace_s: float = GRACE_S) -> int:
    """Record the sources that have become silent. A worker tick; returns 0, no work done.

    Nothing is due while events wait for their digest, nor right after a start of the worker.
    """
    global _started, _looked
    now = time.monotonic()
    _started = now if _started is None else _started
    if (_looked is not None and now - _looked < every_s) or now - _started < grace_s:
        return 0
    _looked = now
    due = list(SourceRhythm.select().where(SourceRhythm.due_ms <= clock.now_ms()))
    if due and not queue.waiting(["digest"]):
        for row in due:
            _report(row)
    return 0


def due_s(hours: Mapping[str, int], arrived: int, zone: str) -> int | None:
    """Return the second from which on a source that sent at `arrived` is silent; None if for long not."""
    known = {_local_hour(int(hour), zone): bits.bit_count() for hour, bits in hours.items()}
    this = _local_hour(arrived, zone)
    weeks = min(WEEKS, (this - min(known, default=this)) // WEEK_H)
    if not weeks:
        return None
    busy = Counter[int]()
    for hour, slots in known.items():
        if this - weeks * WEEK_H <= hour < this:
            busy[hour % WEEK_H] += slots
    surprise = 0.0
    for start in _slots(arrived):
        share = busy[_local_hour(start, zone) % WEEK_H] / (weeks * SLOTS)
        surprise -= math.log1p(-min(BUSIEST, share))
        if surprise >= SURPRISE:
            return start + SLOT_S
    return None


def _slots(after: int) -> Iterator[int]:
    """Yield the whole slots that follow the one of a second."""
    first = after - after % SLOT_S + SLOT_S
    return iter(range(first, first + AHEAD_S, SLOT_S))


def _local_hour(ts: int, zone: str) -> int:
    """Return the number of the local hour since 1970."""
    return (ts + clock.offset_s(ts, zone)) // HOUR_S


def _note(source: Source, known: SourceRhythm | None, now: int) -> None:
    hour = now - now % HOUR_S
    hours: Hours = {
        each: bits for each, bits in (known.hours if known else {}).items() if int(each) > now - 5 * WEEK_S
    }
    hours[str(hour)] = hours.get(str(hour), 0) | 1 << (now - hour) // SLOT_S
    due = due_s(hours, now, site_zone())
    if known is not None and known.silent_ms:
        silent_s = now - known.arrived_ms // 1000
        back = {"name": source.name, "silent_s": silent_s}
        internal.append("source.resumed", back, identity=f"source.resumed:{source.id}:{known.silent_ms}")
    values = {"arrived_ms": now * 1000, "due_ms": due and due * 1000, "silent_ms": None, "hours": hours}
    SourceRhythm.insert(source=source.id, **values).on_conflict(
        conflict_target=[SourceRhythm.source], update=values
    ).execute()


def _report(row: SourceRhythm) -> None:
    """Record that a source is silent, unless an event has come meanwhile or another worker does."""
    r, now_ms = SourceRhythm, clock.now_ms()
    with database.atomic():
        same = (r.source == row.source) & (r.due_ms == row.due_ms)
        if not r.update(due_ms=None, silent_ms=now_ms).where(same).execute():
            return
        source = row.source
        if not source.is_file and source.paused_ms is None:
            data = {"name": source.name, "silent_s": (now_ms - row.arrived_ms) // 1000}
            identity = f"source.silent:{source.id}:{row.arrived_ms}"
            internal.append("source.silent", data, identity=identity)
