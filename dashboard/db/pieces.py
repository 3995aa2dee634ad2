"""Deletes many rows in short transactions, so that others wait only for a piece, and counts them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import peewee

from dashboard.db import Model

PIECE = 1000
MOST = 100_000


def delete(model: type[Model], gone: Any, most: int | None = None) -> Iterator[int]:
    """Delete the rows that meet the condition `gone`, up to `most` (PIECE) in a transaction, and yield the
    number of each. Whoever stops to iterate leaves a state from which the next call goes on.
    """
    key: Any = model._meta.primary_key
    names = key.field_names if isinstance(key, peewee.CompositeKey) else [key.name]
    fields = [getattr(model, name) for name in names]
    chosen = model.select(*fields).where(gone).limit(most or PIECE)
    while number := model.delete().where(peewee.Tuple(*fields).in_(chosen)).execute():
        yield number


def count(query: Any) -> int:
    """Return the number of rows of a query, MOST + 1 if it is more: a whole log takes seconds to count."""
    number: int = query.limit(MOST + 1).count()
    return number
