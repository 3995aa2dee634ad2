"""The result of a report on a page: a table whose numbers lead to the rows behind them, and a chart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from babel.dates import get_day_names
from flask_babel import gettext as _

from dashboard.exports import table as exports
from dashboard.exports.cells import show
from dashboard.exports.table import Kind
from dashboard.i18n import formats
from dashboard.reports.types import ChartData, Column, Result, Row
from dashboard.web import charts

NUMBERS = (Kind.INT, Kind.DECIMAL, Kind.DURATION, Kind.PERCENT)
UNITS = {Kind.DURATION: charts.Unit.SECONDS, Kind.PERCENT: charts.Unit.SHARE}
COLOURS = ("call", "lost", "chat", "email", "pause", "ready", "ring", "idle")
# The pages of rows of a source; those of other sources are shown by the builder.
LISTS = {
    "interactions": "/interactions",
    "user_events": "/interactions/user-events",
    "rule_runs": "/runs",
    "deliveries": "/settings/channels/deliveries",
}
ROWS = {"interactions": "/interactions/{}", "activities": "/tracing/activities/{}", "rule_runs": "/runs/{}"}
OF_FIGURES = ("group", "measures", "compare", "chart", "sort", "limit", "after")


class Cell(NamedTuple):
    """`change` is the difference to the period before, in words."""

    text: str
    url: str | None
    css: str
    change: str = ""


class Part(NamedTuple):
    """Rows below the label of their first group, "" for all rows of a table, and their total."""

    label: str
    rows: list[list[Cell]]
    total: list[Cell] | None


class Table(NamedTuple):
    """`headings` are label and style."""

    headings: list[tuple[str, str]]
    parts: list[Part]
    total: list[Cell] | None


class Drawn(NamedTuple):
    """A chart, or the heat map of a week with the names of its days."""

    chart: charts.Chart | None
    heat: list[list[charts.Cell]]
    days: list[str]
    place: str


def table(result: Result) -> Table:
    """Return the table of a result. With several groups the first one heads its rows and has no column."""
    grouped = any(section.total is not None for section in result.sections)
    columns = list(result.columns[1:] if grouped else result.columns)
    writers = [show(each.kind, result.zone) for each in columns]

    def cells(row: Row, head: str = "") -> list[Cell]:
        values = row.cells[1:] if grouped else row.cells
        texts = [write(value) for write, value in zip(writers, values, strict=True)]
        if head:
            texts[0] = head
        changes = iter(_changes(result, row))
        page = ROWS.get(result.source.name) if row.key is not None else None
        return [
            Cell(
                text,
                page.format(row.key)
                if page and n == 0
                else rows_url(result, row, each)
                if each.is_figure and value not in (None, 0)
                else None,
                "n" if each.kind in NUMBERS else "",
                next(changes, "") if each.is_figure else "",
            )
            for n, (text, value, each) in enumerate(zip(texts, values, columns, strict=True))
        ]

    return Table(
        [(each.label, "n" if each.kind in NUMBERS else "") for each in columns],
        [
            Part(
                section.label,
                [cells(row) for row in section.rows],
                cells(section.total, _("All")) if section.total else None,
            )
            for section in result.sections
        ],
        cells(result.total, _("Total") if len(result.figures) < len(result.columns) else "")
        if result.total
        else None,
    )


def rows_url(result: Result, row: Row, column: Column) -> str | None:
    """Return the page of the rows behind a figure; None where no filters choose them."""
    if row.filters is None:
        return None
    kept = {name: values for name, values in result.parameters.items() if name not in OF_FIGURES}
    for name, value in {**row.filters, **column.rows}.items():
        kept[name] = [value]
    path = LISTS.get(result.source.name)
    if path is None:
        path, kept = "/reports/new", {"source": [result.source.name], "show": ["rows"], **kept}
    return f"{path}?{urlencode(kept, doseq=True)}"


def chart(result: Result) -> Drawn | None:
    """Return the chart of a result; None without one or without figures."""
    data = result.chart
    if data.heat is not None:
        names = get_day_names("abbreviated", locale=formats.language())
        return Drawn(None, charts.heat(data.heat), [name for _day, name in sorted(names.items())], "")
    if not data.bars:
        return None
    drawn = _drawn(data)
    place = next((each.label for each in result.columns if not each.is_figure), "")
    return Drawn(drawn, [], [], place)


def _drawn(data: ChartData) -> charts.Chart:
    rows = [charts.Row(each.label, each.values, each.short) for each in data.bars]
    series = [
        charts.Series(label, COLOURS[n % len(COLOURS)] if label != _("Other") else "pause")
        for n, label in enumerate(data.parts)
    ]
    unit = UNITS.get(data.kind, charts.Unit.NUMBER)
    return charts.line(rows, series, unit) if data.name == "line" else charts.bars(rows, series, unit)


def _changes(result: Result, row: Row) -> list[str]:
    """Return the difference of each figure to the period before; "" where one of both is missing."""
    now: Sequence[exports.Cell] = row.cells[len(row.cells) - len(row.before) :] if row.before else ()
    return [
        difference(show(each.kind, result.zone), value, before)
        for each, value, before in zip(result.figures, now, row.before, strict=False)
    ]


def difference(write: Callable[[Any], str], value: Any, before: Any) -> str:
    """Return how a figure differs from that before, with its sign; "" where one of both is missing."""
    if value is None or before is None:
        return ""
    change = value - before
    return ("+" if change > 0 else "−" if change < 0 else "±") + write(abs(change))
