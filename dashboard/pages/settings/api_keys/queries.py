"""Reads of the list of keys: never their values, which nobody keeps."""

from __future__ import annotations

from typing import NamedTuple

from peewee import JOIN

from dashboard.db import rows
from dashboard.models import ApiKey, Source
from dashboard.web import lists
from dashboard.web.lists import Order


class Line(NamedTuple):
    id: int
    name: str
    source: str | None
    allow: str
    makes: bool
    prefix: str
    created_ts: int
    last_ts: int | None
    revoked_ts: int | None


KEYS = {
    "name": lambda line: line.name,
    "source": lambda line: line.source,
    "created": lambda line: line.created_ts,
    "last": lambda line: line.last_ts,
}


def lines(sought: str, revoked: bool, by: Order) -> list[Line]:
    """Return the keys that match by name, source or prefix."""
    query = ApiKey.select(
        ApiKey.id,
        ApiKey.name,
        Source.name,
        ApiKey.allow,
        ApiKey.makes,
        ApiKey.prefix,
        ApiKey.created_ts,
        ApiKey.last_used_ts,
        ApiKey.revoked_ts,
    ).join(Source, JOIN.LEFT_OUTER, on=(ApiKey.source_id == Source.id))
    if not revoked:
        query = query.where(ApiKey.revoked_ts.is_null())
    found: list[Line] = rows(query, Line)
    fitting = [line for line in found if lists.found(sought, line.name, line.source or "", line.prefix)]
    return lists.arranged(fitting, by, KEYS)


def sources() -> list[str]:
    """Return the names of sources that a new key may send for: files send none."""
    query = Source.select(Source.name).where(~Source.is_file)
    return lists.by_name([name for (name,) in query.tuples()], str)
