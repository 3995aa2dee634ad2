"""Workers follow the logs that were set up on the page of sources, each log by one worker.

A worker holds a lease on each log it reads; another takes over when that has run out. Two that read the same
log for a moment store nothing twice, because an event's id is made of its line.
"""

from __future__ import annotations

import logging
import time
from enum import StrEnum
from pathlib import Path
from typing import Any

import peewee
from flask import current_app

from dashboard import clock
from dashboard.db import database
from dashboard.events import room
from dashboard.ingest import growing_log
from dashboard.ingest.follow import Follower
from dashboard.jobs import worker
from dashboard.models import Follow, Source

LEASE_MS = 10_000
RENEW_S = 3.0

log = logging.getLogger("stopa.worker")


class Problem(StrEnum):
    """Why a log is not read now."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    ELSEWHERE = "elsewhere"  # outside of the folders that the settings name


class _Readers:
    """The followers of this process, by source, and when their leases were renewed."""

    def __init__(self, of: peewee.Database | None) -> None:
        self.database = of
        self.by_source: dict[int, Follower] = {}
        self.renewed: float | None = None

    def drop(self, source_id: int) -> None:
        if (reader := self.by_source.pop(source_id, None)) is not None:
            reader.log.close()

    def close(self) -> None:
        for source_id in list(self.by_source):
            self.drop(source_id)


_readers = _Readers(None)


def start(source: Source, path: Path, encoding: str, from_now: bool) -> None:
    """Let workers follow the log at `path`, in the caller's transaction, from its first line or from now on.

    Raises OSError for a file that cannot be read.
    """
    place = growing_log.end(path) if from_now else None
    values: dict[str, Any] = (place or growing_log.START)._asdict()
    values |= {"path": str(path.resolve()), "encoding": encoding, "read_ms": clock.now_ms()}
    values |= {"lease_ms": 0, "worker": "", "problem": ""}
    Follow.insert(source=source.id, **values).on_conflict(
        conflict_target=[Follow.source], update=values
    ).execute()


def stop(source_id: int) -> None:
    """Let no worker follow the log of a source. The place where it stopped stays."""
    Follow.update(lease_ms=None, problem="").where(Follow.source == source_id).execute()


def check(path: Path) -> Problem | None:
    """Return why a log cannot be read here; None if it can."""
    folders = current_app.config["STOPA"].log_folders
    try:
        whole = path.resolve()
        if not any(whole.is_relative_to(folder.resolve()) for folder in folders):
            return Problem.ELSEWHERE
        if not whole.is_file():
            return Problem.MISSING
        with whole.open("rb"):
            return None
    except OSError:
        return Problem.UNREADABLE


def read(renew_s: float = RENEW_S) -> int:
    """Read what is new in the logs of this worker and return the number of lines. A loop of the worker.

    Renews the leases, and looks for logs that nobody reads, once in `renew_s` seconds.
    """
    global _readers
    if room.is_scarce():
        return 0
    if _readers.database is not database.obj:
        _readers.close()
        _readers = _Readers(database.obj)
    if _readers.renewed is None or time.monotonic() - _readers.renewed >= renew_s:
        _renew()
        _readers.renewed = time.monotonic()
    return sum(_step(source_id, reader) for source_id, reader in list(_readers.by_source.items()))


def release() -> None:
    """Give the logs of this worker to others. When it is killed, they wait for its leases to run out."""
    _readers.close()
    Follow.update(lease_ms=0).where(
        (Follow.worker == worker.name()) & Follow.lease_ms.is_null(False)
    ).execute()


def _step(source_id: int, reader: Follower) -> int:
    """Read on in a log. A follower that failed may be ahead of what it stored, so another takes its place."""
    try:
        return reader.step().lines
    except OSError as error:
        log.warning("a log is not read: %s", error)
        _readers.drop(source_id)
    except BaseException:
        _readers.drop(source_id)
        raise
    return 0


def _renew() -> None:
    """Renew the leases of this worker, take those that have run out, and drop what is no longer followed."""
    f = Follow
    wanted = f.select(f, Source).join(Source).where(f.lease_ms.is_null(False) & Source.paused_ms.is_null())
    rows = {row.source_id: row for row in wanted}
    for source_id in _readers.by_source.keys() - rows.keys():
        _readers.drop(source_id)
    for source_id, row in rows.items():
        path = Path(row.path)
        problem = check(path)
        if not _lease(row, problem):
            _readers.drop(source_id)
        elif source_id not in _readers.by_source and problem is None:
            _readers.by_source[source_id] = Follower(row.source.name, path, encoding=row.encoding)
        elif problem in (Problem.ELSEWHERE, Problem.UNREADABLE):
            _readers.drop(source_id)


def _lease(row: Follow, problem: Problem | None) -> bool:
    """Hold the lease of a log on, or take it where nobody holds it; say whether this worker has it.

    Where the log cannot be read from here the lease stays free: a worker of another machine may.
    """
    f, name, now = Follow, worker.name()[-80:], clock.now_ms()
    free = (f.worker == name) | (f.lease_ms <= now)
    values = {"worker": name, "lease_ms": now + LEASE_MS if problem is None else 0, "problem": problem or ""}
    if problem is not None and row.problem == problem and row.worker != name:
        return False
    return bool(
        f.update(**values).where((f.source == row.source_id) & f.lease_ms.is_null(False) & free).execute()
    )
