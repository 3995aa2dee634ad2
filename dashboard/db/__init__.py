"""The one connection to the database, opened by URL; SQLite and PostgreSQL through one code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import peewee
from playhouse.db_url import connect as connect_url

database = peewee.DatabaseProxy()

WAIT_S = 5  # for a lock or a free connection; then a request is answered 503, a job tried again
SQLITE_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "normal",
    "foreign_keys": 1,
    "busy_timeout": WAIT_S * 1000,
    "cache_size": -64000,
}


def open_database(url: str) -> peewee.Database:
    """Return a database for `sqlite:///path` or `postgresql://…` and point every model at it.

    SQLite transactions begin as writes (IMMEDIATE): one that turns from reading to writing
    later would ignore the busy timeout and fail at once. PostgreSQL connections are pooled.
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
            options=f"-c lock_timeout={WAIT_S}s",
        )
    database.initialize(opened)
    return opened


@contextmanager
def connected() -> Iterator[None]:
    """Hold a connection for a command or a worker's turn; a request has its own."""
    opened = database.connect(reuse_if_open=True)
    try:
        yield
    finally:
        if opened:
            database.close()


class Model(peewee.Model):
    """Base of every table: singular snake-case names, one database.

    Two methods say less of their types than Peewee's stubs, which take every query for one of
    models, also after tuples().
    """

    class Meta:
        database = database
        legacy_table_names = False

    @classmethod
    def select(cls, *columns: Any) -> Any:
        return super().select(*columns)

    @classmethod
    def get_or_create(cls, **values: Any) -> tuple[Any, bool]:
        row, made = super().get_or_create(**values)  # type: ignore[no-untyped-call]
        return row, made


def rows(query: Any, into: type[Any]) -> list[Any]:
    """Run `query` and return each row as `into(*columns)`; never a lazy model."""
    return [into(*row) for row in query.tuples()]
