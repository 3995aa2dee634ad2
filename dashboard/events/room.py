"""Free space on the disk of SQLite's file: before it is used up, no more events are taken.

What is left then is for pages, audit entries, the end of running work and a backup's log.
"""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from pathlib import Path

from dashboard.db import database, dialect

LOOK_S = 1.0  # a measure holds so long: at 1,000 requests a second a disk loses 10 MB in between
_keep_free = 0  # bytes
_looked: tuple[float, str, bool] = (0.0, "", False)


class ScarceError(OSError):
    """Work that stores much waits until the disk has room again."""


def keep_free(mb: int) -> None:
    """Set the free space, in MB, below which nothing more is taken; 0 takes until the disk is full."""
    global _keep_free, _looked
    _keep_free, _looked = mb * 2**20, (0.0, "", False)


def is_scarce() -> bool:
    """Return whether the disk has less free space than is kept. A PostgreSQL server's disk is not seen."""
    global _looked
    if not _keep_free or not dialect.is_sqlite():
        return False
    now, file = time.monotonic(), str(database.obj.database)
    if now - _looked[0] >= LOOK_S or _looked[1] != file:
        scarce = False
        with suppress(OSError):  # a database in memory, or a folder that is away: other errors say so
            scarce = shutil.disk_usage(Path(file).absolute().parent).free < _keep_free
        _looked = (now, file, scarce)
    return _looked[2]


def need() -> None:
    """Raise ScarceError where `is_scarce()`."""
    if is_scarce():
        raise ScarceError("The disk with the data of Stopa is almost full.")
