"""The reads behind every trace, built once; `load` runs them and puts the scope first.

Slots: `user`, `start` and `end` of the period in seconds or ms as the column has them, `edge` a day
before the start. Each is one index range of one user, or two: the few long or open rows of before the edge,
and those since. `over_files` are the sources that are files and end before the period, never none.
"""

from __future__ import annotations

from typing import Any

import peewee

from dashboard.db.prepared import Prepared, slot
from dashboard.models import Activity, Contact, Event, Interval, PauseType, Queue, Source


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
            peewee.fn.COALESCE(PauseType.label, i.label),
            i.paid,
            i.inferred,
            i.reported_s,
            i.proved_ts,
            i.expires_ts,
            i.end_reason,
        )
        .join(PauseType, peewee.JOIN.LEFT_OUTER, on=(PauseType.name == i.label))
        .where((i.user_id == slot("user")) & part & over)
    )


def activities() -> Any:
    """Return the query of activities with their queues and contacts, in the columns of `load.ActivityRow`."""
    a, name = Activity, peewee.fn.COALESCE
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


def _activities(near: bool) -> Any:
    a = Activity
    expired = (a.expires_ts < slot("start")) & (a.expires_ts <= slot("instant"))
    goes_on = a.source_id.not_in([slot("over_files")]) & (a.expires_ts.is_null() | ~expired)
    bounded = a.end_bound >= slot("start")
    over = (a.end_ts > slot("start")) | (a.end_ts.is_null() & ((a.end_bound.is_null() & goes_on) | bounded))
    begun = (a.start_ts >= slot("edge")) & (a.start_ts < slot("end")) & (over | (a.start_ts >= slot("start")))
    part = begun if near else a.long & (a.start_ts < slot("edge")) & over
    return activities().where((a.user_id == slot("user")) & part)


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


INTERVALS = Prepared(lambda: _intervals(near=False).union_all(_intervals(near=True)))
ACTIVITIES = Prepared(lambda: _activities(near=False).union_all(_activities(near=True)))
CLOSED = Prepared(_closed)
EVENT_COUNTS = Prepared(_event_counts)
HORIZONS = Prepared(_horizons)
