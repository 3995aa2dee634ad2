"""Counts the events of each source by the hour in which they arrived, with how late they were.

`count` adds each event once, whatever becomes of its worker: what was counted is committed together with the
place in the log up to which it was. `of_day` also has up to BEHIND events after that place.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from dashboard import catalog, clock
from dashboard.clock import DAY_S, HOUR_S
from dashboard.db import database
from dashboard.db.prepared import Prepared, slot
from dashboard.events import record, timeliness
from dashboard.models import Event, Setting, Source, SourceHour, SourceRhythm

PIECE = 20_000  # events counted in a transaction
BEHIND = 100_000  # events that are not counted yet and that a page reads
FIRST = 200_000  # events of before the first count that are counted
KEPT_S = 7 * DAY_S
EVERY_S = 10
HOURS = 24
PLACE = "source hours"  # the setting with the id of the last event counted
_BEHIND = Prepared(
    lambda: (
        Event.select(Event.id, Event.source_id, Event.type, Event.time_ms, Event.recorded_ms)
        .where((Event.id > slot("after")) & (Event.id <= slot("to")))
        .order_by(Event.id)
    )
)
_counted: float | None = None


@dataclass
class Arrivals:
    """Events that arrived, without those that Stopa recorded itself.

    `ahead` of them lay ahead of the server's clock. `delays` has how many were so many ms old, rounded up to
    two digits. `last_id` and `last_ms` are the last event and when it arrived.
    """

    events: int = 0
    ahead: int = 0
    last_id: int = 0
    last_ms: int = 0
    delays: Counter[int] = field(default_factory=Counter)

    def add(self, other: Arrivals) -> None:
        self.events += other.events
        self.ahead += other.ahead
        self.delays.update(other.delays)
        self.last_id = max(self.last_id, other.last_id)
        self.last_ms = max(self.last_ms, other.last_ms)

    def delay_ms(self, share: float) -> int | None:
        """Return the delay that this share of the events does not exceed; None without events."""
        left = share * self.delays.total()
        for delay, number in sorted(self.delays.items()):
            left -= number
            if left <= 0:
                return delay
        return None


@dataclass
class Day(Arrivals):
    """The arrivals of HOURS hours up to this one; `hours` has the events of each, oldest first."""

    hours: list[int] = field(default_factory=lambda: [0] * HOURS)


class Last(NamedTuple):
    """A live source and when its last event arrived."""

    id: int
    name: str
    last_ts: int
    is_silent: bool  # for longer than its rhythm explains


def first_hour(now_s: int) -> int:
    """Return the second at which the hours of a day that lasts until now begin."""
    return now_s - now_s % HOUR_S - (HOURS - 1) * HOUR_S


def of_day(now_s: int) -> dict[int, Day]:
    """Return the arrivals of the past day by source."""
    start, h = first_hour(now_s), SourceHour
    found: dict[int, Day] = {}

    def add(source_id: int, hour: int, part: Arrivals) -> None:
        if start <= hour <= now_s:
            day = found.setdefault(source_id, Day())
            day.add(part)
            day.hours[(hour - start) // HOUR_S] += part.events

    place = _place() or 0
    for row in h.select().where(h.hour_ts >= start):
        add(row.source_id, row.hour_ts, _stored(row))
    for (source_id, hour), part in _read(place, place + BEHIND).items():
        add(source_id, hour, part)
    return found


def last_of_live(now_s: int, most: int) -> list[Last]:
    """Return up to `most` live sources that sent in the past week: silent ones, then the latest."""
    days, r = of_day(now_s), SourceRhythm
    since_ms = (now_s - 7 * DAY_S) * 1000
    query = r.select(Source.id, Source.name, r.arrived_ms, r.silent_ms).join(Source)
    found = [
        Last(ident, name, _last_s(days.get(ident, Day()).last_ms, arrived_ms, now_s), silent_ms is not None)
        for ident, name, arrived_ms, silent_ms in query.where(~Source.is_file).tuples()
        if arrived_ms >= since_ms
    ]
    return sorted(found, key=lambda each: (not each.is_silent, -each.last_ts))[:most]


def _last_s(counted_ms: int, arrived_ms: int, now_s: int) -> int:
    """Return the later of both in seconds, not after now: events of now arrive while a page is made."""
    return min(max(counted_ms, arrived_ms) // 1000, now_s)


def count(every_s: float = EVERY_S) -> int:
    """Count the events that arrived since the last count, PIECE at most, once in `every_s` seconds.

    A worker tick; returns 0 where nothing is left to count now.
    """
    global _counted
    if _counted is not None and time.monotonic() - _counted < every_s:
        return 0
    known, safe = _place(), record.safe_read_position()
    after = max(safe - FIRST, 0) if known is None else min(known, safe)  # less: SQLite gives ids again
    to = min(safe, after + PIECE)
    _counted = None if to < safe else time.monotonic()
    if to > after or (known is not None and known > safe):
        _count(known, after, to)
    return int(to < safe)


def _count(known: int | None, after: int, to: int) -> None:
    """Add the events with `after` < id <= `to`, unless another worker has moved the place from `known`."""
    with database.atomic():
        first = Setting.insert(name=PLACE, value=str(to)).on_conflict_ignore().as_rowcount()
        moved = Setting.update(value=str(to)).where((Setting.name == PLACE) & (Setting.value == str(known)))
        if not (first if known is None else moved).execute():
            return
        h, sources = SourceHour, {ident for (ident,) in Source.select(Source.id).tuples()}
        for (source_id, hour), part in _read(after, to).items():
            if source_id not in sources:
                continue
            key = {"source": source_id, "hour_ts": hour}
            row = h.get_or_none((h.source == source_id) & (h.hour_ts == hour))
            part.add(_stored(row) if row else Arrivals())
            values = {"events": part.events, "ahead": part.ahead, "delays": _texts(part.delays)}
            values |= {"last_id": part.last_id, "last_ms": part.last_ms}
            h.insert(**key, **values).on_conflict(
                conflict_target=[h.source, h.hour_ts], update=values
            ).execute()
        h.delete().where(h.hour_ts < clock.now_s() - KEPT_S).execute()


def _place() -> int | None:
    row = Setting.get_or_none(Setting.name == PLACE)
    return None if row is None else int(row.value)


def _read(after: int, to: int) -> dict[tuple[int, int], Arrivals]:
    """Return the events with `after` < id <= `to` by source and second of the hour."""
    found: dict[tuple[int, int], Arrivals] = {}
    for ident, source_id, type_, time_ms, recorded_ms in _BEHIND.rows(after=after, to=to):
        if catalog.is_internal(type_):
            continue
        hour = recorded_ms // 1000 // HOUR_S * HOUR_S
        part = found.setdefault((source_id, hour), Arrivals())
        part.events += 1
        part.ahead += timeliness.is_clock_ahead(time_ms, recorded_ms)
        part.delays[_rounded(max(recorded_ms - time_ms, 0))] += 1
        part.last_id, part.last_ms = ident, max(part.last_ms, recorded_ms)
    return found


def _rounded(ms: int) -> int:
    step: int = 10 ** max(len(str(ms)) - 2, 1)
    return -(-ms // step) * step


def _stored(row: SourceHour) -> Arrivals:
    delays: Mapping[str, int] = row.delays
    known = Counter({int(ms): number for ms, number in delays.items()})
    return Arrivals(row.events, row.ahead, row.last_id, row.last_ms, known)


def _texts(delays: Counter[int]) -> dict[str, int]:
    return {str(ms): number for ms, number in delays.items()}
