"""Names the cause of a failing database or file in one line, for commands, logs and backups.

It is the only place that reads the errors of drivers: SQLite's result codes, PostgreSQL's SQLSTATE, and the
words of libpq for a connection that was not made, which has neither.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import peewee
import psycopg

from dashboard.db import database

T = TypeVar("T")
PATIENCE_S = 600
AWAY = (peewee.OperationalError, peewee.InterfaceError)

FULL = "The disk is full{}. Free some space and try again"
LOCKED = "Another process holds a lock on the database. Try again later"
DAMAGED = "The database{} is damaged. Restore a backup with `flask restore FILE`"
READ_ONLY = "The database{} is read-only for this user"
NOT_MIGRATED = "The database is not prepared for this version. Run `flask migrate`"
ROOM = 64 * 1024  # bytes; SQLite reports less free space as an input/output error

# Beginnings of SQLite's result codes and of SQLSTATE; the longest one that fits counts.
CAUSES = {
    "SQLITE_FULL": FULL,
    "SQLITE_BUSY": LOCKED,
    "SQLITE_LOCKED": LOCKED,
    "SQLITE_CORRUPT": DAMAGED,
    "SQLITE_NOTADB": DAMAGED,
    "SQLITE_READONLY": READ_ONLY,
    "SQLITE_CANTOPEN": "Cannot open the database{}. Check that its folder exists and is writable",
    "SQLITE_IOERR": "The disk reports an input/output error{}",
    "53100": FULL,
    "53300": "The PostgreSQL server{} accepts no more connections",
    "55P03": LOCKED,
    "40P01": LOCKED,
    "25006": READ_ONLY,
    "42501": "The PostgreSQL user is not allowed to do this{}",
    "42P01": NOT_MIGRATED,
    "XX001": DAMAGED,
    "XX002": DAMAGED,
}
# What libpq and its programs say, for errors without a code.
WORDS = {
    r"no space left on device|disk full": FULL,
    r"no such table|no such column": NOT_MIGRATED,
    r"password authentication failed|no password supplied": "The PostgreSQL server{} refuses the password",
    r"lock timeout|database is locked": LOCKED,
    r"failed to resolve host|could not translate host name": "The database host{} was not found",
    r"connection refused|no such file or directory.*\n?.*server running": "No PostgreSQL server listens{}",
    r"timeout expired|connection timeout": "The PostgreSQL server{} does not answer",
    r"maxconnectionsexceeded|max connections exceeded": "All connections to the database are in use",
}
ERRNOS = {errno.ENOSPC: FULL, errno.EDQUOT: FULL, errno.EROFS: "The file system{} is read-only"}


def is_away(error: BaseException) -> bool:
    """Say whether the database cannot be used now, as opposed to a fault of the statement."""
    return isinstance(error, AWAY) or type(error) is peewee.DatabaseError


def is_locked(error: BaseException) -> bool:
    """Say whether another process held a lock for too long: trying again helps."""
    return _cause(_first(error)) == LOCKED


def is_read_only() -> bool:
    """Say whether nothing can be written to the connected database, which only a change would show."""
    if (file := _file()) is not None:
        return not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK))
    return bool(database.execute_sql("SHOW transaction_read_only").fetchone()[0] == "on")


def check_writable() -> None:
    """Raise OperationalError for a database that is read-only."""
    if is_read_only():
        raise peewee.OperationalError(READ_ONLY.format(_place(None)))


def patiently(act: Callable[[], T]) -> T:
    """Return what `act` returns, called again while another process holds a lock, for PATIENCE_S seconds.

    For work that nobody waits for; each call waits for the lock itself and must be repeatable.
    """
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return act()
        except peewee.OperationalError as error:
            if not is_locked(error) or time.monotonic() > until:
                raise


def explain(error: BaseException, file: Path | None = None) -> str:
    """Return one sentence with the cause of an error of the database or of a file, and what to do.

    `file` is the SQLite file that the error is about, where that is not the application's database.
    """
    first = _first(error)
    cause = _cause(first)
    return (
        cause.format(f" ({file})" if file else _place(first)) + "."
        if cause
        else f"{one_line(str(first) or type(first).__name__)}."
    )


def of_words(words: str) -> str:
    """Return the same sentence for what a program of PostgreSQL has said."""
    cause = _of_words(words)
    return cause.format("" if cause == FULL else _place(None)) + "." if cause else one_line(words)


def one_line(words: str) -> str:
    """Return the most telling line: the last one of the server or of a program that names an error."""
    lines = [line.strip() for line in words.splitlines() if line.strip()] or [""]
    telling = [line for line in lines if re.search(r"FATAL:|error:|failed:", line)] or lines[:1]
    return re.sub(r"^.*(?:FATAL:|error:)\s+", "", telling[-1]).rstrip(".")


def _first(error: BaseException) -> BaseException:
    """Return the driver's error that began it: a failing rollback hides the reason of the rollback."""
    kinds = (sqlite3.Error, psycopg.Error, OSError)
    found, at = error, error.__context__
    if isinstance(error, peewee.PeeweeException) and error.args and isinstance(error.args[0], Exception):
        found = error.args[0]
    while at is not None:
        if isinstance(at, kinds):
            found = at
        at = at.__context__
    return found


def _cause(error: BaseException) -> str:
    code = getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None) or ""
    if isinstance(error, OSError):
        return ERRNOS.get(error.errno or 0, "")
    if code.startswith("SQLITE_IOERR") and _is_full():
        return FULL
    found = [cause for start, cause in CAUSES.items() if code.startswith(start)]
    return found[0] if found else _of_words(f"{type(error).__name__} {error}")


def _of_words(words: str) -> str:
    return next((cause for pattern, cause in WORDS.items() if re.search(pattern, words, re.I | re.S)), "")


def _file() -> Path | None:
    db = database.obj
    return Path(str(db.database)) if isinstance(db, peewee.SqliteDatabase) else None


def _is_full() -> bool:
    file = _file()
    return file is not None and shutil.disk_usage(file.parent).free < ROOM


def _place(error: BaseException | None) -> str:
    """Return the file or the server that an error is about, in brackets after a blank."""
    if isinstance(error, OSError):
        return f" ({error.filename})" if error.filename else ""
    if (file := _file()) is not None:
        return f" ({file})"
    given = getattr(database.obj, "connect_params", {})
    host, port = given.get("host", "local socket"), given.get("port", "5432")
    return f" ({host}, port {port})"
