"""Health checks of the worker: low disk space, many waiting jobs and late digests are recorded as events."""

from __future__ import annotations

import shutil
import socket
import time
from pathlib import Path
from typing import Any, NamedTuple

from flask import current_app

from dashboard import clock
from dashboard.db import database, dialect, failure, migrate
from dashboard.events import backups, internal
from dashboard.jobs import queue
from dashboard.jobs.work import RUNNING, WAITING
from dashboard.models import Event, Job, Setting, Source
from dashboard.settings.readers import INSTANCE

EVERY_S = 60
BACKLOG = 1000  # jobs; more than a minute of work
LAG_S = 60  # since the oldest event came that rules and figures do not know yet
NAME_MAX = 60  # the column of a setting's name
_last_check: float | None = None


class Folder(NamedTuple):
    """The folder that fills this machine's disk, and the machine where there may be several."""

    path: Path
    machine: str

    @property
    def free(self) -> int:
        """Free space in bytes."""
        return shutil.disk_usage(self.path).free

    @property
    def free_mb(self) -> int:
        return self.free // 2**20


class Gauge(NamedTuple):
    """A measure with hysteresis: reported when it becomes bad, and again only after it was good.

    `data` is that of the event; `machine` tells apart what is measured on several.
    """

    type: str
    data: dict[str, Any]
    bad: bool
    good: bool  # between bad and good the previous state is kept
    machine: str = ""


def database_problem() -> str:
    """Return why this version cannot store events in the database, "" if it can."""
    try:
        migrate.check(database.obj)
    except migrate.NewerError:
        return "newer version"
    except migrate.VersionError:
        return "not migrated"
    if failure.is_read_only():
        return "read-only"
    Event.select(Event.id).limit(1).execute()
    return ""


def look(every_s: float = EVERY_S) -> int:
    """Measure at most once in `every_s` seconds. A worker tick; returns 0, no work done."""
    global _last_check
    if _last_check is not None and time.monotonic() - _last_check < every_s:
        return 0
    _last_check = time.monotonic()
    for gauge in gauges(current_app.config["STOPA"].disk_low_mb):
        tell(gauge)
    return 0


def gauges(disk_low_mb: int) -> list[Gauge]:
    """Return the measures; `disk_low_mb` is the free space below which a disk is low."""
    waiting = queue.waiting()
    backlog = {"backlog": waiting}
    measures = [
        Gauge("system.backlog_high", backlog, waiting > BACKLOG, waiting < BACKLOG // 2),
        _digests(),
    ]
    if (last := backups.latest()) is not None:
        missing = {"file": last.file, "age_s": last.age_s}
        measures.append(Gauge("backup.missing", missing, last.is_old, not last.is_old))
    if (disk := folder()) is not None:
        free = disk.free_mb
        data = {"disk_free_mb": free, "folder": str(disk.path)}
        low = Gauge("system.disk_low", data, free < disk_low_mb, free > 2 * disk_low_mb, disk.machine)
        measures.append(low)
    return measures


def _digests() -> Gauge:
    """Return the age of the oldest digest job, and the source of its events."""
    unfinished = (Job.kind == "digest") & Job.state.in_([WAITING, RUNNING])
    oldest = Job.select().where(unfinished).order_by(Job.created_ms).first()
    lag_s = max(0, clock.now_ms() - oldest.created_ms) // 1000 if oldest else 0
    source = Source.get_or_none(Source.id == oldest.args.get("source")) if lag_s else None
    data = {"lag_s": lag_s, **({"name": source.name} if source else {})}
    return Gauge("source.backlog", data, lag_s > LAG_S, lag_s < LAG_S // 2)


def database_bytes() -> int:
    """Return the size of the database."""
    size = (
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        if dialect.is_sqlite()
        else "SELECT pg_database_size(current_database())"
    )
    return int(database.execute_sql(size).fetchone()[0])


def folder() -> Folder | None:
    """Return the folder whose disk is watched.

    It is the one of SQLite's file, with all data and exports, or the instance's with its log files: the disk
    of a PostgreSQL server cannot be seen from here.
    """
    if dialect.is_sqlite():
        return Folder(Path(database.obj.database).absolute().parent, "")
    return Folder(INSTANCE, socket.gethostname()) if INSTANCE.is_dir() else None


def tell(gauge: Gauge) -> None:
    """Record an event if the measure has become bad; once across all workers."""
    name = f"low:{gauge.type}{gauge.machine and ':'}{gauge.machine}"[:NAME_MAX]
    with database.atomic():
        if gauge.good:
            Setting.delete().where(Setting.name == name).execute()
        elif gauge.bad:
            first = Setting.insert(name=name, value=str(clock.now_ms())).on_conflict_ignore()
            if first.as_rowcount().execute():
                internal.append(gauge.type, gauge.data)
