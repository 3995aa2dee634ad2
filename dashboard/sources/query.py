"""Queries on a data source and their parts. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from dashboard.clock import Span
from dashboard.i18n.message import Errors
from dashboard.sources.period import Bucket
from dashboard.sources.types import Entity, Field, Ratio, Source, Type

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
    CONTAINS = "contains"  # a folded text


class Sum(StrEnum):
    """What a measure makes of the values of a field, or of the rows of an entity."""

    COUNT = "count"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    MEDIAN = "median"
    P90 = "p90"
    COUNT_DISTINCT = "count_distinct"
    SHARE = "share"  # of the total
    RUNNING = "running"  # the total so far
    RATIO = "ratio"  # one that the source declares; never written

    @property
    def is_rank(self) -> bool:
        return self in (Sum.MEDIAN, Sum.P90)


class Compared(StrEnum):
    """What `compare` adds to each measure; the value is the suffix of the name."""

    PREVIOUS = "previous"
    DIFFERENCE = "difference"
    CHANGE = "change"  # the difference as a share of the figure before


def compared_name(measure: str, what: Compared) -> str:
    return f"{measure}__{what}"


class Filter(NamedTuple):
    """What a field must be; with a bucket, the bucket of a moment."""

    entity: Entity
    field: Field
    op: Op
    values: tuple[str | int, ...]
    bucket: Bucket | None = None


class Related(NamedTuple):
    """That the interaction of a row has any of these rows of another source, or none.

    `rows` is what follows FROM in a statement of all of them, with the interaction as i.
    """

    source: str
    rows: str
    filters: tuple[Filter, ...]
    none: bool


class Tree(NamedTuple):
    """Conditions of which all, any or none must be true."""

    how: str
    parts: tuple[Filter | Tree, ...]

    def conditions(self) -> Iterator[Filter]:
        """Yield the conditions from left to right."""
        for each in self.parts:
            if isinstance(each, Tree):
                yield from each.conditions()
            else:
                yield each


class Group(NamedTuple):
    """What rows are grouped by: a field, or a bucket of the source's moment."""

    name: str
    entity: Entity
    field: Field
    bucket: Bucket | None = None


class Measure(NamedTuple):
    """A figure of each group; without a field it counts the rows of the entity.

    `of` are the measures that a ratio, a share or a running total is made of.
    """

    name: str
    sum: Sum
    entity: Entity
    field: Field | None = None
    of: tuple[Measure, ...] = ()
    ratio: Ratio | None = None

    @property
    def type(self) -> Type:
        """PERCENT, DURATION or NUMBER."""
        if self.ratio is not None:
            return self.ratio.type
        if self.sum is Sum.SHARE:
            return Type.PERCENT
        if self.sum is Sum.RUNNING:
            return self.of[0].type
        if self.field is None or self.sum is Sum.COUNT_DISTINCT:
            return Type.NUMBER
        if self.field.type is Type.YES_NO:
            return Type.PERCENT if self.sum is Sum.AVG else Type.NUMBER
        return self.field.type


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

    `related` and `tree` are conditions beside the `filters`.
    `compare` is the period whose figures stand beside those of `span`.
    `limit` is the number of rows, or of groups; None for PAGE rows and all groups. `after` is the sort value
    and the key of the last row of the page before. `as_of` is the second in which it was made.
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
    compare: Span | None = None
    as_of: int = 0
    related: tuple[Related, ...] = ()
    tree: Tree | None = None

    def part(self, after: tuple[int, int] | None, limit: int) -> Query:
        """Return the same query for the `limit` rows behind `after`."""
        return replace(self, after=after, limit=limit)


class Names(NamedTuple):
    """Find the id of a name within the viewer's scope; None for an unknown one."""

    user: Callable[[str], int | None]
    queue: Callable[[str], int | None]
    source: Callable[[str], int | None]
    sees_contacts: bool = True  # False where they are masked, so that they cannot be searched


def base(measures: Iterable[Measure]) -> list[Measure]:
    """Return the measures that statements can read, each once: for one made of others, those."""
    found = (part for each in measures for part in (base(each.of) if each.of else [each]))
    return list({each.name: each for each in found}.values())


def cursor(value: int, key: int) -> str:
    """Return the text of a row's place in the order of a list; `parse` reads it as `after`."""
    return base64.urlsafe_b64encode(json.dumps([value, key]).encode()).decode().rstrip("=")


def operators(kind: Type) -> tuple[Op, ...]:
    """Return the operators of a type of fields."""
    if kind.can_be_compared:
        return (Op.ANY_OF, Op.NOT, Op.GTE, Op.GT, Op.LTE, Op.LT, Op.BLANK)
    if kind is Type.NOTE:
        return ()
    if kind in (Type.TEXT, Type.CONTACT):
        return (Op.ANY_OF, Op.NOT, Op.BLANK, Op.CONTAINS)
    return (Op.ANY_OF,) if kind is Type.YES_NO else (Op.ANY_OF, Op.NOT, Op.BLANK)


def sortable(source: Source) -> list[str]:
    """Return the fields of the grain by which rows can be sorted: those that have an order, or all."""
    return [each.name for each in source.entities[0].fields if source.small or each.type.can_be_compared]
