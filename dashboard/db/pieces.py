"""Deletes many rows in short transactions, so that others wait only for a piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import peewee

from dashboard.db import Model, database

PIECE = 1000


def delete(
    model: type[Model],
    gone: Any,
    before: Callable[[list[Any]], object] = lambda keys: None,
    most: int | None = None,
) -> Iterator[int]:
    """Delete the rows that meet the condition `gone`, up to `most` (PIECE) in a transaction, and yield the
    number of each. Whoever stops to iterate leaves a state from which the next call goes on.

    `before` gets the keys of a piece inside its transaction, ahead of the deletion; it is not called where
    a key has several columns.
    """
    most = most or PIECE
    key: Any = model._meta.primary_key
    if isinstance(key, peewee.CompositeKey):
        fields = [getattr(model, name) for name in key.field_names]
        row, chosen = peewee.Tuple(*fields), model.select(*fields).where(gone).limit(most)
        while number := model.delete().where(row.in_(chosen)).execute():
            yield number
        return
    while keys := [ident for (ident,) in model.select(key).where(gone).limit(most).tuples()]:
        with database.atomic():
            before(keys)
            model.delete().where(key.in_(keys)).execute()
        yield len(keys)
