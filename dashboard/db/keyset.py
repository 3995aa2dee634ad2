"""Pages of long lists by key: each costs the same, wherever it lies and however few rows its filters leave.

A page reads one index range in the order of ids, LOOKED_THROUGH entries at most. Filters that the index does
not hold are tried on these rows; a page that ends early says where the next one goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import peewee as pw

from dashboard.db import database, dialect

LOOKED_THROUGH = 10_000  # entries: some 20 ms with a look at each row


def page(
    query: Any,
    key: Any,
    ranged: Sequence[Any],
    limit: int,
    *,
    above: int = 0,
    below: int | None = None,
    descending: bool = False,
    filtered: bool = True,
) -> tuple[list[Any], int | None]:
    """Return at most `limit` rows, and the id next to which the next page begins, None on the last.

    `query` selects rows, the id first, by its filters (`filtered`). `ranged` are the conditions that one
    index with `key` (the id) holds; the page lies between `above` and `below`, both exclusive.
    """
    end = _reach(key, ranged, above, below, descending) if filtered else None
    if end is not None and descending:
        above = end - 1
    elif end is not None:
        below = end + 1
    order = key.desc() if descending else key
    found = query.where(*ranged, *_between(key, above, below)).order_by(order).limit(limit + 1)
    rows = list(found.tuples())
    return rows[:limit], rows[limit - 1][0] if len(rows) > limit else end


def _reach(key: Any, ranged: Sequence[Any], above: int, below: int | None, descending: bool) -> int | None:
    """Return where a page stops: LOOKED_THROUGH entries lie up to this id and more beyond; else None."""
    ids = key.model.select(key).where(*ranged, *_between(key, above, below))
    part = ids.order_by(key.desc() if descending else key).limit(LOOKED_THROUGH + 1).alias("part")
    values = (pw.fn.MIN if descending else pw.fn.MAX)(part.c.id), pw.fn.COUNT(part.c.id)
    beyond, number = pw.Select([part], values).bind(database.obj).tuples().get()
    if number <= LOOKED_THROUGH:
        return None
    return int(beyond) + 1 if descending else int(beyond) - 1


def _between(key: Any, above: int, below: int | None) -> list[Any]:
    """Return one bound on each side: of two on one side SQLite seeks the first and reads past the other."""
    return [key > above] if below is None else [key > above, key < below]


def unindexed(column: Any) -> Any:
    """Return the column for a filter that must not choose the index.

    SQLite keeps no statistics here and would take an index that sorts the whole list; a unary plus stops it.
    PostgreSQL knows the shares of values and gets the column.
    """
    return pw.NodeList((pw.SQL("+"), column), glue="") if dialect.is_sqlite() else column
