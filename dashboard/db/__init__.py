"""The database connection, opened by URL. SQLite and PostgreSQL share one code path."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import peewee
from playhouse.db_url import connect as connect_url

database = peewee.DatabaseProxy()

WAIT_S = 5  # for a lock or a free connection; after it a request gets 503 and a job is retried
SQLITE_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "normal",
    "foreign_keys": 1,
    "busy_timeout": WAIT_S * 1000,
    "cache_size": -64000,
}


def open_database(url: str) -> peewee.Database:
    """Return a database for `sqlite:///path` or `postgresql://…` and bind every model to it.

    SQLite transactions start as write transactions (IMMEDIATE): a transaction that is upgraded from
    reading to writing ignores the busy timeout and fails at once. PostgreSQL connections are pooled, and plan
    each query for its values: a generic plan made one filter a thousand times slower on its 11th run.
    """
    scheme = urlsplit(url).scheme
    opened: peewee.Database
    if scheme == "sqlite":
        path = url.removeprefix("sqlite:///") or ":memory:"
        opened = peewee.SqliteDatabase(path, pragmas=SQLITE_PRAGMAS, lock_type="IMMEDIATE")
    else:
        pooled = url.replace("postgresql://", "psycopg3+pool://", 1)
        opened = connect_url(
            pooled,
            max_connections=20,
            stale_timeout=300,
            timeout=WAIT_S,
            options=f"-c lock_timeout={WAIT_S}s -c plan_cache_mode=force_custom_plan",
        )
    database.initialize(opened)
    return opened


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
