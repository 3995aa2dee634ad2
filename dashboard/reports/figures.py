"""Figures of a report: rows of groups in sections with their totals, beside those of the period before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from flask_babel import gettext as _

from dashboard.access.scope import Scope
from dashboard.clock import Span
from dashboard.exports.table import Cell, Kind
from dashboard.reports import groups, words
from dashboard.reports.groups import Written
from dashboard.reports.types import (
    NO_CHART,
    NO_FILTERS,
    Bar,
    ChartData,
    Column,
    Request,
    Result,
    Row,
    Section,
)
from dashboard.sources import display, period, run
from dashboard.sources.derived import Key, Values
from dashboard.sources.query import Compared, Measure, Query, Sum, compared_name
from dashboard.sources.types import Source, Type

MAX_BARS = 100


class _Made(NamedTuple):
    """A row with the values of the groups from which it is made, and as they are written."""

    key: Key
    parts: list[Written]
    row: Row


def figures(scope: Scope, request: Request, result: Result) -> Result:
    """Return `result` with the figures of a query. Raises run.TooLong, period.TooManyBuckets."""
    query = request.query
    found = run.figures(scope, query)
    written = [
        groups.writer(scope, query, group, {key[n] for key, _values in found.rows})
        for n, group in enumerate(query.groups)
    ]
    rows = [_row(query, key, values, written) for key, values in found.rows]
    if query.sort is None:
        rows.sort(key=lambda row: [each.order for each in row.parts])
    heads = [_("Total"), *[None] * (len(query.groups) - 1)] if query.groups else []
    return replace(
        result,
        columns=_columns(query),
        sections=tuple(_sections(scope, query, rows)),
        total=Row((*heads, *_cells(query, found.total)), NO_FILTERS, _before(query, found.total)),
        overlap=found.overlap,
        count=len(rows),
        compared=display.span_text(query.compare, query.zone) if query.compare else "",
        chart=_chart(scope, request, found),
    )


def _sections(scope: Scope, query: Query, rows: Sequence[_Made]) -> Iterator[Section]:
    """Yield the rows by the first of several groups with the total of each, or all in one section."""
    if len(query.groups) < 2:
        yield Section("", tuple(each.row for each in rows))
        return
    first = run.figures(scope, replace(query, groups=query.groups[:1], sort=None, limit=None))
    totals = {key[0]: values for key, values in first.rows}
    by_first: dict[Any, list[_Made]] = {}
    for each in rows:
        by_first.setdefault(each.key[0], []).append(each)
    for value, made in by_first.items():
        head, figures = made[0].parts[0], totals[value]
        cells = (head.cell, *[None] * (len(query.groups) - 1), *_cells(query, figures))
        total = Row(cells, _filters(query, [head]), _before(query, figures))
        yield Section(head.text, tuple(each.row for each in made), total)


def _row(query: Query, key: Key, values: Values, written: Sequence[Callable[[Any], Written]]) -> _Made:
    parts = [write(value) for write, value in zip(written, key, strict=True)]
    cells = (*(each.cell for each in parts), *_cells(query, values))
    return _Made(key, parts, Row(cells, _filters(query, parts), _before(query, values)))


def _filters(query: Query, parts: Sequence[Written]) -> Mapping[str, str] | None:
    """Return the filters of the rows of these values; of stretches of time, what they have in common."""
    found: dict[str, str] = {}
    for each in parts:
        if each.filters is None:
            return None
        found |= each.filters
    spans = [each.span for each in parts if each.span is not None]
    if spans:
        span = Span(max(each.start for each in spans), min(each.end for each in spans))
        if span.seconds <= 0:
            return None
        found |= period.parameters(span, query.zone)
    return found


def _columns(query: Query) -> tuple[Column, ...]:
    heads = [
        Column(each.name, words.group_label(query.source, each), words.group_kind(each), 20)
        for each in query.groups
    ]
    measures = [
        Column(
            each.name,
            display.measure_label(query.source, each),
            words.measure_kind(each),
            14,
            True,
            _rows_of(query.source, each),
        )
        for each in query.measures
    ]
    return (*heads, *measures)


def _rows_of(source: Source, measure: Measure) -> Mapping[str, str]:
    """Return the filters of the rows that a measure counts: a sum of yes and no counts those with yes."""
    if measure.field is None or measure.field.type is not Type.YES_NO or measure.sum is not Sum.SUM:
        return NO_FILTERS
    return {source.full_name(measure.entity, measure.field): "1"}


def _cells(query: Query, values: Values) -> tuple[Cell, ...]:
    return tuple(_cell(each, values[each.name]) for each in query.measures)


def _before(query: Query, values: Values) -> tuple[Cell, ...]:
    """Return the figures of the period before; none where nothing is compared."""
    if query.compare is None:
        return ()
    return tuple(_cell(each, values[compared_name(each.name, Compared.PREVIOUS)]) for each in query.measures)


def _cell(measure: Measure, value: Any) -> Cell:
    kind = words.measure_kind(measure)
    if value is None or kind is Kind.PERCENT:
        return None if value is None else float(value)
    return round(float(value), 1) if kind is Kind.DECIMAL else round(float(value))


def _chart(scope: Scope, request: Request, found: run.Figures) -> ChartData:
    """Return the chart of figures: over time where they have a bucket, else by the first group."""
    query = request.query
    if not request.chart or not query.groups:
        return NO_CHART
    counts = [each for each in query.measures if words.measure_kind(each) is Kind.INT]
    parts = counts[:1] or list(query.measures[:1])
    kind = words.measure_kind(parts[0])
    if request.chart == "heat":
        return ChartData("heat", kind, heat={key[0]: values[parts[0].name] for key, values in found.rows})
    axis = next((each for each in query.groups if each.bucket and not each.bucket.is_cyclic), query.groups[0])
    if len(query.groups) > 1:
        found = run.figures(scope, replace(query, groups=(axis,), sort=None, limit=None, compare=None))
    if request.chart == "stacked":
        parts = [each for each in counts if _rows_of(query.source, each)] or parts
    rest = request.chart == "stacked" and parts[0].name != "count" and counts[0].name == "count"
    written = groups.writer(scope, query, axis, {key[0] for key, _values in found.rows})
    made = []
    for (value,), values in found.rows:
        shown = tuple(values[each.name] for each in parts)
        other = (max(0, values["count"] - sum(shown)),) if rest else ()
        short = (
            display.bucket_short(axis.bucket, value, query.zone)
            if axis.bucket and not axis.bucket.is_cyclic
            else ""
        )
        made.append((written(value), (*shown, *other), short))
    if query.sort is None:
        made.sort(key=lambda each: each[0].order)
    labels = (*(display.measure_label(query.source, each) for each in parts), *([_("Other")] if rest else []))
    bars = tuple(Bar(each.text, values, short) for each, values, short in made[:MAX_BARS])
    return ChartData(request.chart, kind, labels, bars)
