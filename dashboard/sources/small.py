"""Sources of few rows, read as a whole: searched without marks, sorted as the reader's language does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dashboard.access.scope import Scope
from dashboard.db.search import folded
from dashboard.i18n import collation, formats
from dashboard.sources.query import Column, Filter, Op, Query, Sort
from dashboard.sources.types import Field

Row = tuple[Any, ...]
LARGEST = 100_000  # rows; of more nothing is shown


def in_order(scope: Scope, query: Query, read: Callable[[Query], list[Row]]) -> list[Row]:
    """Return all rows of a query in order: the moment, the key and the values of its columns.

    `read` runs a query for at most `limit` rows in the order of the moment.
    """
    source, sort = query.source, query.sort or Sort(query.source.moment, True)
    names = (sort.name, *source.searched)
    hidden = tuple(Column(name, *source.fields[name]) for name in names)
    width = 2 + len(query.columns)
    whole = replace(query, columns=query.columns + hidden, sort=None, after=None, limit=LARGEST, search="")
    words = folded(query.search).split()
    kept = [
        row for row in read(whole) if not words or all(word in _searched(row[width + 1 :]) for word in words)
    ]
    keyed = [(row[width], row[:width]) for row in kept]
    sortable = _key(scope, hidden[0].field, [value for value, _row in keyed if value is not None])
    given = [(sortable(value), row) for value, row in keyed if value is not None]
    given.sort(key=lambda pair: pair[0], reverse=sort.descending)
    return [row for _value, row in given] + [row for value, row in keyed if value is None]


def among(query: Query, keys: Sequence[int]) -> Query:
    """Return a query with the rows that its search finds as a filter instead."""
    entity, field = query.source.fields["id"]
    return replace(query, search="", filters=(*query.filters, Filter(entity, field, Op.ANY_OF, tuple(keys))))


def _searched(values: Row) -> str:
    return "\n".join(folded(str(value)) for value in values)


def _key(scope: Scope, field: Field, values: list[Any]) -> Callable[[Any], Any]:
    """Return the sort key of values of a field: texts by the rules of the reader's language."""
    texts: Mapping[Any, str] = field.texts(scope, values) if field.texts else {}
    language = formats.language()

    def key(value: Any) -> Any:
        shown = texts.get(value, "") if field.texts else value
        return collation.key(shown, language) if isinstance(shown, str) else shown

    return key
