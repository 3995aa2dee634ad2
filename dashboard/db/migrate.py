"""Brings the database to this version; safe to run twice and from two machines at once."""

from __future__ import annotations

from pathlib import Path

import peewee
from playhouse.migrations import Runner

from dashboard.db.locks import Lock

DIRECTORY = Path(__file__).parent / "migrations"


class Downgrade(Exception):  # noqa: N818  it says what is the matter
    """The database was made by a newer version; carries the unknown migrations' names."""


def run(db: peewee.Database) -> list[str]:
    """Apply what is missing and return the names applied, in order.

    A second runner waits for the first and then finds nothing to do. Raises Downgrade when
    the database holds migrations that this version does not know.
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
    """Return the names of migrations not applied yet."""
    return [m.name for m in Runner(db, str(DIRECTORY)).status() if not m.applied]


def _with_file_lock(db: peewee.SqliteDatabase, runner: Runner) -> list[str]:
    # One write transaction around all: a second process waits at its beginning, then sees the
    # first one's history. The runner's own transactions become savepoints inside it.
    with db.atomic("IMMEDIATE"):
        return list(runner.up())
