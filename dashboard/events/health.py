"""Health checks of the worker: low disk space and a large job backlog are recorded as events."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import NamedTuple

from dashboard.db import database, dialect
from dashboard.events import internal
from dashboard.jobs import queue
from dashboard.models import Setting

EVERY_S = 60
DISK_MB = 1024  # free space below this is low; a busy site writes as much in a week
BACKLOG = 1000  # jobs; more than a minute of work
_last_check: float | None = None


class Gauge(NamedTuple):
    """A measure with hysteresis: reported when it becomes bad, and again only after it was good."""

    type: str
    field: str
    value: int
    bad: bool
    good: bool  # between bad and good the previous state is kept


def look(every_s: float = EVERY_S) -> int:
    """Check disk and backlog at most once in `every_s` seconds. A worker tick; returns 0, no work done."""
    global _last_check
    if _last_check is not None and time.monotonic() - _last_check < every_s:
        return 0
    _last_check = time.monotonic()
    for gauge in gauges():
        tell(gauge)
    return 0


def gauges() -> list[Gauge]:
    """Return the measures. The disk is measured only for SQLite: the one with the database file."""
    waiting = queue.waiting()
    measures = [Gauge("system.backlog_high", "backlog", waiting, waiting > BACKLOG, waiting < BACKLOG // 2)]
    if dialect.is_sqlite():
        free = shutil.disk_usage(Path(database.obj.database).absolute().parent).free // 2**20
        measures.append(Gauge("system.disk_low", "disk_free_mb", free, free < DISK_MB, free > 2 * DISK_MB))
    return measures


def tell(gauge: Gauge) -> None:
    """Record an event if the measure has become bad; once across all workers."""
    name = f"low:{gauge.type}"
    with database.atomic():
        if gauge.good:
            Setting.delete().where(Setting.name == name).execute()
        elif gauge.bad:
            first = Setting.insert(name=name, value=str(gauge.value)).on_conflict_ignore()
            if first.as_rowcount().execute():
                internal.append(gauge.type, {gauge.field: gauge.value})
