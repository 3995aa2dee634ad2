"""Which event types occur, and when: read from the index of types, whose size matters little."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import peewee
from peewee import fn

from dashboard.catalog import CUSTOM
from dashboard.clock import DAY_MS
from dashboard.db.prepared import plain
from dashboard.models import Event

AFTER_CUSTOM = "custom/"  # the first text after all that begin with "custom."
MOST_CUSTOM = 200  # of names that clients make up


def last_times() -> dict[str, int]:
    """Return the latest time in ms of each type that ever occurred; of custom types the first by name."""
    ranges = (("", CUSTOM, -1), (CUSTOM, AFTER_CUSTOM, MOST_CUSTOM), (AFTER_CUSTOM, "~", -1))
    return dict(row for low, high, most in ranges for row in plain(_last_times(low, high, most)))


def _last_times(low: str, high: str, most: int) -> Any:
    """Return the query of types between two texts with their latest times: two steps in an index each."""
    first, later, times = Event.alias("first"), Event.alias("later"), Event.alias("times")
    kinds = first.select(fn.MIN(first.type)).where((first.type > low) & (first.type < high))
    cte = kinds.cte("kinds", recursive=True, columns=("type",))
    following = later.select(fn.MIN(later.type)).where((later.type > cte.c.type) & (later.type < high))
    cte = cte.union_all(peewee.Select([cte], [following]).where(cte.c.type.is_null(False)))
    latest = times.select(fn.MAX(times.time_ms)).where(times.type == cte.c.type)
    query = cte.select_from(cte.c.type, latest).where(cte.c.type.is_null(False))
    return query.limit(most) if most >= 0 else query


def last_day(types: Collection[str], now_ms: int) -> dict[str, int]:
    """Return how many events of each of the types have a time of the last 24 hours.

    Named one by one they are ranges of the index of types, a quarter of what a day's rows cost.
    """
    recent = (Event.time_ms >= now_ms - DAY_MS) & (Event.time_ms <= now_ms)
    query = Event.select(Event.type, fn.COUNT(Event.type)).where(Event.type.in_(sorted(types)) & recent)
    return dict(plain(query.group_by(Event.type)))
