"""Applies migrations. Safe to run repeatedly and from several machines at once."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path
from weakref import WeakKeyDictionary

import peewee
from playhouse.migrations import Runner

from dashboard.db.locks import Lock

DIRECTORY = Path(__file__).parent / "migrations"


CHECK_S = 5  # how long a process relies on the version that it found


class VersionError(peewee.OperationalError):
    """The database is not of this version; the text says what to do. Requests and commands treat it like a
    database that cannot be reached."""


class NewerError(VersionError):
    """The database was created by a newer version."""


def run(db: peewee.Database) -> list[str]:
    """Apply pending migrations and return their names in order.

    A concurrent runner waits for the first one and then has nothing to apply. Raises NewerError if the
    database contains migrations that this version does not know.
    """
    runner = Runner(db, str(DIRECTORY))
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
    """Return the names of pending migrations; raises NewerError like run()."""
    applied = _applied(db)
    refuse_newer(applied)
    return sorted(_known() - applied)


def refuse_newer(applied: set[str]) -> None:
    """Raise NewerError if a database or backup has `applied` a migration that this version does not know."""
    if newer := sorted(applied - _known()):
        names = ", ".join(newer)
        raise NewerError(
            f"This database was created by a newer version of Stopa. Unknown migrations: {names}"
        )


def check(db: peewee.Database, every_s: float = 0) -> None:
    """Raise VersionError unless all migrations of this version, and no others, are applied.

    With `every_s`, a check that passed is relied upon for so many seconds.
    """
    if time.monotonic() < _passed.get(db, 0.0) + every_s:
        return
    if waiting := refuse_empty(db):
        raise VersionError(f"The database is of an older version. Run `flask migrate`: {', '.join(waiting)}")
    _passed[db] = time.monotonic()


def refuse_empty(db: peewee.Database) -> list[str]:
    """Return the names of pending migrations; raises VersionError for an empty or newer database."""
    waiting = pending(db)
    if len(waiting) == len(_known()):
        raise VersionError("The database is empty. Run `flask migrate`")
    return waiting


_passed: WeakKeyDictionary[peewee.Database, float] = WeakKeyDictionary()


@cache
def _known() -> set[str]:
    return {path.stem for path in DIRECTORY.glob("[0-9]*.py")}


def _applied(db: peewee.Database) -> set[str]:
    if not db.table_exists("schema_migration"):
        return set()
    rows = db.execute_sql("select name from schema_migration").fetchall()  # type: ignore[no-untyped-call]
    return {name for (name,) in rows}


def _with_file_lock(db: peewee.SqliteDatabase, runner: Runner) -> list[str]:
    # One write transaction around all migrations: a second process waits for it and then sees the applied
    # migrations. The runner's transactions become savepoints inside it.
    with db.atomic("IMMEDIATE"):
        return list(runner.up())
