"""Reads of the list of pause types."""

from __future__ import annotations

from typing import NamedTuple

from dashboard.db import rows
from dashboard.models import PauseType
from dashboard.web import lists
from dashboard.web.lists import Order


class Line(NamedTuple):
    id: int
    name: str
    label: str
    paid: bool
    max_s: int | None
    deactivated_ts: int | None


KEYS = {
    "label": lambda line: line.label,
    "name": lambda line: line.name,
    "paid": lambda line: line.paid,
    "max": lambda line: line.max_s,
}


def lines(sought: str, deactivated: bool, by: Order) -> list[Line]:
    """Return the pause types that match, in the order asked for. No personal data: no scope."""
    query = PauseType.select(
        PauseType.id,
        PauseType.name,
        PauseType.label,
        PauseType.paid,
        PauseType.max_seconds,
        PauseType.deactivated_ts,
    )
    if not deactivated:
        query = query.where(PauseType.deactivated_ts.is_null())
    fitting = [line for line in rows(query, Line) if lists.found(sought, line.name, line.label)]
    return lists.arranged(fitting, by, KEYS)
