"""Changes of pause types: one verb, one transaction, its audit entry inside."""

from __future__ import annotations

from typing import Any

import peewee

from dashboard import clock
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.models import PauseType


class TakenError(Exception):
    """Another pause type has this name."""


def facts(row: PauseType) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("name", "label", "paid", "max_seconds")}


def create(values: dict[str, Any]) -> PauseType:
    """Add a pause type; raises TakenError."""
    try:
        with database.atomic():
            row = PauseType.create(**values)
            audit.record("pause_type.created", "c", _target(row), audit.differences({}, values))
    except peewee.IntegrityError:
        raise TakenError from None
    return row


def update(row: PauseType, values: dict[str, Any], version: int) -> bool:
    """Save; False, and nothing is changed, when `version` is no longer the row's. Raises TakenError."""
    changes = audit.differences(facts(row), values)
    try:
        with database.atomic():
            mine = (PauseType.id == row.id) & (PauseType.version == version)
            if not PauseType.update(version=PauseType.version + 1, **values).where(mine).execute():
                return False
            if changes:
                audit.record("pause_type.updated", "u", _target(row), changes)
    except peewee.IntegrityError:
        raise TakenError from None
    return True


def deactivate(row: PauseType) -> None:
    """Take the type out of the lists; pauses that had it stay. Twice is once."""
    _set(row, clock.now_s(), "pause_type.deactivated")


def reactivate(row: PauseType) -> None:
    _set(row, None, "pause_type.reactivated")


def _set(row: PauseType, moment: int | None, action: str) -> None:
    other = PauseType.deactivated_ts.is_null() if moment else PauseType.deactivated_ts.is_null(False)
    with database.atomic():
        change = PauseType.update(deactivated_ts=moment, version=PauseType.version + 1)
        if change.where((PauseType.id == row.id) & other).execute():
            audit.record(action, "u", _target(row), {"deactivated": (moment is None, moment is not None)})


def _target(row: PauseType) -> tuple[str, object, str]:
    return ("pause_type", row.id, row.label)
