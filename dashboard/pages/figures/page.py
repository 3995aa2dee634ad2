"""The page of figures: key figures against the period before, a chart over time, a heat map and the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

from babel.dates import get_day_names
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.scope import Scope
from dashboard.clock import DAY_S, Span
from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.pages.figures import model, tables
from dashboard.pages.figures.model import FiguresRequest
from dashboard.pages.figures.tables import BY, By, Column, Values
from dashboard.sources import display, period, run
from dashboard.sources.display import period_text
from dashboard.sources.period import UNITS, Bucket
from dashboard.sources.period_parameters import OF_PERIOD
from dashboard.sources.query import Measure, Query
from dashboard.sources.types import Type
from dashboard.web import charts
from dashboard.web.charts import Series, Unit
from dashboard.web.deliver import file_links
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


def page(wanted: FiguresRequest, given: model.Given) -> dict[str, Any]:
    """Return the context of the page. Raises run.TooLong."""
    found = model.table(wanted)
    query = wanted.query
    before = replace(
        query,
        span=period.before(query.span, query.zone, query.as_of),
        groups=(),
        measures=_quick(query),
    )
    previous = run.figures(wanted.scope, before)
    bucket = _bucket(query)
    over_time = _by_time(wanted, bucket, _quick(query))
    names = get_day_names("abbreviated", locale=formats.language())
    return {
        "by": wanted.by,
        "by_label": _(BY[wanted.by]),
        "columns": wanted.table.columns,
        "rows": found.rows,
        "total": found.total,
        "overlap": found.overlap,
        "text": lambda column, values: text(wanted, column, values),
        "url": lambda column, row: model.url(wanted, column, row.filters if row else {}),
        "tiles": [
            _tile(wanted, each, found.total, previous.total, [values for _number, values in over_time])
            for each in wanted.table.tiles
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
        "weekdays": [name for _day, name in sorted(names.items())],
        "exports": file_links("figures"),
        **_periods(query, given),
        **_neighbours(query),
    }


def text(wanted: FiguresRequest, column: Column, values: Values) -> str:
    """Return a figure as text, "·" for nothing."""
    value = model.figure(wanted, column, values)
    return display.figure_writer(wanted.types[column.measure])(value) if value else "·"


def _quick(query: Query) -> tuple[Measure, ...]:
    """Return the measures of the tiles and the chart: those that need one statement."""
    grain = query.source.entities[0]
    return tuple(
        each
        for each in query.measures
        if not each.sum.is_rank and (each.entity is grain or not each.field) and each.name != "sum:handling"
    )


def _tile(wanted: FiguresRequest, column: Column, now: Values, then: Values, values: list[Values]) -> Tile:
    write = display.figure_writer(wanted.types[column.measure])
    value, old = (model.figure(wanted, column, each) for each in (now, then))
    said = ""
    if value is not None and old is not None:
        sign = "▲ " if value > old else "▼ " if value < old else "± "
        said = _("%(change)s (was %(before)s)", change=sign + write(abs(value - old)), before=write(old))
    spark = charts.spark(
        [model.figure(wanted, column, each) for each in values], CHART_UNITS[wanted.types[column.measure]]
    )
    return Tile(_(column.label), write(value) or "–", said, model.url(wanted, column, {}), spark)


def _periods(query: Query, given: model.Given) -> dict[str, Any]:
    """Return the links to the day, week, month and quarter of the period's last day up to today, to the named
    periods, and the fields of the dates."""
    last = clock.local_date(max(query.span.start, min(query.span.end - 1, query.as_of)), query.zone)
    chosen = period.unit_of(query.span, query.zone)
    return {
        "units": [
            Link(_(label), here(DROPPED, unit=name, date=last.isoformat()), name == chosen)
            for name, label in UNIT_LABELS.items()
        ],
        "named": [
            Link(_(label), here(DROPPED, period=name), given.get("period") == [name])
            for name, label in PERIODS.items()
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
        prev = model.dates(period.before(query.span, query.zone, query.span.end), query.zone)
        whole = period.of_dates(first, after, query.zone) == query.span
        later = (
            period.of_dates(after, after + (after - first), query.zone)
            if whole
            else Span(query.span.end, query.span.end + length)
        )
        following = model.dates(later, query.zone)
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


def _by_time(wanted: FiguresRequest, bucket: Bucket, measures: Sequence[Measure]) -> list[tuple[Any, Values]]:
    """Return the figures of each bucket of the period that has begun."""
    entity, field = wanted.table.source.timed_field
    group = wanted.query.groups[0]._replace(name=bucket, entity=entity, field=field, bucket=bucket)
    query = replace(wanted.query, groups=(group,), measures=tuple(measures))
    return model.past(query, group, run.figures(wanted.scope, query).rows)


def _heat(wanted: FiguresRequest) -> list[list[charts.Cell]] | None:
    """Return the load of the hours of a week; None for less than a week."""
    if wanted.query.span.seconds < 6 * DAY_S:
        return None
    counted = [each for each in wanted.query.measures if each.name == "count"]
    found = _by_time(wanted, Bucket.HOUR_OF_WEEK, counted)
    return charts.heat({number: values["count"] for number, values in found})


def bar(scope: Scope, given: model.Given) -> dict[str, Any]:
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


def _hidden(given: model.Given, without: Sequence[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, values in given.items() for value in values if name not in without]


assert UNIT_LABELS.keys() == UNITS.keys()  # noqa: S101 - a unit without a label fails at the start
