"""Geometry of the chart family: bars, lines, sparks, heat maps, bullets and ribbons. Pure.

x in percent, y in pixels. `ui/charts.html` draws them, and writes the same numbers as a table or a text.
A value of None is one that is not known: it is not drawn and reads as a dash. Values are not negative.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

TOP, BASE = 18, 126  # y in pixels; a chart is 150 pixels high
WIDEST = 8.0  # percent, of a bar
MOST_LABELS, MOST_NUMBERS = 8, 14  # below and on top of bars
THIN = 0.4  # least percent of a bullet or ribbon that is not empty
ROOM = 7.0  # percent of a ribbon that holds the text of a share
SPARK_WIDTH, SPARK_HEIGHT, SPARK_EDGE = 96, 24, 3  # pixels
TINTS = 5
HOURS, DAYS = 24, 7
STEPS = (1, 2, 3, 4, 5, 6, 8, 10)  # times a power of ten
TIME_STEPS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600)  # seconds; then whole hours

Value = float | None


class Unit(StrEnum):
    """What values are, and so how they are written."""

    NUMBER = "number"
    SECONDS = "seconds"
    SHARE = "share"  # of 1


class Row(NamedTuple):
    """A place on the x axis with a value of each series.

    `short` is its label below the axis, where it differs; `url` leads to what the values count.
    """

    label: str
    values: tuple[Value, ...]
    short: str = ""
    url: str = ""

    @property
    def total(self) -> float:
        return sum(value or 0 for value in self.values)


class Series(NamedTuple):
    """What a value of each row is, and the class of its colour."""

    label: str
    css: str


class Box(NamedTuple):
    css: str
    x: float
    y: float
    width: float
    height: float


class Stroke(NamedTuple):
    css: str
    x1: float
    y1: float
    x2: float
    y2: float


class Mark(NamedTuple):
    """A value that is written at its point, such as the last of a line; `text` is the name of the series."""

    css: str
    x: float
    y: float
    value: float
    text: str = ""


class Label(NamedTuple):
    """A label below the axis; `spare` labels have room on wide screens alone."""

    x: float
    text: str
    anchor: str
    spare: bool


@dataclass(frozen=True)
class Chart:
    """Bars or lines over the same rows. `scale` holds (y, value) of the three lines of the grid.

    `target` is (y, value) of a line to reach. `totals` are the sums of each series, without None.
    """

    rows: tuple[Row, ...]
    series: tuple[Series, ...]
    unit: Unit
    scale: tuple[tuple[float, float], ...]
    labels: tuple[Label, ...]
    boxes: tuple[Box, ...] = ()
    strokes: tuple[Stroke, ...] = ()
    marks: tuple[Mark, ...] = ()
    target: tuple[float, float] | None = None

    @property
    def totals(self) -> tuple[float, ...]:
        return tuple(sum(row.values[n] or 0 for row in self.rows) for n in range(len(self.series)))


@dataclass(frozen=True)
class Spark:
    """A line of SPARK_WIDTH by SPARK_HEIGHT pixels; `points` are its unbroken pieces, `last` its end."""

    values: tuple[Value, ...]
    unit: Unit
    points: tuple[str, ...]
    last: tuple[float, float] | None


class Cell(NamedTuple):
    """An hour of the week: `tint` 0 for nothing to TINTS for the most."""

    value: Value
    tint: int
    url: str = ""


class Bullet(NamedTuple):
    """A value against its limit; `x` is the limit in percent, None without a limit."""

    value: Value
    limit: Value
    unit: Unit
    width: float
    x: float | None
    over: bool


class Part(NamedTuple):
    """A part of a whole; the class `paid` is drawn hatched. `note` stands below its number."""

    label: str
    css: str
    value: Value
    note: str = ""


class Piece(NamedTuple):
    part: Part
    share: float
    x: float
    width: float

    @property
    def roomy(self) -> bool:
        return self.width >= ROOM


def bars(
    rows: Sequence[Row], series: Sequence[Series], unit: Unit = Unit.NUMBER, top: float | None = None
) -> Chart:
    """Return bars, stacked from bottom to top with several series; `top` fixes the end of the scale."""
    sums = [row.total for row in rows]
    scale = _scale(max(sums, default=0), unit, top)
    high = scale[-1][1]
    pitch = 100 / max(1, len(rows))
    boxes = [
        box
        for n, row in enumerate(rows)
        for box in _stack(row, [each.css for each in series], n * pitch, pitch, high)
    ]
    marks = [
        Mark("", round((n + 0.5) * pitch, 3), _y(value, high), value)
        for n, value in enumerate(sums)
        if value and len(rows) <= MOST_NUMBERS
    ]
    return Chart(tuple(rows), tuple(series), unit, scale, _labels(rows), tuple(boxes), marks=tuple(marks))


def line(
    rows: Sequence[Row],
    series: Sequence[Series],
    unit: Unit = Unit.NUMBER,
    target: float | None = None,
    top: float | None = None,
) -> Chart:
    """Return a line of each series with its last value marked; None breaks a line."""
    most = max((value for row in rows for value in row.values if value is not None), default=0)
    scale = _scale(max(most, target or 0), unit, top)
    high = scale[-1][1]
    pitch = 100 / max(1, len(rows))
    strokes, marks = [], []
    for place, each in enumerate(series):
        known = [(n, value) for n, row in enumerate(rows) if (value := row.values[place]) is not None]
        points = {n: (round((n + 0.5) * pitch, 3), _y(value, high)) for n, value in known}
        pairs = [(a, b) for a, b in pairwise(points) if b == a + 1]
        strokes += [Stroke(each.css, *points[a], *points[b]) for a, b in pairs]
        alone = set(points) - {n for pair in pairs for n in pair}
        strokes += [Stroke(each.css, *points[n], *points[n]) for n in sorted(alone)]
        if known:
            marks.append(Mark(each.css, *points[known[-1][0]], known[-1][1], each.label))
    reached = None if target is None else (_y(target, high), target)
    return Chart(
        tuple(rows),
        tuple(series),
        unit,
        scale,
        _labels(rows),
        strokes=tuple(strokes),
        marks=tuple(marks),
        target=reached,
    )


def spark(values: Sequence[Value], unit: Unit = Unit.NUMBER) -> Spark:
    """Return a small line of `values`, oldest first, from 0 to the most; None breaks it."""
    most = max((value for value in values if value is not None), default=0) or 1
    pitch = (SPARK_WIDTH - 2 * SPARK_EDGE) / max(1, len(values) - 1)
    deep = SPARK_HEIGHT - 2 * SPARK_EDGE
    pieces: list[list[tuple[float, float]]] = [[]]
    for n, value in enumerate(values):
        if value is None:
            pieces.append([])
        else:
            y = round(SPARK_EDGE + deep * (1 - value / most), 1)
            pieces[-1].append((round(SPARK_EDGE + n * pitch, 1), y))
    drawn = [piece for piece in pieces if piece]
    points = [" ".join(f"{x:g},{y:g}" for x, y in piece) for piece in drawn if len(piece) > 1]
    return Spark(tuple(values), unit, tuple(points), drawn[-1][-1] if drawn else None)


def heat(by_hour: Mapping[int, Value], url: Callable[[int], str] = lambda _hour: "") -> list[list[Cell]]:
    """Return the hours of a week by weekday, of values by hour of the week (0 is Monday, 00:00).

    `url` leads to what the value of an hour counts.
    """
    most = max((value for value in by_hour.values() if value is not None), default=0)
    cells = [_cell(by_hour.get(hour, 0), most)._replace(url=url(hour)) for hour in range(DAYS * HOURS)]
    return [cells[start : start + HOURS] for start in range(0, DAYS * HOURS, HOURS)]


def bullet(value: Value, limit: Value, unit: Unit = Unit.NUMBER) -> Bullet:
    """Return `value` against `limit`; the bar ends at a third above the limit, or at the value."""
    end = max((limit or 0) * 4 / 3, value or 0) or 1
    width = _share(value or 0, end)
    over = value is not None and limit is not None and value > limit
    return Bullet(value, limit, unit, width, None if limit is None else _share(limit, end), over)


def ribbon(parts: Sequence[Part]) -> tuple[Piece, ...]:
    """Return the parts that are not empty beside each other; the widths add up to 100 percent."""
    shown = [(part, part.value) for part in parts if part.value]
    total = sum(value for _part, value in shown)
    pieces, done = [], 0.0
    for part, value in shown:
        x, done = 100 * done / total, done + value
        pieces.append(Piece(part, value / total, round(x, 3), round(max(THIN, 100 * value / total), 3)))
    return tuple(pieces)


def _share(value: float, end: float) -> float:
    return round(max(THIN, 100 * value / end), 3) if value else 0.0


def _cell(value: Value, most: float) -> Cell:
    return Cell(value, min(TINTS, int(-(-value * TINTS // most))) if value and most else 0)


def _y(value: float, high: float) -> float:
    return round(BASE - value * (BASE - TOP) / high, 1)


def _labels(rows: Sequence[Row]) -> tuple[Label, ...]:
    """Return at most MOST_LABELS labels; narrow screens have room for half of them."""
    every = -(-len(rows) // MOST_LABELS) or 1
    shown = list(enumerate(rows))[::every]
    found = []
    for place, (n, row) in enumerate(shown):
        x = round((n + 0.5) * 100 / len(rows), 3)
        anchor = "end" if x > 97 else "middle"
        spare = len(shown) > MOST_LABELS // 2 and place % 2 == 1
        found.append(Label(x, row.short or row.label, anchor, spare))
    return tuple(found)


def _scale(most: float, unit: Unit, top: float | None) -> tuple[tuple[float, float], ...]:
    """Return (y, value) of three lines: zero, a round value, and twice that, at or above `most`."""
    half = top / 2 if top else _round_up(most / 2, unit)
    return tuple((_y(value, 2 * half), value) for value in (0, half, 2 * half))


def _round_up(value: float, unit: Unit) -> float:
    """Return the least round value at or above `value`; at least 1, or 1 percent."""
    if unit is Unit.SECONDS:
        hour = TIME_STEPS[-1]
        for step in TIME_STEPS:
            if step >= value:
                return step
        return hour * _round_up(value / hour, Unit.NUMBER)
    power = 0.01 if unit is Unit.SHARE else 1
    while 10 * power < value:
        power *= 10
    return next(step * power for step in STEPS if step * power >= value or step == STEPS[-1])


def _stack(row: Row, css: Sequence[str], left: float, pitch: float, high: float) -> list[Box]:
    """Return the parts of a bar from bottom to top, separated by one pixel."""
    width = min(WIDEST, pitch * 0.7)
    x, y, found = round(left + (pitch - width) / 2, 3), float(BASE), []
    for kind, value in zip(css, row.values, strict=True):
        deep = (value or 0) * (BASE - TOP) / high
        if value:
            top, height = round(y - max(0.5, deep), 1), round(max(0.5, deep - 1), 1)
            found.append(Box(kind, x, top, round(width, 3), height))
        y -= deep
    return found
