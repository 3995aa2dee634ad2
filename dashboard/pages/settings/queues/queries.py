"""Reads of the list of queues."""

from __future__ import annotations

from typing import NamedTuple

from dashboard.db import rows
from dashboard.models import Queue
from dashboard.web import lists
from dashboard.web.lists import Order


class Line(NamedTuple):
    id: int
    name: str
    label: str
    channel: str
    sla_s: int
    deactivated_ts: int | None


KEYS = {
    "label": lambda line: line.label,
    "name": lambda line: line.name,
    "channel": lambda line: line.channel,
    "sla": lambda line: line.sla_s,
}


def lines(sought: str, deactivated: bool, by: Order) -> list[Line]:
    """Return the queues that match, in the order asked for. A queue is no personal datum: no scope."""
    query = Queue.select(
        Queue.id, Queue.name, Queue.label, Queue.channel, Queue.sla_seconds, Queue.deactivated_ts
    )
    if not deactivated:
        query = query.where(Queue.deactivated_ts.is_null())
    fitting = [line for line in rows(query, Line) if lists.found(sought, line.name, line.label)]
    return lists.arranged(fitting, by, KEYS)
