"""Rows at the driver's own cost, and queries of every request that are built once.

Composing a query costs several times what the database takes, and so does converting each cell.
Cells come as the driver gives them: numbers and texts are the same on both databases, while a
boolean is 0 or 1 on SQLite and JSON is text there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
