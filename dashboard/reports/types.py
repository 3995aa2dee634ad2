"""The result of a report as types: columns, rows in sections, totals, and the data of a chart. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dashboard.clock import Span
from dashboard.exports.table import Cell, Kind
from dashboard.sources import display
from dashboard.sources.query import Query
from dashboard.sources.types import Source

NO_FILTERS: Mapping[str, str] = {}


class Column(NamedTuple):
    """A column. `is_figure`: a measure, whose number counts or adds up rows; `rows` are the filters that
    choose them among those of the group."""

    name: str
    label: str
    kind: Kind
    width: int
    is_figure: bool = False
    rows: Mapping[str, str] = {}


class Row(NamedTuple):
    """A row. `filters` choose the rows behind it, None where no filters can; `before` holds the figures of
    the period compared with; `key` is that of a row of the source."""

    cells: tuple[Cell, ...]
    filters: Mapping[str, str] | None = None
    before: tuple[Cell, ...] = ()
    key: int | None = None


class Section(NamedTuple):
    """The rows of one value of the first of several groups, with their total; else all rows, without."""

    label: str
    rows: tuple[Row, ...]
    total: Row | None = None


class Bar(NamedTuple):
    """A place on the axis of a chart with a value of each part; `short` is its label where that differs."""

    label: str
    values: tuple[float | None, ...]
    short: str = ""


class ChartData(NamedTuple):
    """What a chart shows: bars with a value for each of `parts`, or for `heat` a number for each hour of the
    week (0 is Monday, 00:00). `name` is a key of `result.CHARTS`, "" for no chart; `kind` is that of its
    values."""

    name: str = ""
    kind: Kind = Kind.INT
    parts: tuple[str, ...] = ()
    bars: tuple[Bar, ...] = ()
    heat: Mapping[int, float | None] | None = None


NO_CHART = ChartData()


@dataclass(frozen=True, slots=True)
class Result:
    """What a report shows to one reader at one moment.

    `parameters` are those of the address that gives the same rows, with the period as instants. `compared`
    names the dates that the figures are compared with. `count` is the number of rows or groups. `overlap`:
    a row counts in several groups, so that they do not add up to the total. `notes` say what the reader does
    not see.
    """

    title: str
    source: Source
    span: Span
    zone: str
    as_of: int
    parameters: Mapping[str, Sequence[str]]
    columns: tuple[Column, ...]
    sections: tuple[Section, ...]
    count: int
    query: Query
    filters: tuple[str, ...] = ()
    total: Row | None = None
    overlap: bool = False
    exact: bool = True
    next: str | None = None
    compared: str = ""
    chart: ChartData = NO_CHART
    notes: tuple[str, ...] = ()

    @property
    def period(self) -> str:
        return display.span_text(self.span, self.zone)

    @property
    def figures(self) -> list[Column]:
        return [each for each in self.columns if each.is_figure]

    @property
    def rows(self) -> Iterator[Row]:
        return (row for section in self.sections for row in section.rows)


class Request(NamedTuple):
    """A report with the parameters that its reader chose."""

    query: Query
    parameters: Mapping[str, Sequence[str]]
    chart: str
