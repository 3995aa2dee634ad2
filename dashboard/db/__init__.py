"""The database connection, opened by URL. SQLite and PostgreSQL share one code path."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import peewee

from dashboard.settings import database_url

database = peewee.DatabaseProxy()

CONNECTIONS = 40  # to PostgreSQL, of a process at most; each thread of a worker keeps one
WAIT_S = 5  # for a lock or a free connection; after it a request gets 503 and a job is retried
SQLITE_PRAGMAS = {
    "journal_mode": "wal",
    "foreign_keys": 1,
    "busy_timeout": WAIT_S * 1000,
    "cache_size": -64000,
}


def open_database(url: str, synchronous: str = "normal") -> peewee.Database:
    """Return a database for `sqlite:///path` or `postgresql://…` and bind every model to it.

    SQLite transactions start as write transactions (IMMEDIATE): a transaction that is upgraded from
    reading to writing ignores the busy timeout and fails at once. PostgreSQL connections are pooled, and plan
    each query for its values: a generic plan made one filter a thousand times slower on its 11th run.
    `synchronous` is SQLite's: with "normal" a power loss may take the last commits, with "full" none; the
    file stays sound with both, and a killed process loses nothing. PostgreSQL always waits for its disk.
    """
    opened: peewee.Database
    if (path := database_url.sqlite_path(url)) is not None:
        opened = PrivateSqlite(
            str(path), pragmas={**SQLITE_PRAGMAS, "synchronous": synchronous}, lock_type="IMMEDIATE"
        )
    else:
        from playhouse.postgres_ext import PooledPsycopg3Database  # here: most installations need no driver

        given = {"connect_timeout": str(WAIT_S), **database_url.server_parameters(url)}
        ours = f"-c lock_timeout={WAIT_S}s -c plan_cache_mode=force_custom_plan"
        opened = PooledPsycopg3Database(
            given.pop("dbname"),
            max_connections=CONNECTIONS,
            stale_timeout=300,
            timeout=WAIT_S,
            **{**given, "options": f"{given.get('options', '')} {ours}"},
        )
    database.initialize(opened)
    return opened


class PrivateSqlite(peewee.SqliteDatabase):
    """An SQLite database whose files only their owner can read, also those of an earlier version."""

    def _connect(self) -> Any:
        if str(self.database) != ":memory:":
            make_private(Path(str(self.database)))
        return super()._connect()  # type: ignore[misc]


def make_private(path: Path) -> None:
    """Create the file at `path` with mode 0600, or take the rights of others from it and from the log beside
    it. SQLite gives the files of its log the mode of the database.

    An existing file is not opened: closing it would drop the locks of this process's connections. Files that
    cannot be changed stay as they are: opening the database says why.
    """
    with suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    for suffix in ("", "-wal", "-shm"):
        file = path.with_name(path.name + suffix)
        with suppress(OSError):
            if file.stat().st_mode & 0o077:
                file.chmod(0o600)


@contextmanager
def connected() -> Iterator[None]:
    """Open a connection for a command or one worker iteration. Requests open their own."""
    opened = database.connect(reuse_if_open=True)
    try:
        yield
    finally:
        if opened:
            database.close()


def end_request(testing: bool = False) -> None:
    """Put PostgreSQL's connection back into the pool when a request ends; tests go on with theirs.

    SQLite's stays open with its thread: opening reads the whole schema, and closing the last one writes
    the log back to the file, 4 ms together.
    """
    if not isinstance(database.obj, peewee.SqliteDatabase) and not database.is_closed() and not testing:
        database.close()


class Model(peewee.Model):
    """Base class of all tables: singular snake-case table names, one database.

    Two methods are annotated less precisely than in Peewee's stubs, which type every query as a query of
    models, even after tuples().
    """

    class Meta:
        database = database
        legacy_table_names = False

    @classmethod
    def select(cls, *columns: Any) -> Any:
        return super().select(*columns)

    @classmethod
    def get_or_create(cls, **values: Any) -> tuple[Any, bool]:
        row, created = super().get_or_create(**values)  # type: ignore[no-untyped-call]
        return row, created


def rows(query: Any, into: type[Any]) -> list[Any]:
    """Run `query` and return each row as `into(*columns)`; rows are never lazily loading models."""
    return [into(*row) for row in query.tuples()]
