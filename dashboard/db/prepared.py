"""Rows at the driver's own cost, and queries of every request that are built once.

Composing a query costs several times what the database takes, and so does converting each cell.
Cells come as the driver gives them: numbers and texts are the same on both databases, while a
boolean is 0 or 1 on SQLite and JSON is text there.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import peewee

from dashboard.db import database


@dataclass(frozen=True)
class Slot:
    """Where a value goes in at each run."""

    name: str


def slot(name: str) -> Any:
    """Return the place of the value `name` in a prepared query."""
    return peewee.Value(Slot(name), converter=False)


def plain(query: Any) -> list[tuple[Any, ...]]:
    """Run a query and return its rows as the driver gives them, at a third of the cost of tuples()."""
    found: list[tuple[Any, ...]] = database.execute(query).fetchall()
    return found


class Prepared:
    """A query of Peewee whose text is kept; `build` returns it with slots for what changes.

    Rows come as the driver gives them.
    """

    def __init__(self, build: Callable[[], Any]) -> None:
        self._build = build
        self._texts: dict[type[Any], tuple[str, list[Any]]] = {}

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        """Run the query with a value for every slot and return all its rows."""
        kind = type(database.obj)
        if kind not in self._texts:
            self._texts[kind] = self._build().sql()
        text, given = self._texts[kind]
        filled = [values[one.name] if type(one) is Slot else one for one in given]
        found: list[tuple[Any, ...]] = database.execute_sql(text, filled).fetchall()
        return found


def insert_row(model: type[peewee.Model], **values: Any) -> int:
    """Insert one row, the model's own defaults for what is left out, and return its id.

    Columns go by their names in the table (`run_id`). A quarter of the cost of Model.create().
    """
    table, defaults, objects = _shape(model)
    row = {**defaults, **values}
    names = ", ".join(f'"{name}"' for name in row)
    sql = f'INSERT INTO "{table}" ({names}) VALUES ({_marks(len(row))}) RETURNING id'  # noqa: S608
    return int(database.execute_sql(sql, _plain_values(row, objects)).fetchone()[0])


def update_row(model: type[peewee.Model], ident: int, **values: Any) -> None:
    """Set columns of the row with this id."""
    table, _defaults, objects = _shape(model)
    news = ", ".join(f'"{name}" = {_marks(1)}' for name in values)
    sql = f'UPDATE "{table}" SET {news} WHERE id = {_marks(1)}'  # noqa: S608
    database.execute_sql(sql, [*_plain_values(values, objects), ident])


def _plain_values(row: dict[str, Any], objects: frozenset[str]) -> list[Any]:
    return [
        json.dumps(value) if name in objects and value is not None else value for name, value in row.items()
    ]


def _marks(count: int) -> str:
    mark = "?" if isinstance(database.obj, peewee.SqliteDatabase) else "%s"
    return ", ".join([mark] * count)


@lru_cache
def _shape(model: type[peewee.Model]) -> tuple[str, dict[str, Any], frozenset[str]]:
    """Return a model's table, the defaults of its columns, and the columns that hold JSON."""
    meta = model._meta
    defaults = {
        field.column_name: value() if callable(value) else value for field, value in meta.defaults.items()
    }
    objects = {field.column_name for field in meta.sorted_fields if isinstance(field, peewee.JSONField)}
    return meta.table_name, defaults, frozenset(objects)
