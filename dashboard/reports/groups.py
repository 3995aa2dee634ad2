"""The values of groups as cells and texts, in order, with the filters that choose the rows behind them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import Any, NamedTuple

from flask_babel import gettext as _

from dashboard.access.scope import Scope
from dashboard.clock import Span
from dashboard.exports.table import Cell, Kind
from dashboard.i18n import collation, formats
from dashboard.reports import words
from dashboard.sources import display, period
from dashboard.sources.period import Bucket
from dashboard.sources.query import Group, Query
from dashboard.sources.types import Type


class Written(NamedTuple):
    """A value of a group: its cell, its text, the order among others, and what chooses its rows: filters,
    None where none can, and for a stretch of time its span."""

    cell: Cell
    text: str
    order: Any
    filters: Mapping[str, str] | None
    span: Span | None = None


def writer(scope: Scope, query: Query, group: Group, found: Collection[Any]) -> Callable[[Any], Written]:
    """Return what writes the values of a group; `found` are those that occur."""
    if group.bucket is not None:
        return _bucket_writer(query, group.bucket)
    values = set(found) - {None, ""}
    write = display.writer(scope, group.field, values, query.zone)
    kind, name = words.group_kind(group), query.source.full_name(group.entity, group.field)
    named = (Type.USER, Type.QUEUE, Type.SOURCE)
    keys = display.named(scope, group.field.type, values) if group.field.type in named else {}
    language = formats.language()

    def written(value: Any) -> Written:
        if value is None or value == "":
            return Written(_("None"), _("None"), (1, ""), {f"{name}__blank": "1"})
        text = write(value)
        cell: Cell = text if kind is Kind.TEXT else int(value) // group.field.scale
        if group.field.type is Type.MOMENT:
            return Written(cell, text, (0, value), None)
        order = collation.key(text, language) if kind is Kind.TEXT else value
        return Written(cell, text, (0, order), {name: keys[value].key if value in keys else str(value)})

    return written


def _bucket_writer(query: Query, bucket: Bucket) -> Callable[[int], Written]:
    write, zone = display.bucket_writer(bucket, query.zone), query.zone

    def written(number: int) -> Written:
        cell: Cell = write(number)
        if bucket is Bucket.DAY:
            cell = date.fromisoformat(str(period.key(bucket, number, zone)))
        if bucket is Bucket.HOUR:
            cell = number
        if bucket.is_cyclic:
            return Written(cell, write(number), (0, number), {bucket.value: str(number)})
        span = period.span(bucket, number, query.span, zone)
        return Written(cell, write(number), (0, number), {}, span)

    return written
