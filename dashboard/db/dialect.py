"""Everything that differs between SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple

import peewee

from dashboard.db import WAIT_S, database
from dashboard.db.locks import Lock

# Translates the driver's exceptions into peewee's, which callers catch. Missing in peewee's stubs.
_renamed = peewee.__exception_wrapper__  # type: ignore[attr-defined]

READER_WAIT_MS = 300  # for a lock, where a page that is only read writes something beside


def is_sqlite() -> bool:
    return isinstance(database.obj, peewee.SqliteDatabase)


@contextmanager
def short_wait() -> Iterator[None]:
    """Wait for a lock no longer than a reader may, in statements on this thread's connection."""
    text = "PRAGMA busy_timeout = {}" if is_sqlite() else "SET lock_timeout = {}"
    database.execute_sql(text.format(READER_WAIT_MS))
    try:
        yield
    finally:
        database.execute_sql(text.format(WAIT_S * 1000))


def insert_many(
    table: str, columns: Sequence[str], records: Sequence[Sequence[Any]], ignore_repeats: bool = False
) -> int:
    """Insert `records` with the driver's executemany, inside the caller's transaction.

    Five times cheaper than the query builder for a batch of 1,000. With `ignore_repeats`, records that
    violate a unique index are skipped. Returns the number of rows added.
    """
    if not records:
        return 0
    sql = _insertion(table, tuple(columns), "?" if is_sqlite() else "%s", ignore_repeats)
    cursor = database.connection().cursor()
    try:
        with _renamed:
            cursor.executemany(sql, records)
        return int(cursor.rowcount)
    finally:
        cursor.close()


def insert_earliest(
    table: str,
    columns: Sequence[str],
    key: Sequence[str],
    least: str,
    records: Sequence[Sequence[Any]],
    among: str,
) -> None:
    """Insert `records`. On a conflict on `key`, the record with the smaller value of column `least` wins.

    `among` is the condition of the partial unique index on `key`.
    """
    if not records:
        return
    sql = _insertion(table, tuple(columns), "?" if is_sqlite() else "%s", False)
    news = ", ".join(f'"{name}" = excluded."{name}"' for name in columns if name not in key)
    names = ", ".join(f'"{name}"' for name in key)
    sql += f" ON CONFLICT ({names}) WHERE {among} DO UPDATE SET {news}"
    sql += f' WHERE excluded."{least}" < "{table}"."{least}"'
    cursor = database.connection().cursor()
    try:
        with _renamed:
            cursor.executemany(sql, records)
    finally:
        cursor.close()


@lru_cache(maxsize=64)
def _insertion(table: str, columns: tuple[str, ...], mark: str, ignore_repeats: bool) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    sql = f'INSERT INTO "{table}" ({names}) VALUES ({", ".join([mark] * len(columns))})'  # noqa: S608
    return f"{sql} ON CONFLICT DO NOTHING" if ignore_repeats else sql


def ids_by_name(table: str, column: str, names: Sequence[str]) -> dict[str, int]:
    """Return name → id of the rows of `table` whose `column` is one of `names`."""
    marks = ", ".join(["?" if is_sqlite() else "%s"] * len(names))
    sql = f'SELECT "{column}", id FROM "{table}" WHERE "{column}" IN ({marks})'  # noqa: S608
    return dict(database.execute_sql(sql, names).fetchall()) if names else {}


class Added(NamedTuple):
    """Result of an insert: `rows` is the number of rows added; their ids satisfy `after` < id <= `to`."""

    rows: int
    after: int
    to: int


def insert_numbered(table: str, columns: Sequence[str], records: Sequence[Sequence[Any]]) -> Added:
    """Insert `records` like insert_many(), skip repeats, and return the range of the new ids.

    The database returns the id of a single row. SQLite has a single writer, so the ids of several are the
    highest ones, without gaps. PostgreSQL consumes one number of the sequence first, because other
    transactions insert concurrently: the range may contain rows of theirs.
    """
    if len(records) == 1:
        mark = "?" if is_sqlite() else "%s"
        sql = f"{_insertion(table, tuple(columns), mark, True)} RETURNING id"
        ids = [int(row[0]) for row in database.execute_sql(sql, records[0]).fetchall()]
        return Added(1, ids[0] - 1, ids[0]) if ids else Added(0, 0, 0)
    if is_sqlite():
        count = insert_many(table, columns, records, ignore_repeats=True)
        last = highest_id(table) if count else 0
        return Added(count, last - count, last)
    after = _sequence("nextval", table)
    count = insert_many(table, columns, records, ignore_repeats=True)
    return Added(count, after, _sequence("currval", table))


def _sequence(verb: str, table: str) -> int:
    return int(database.execute_sql(f"SELECT {verb}('{table}_id_seq')").fetchone()[0])


def one_at_a_time(lock: Lock, part: int = 0) -> None:
    """Hold `lock` exclusively until this transaction ends. No-op on SQLite, which has a single writer.

    `part` is an id that narrows the lock: transactions with other parts run in parallel.
    """
    if not is_sqlite():
        database.execute_sql("SELECT pg_advisory_xact_lock(%s, %s)", (lock, part))


def adding(lock: Lock) -> None:
    """Hold `lock` shared; must be called first when adding rows to a table read by safe_read_position()."""
    if not is_sqlite():
        database.execute_sql("SELECT pg_advisory_xact_lock_shared(%s, 0)", (lock,))


def safe_read_position(table: str, lock: Lock) -> int:
    """Return the safe read position of `table`: no row with a lower id will appear later.

    PostgreSQL assigns ids before the commit, so a reader that continues after the highest id seen could
    miss a lower one that commits later. This function therefore waits for all transactions that add rows.
    """
    if is_sqlite():
        return highest_id(table)
    with database.atomic():
        database.execute_sql("SELECT pg_advisory_xact_lock(%s, 0)", (lock,))
    return highest_id(table)


def held(query: Any) -> Any:
    """Lock the selected rows until this transaction ends (no-op on SQLite, which has a single writer)."""
    return query if is_sqlite() else query.for_update()


def held_if_free(query: Any) -> Any:
    """Lock the selected rows like held(), without those that another transaction holds: they are left out."""
    return query if is_sqlite() else query.for_update("FOR UPDATE SKIP LOCKED")


def highest_id(table: str) -> int:
    """Return the highest id in use, 0 for an empty table. Only for tables with one writer."""
    return int(database.execute_sql(f'SELECT coalesce(max(id), 0) FROM "{table}"').fetchone()[0])  # noqa: S608
