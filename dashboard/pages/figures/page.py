"""The page of figures: key figures against the period before, a chart over time, a heat map and the table."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

from babel.dates import get_day_names
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.scope import Scope
from dashboard.clock import DAY_S, HOUR_S, Span
from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.pages.figures import export, model, reading, tables
from dashboard.pages.figures.reading import FiguresRequest
from dashboard.pages.figures.tables import BY, By, Column, Values
from dashboard.sources import display, period
from dashboard.sources.display import period_text
from dashboard.sources.period import UNITS, Bucket
from dashboard.sources.period_parameters import OF_PERIOD
from dashboard.sources.query import Query
from dashboard.sources.types import Type
from dashboard.web import charts
from dashboard.web.charts import Series, Unit
from dashboard.web.listing import PERIODS, Choice, options_of
from dashboard.web.lists import here

UNIT_LABELS = {"day": N_("Day"), "week": N_("Week"), "month": N_("Month"), "quarter": N_("Quarter")}

CHART_UNITS = {Type.NUMBER: Unit.NUMBER, Type.DURATION: Unit.SECONDS, Type.PERCENT: Unit.SHARE}
DROPPED = OF_PERIOD[:-1]


class Tile(NamedTuple):
    """A key figure with its difference to the period before, in words."""

    label: str
    text: str
    difference: str
    url: str | None
    spark: charts.Spark


class Link(NamedTuple):
    label: str
    url: str
    current: bool


class UserHours(NamedTuple):
    """The texts of each hour, none for an hour without anything."""

    name: str
    url: str
    cells: list[list[str]]


class Hours(NamedTuple):
    heads: list[str]
    users: list[UserHours]


def page(wanted: FiguresRequest, given: reading.Given) -> dict[str, Any]:
    """Return the context of the page. Raises run.TooLong."""
    found = model.table(wanted)
    query = wanted.query
    before = replace(query, span=period.before(query.span, query.zone, query.as_of))
    previous = reading.figures(wanted, (), before.span, reading.of_tiles(wanted))
    bucket = _bucket(query)
    over_time = _by_time(wanted, bucket, reading.of_tiles(wanted))
    names = get_day_names("abbreviated", locale=formats.language())
    return {
        "by": wanted.by,
        "by_label": _(BY[wanted.by]),
        "headings": export.headings(wanted),
        "columns": _shown(wanted, found),
        "rows": found.rows,
        "total": found.total,
        "notes": export.notes(found),
        "text": lambda column, values: text(wanted, column, values),
        "url": lambda column, row: model.behind(wanted, column, row),
        "tiles": [
            _tile(wanted, each, found.total, previous.total, [values for _number, values in over_time])
            for each in wanted.columns
            if each.tile
        ],
        "about": f"{period_text(query)} · {query.zone}",
        "period": period_text(query),
        "zone": query.zone,
        "as_of": formats.stamp(query.as_of, query.zone),
        "leveled": wanted.table is tables.CONTACTS,
        "compared": period_text(before),
        "losses": model.losses(wanted),
        **_charts(wanted, bucket, over_time),
        "heat": _heat(wanted),
        "hours": _hours(wanted, found.rows) if wanted.by is By.USER_HOUR else None,
        "weekdays": [name for _day, name in sorted(names.items())],
        **_periods(wanted, given),
        **_neighbours(query),
    }


def text(wanted: FiguresRequest, column: Column, values: Values) -> str:
    """Return a figure as text, "·" for none and for nothing."""
    value = wanted.figure(column, values)
    kind = column.measure.rpartition("/")[2].partition(":")[0]
    if value is None or (not value and kind in ("count", "sum")):
        return "·"
    return display.figure_writer(wanted.types[column.measure])(value)


def _shown(wanted: FiguresRequest, found: model.Result) -> list[Column]:
    """Return the columns of the page: those of rare cases stay away where there is none."""
    every = [*(row.values for row in found.rows), found.total]
    return [
        each
        for each in wanted.columns
        if each.css != "p3" or any(text(wanted, each, values) != "·" for values in every)
    ]


def _tile(wanted: FiguresRequest, column: Column, now: Values, then: Values, values: list[Values]) -> Tile:
    write = display.figure_writer(wanted.types[column.measure])
    value, old = (wanted.figure(column, each) for each in (now, then))
    said = ""
    if value is not None and old is not None:
        sign = "▲ " if value > old else "▼ " if value < old else "± "
        said = _("%(change)s (was %(before)s)", change=sign + write(abs(value - old)), before=write(old))
    spark = charts.spark(
        [wanted.figure(column, each) for each in values], CHART_UNITS[wanted.types[column.measure]]
    )
    return Tile(_(column.label), write(value) or "–", said, model.url(wanted, column, {}), spark)


def _periods(wanted: FiguresRequest, given: reading.Given) -> dict[str, Any]:
    """Return the links to the day, week, month and quarter of the period's last day up to today, to the named
    periods, and the fields of the dates. Periods with more hours than the table may have are left out."""
    query, longest = wanted.query, model.MAX_ROWS * HOUR_S if wanted.by is By.HOUR else sys.maxsize
    last = clock.local_date(max(query.span.start, min(query.span.end - 1, query.as_of)), query.zone)
    chosen = period.unit_of(query.span, query.zone)
    return {
        "units": [
            Link(_(label), here(DROPPED, unit=name, date=last.isoformat()), name == chosen)
            for name, label in UNIT_LABELS.items()
            if period.unit(name, last, query.zone).seconds <= longest
        ],
        "named": [
            Link(_(label), here(DROPPED, period=name), given.get("period") == [name])
            for name, label in PERIODS.items()
            if period.named(name, query.zone, query.as_of).seconds <= longest
        ],
        "first": clock.local_date(query.span.start, query.zone).isoformat(),
        "last": clock.local_date(max(query.span.end - 1, query.span.start), query.zone).isoformat(),
        "dates_hidden": _hidden(given, DROPPED),
    }


def _neighbours(query: Query) -> dict[str, Any]:
    """Return the links to the periods of the same kind before and after; none into the future."""
    first, after = (clock.local_date(each, query.zone) for each in query.span)
    unit = period.unit_of(query.span, query.zone)
    if unit:
        prev = {"unit": unit, "date": (first - timedelta(1)).isoformat()}
        following = {"unit": unit, "date": after.isoformat()}
    else:
        length = query.span.seconds
        prev = period.parameters(period.before(query.span, query.zone, query.span.end), query.zone)
        whole = period.of_dates(first, after, query.zone) == query.span
        later = (
            period.of_dates(after, after + (after - first), query.zone)
            if whole
            else Span(query.span.end, query.span.end + length)
        )
        following = period.parameters(later, query.zone)
    return {
        "prev": here(DROPPED, **prev),
        "next": here(DROPPED, **following) if query.span.end <= query.as_of else None,
    }


def _bucket(query: Query) -> Bucket:
    """Return the bucket of the chart: hours of up to two days, days of two months, else weeks or months."""
    days = query.span.seconds / DAY_S
    if days <= 2.1:
        return Bucket.HOUR
    return Bucket.DAY if days <= 62 else Bucket.WEEK if days <= 400 else Bucket.MONTH


def _charts(wanted: FiguresRequest, bucket: Bucket, rows: list[tuple[int, Values]]) -> dict[str, Any]:
    """Return the bars of all parts, and below them a line of each share."""
    query, table = wanted.query, wanted.table
    name = display.bucket_writer(bucket, query.zone)
    shares = [each for each in table.columns if each.measure in table.lines]
    bars, lines = [], []
    for number, values in rows:
        link = model.url(wanted, None, model.bucket_filters(query, bucket, number)) or ""
        short = display.bucket_short(bucket, number, query.zone)
        bars.append(charts.Row(name(number), tables.parts(table, values), short, link))
        lines.append(charts.Row(name(number), tuple(values[each.measure] for each in shares), short, link))
    parts = [Series(_(label), css) for _name, label, css in table.parts]
    names = [Series(_(each.label), "call") for each in shares]
    return {
        "bars": charts.bars(bars, parts),
        "line": charts.line(lines, names, Unit.SHARE, top=1.0) if shares else None,
    }


def _by_time(wanted: FiguresRequest, bucket: Bucket, only: Collection[str]) -> list[tuple[Any, Values]]:
    """Return the figures of each bucket of the period that has begun."""
    found = reading.figures(wanted, (bucket,), only=only)
    return [(key[0], values) for key, values in model.past(wanted.query, bucket, found.rows)]


def _heat(wanted: FiguresRequest) -> list[list[charts.Cell]] | None:
    """Return the load of the hours of a week; None for less than a week."""
    if wanted.query.span.seconds < 6 * DAY_S:
        return None
    found = _by_time(wanted, Bucket.HOUR_OF_WEEK, ("count",))
    return charts.heat(
        {number: values["count"] for number, values in found},
        lambda number: model.url(wanted, None, {Bucket.HOUR_OF_WEEK: str(number)}) or "",
    )


def _hours(wanted: FiguresRequest, rows: Sequence[model.Row]) -> Hours:
    """Return users by hours: what they handled, how long they talked, and their occupancy."""
    heads = sorted({(row.order, row.labels[1]) for row in rows})
    shown = [each for each in wanted.columns if each in (tables.HANDLED, tables.TALK, tables.OCCUPANCY)]
    users: dict[str, UserHours] = {}
    for row in rows:
        found = users.setdefault(row.page, UserHours(row.labels[0], row.page, [[] for _head in heads]))
        found.cells[heads.index((row.order, row.labels[1]))] = [
            text(wanted, each, row.values) for each in shown
        ]
    return Hours([label for _order, label in heads], list(users.values()))


def bar(scope: Scope, given: reading.Given) -> dict[str, Any]:
    """Return the fields of the filter bar; the period is chosen above the figures."""
    chosen = next((value for value in given.get("by", ()) if value), By.QUEUE)
    queues = [value for value in given.get("queue", ()) if value]
    _entity, field = tables.CONTACTS.source.fields["queue"]
    shown = [each for each in By if scope.can(tables.of(each).source.permission)]
    return {
        "bys": Choice("by", _("Group by"), [(each, _(BY[each])) for each in shown], chosen),
        "queues": Choice(
            "queue",
            _("Queue"),
            [("", _("All")), *options_of(scope, field)],
            queues[0] if len(queues) == 1 else "",
        ),
        "hidden": _hidden(given, ("by", "queue") if len(queues) < 2 else ("by",)),
    }


def _hidden(given: reading.Given, without: Sequence[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, values in given.items() for value in values if name not in without]


assert UNIT_LABELS.keys() == UNITS.keys()  # noqa: S101 - a unit without a label fails at the start
