"""Queries on a data source and their parts. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from dashboard.clock import Span
from dashboard.i18n.message import Errors
from dashboard.sources.period import Bucket
from dashboard.sources.types import Entity, Field, Source, Type

DEFAULT_PERIOD = "last_7_days"
PAGE = 100
MAX_ROWS = 1000


class QueryError(Exception):
    """Parameters that cannot be used; `errors` maps each to its message."""

    def __init__(self, errors: Errors) -> None:
        super().__init__(", ".join(errors))
        self.errors = errors


class Op(StrEnum):
    """How a filter compares; the value is the suffix of the parameter, "" for equal to any."""

    ANY_OF = ""
    NOT = "not"
    GTE = "gte"
    GT = "gt"
    LTE = "lte"
    LT = "lt"
    BLANK = "blank"


class Sum(StrEnum):
    """What a measure makes of the values of a field, or of the rows of an entity."""

    COUNT = "count"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    MEDIAN = "median"
    P90 = "p90"

    @property
    def is_rank(self) -> bool:
        return self in (Sum.MEDIAN, Sum.P90)


class Filter(NamedTuple):
    entity: Entity
    field: Field
    op: Op
    values: tuple[str | int, ...]


class Group(NamedTuple):
    """What rows are grouped by: a field, or a bucket of the source's moment."""

    name: str
    entity: Entity
    field: Field
    bucket: Bucket | None = None


class Measure(NamedTuple):
    """A figure of each group; without a field it counts the rows of the entity."""

    name: str
    sum: Sum
    entity: Entity
    field: Field | None = None


class Column(NamedTuple):
    name: str
    entity: Entity
    field: Field


class Sort(NamedTuple):
    name: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A query whose names are resolved: figures when it has measures, else rows of the grain.

    `limit` is the number of rows, or of groups; None for PAGE rows and all groups. `after` is the sort value
    and the key of the last row of the page before.
    """

    source: Source
    span: Span
    zone: str
    search: str = ""
    filters: tuple[Filter, ...] = ()
    groups: tuple[Group, ...] = ()
    measures: tuple[Measure, ...] = ()
    columns: tuple[Column, ...] = ()
    sort: Sort | None = None
    limit: int | None = None
    after: tuple[int, int] | None = None

    def part(self, after: tuple[int, int] | None, limit: int) -> Query:
        """Return the same query for the `limit` rows behind `after`."""
        return replace(self, after=after, limit=limit)


class Names(NamedTuple):
    """Find the id of a name within the viewer's scope; None for an unknown one."""

    user: Callable[[str], int | None]
    queue: Callable[[str], int | None]
    source: Callable[[str], int | None]


def cursor(value: int, key: int) -> str:
    """Return the text of a row's place in the order of a list; `parse` reads it as `after`."""
    return base64.urlsafe_b64encode(json.dumps([value, key]).encode()).decode().rstrip("=")


def operators(kind: Type) -> tuple[Op, ...]:
    """Return the operators of a type of fields."""
    if kind.can_be_compared:
        return (Op.ANY_OF, Op.NOT, Op.GTE, Op.GT, Op.LTE, Op.LT, Op.BLANK)
    return (Op.ANY_OF,) if kind is Type.YES_NO else (Op.ANY_OF, Op.NOT, Op.BLANK)


def sortable(source: Source) -> list[str]:
    """Return the fields by which rows can be sorted: those of the grain that have an order."""
    return [field.name for field in source.entities[0].fields if field.type.can_be_compared]
