"""What the dashboard notices about its own running: a disk that fills up, work that piles up."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import NamedTuple

from dashboard.db import database, dialect
from dashboard.events import own
from dashboard.jobs import queue
from dashboard.models import Setting

EVERY_S = 60
DISK_MB = 1024  # free below this is low: a busy site writes it in a week
BACKLOG = 1000  # jobs: more than a minute of work
_looked: float | None = None


class Gauge(NamedTuple):
    """A measure that is told when it becomes bad, and again only after it was good for certain."""

    type: str
    field: str
    value: int
    bad: bool
    good: bool  # a measure between the two keeps what it was


def look(every_s: float = EVERY_S) -> int:
    """Look at disk and backlog, at most once in `every_s`. A tick, and never counted as work."""
    global _looked
    if _looked is not None and time.monotonic() - _looked < every_s:
        return 0
    _looked = time.monotonic()
    for gauge in gauges():
        tell(gauge)
    return 0


def gauges() -> list[Gauge]:
    """Return what is measured; the disk is the database file's, and that of a database server is its own."""
    waiting = queue.waiting()
    found = [Gauge("system.backlog_high", "backlog", waiting, waiting > BACKLOG, waiting < BACKLOG // 2)]
    if dialect.is_sqlite():
        free = shutil.disk_usage(Path(database.obj.database).absolute().parent).free // 2**20
        found.append(Gauge("system.disk_low", "disk_free_mb", free, free < DISK_MB, free > 2 * DISK_MB))
    return found


def tell(gauge: Gauge) -> None:
    """Record the event of a measure that has become bad, once for all workers."""
    name = f"low:{gauge.type}"
    with database.atomic():
        if gauge.good:
            Setting.delete().where(Setting.name == name).execute()
        elif gauge.bad:
            first = Setting.insert(name=name, value=str(gauge.value)).on_conflict_ignore()
            if first.as_rowcount().execute():
                own.append(gauge.type, {gauge.field: gauge.value})
