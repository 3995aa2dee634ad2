"""The running of the dashboard itself: starts, stops, disk, backlog, backups, upgrades. Pure."""

from __future__ import annotations

from dashboard.catalog.fields import ERROR
from dashboard.catalog.types import EventType, Field, Kind, Origin, maker
from dashboard.i18n.mark import N_

VERSION = Field("version", Kind.TEXT, N_("Version"))
DISK = Field("disk_free_mb", Kind.NUMBER, N_("Free disk space in MB"))
BACKLOG = Field("backlog", Kind.NUMBER, N_("Waiting jobs"))

_own = maker("system", "system", own=True, needs_source=False)
_counter = maker("system", "system", own=True, needs_source=False, origin=Origin.COUNTER)

TYPES: tuple[EventType, ...] = (
    _own("system.started", N_("Dashboard started"), VERSION),
    _own("system.stopped", N_("Dashboard stopped"), VERSION),
    _counter("system.disk_low", N_("Disk space low"), DISK),
    _counter("system.backlog_high", N_("Too many jobs waiting"), BACKLOG),
    _own("system.backup_failed", N_("Backup failed"), ERROR),
    _own("system.upgrade_available", N_("Upgrade available"), VERSION),
)
