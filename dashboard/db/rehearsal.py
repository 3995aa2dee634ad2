"""Restores a backup into a scratch database, which is dropped again: the proof that it can be restored."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

from dashboard.db import backup, failure
from dashboard.settings import database_url

ROOM = 3  # times the size of the backup: a compressed one grows
COUNTS = ("SELECT count(*) FROM event", "SELECT count(*) FROM schema_migration")


def restore(url: str, source: Path) -> str:
    """Restore `source` beside the database at `url`, and return a sentence about what was restored.

    A PostgreSQL user who may not create databases gets the archive read as a whole instead, and the sentence
    says so. Raises BackupError if the backup cannot be restored, or the disk has no room to try.
    """
    backup.check(url, source)
    if database_url.sqlite_path(url) is None:
        return _restore_postgresql(url, source)
    if shutil.disk_usage(source.parent).free < ROOM * source.stat().st_size:
        raise backup.BackupError(f"The disk of {source.parent} has no room to check {source.name}.")
    with tempfile.TemporaryDirectory(dir=source.parent, prefix=".check-") as folder:
        scratch = Path(folder) / "stopa.db"
        backup.restore(f"{database_url.SQLITE}{scratch}", source)
        with closing(sqlite3.connect(scratch)) as database:
            return _sentence(*(database.execute(query).fetchone()[0] for query in COUNTS))


def _restore_postgresql(url: str, source: Path) -> str:
    name = f"stopa_check_{os.getpid()}"
    scratch = f"{url}{'&' if '?' in url else '?'}dbname={name}"
    try:
        with psycopg.connect(url, autocommit=True) as server:
            try:
                server.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
            except psycopg.errors.InsufficientPrivilege:
                backup.read_whole(url, source)
                return "Read as a whole; to be restored for a check, the database user needs CREATEDB."
            try:
                backup.restore(scratch, source)
                with psycopg.connect(scratch) as database:
                    rows = [database.execute(query).fetchone() for query in COUNTS]
                return _sentence(*(row[0] for row in rows if row))
            finally:
                server.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
    except psycopg.Error as error:
        raise backup.BackupError(failure.explain(error)) from error


def _sentence(events: int, migrations: int) -> str:
    return f"Restored for a check: {events} events, {migrations} migrations."
