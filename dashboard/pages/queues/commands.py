"""Changes of queues: one verb, one transaction, its audit entry inside."""

from __future__ import annotations

from typing import Any

import peewee

from dashboard import clock
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.models import Queue


class TakenError(Exception):
    """Another queue has this name."""


def facts(row: Queue) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("name", "label", "channel", "sla_seconds")}


def create(values: dict[str, Any]) -> Queue:
    """Add a queue; raises TakenError."""
    try:
        with database.atomic():
            row = Queue.create(created_ts=clock.now_s(), **values)
            audit.record("queue.created", "c", _target(row), audit.differences({}, values))
    except peewee.IntegrityError:
        raise TakenError from None
    return row


def update(row: Queue, values: dict[str, Any], version: int) -> bool:
    """Save; False, and nothing is changed, when `version` is no longer the row's. Raises TakenError."""
    changes = audit.differences(facts(row), values)
    try:
        with database.atomic():
            mine = (Queue.id == row.id) & (Queue.version == version)
            if not Queue.update(version=Queue.version + 1, **values).where(mine).execute():
                return False
            if changes:
                audit.record("queue.updated", "u", _target(row), changes)
    except peewee.IntegrityError:
        raise TakenError from None
    return True


def deactivate(row: Queue) -> None:
    """Take the queue out of the lists; what happened in it stays. Twice is once."""
    _set(row, clock.now_s(), "queue.deactivated")


def reactivate(row: Queue) -> None:
    _set(row, None, "queue.reactivated")


def _set(row: Queue, moment: int | None, action: str) -> None:
    other = Queue.deactivated_ts.is_null() if moment else Queue.deactivated_ts.is_null(False)
    with database.atomic():
        change = Queue.update(deactivated_ts=moment, version=Queue.version + 1)
        if change.where((Queue.id == row.id) & other).execute():
            audit.record(action, "u", _target(row), {"deactivated": (moment is None, moment is not None)})


def _target(row: Queue) -> tuple[str, object, str]:
    return ("queue", row.id, row.label)
