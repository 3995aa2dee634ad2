"""Rows of data sources that are no tables: made by a function, given to the database as one value."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from dashboard.access.scope import Scope
from dashboard.db import dialect
from dashboard.sources.query import Query
from dashboard.sources.where import Sql

# By name of the source: makes the rows of a query that the viewer may see, with the columns of `Made`.
# Filters may be left to the database. Filled by dashboard.registry.
READERS: dict[str, Callable[[Scope, Query], Iterable[tuple[int | str | None, ...]]]] = {}


def table(scope: Scope, query: Query) -> Sql | None:
    """Return the rows of the query's source as a table; None where it has one of its own."""
    made = query.source.made
    if made is None:
        return None
    rows = msgspec.json.encode(list(READERS[query.source.name](scope, query))).decode()
    columns = [
        f"json_extract(value, '$[{n}]') AS {name}"
        if dialect.is_sqlite()
        else f"(value ->> {n})::{kind} AS {name}"
        for n, (name, kind) in enumerate(made.columns.items())
    ]
    each = "json_each(?)" if dialect.is_sqlite() else "jsonb_array_elements(?::jsonb)"
    # All of it is declared; the rows are a parameter.
    return Sql(f"(SELECT {', '.join(columns)} FROM {each}) {made.alias}", (rows,))
