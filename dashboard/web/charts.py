"""Geometry of charts: stacked bars with a scale, and the heat map of a week. Pure.

x in percent, y in pixels. Templates draw them with `ui/charts.html`, beside a table of the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

TOP, BASE, LABELS = 14, 126, 144  # y in pixels; a chart is 150 pixels high
LEFT, WIDE = 7.0, 93.0  # percent; the labels of the scale are on the left
WIDEST = 6.0  # percent, of a bar
MOST_LABELS = 8
STEPS = (1, 2, 5)
TINTS = 5
HOURS, DAYS = 24, 7


class Bar(NamedTuple):
    """The values of a bar from bottom to top, and its label below."""

    label: str
    values: tuple[int, ...]


class Box(NamedTuple):
    css: str
    x: float
    y: float
    width: float
    height: float


class Chart(NamedTuple):
    """`lines` (pixel, number) of the scale; `labels` (percent, text)."""

    boxes: tuple[Box, ...]
    lines: tuple[tuple[float, int], ...]
    labels: tuple[tuple[float, str], ...]


class Cell(NamedTuple):
    """An hour of the week: `tint` 0 for nothing to TINTS for the most."""

    value: int
    tint: int


def stacked(bars: Sequence[Bar], css: Sequence[str]) -> Chart:
    """Return the chart of `bars`; `css` holds the class of each part."""
    step, top = _scale(max((sum(bar.values) for bar in bars), default=0))
    pitch = WIDE / max(1, len(bars))
    every = -(-len(bars) // MOST_LABELS)
    boxes = [box for n, bar in enumerate(bars) for box in _stack(bar, css, LEFT + n * pitch, pitch, top)]
    labels = [(round(LEFT + (n + 0.5) * pitch, 3), bar.label) for n, bar in enumerate(bars) if n % every == 0]
    lines = [(round(BASE - n * (BASE - TOP) / top, 1), n) for n in range(0, top + 1, step)]
    return Chart(tuple(boxes), tuple(lines), tuple(labels))


def heat(by_hour: Mapping[int, int]) -> list[list[Cell]]:
    """Return the hours of a week by weekday, of counts by hour of the week (0 is Monday, 00:00)."""
    most = max(by_hour.values(), default=0)
    return [[_cell(by_hour.get(day * HOURS + hour, 0), most) for hour in range(HOURS)] for day in range(DAYS)]


def _cell(value: int, most: int) -> Cell:
    return Cell(value, -(-value * TINTS // most) if most else 0)


def _scale(most: int) -> tuple[int, int]:
    """Return the step of the scale (1, 2 or 5 times a power of ten) and its top, three to five steps up."""
    power = 1
    while True:
        for step in STEPS:
            if step * power * 4 >= most:
                step *= power
                return step, max(step, -(-most // step) * step)
        power *= 10


def _stack(bar: Bar, css: Sequence[str], left: float, pitch: float, top: int) -> list[Box]:
    """Return the parts of a bar from bottom to top, separated by one pixel."""
    width = min(WIDEST, pitch * 0.7)
    x, y, found = round(left + (pitch - width) / 2, 3), float(BASE), []
    for kind, value in zip(css, bar.values, strict=True):
        high = value * (BASE - TOP) / top
        if value:
            found.append(Box(kind, x, round(y - high, 1), round(width, 3), round(max(0.5, high - 1), 1)))
        y -= high
    return found
