"""The table of figures: what the address asks for, the rows with their figures, and the lists behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import urlencode

from flask_babel import gettext as _

from dashboard import clock
from dashboard.clock import Span
from dashboard.i18n import collation, formats
from dashboard.pages.figures import reading, tables
from dashboard.pages.figures.reading import Figure, FiguresRequest, Part
from dashboard.pages.figures.tables import By, Column, Values
from dashboard.sources import answer, display, period, run
from dashboard.sources.answer import Answer
from dashboard.sources.derived import Key
from dashboard.sources.period import Bucket
from dashboard.sources.query import Filter, Op, Query
from dashboard.sources.types import Type

MAX_ROWS = 1000  # of a table


class Row(NamedTuple):
    """A group: the labels of its values, the filters of its rows in the list behind it, its figures.

    Without a list behind it the filters are None. `page` is the address of what it is itself, "" for none.
    """

    labels: tuple[str, ...]
    filters: Mapping[str, str] | None
    values: Values
    page: str = ""
    order: int = 0  # of its hour


class Result(NamedTuple):
    rows: list[Row]
    total: Values
    overlap: bool
    left_out: bool  # figures for which the period is too long


class Loss(NamedTuple):
    """How many were lost for a reason, with the address of their list."""

    label: str
    number: int
    url: str


def table(wanted: FiguresRequest) -> Result:
    """Return the rows of the table and the total; buckets that are still to come are left out.

    Raises run.TooLong.
    """
    names, found = _found(wanted)
    rows = found.rows
    if wanted.by.bucket:
        made = _buckets(wanted, rows)
    else:
        made = _hours(wanted, names[-1], rows) if wanted.by is By.USER_HOUR else _values(wanted, rows)
    left_out = any(each.measure not in found.total for each in wanted.columns)
    return Result(made, found.total, found.overlap, left_out)


def as_answer(wanted: FiguresRequest, as_of: int) -> Answer:
    """Return the figures of the table as the query API does. Raises run.TooLong."""
    names, found = _found(wanted)
    query = replace(wanted.query, groups=tuple(reading.group(wanted.query.source, name) for name in names))
    types = {each.measure: wanted.types[each.measure] for each in wanted.columns}

    def written(values: Values) -> dict[str, Figure]:
        return dict(zip(types, cells(wanted, values), strict=True))

    rows = [(key, written(values)) for key, values in found.rows]
    figures = run.Figures(rows, written(found.total), found.overlap)
    measures = [answer.info(name, type_) for name, type_ in types.items()]
    return answer.of_figures(wanted.scope, query, measures, figures, as_of)


def _found(wanted: FiguresRequest) -> tuple[tuple[str, ...], run.Figures]:
    """Return the groups of the table and their figures, without what is still to come. Raises run.TooLong."""
    names = reading.groups(wanted)
    found = reading.figures(wanted, names)
    rows = past(wanted.query, names[-1], found.rows)
    if wanted.by is By.USER_HOUR:
        rows = [(key, values) for key, values in rows if any(values.values())]
    if len(rows) > MAX_ROWS:
        raise run.TooLong
    return names, found._replace(rows=rows)


def past(
    query: Query, group: str, rows: Sequence[tuple[Key, dict[str, Any]]]
) -> list[tuple[Key, dict[str, Any]]]:
    """Return the rows without the empty buckets, of the last group, that lie in the future as a whole."""
    if group not in list(Bucket) or query.as_of >= query.span.end:
        return list(rows)
    begun = Span(query.span.start, max(query.span.start, query.as_of) + 1)
    match Bucket(group):
        case Bucket.HOUR_OF_DAY:
            hours = clock.hours(Span(max(begun.start, begun.end - clock.DAY_S), begun.end), query.zone)
            kept = {int(slot.label) for slot in hours}
        case Bucket.WEEKDAY:
            kept = {on.isoweekday() for on in clock.local_dates(begun, query.zone)}
        case bucket:
            kept = set(period.numbers(bucket, begun, query.zone))
    return [(key, values) for key, values in rows if key[-1] in kept or values["count"]]


def _buckets(wanted: FiguresRequest, rows: Sequence[tuple[Key, Values]]) -> list[Row]:
    query, bucket = wanted.query, Bucket(wanted.by)
    write = bucket_texts(query, bucket)
    return [Row((write(key[0]),), bucket_filters(query, bucket, key[0]), values) for key, values in rows]


def bucket_texts(query: Query, bucket: Bucket) -> Callable[[int], str]:
    return display.bucket_writer(bucket, query.zone, len(clock.local_dates(query.span, query.zone)) == 1)


def _hours(wanted: FiguresRequest, bucket: str, rows: Sequence[tuple[Key, Values]]) -> list[Row]:
    """Return the rows of users and hours, by name and hour."""
    query = wanted.query
    names = display.named(wanted.scope, Type.USER, {key[0] for key, _values in rows})
    write = bucket_texts(query, Bucket(bucket))
    language = formats.language()
    ordered = sorted(rows, key=lambda row: (collation.key(names[row[0][0]].shown, language), row[0]))
    return [
        Row((names[user].shown, write(hour)), None, values, _person(wanted, names[user].key), hour)
        for (user, hour), values in ordered
    ]


def bucket_filters(query: Query, bucket: Bucket, number: int) -> dict[str, str]:
    """Return the parameters of a list that choose the rows of a bucket within the period."""
    if bucket.is_cyclic:
        return {bucket: str(number)}
    return period.parameters(period.span(bucket, number, query.span, query.zone), query.zone)


def _values(wanted: FiguresRequest, rows: Sequence[tuple[Key, Values]]) -> list[Row]:
    """Return the rows by their values, the most first."""
    query, name = wanted.query, reading.groups(wanted)[0]
    field = query.source.fields[name][1]
    values = {key[0] for key, _figures in rows} - {None}
    write = display.writer(wanted.scope, field, values, query.zone)
    named = display.named(wanted.scope, field.type, values) if field.type in NAMED else {}
    made = [
        Row(
            (write(value) if value is not None else _("None"),),
            {f"{name}__blank": "1"}
            if value is None
            else {name: named[value].key if value in named else str(value)},
            figures,
            _person(wanted, named[value].key) if value in named and field.type is Type.USER else "",
        )
        for (value,), figures in rows
    ]
    return sorted(made, key=lambda row: -int(row.values["count"]))


NAMED = (Type.USER, Type.QUEUE)


def _person(wanted: FiguresRequest, login: str) -> str:
    """Return the page of a user's day or week: that of the period, of a longer one its last week."""
    query = wanted.query
    last: date = clock.local_date(min(query.span.end - 1, query.as_of), query.zone)
    unit = "day" if period.unit_of(query.span, query.zone) == "day" else "week"
    zone = {name: wanted.kept[name][0] for name in ("tz",) if name in wanted.kept}
    return "/tracing?" + urlencode({"user": login, "unit": unit, "date": last.isoformat(), **zone})


def behind(wanted: FiguresRequest, column: Column, row: Row | None) -> str | None:
    """Return where a figure of a row, or of the total, leads: to its rows, or to the user's day or week."""
    if row and row.page and period.unit_of(wanted.query.span, wanted.query.zone) in ("day", "week"):
        return f"{row.page}&state={column.state}#activities" if column.state else row.page
    return url(wanted, column, row.filters if row else {})


def url(wanted: FiguresRequest, column: Column | None, filters: Mapping[str, str] | None) -> str | None:
    """Return the list of the rows behind a figure, of a group by the `filters` of its row."""
    if not wanted.table.page or filters is None or (column is not None and column.rows is None):
        return None
    parameters: dict[str, Any] = {
        **period.parameters(wanted.query.span, wanted.query.zone),
        **wanted.kept,
        **filters,
    }
    parameters |= {**((column and column.rows) or {}), **wanted.table.always}
    return f"{wanted.table.page}?{urlencode(parameters, doseq=True)}"


def cells(wanted: FiguresRequest, values: Values) -> list[Figure]:
    """Return the figures of a group in the order of the columns."""
    return [wanted.figure(each, values) for each in wanted.columns]


def losses(wanted: FiguresRequest) -> list[Loss]:
    """Return what was lost by reason, the most first; of interactions alone."""
    source = wanted.table.source
    if wanted.table is not tables.CONTACTS:
        return []
    field = source.fields["reason"][1]
    outcome = Filter(*source.fields["outcome"], Op.ANY_OF, ("missed",))
    query = replace(wanted.query, filters=(*wanted.query.filters, outcome))
    found = reading.figures(replace(wanted, parts=(Part("", query),)), ("reason",), only=("count",))
    made = []
    for (reason,), values in found.rows:
        label = _(field.choices[reason]) if reason in field.choices else reason or _("No reason given")
        chosen = {"reason": reason} if reason else {"reason__blank": "1"}
        link = url(wanted, None, {**chosen, "outcome": "missed"})
        made.append(Loss(label, int(values["count"]), link or ""))
    return sorted(made, key=lambda each: -each.number)
