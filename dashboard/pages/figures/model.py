"""The table of figures: what the address asks for, the rows with their figures, and the lists behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import urlencode

from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.scope import Scope
from dashboard.clock import Span
from dashboard.i18n.message import message
from dashboard.pages.figures import tables
from dashboard.pages.figures.tables import By, Column, Table, Values
from dashboard.sources import answer, display, period, run
from dashboard.sources.derived import Key
from dashboard.sources.parameters import parse
from dashboard.sources.period import Bucket
from dashboard.sources.period_parameters import OF_PERIOD, UNKNOWN_VALUE
from dashboard.sources.query import Filter, Group, Op, Query, QueryError
from dashboard.sources.types import Type

RESERVED = ("group", "measures", "compare", "columns", "sort", "limit", "after", "q")
MAX_ROWS = 1000  # of a table
Given = Mapping[str, Sequence[str]]
Figure = float | int | None


@dataclass(frozen=True)
class FiguresRequest:
    """What the address asks for; `query` has the group and the measures of the table.

    `kept` are the parameters that choose rows, apart from the period.
    """

    scope: Scope
    by: By
    table: Table
    query: Query
    kept: Given

    @cached_property
    def types(self) -> dict[str, Type]:
        """The type of each measure by its name."""
        return {each.name: each.type for each in self.query.measures}


class Row(NamedTuple):
    """A group: its label, the filters of its rows in the list behind it (None: there is none), its figures.

    `page` is the address of what it is itself, "" for none.
    """

    label: str
    filters: Mapping[str, str] | None
    values: Values
    page: str = ""


class Result(NamedTuple):
    rows: list[Row]
    total: Values
    overlap: bool


class Loss(NamedTuple):
    """How many were lost for a reason, with the address of their list."""

    label: str
    number: int
    url: str


def read(scope: Scope, given: Given, zone: str, as_of: int) -> FiguresRequest:
    """Return what the parameters of the address ask for. Raises QueryError."""
    name = next((value for value in given.get("by", ()) if value), By.QUEUE)
    if name not in list(By):
        raise QueryError({"by": message(UNKNOWN_VALUE, names=", ".join(By))})
    for reserved in RESERVED:
        if any(given.get(reserved, ())):
            names = ", ".join(("by", *OF_PERIOD))
            raise QueryError({reserved: message(UNKNOWN_VALUE, names=names)})
    by = By(name)
    table = tables.of(by)
    rest = {name: values for name, values in given.items() if name != "by"}
    if "queue" in rest and "queue" not in table.source.fields:
        rest["interaction.queue"] = rest.pop("queue")
    chosen = {**rest, **{key: [value] for key, value in table.always.items()}}
    chosen |= {"group": [by], "measures": table.measures}
    query = parse(table.source, chosen, zone, as_of, answer.names(scope))
    kept = {
        name: values for name, values in rest.items() if name == "tz" or name not in OF_PERIOD if any(values)
    }
    return FiguresRequest(scope, by, table, query, kept)


def table(wanted: FiguresRequest) -> Result:
    """Return the rows of the table and the total; buckets that are still to come are left out.

    Raises run.TooLong.
    """
    found = run.figures(wanted.scope, wanted.query)
    rows = past(wanted.query, wanted.query.groups[0], found.rows)
    if len(rows) > MAX_ROWS:
        raise run.TooLong
    made = _buckets(wanted, rows) if wanted.by.bucket else _values(wanted, rows)
    return Result(made, found.total, found.overlap)


def past(query: Query, group: Group, rows: Sequence[tuple[Key, Values]]) -> list[tuple[Any, Values]]:
    """Return the rows of one group without the empty buckets that lie in the future as a whole."""
    if group.bucket is None or query.as_of >= query.span.end:
        return [(key[0], values) for key, values in rows]
    begun = Span(query.span.start, max(query.span.start, query.as_of) + 1)
    match group.bucket:
        case Bucket.HOUR_OF_DAY:
            hours = clock.hours(Span(max(begun.start, begun.end - clock.DAY_S), begun.end), query.zone)
            kept = {int(slot.label) for slot in hours}
        case Bucket.WEEKDAY:
            kept = {on.isoweekday() for on in clock.local_dates(begun, query.zone)}
        case _:
            kept = set(period.numbers(group.bucket, begun, query.zone))
    return [(key[0], values) for key, values in rows if key[0] in kept or values["count"]]


def _buckets(wanted: FiguresRequest, rows: Sequence[tuple[Any, Values]]) -> list[Row]:
    query, bucket = wanted.query, query_bucket(wanted.query)
    write = display.bucket_writer(bucket, query.zone, len(clock.local_dates(query.span, query.zone)) == 1)
    return [Row(write(number), bucket_filters(query, bucket, number), values) for number, values in rows]


def query_bucket(query: Query) -> Bucket:
    """Return the bucket of a query that is grouped by time."""
    bucket = query.groups[0].bucket
    assert bucket is not None  # noqa: S101 - only called for groups of time
    return bucket


def bucket_filters(query: Query, bucket: Bucket, number: int) -> dict[str, str]:
    """Return the parameters of a list that choose the rows of a bucket within the period."""
    if bucket.is_cyclic:
        return {bucket: str(number)}
    return dates(period.span(bucket, number, query.span, query.zone), query.zone)


def dates(span: Span, zone: str) -> dict[str, str]:
    """Return a period as the parameters from and to: dates for whole days, else times."""
    first, after = clock.local_date(span.start, zone), clock.local_date(span.end, zone)
    if period.of_dates(first, after, zone) == span:
        return {"from": first.isoformat(), "to": (after - timedelta(1)).isoformat()}
    return {"from": clock.iso(span.start, zone), "to": clock.iso(span.end, zone)}


def _values(wanted: FiguresRequest, rows: Sequence[tuple[Any, Values]]) -> list[Row]:
    """Return the rows by their values, the most first."""
    query, group = wanted.query, wanted.query.groups[0]
    values = {value for value, _figures in rows} - {None}
    write = display.writer(wanted.scope, group.field, values, query.zone)
    named = display.named(wanted.scope, group.field.type, values) if group.field.type in NAMED else None
    made = [
        Row(
            write(value) if value is not None else _("None"),
            {f"{wanted.by}__blank": "1"}
            if value is None
            else {wanted.by: named[value].key if named else str(value)},
            figures,
            _person(wanted, named[value].key) if named and value and group.field.type is Type.USER else "",
        )
        for value, figures in rows
    ]
    return sorted(made, key=lambda row: -int(row.values["count"]))


NAMED = (Type.USER, Type.QUEUE)


def _person(wanted: FiguresRequest, login: str) -> str:
    """Return the page of a user's day or week: that of the period, of a longer one its last week."""
    query = wanted.query
    last: date = clock.local_date(min(query.span.end - 1, query.as_of), query.zone)
    unit = "day" if period.unit_of(query.span, query.zone) == "day" else "week"
    return "/tracing?" + urlencode({"user": login, "unit": unit, "date": last.isoformat()})


def url(wanted: FiguresRequest, column: Column | None, filters: Mapping[str, str] | None) -> str | None:
    """Return the list of the rows behind a figure, of a group by the `filters` of its row."""
    if not wanted.table.page or filters is None or (column is not None and column.rows is None):
        return None
    parameters: dict[str, Any] = {**dates(wanted.query.span, wanted.query.zone), **wanted.kept, **filters}
    parameters |= {**((column and column.rows) or {}), **wanted.table.always}
    return f"{wanted.table.page}?{urlencode(parameters, doseq=True)}"


def figure(wanted: FiguresRequest, column: Column, values: Values) -> Figure:
    """Return a figure, None for none: a number of rows, a share, or seconds, cut down to whole ones."""
    value: Figure = values[column.measure]
    if value is None or (column.same and value != values[column.same]):
        return None
    return int(value) if wanted.types[column.measure] is Type.DURATION else value


def cells(wanted: FiguresRequest, values: Values) -> list[Figure]:
    """Return the figures of a group in the order of the columns."""
    return [figure(wanted, each, values) for each in wanted.table.columns]


def losses(wanted: FiguresRequest) -> list[Loss]:
    """Return what was lost by reason, the most first; of interactions alone."""
    source = wanted.table.source
    if wanted.table is not tables.CONTACTS:
        return []
    entity, field = source.fields["reason"]
    outcome = Filter(*source.fields["outcome"], Op.ANY_OF, ("missed",))
    query = replace(
        wanted.query,
        groups=(Group("reason", entity, field),),
        measures=tuple(each for each in wanted.query.measures if each.name == "count"),
        filters=(*wanted.query.filters, outcome),
    )
    found = run.figures(wanted.scope, query)
    made = []
    for (reason,), values in found.rows:
        label = _(field.choices[reason]) if reason in field.choices else reason or _("No reason given")
        chosen = {"reason": reason} if reason else {"reason__blank": "1"}
        link = url(wanted, None, {**chosen, "outcome": "missed"})
        made.append(Loss(label, int(values["count"]), link or ""))
    return sorted(made, key=lambda each: -each.number)
