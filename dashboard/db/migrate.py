"""Applies migrations. Safe to run repeatedly and from several machines at once."""

from __future__ import annotations

from pathlib import Path

import peewee
from playhouse.migrations import Runner

from dashboard.db.locks import Lock

DIRECTORY = Path(__file__).parent / "migrations"


class Downgrade(Exception):  # noqa: N818
    """The database was created by a newer version; the text lists the unknown migrations."""


def run(db: peewee.Database) -> list[str]:
    """Apply pending migrations and return their names in order.

    A concurrent runner waits for the first one and then has nothing to apply. Raises Downgrade if the
    database contains migrations that this version does not know.
    """
    runner = Runner(db, str(DIRECTORY))
    gone = [m.name for m in runner.status() if m.path is None]
    if gone:
        raise Downgrade(", ".join(gone))
    if not pending(db):
        return []
    if isinstance(db, peewee.SqliteDatabase):
        return _with_file_lock(db, runner)
    db.execute_sql("set lock_timeout = 0")  # type: ignore[no-untyped-call]  # the first one may take long
    db.execute_sql("select pg_advisory_lock(%s)", (Lock.MIGRATE,))  # type: ignore[no-untyped-call]
    try:
        return list(runner.up())
    finally:
        db.execute_sql("select pg_advisory_unlock(%s)", (Lock.MIGRATE,))  # type: ignore[no-untyped-call]
        db.execute_sql("reset lock_timeout")  # type: ignore[no-untyped-call]


def pending(db: peewee.Database) -> list[str]:
    """Return the names of pending migrations."""
    return [m.name for m in Runner(db, str(DIRECTORY)).status() if not m.applied]


def _with_file_lock(db: peewee.SqliteDatabase, runner: Runner) -> list[str]:
    # One write transaction around all migrations: a second process waits for it and then sees the applied
    # migrations. The runner's transactions become savepoints inside it.
    with db.atomic("IMMEDIATE"):
        return list(runner.up())
