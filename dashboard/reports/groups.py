"""The values of groups as cells and texts, in order, with the filters that choose the rows behind them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.scope import Scope
from dashboard.exports.table import Cell, Kind
from dashboard.i18n import collation, formats
from dashboard.reports import words
from dashboard.sources import display, period
from dashboard.sources.period import EPOCH, HOUR_S, Bucket
from dashboard.sources.query import Group, Query
from dashboard.sources.types import Type

TIMED = (Bucket.HOUR, Bucket.DAY, Bucket.WEEK, Bucket.MONTH)  # a stretch of time each


class Written(NamedTuple):
    """A value of a group: its cell, its text, the order among others, and the filters of its rows."""

    cell: Cell
    text: str
    order: Any
    filters: Mapping[str, str] | None


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
    write, zone, span = display.bucket_writer(bucket, query.zone), query.zone, query.span

    def written(number: int) -> Written:
        cell: Cell = write(number)
        if bucket is Bucket.DAY:
            cell = date.fromisoformat(str(period.key(bucket, number, zone)))
        if bucket is Bucket.HOUR:
            cell = number
        if bucket not in TIMED:
            return Written(cell, str(write(number)), (0, number), None)
        start = max(span.start, _start(bucket, number, zone))
        end = min(span.end, _start(bucket, number + (HOUR_S if bucket is Bucket.HOUR else 1), zone))
        filters = {"from": clock.iso(start, zone), "to": clock.iso(end, zone)}
        return Written(cell, write(number), (0, number), filters)

    return written


def _start(bucket: Bucket, number: int, zone: str) -> int:
    """Return the first instant of an hour, day, week or month."""
    match bucket:
        case Bucket.HOUR:
            return number
        case Bucket.DAY:
            first = EPOCH + timedelta(number)
        case Bucket.WEEK:
            first = EPOCH + timedelta(number * 7 - 3)
        case _:
            first = date(number // 12, number % 12 + 1, 1)
    return clock.day(first, zone).start
