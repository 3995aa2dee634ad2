"""Prepared queries: SQL built once, rows as raw driver tuples.

Building a query costs several times as much as running it, and so does converting each value. Values are
returned as the driver returns them: numbers and texts are the same on both databases, but SQLite returns
booleans as 0 or 1 and JSON as text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import peewee

from dashboard.db import database

M = TypeVar("M", bound=peewee.Model)


@dataclass(frozen=True)
class Slot:
    """Placeholder for a value that is supplied at each run."""

    name: str


def slot(name: str) -> Any:
    """Return a placeholder for the value `name` of a prepared query."""
    return peewee.Value(Slot(name), converter=False)


def plain(query: Any) -> list[tuple[Any, ...]]:
    """Run a query and return its rows as raw driver tuples, at a third of the cost of tuples()."""
    result: list[tuple[Any, ...]] = database.execute(query).fetchall()
    return result


class Prepared:
    """A Peewee query whose SQL is cached. `build` returns the query with slot() for each variable value.

    A slot inside `in_([slot(...)])` takes a list of values; none of them matches an empty one.
    """

    def __init__(self, build: Callable[[], Any]) -> None:
        self._build = build
        self._texts: dict[type[Any], tuple[str, list[Any]]] = {}

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        """Run the query with a value for every slot and return all its rows."""
        result: list[tuple[Any, ...]] = self.run(**values).fetchall()
        return result

    def models(self, model: type[M], **values: Any) -> list[M]:
        """Run a query that selects all columns of `model` and return its rows as instances."""
        fields: list[Any] = model._meta.sorted_fields
        return [
            model(**{field.name: field.python_value(value) for field, value in zip(fields, row, strict=True)})
            for row in self.rows(**values)
        ]

    def run(self, **values: Any) -> Any:
        """Run the query with a value for every slot and return the driver's cursor."""
        kind = type(database.obj)
        if kind not in self._texts:
            self._texts[kind] = self._build().sql()
        text, parameters = self._texts[kind]
        filled = [values[value.name] if type(value) is Slot else value for value in parameters]
        if any(type(value) is list for value in filled):
            text, filled = _expanded(text, filled)
        return database.execute_sql(text, filled)


def _expanded(text: str, values: list[Any]) -> tuple[str, list[Any]]:
    """Return the text with a placeholder for each item of the lists among the values, and all items."""
    mark = _marks(1)
    first, *rest = text.split(mark)
    parts, items = [first], []
    for value, following in zip(values, rest, strict=True):
        each = value if type(value) is list else [value]
        parts.append((_marks(len(each)) or "NULL") + following)
        items += each
    return "".join(parts), items


def insert_row(model: type[peewee.Model], **values: Any) -> int:
    """Insert one row, with the model's defaults for missing columns, and return its id.

    Columns are named as in the table (`run_id`). Costs a quarter of Model.create().
    """
    table, defaults, objects = _shape(model)
    row = {**defaults, **values}
    names = ", ".join(f'"{name}"' for name in row)
    sql = f'INSERT INTO "{table}" ({names}) VALUES ({_marks(len(row))}) RETURNING id'  # noqa: S608
    return int(database.execute_sql(sql, _plain_values(row, objects)).fetchone()[0])


def update_row(
    model: type[peewee.Model], ident: int, only: Mapping[str, Any] | None = None, **values: Any
) -> bool:
    """Update columns of the row with id `ident`, and say whether it was there with the values of `only`."""
    table, _defaults, objects = _shape(model)
    keys = {"id": ident, **(only or {})}
    news = ", ".join(f'"{name}" = {_marks(1)}' for name in values)
    where = " AND ".join(f'"{name}" = {_marks(1)}' for name in keys)
    sql = f'UPDATE "{table}" SET {news} WHERE {where}'  # noqa: S608
    return bool(database.execute_sql(sql, [*_plain_values(values, objects), *keys.values()]).rowcount)


def _plain_values(row: dict[str, Any], objects: frozenset[str]) -> list[Any]:
    return [
        json.dumps(value) if name in objects and value is not None else value for name, value in row.items()
    ]


def _marks(count: int) -> str:
    mark = "?" if isinstance(database.obj, peewee.SqliteDatabase) else "%s"
    return ", ".join([mark] * count)


@lru_cache
def _shape(model: type[peewee.Model]) -> tuple[str, dict[str, Any], frozenset[str]]:
    """Return a model's table name, the defaults of its columns, and the names of its JSON columns."""
    meta = model._meta
    defaults = {
        field.column_name: value() if callable(value) else value for field, value in meta.defaults.items()
    }
    objects = {field.column_name for field in meta.sorted_fields if isinstance(field, peewee.JSONField)}
    return meta.table_name, defaults, frozenset(objects)
