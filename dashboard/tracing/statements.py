"""The reads behind every trace, built once; `load` runs them and puts the scope first.

Slots: `user`, `start` and `end` of the period in seconds or ms as the column has them, `edge` a day
before the start. Each is one index range of one user.
"""

from __future__ import annotations

from typing import Any

import peewee

from dashboard.db.prepared import Prepared, slot
from dashboard.models import Activity, Event, Interval, Source


def _intervals(near: bool) -> Any:
    i = Interval
    over = i.end_ts.is_null() | (i.end_ts > slot("start")) | (i.start_ts >= slot("start"))
    begun = (i.start_ts >= slot("edge")) & (i.start_ts < slot("end"))
    part = begun if near else (i.start_ts < slot("edge")) & i.long
    return (
        i.select(
            i.kind,
            i.start_ts,
            i.end_ts,
            i.channel,
            i.activity_id,
            i.queue_id,
            i.source_id,
            i.label,
            i.paid,
            i.inferred,
            i.reported_s,
            i.proved_ts,
            i.expires_ts,
            i.end_reason,
        )
        .where((i.user_id == slot("user")) & part & over)
        .order_by(i.start_ts)
    )


def _closed() -> Any:
    a = Activity
    inside = (a.closed_ts >= slot("start")) & (a.closed_ts < slot("end"))
    columns = (a.channel, a.state, a.interaction_id, a.handling_s, a.closed_ts)
    return a.select(*columns).where((a.user_id == slot("user")) & inside)


def _event_counts() -> Any:
    e = Event
    inside = (e.time_ms >= slot("start")) & (e.time_ms < slot("end"))
    query = e.select(e.type, peewee.fn.COUNT(e.type)).where((e.user_id == slot("user")) & inside)
    return query.group_by(e.type).order_by(e.type)


def _horizons() -> Any:
    return Source.select(Source.id, Source.last_ms).where(Source.is_file & Source.last_ms.is_null(False))


INTERVALS_NEAR = Prepared(lambda: _intervals(near=True))
INTERVALS_OLDER = Prepared(lambda: _intervals(near=False))
CLOSED = Prepared(_closed)
EVENT_COUNTS = Prepared(_event_counts)
HORIZONS = Prepared(_horizons)
