"""When the last backup was made; a database that had one and has no new one is reported."""

from __future__ import annotations

import json
from typing import NamedTuple

from dashboard import clock
from dashboard.db import database
from dashboard.events import internal
from dashboard.models import Setting

NAME = "backup"  # the setting that holds the last one
OLD_S = 2 * 86_400  # a nightly backup may fail once


class Backup(NamedTuple):
    made_ms: int
    file: str
    size: int  # bytes

    @property
    def age_s(self) -> int:
        return max(0, clock.now_ms() - self.made_ms) // 1000

    @property
    def is_old(self) -> bool:
        return self.age_s > OLD_S


def note(file: str, size: int) -> None:
    """Record a backup that was made now, as an event too."""
    with database.atomic():
        Setting.put(NAME, json.dumps(Backup(clock.now_ms(), file, size)))
        internal.append("backup.made", {"file": file, "size": size})


def latest() -> Backup | None:
    """Return the last backup that was made of this database, None before the first."""
    value = Setting.select(Setting.value).where(Setting.name == NAME).scalar()
    return Backup(*json.loads(value)) if value else None
