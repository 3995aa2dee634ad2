"""Pages of long lists by key: each costs the same, wherever it lies and however few rows its filters leave.

A page reads one index range in the order of ids, LOOKED_THROUGH entries at most. Filters that the index does
not hold are tried on these rows; a page that ends early says where the next one goes on.
"""

from __future__ import annotations

from typing import Any

import peewee as pw

from dashboard.db import database, dialect

LOOKED_THROUGH = 10_000  # entries: some 20 ms with a look at each row


def page(
    ids: Any, query: Any, limit: int, descending: bool = False, filtered: bool = True
) -> tuple[list[Any], int | None]:
    """Return at most `limit` rows of `query`, and the id after which the next page begins, None on the last.

    `ids` selects the id by the conditions that one index holds, the start of the page among them. `query`
    selects rows, the id first, by the same conditions and any others (`filtered`).
    """
    column = ids.selected_columns[0]
    end = reach(ids, descending) if filtered else None
    if end is not None:
        query = query.where(column >= end if descending else column <= end)
    rows = list(query.order_by(column.desc() if descending else column).limit(limit + 1).tuples())
    return rows[:limit], rows[limit - 1][0] if len(rows) > limit else end


def reach(ids: Any, descending: bool = False) -> int | None:
    """Return where a page stops: LOOKED_THROUGH entries lie up to this id and more beyond; else None."""
    column = ids.selected_columns[0]
    part = ids.order_by(column.desc() if descending else column).limit(LOOKED_THROUGH + 1).alias("part")
    values = (pw.fn.MIN if descending else pw.fn.MAX)(part.c.id), pw.fn.COUNT(part.c.id)
    beyond, number = pw.Select([part], values).bind(database.obj).tuples().get()
    if number <= LOOKED_THROUGH:
        return None
    return int(beyond) + 1 if descending else int(beyond) - 1


def unindexed(column: Any) -> Any:
    """Return the column for a filter that must not choose the index.

    SQLite keeps no statistics here and would take an index that sorts the whole list; a unary plus stops it.
    PostgreSQL knows the shares of values and gets the column.
    """
    return pw.NodeList((pw.SQL("+"), column), glue="") if dialect.is_sqlite() else column
