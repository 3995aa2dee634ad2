"""Copies the whole database into another, empty one, also from SQLite to PostgreSQL, and verifies the copy.

The source is read in one snapshot, a table at a time and never as a whole in memory; the target is written in
one transaction, which ends only when every table has the number and the sum of hashes of the source.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from typing import Any, NamedTuple, Protocol

import psycopg
from peewee import PeeweeException
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier
from psycopg.types.string import TextLoader

from dashboard.db import database, failure, migrate, open_database
from dashboard.settings import database_url

BATCH = 5000  # rows
SUM_BITS = 2**128  # of the sum of the rows' hashes, which does not depend on their order

Row = tuple[Any, ...]
Report = Callable[[int], object]


class CopyError(Exception):
    """The copy failed and the target is as it was; the text is the reason."""


class Table(NamedTuple):
    """A table of both databases. Values of `jsons` are JSON, which each database writes in its own way."""

    name: str
    columns: tuple[str, ...]
    jsons: frozenset[str]
    booleans: frozenset[str]
    number: str  # column that the database numbers, "" without one


class Digest(NamedTuple):
    """Number of rows of a table, and the sum of their hashes."""

    rows: int
    hashes: int


class Store(Protocol):
    """One of the two databases, with a transaction open."""

    def count(self, table: Table) -> int: ...
    def rows(self, table: Table) -> Iterator[Row]: ...
    def add(self, table: Table, rows: Iterator[Row]) -> None: ...
    def finish(self, tables: Sequence[Table]) -> None: ...


def copy(source: str, target: str, tables: Sequence[Table], report: Report = int) -> dict[str, Digest]:
    """Copy `tables`, in an order that references allow, from the database at `source` to that at `target`.

    Returns each table's digest, equal in both. `report` is called with the number of rows done since the last
    time. Raises CopyError; then the target has no rows.
    """
    _prepare(target)
    try:
        with _opened(source, False) as from_, _opened(target, True) as to:
            digests = {}
            for table in tables:
                tally = Tally(table, report)
                to.add(table, tally.watched(from_.rows(table)))
                digests[table.name] = tally.digest
            to.finish(tables)
            for table in tables:
                tally = Tally(table, report)
                for _row in tally.watched(to.rows(table)):
                    pass
                if tally.digest != digests[table.name]:
                    raise CopyError(f"{table.name}: {tally.digest} instead of {digests[table.name]}.")
    except (sqlite3.Error, psycopg.Error) as error:
        raise CopyError(failure.one_line(str(error))) from error
    return digests


def size(url: str, tables: Sequence[Table]) -> int:
    """Return the number of rows that copy() will report: each is written, then read."""
    with _opened(url, False) as store:
        return 2 * sum(store.count(table) for table in tables)


def _prepare(url: str) -> None:
    """Give an empty database its tables. Raises CopyError for one that has any."""
    bound, db = database.obj, open_database(url)
    try:
        with db.connection_context():
            if db.get_tables():
                raise CopyError("The target has tables. Name an empty database.")
            migrate.run(db)
    except PeeweeException as error:
        raise CopyError(failure.one_line(str(error))) from error
    finally:
        db.close()
        database.initialize(bound)


class Tally:
    """Counts and hashes the rows that pass."""

    def __init__(self, table: Table, report: Report) -> None:
        self._jsons = [n for n, name in enumerate(table.columns) if name in table.jsons]
        self._booleans = [n for n, name in enumerate(table.columns) if name in table.booleans]
        self._report = report
        self.digest = Digest(0, 0)

    def watched(self, rows: Iterator[Row]) -> Iterator[Row]:
        while batch := list(islice(rows, BATCH)):
            hashes = sum(map(self._hash, batch))
            count, before = self.digest
            self.digest = Digest(count + len(batch), (before + hashes) % SUM_BITS)
            yield from batch
            self._report(len(batch))

    def _hash(self, row: Row) -> int:
        values = list(row)
        for n in self._jsons:
            if values[n] is not None:
                values[n] = json.dumps(json.loads(values[n], parse_float=_number), sort_keys=True)
        for n in self._booleans:
            if values[n] is not None:
                values[n] = bool(values[n])
        return int.from_bytes(hashlib.blake2b(repr(values).encode(), digest_size=16).digest(), "big")


def _number(text: str) -> float:
    """Return a number of JSON, of which PostgreSQL keeps the value and not the spelling: 1e2 is 100."""
    number = float(text)
    return int(number) if number.is_integer() else number


@contextmanager
def _opened(url: str, writes: bool) -> Iterator[Store]:
    path = database_url.sqlite_path(url)
    if path is not None:
        with closing(sqlite3.connect(path, isolation_level=None)) as lite:
            lite.execute("PRAGMA foreign_keys = OFF")  # checked in finish()
            lite.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
            yield Sqlite(lite)
            lite.execute("COMMIT")
        return
    with psycopg.connect(make_conninfo(**database_url.server_parameters(url))) as server:
        server.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        for kind in ("jsonb", "json"):
            server.adapters.register_loader(kind, TextLoader)
        yield PostgreSql(server)


class Sqlite:
    """An SQLite file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def count(self, table: Table) -> int:
        return int(self._connection.execute(f'SELECT count(*) FROM "{table.name}"').fetchone()[0])  # noqa: S608

    def rows(self, table: Table) -> Iterator[Row]:
        return iter(self._connection.execute(f'SELECT {_names(table)} FROM "{table.name}"'))  # noqa: S608

    def add(self, table: Table, rows: Iterator[Row]) -> None:
        if self.count(table):  # what migrations put there
            self._connection.execute(f'DELETE FROM "{table.name}"')  # noqa: S608
        marks = ", ".join("?" * len(table.columns))
        insertion = f'INSERT INTO "{table.name}" ({_names(table)}) VALUES ({marks})'  # noqa: S608
        self._connection.executemany(insertion, rows)

    def finish(self, tables: Sequence[Table]) -> None:
        """Raise CopyError if a row refers to one that does not exist."""
        if broken := self._connection.execute("PRAGMA foreign_key_check").fetchone():
            raise CopyError(f"{broken[0]}: row {broken[1]} refers to a row of {broken[2]} that is not there.")


class PostgreSql:
    """A database of a PostgreSQL server."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def count(self, table: Table) -> int:
        query = SQL("SELECT count(*) FROM {}").format(Identifier(table.name))
        return int(self._connection.execute(query).fetchall()[0][0])

    def rows(self, table: Table) -> Iterator[Row]:
        with self._connection.cursor("copied") as cursor:  # on the server: rows come in pieces
            cursor.itersize = BATCH
            columns = SQL(", ").join(map(Identifier, table.columns))
            cursor.execute(SQL("SELECT {} FROM {}").format(columns, Identifier(table.name)))
            yield from cursor

    def add(self, table: Table, rows: Iterator[Row]) -> None:
        booleans = [n for n, name in enumerate(table.columns) if name in table.booleans]
        columns = SQL(", ").join(map(Identifier, table.columns))
        if self.count(table):
            self._connection.execute(SQL("DELETE FROM {}").format(Identifier(table.name)))
        into = SQL("COPY {} ({}) FROM STDIN").format(Identifier(table.name), columns)
        with self._connection.cursor().copy(into) as written:
            for row in _with_booleans(rows, booleans):
                written.write_row(row)

    def finish(self, tables: Sequence[Table]) -> None:
        """Let numbers go on after the highest."""
        for table in tables:
            if table.number:
                self._connection.execute(
                    SQL(
                        "SELECT setval(pg_get_serial_sequence({name}, {column}), max({field})) "
                        "FROM {table} HAVING max({field}) IS NOT NULL"
                    ).format(
                        name=f'"{table.name}"',
                        column=table.number,
                        field=Identifier(table.number),
                        table=Identifier(table.name),
                    )
                )


def _names(table: Table) -> str:
    return ", ".join(f'"{name}"' for name in table.columns)


def _with_booleans(rows: Iterable[Row], booleans: Sequence[int]) -> Iterator[Row]:
    for row in rows:
        values = list(row)
        for n in booleans:
            values[n] = None if row[n] is None else bool(row[n])
        yield tuple(values)
