"""A measure beside its reference and its goal, and how cases are run in turn."""

from __future__ import annotations

import operator
import statistics
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

TURNS = 5
COMPARE = {"<=": operator.le, ">=": operator.ge}


class Line(NamedTuple):
    """`ours` and `reference` are texts with units; `goal` reads "<= 1.3"; `value` meets it or not."""

    row: str
    measure: str
    ours: str
    reference: str
    value: float | None
    goal: str

    @property
    def met(self) -> str:
        if self.value is None or not self.goal:
            return ""
        sign, _space, limit = self.goal.partition(" ")
        return "met" if COMPARE[sign](self.value, float(limit)) else "missed"


def medians(cases: Mapping[str, Callable[[], float]], turns: int = TURNS) -> dict[str, float]:
    """Run every case once a turn, the first turn for warmth alone; return the median of each.

    A noisy machine slows all cases of a turn alike, so that ratios of medians hold where times do not.
    """
    found: dict[str, list[float]] = {name: [] for name in cases}
    for turn in range(turns + 1):
        for name, case in cases.items():
            value = case()
            if turn:
                found[name].append(value)
    return {name: statistics.median(values) for name, values in found.items()}


def ratio(row: str, measure: str, ours: float, reference: float, goal: str, unit: str = "ms") -> Line:
    """Return the line of two costs in seconds, shown as `ms` or `us`."""
    scale = {"ms": 1e3, "us": 1e6}[unit]
    return Line(
        row, measure, f"{ours * scale:.1f} {unit}", f"{reference * scale:.1f} {unit}", ours / reference, goal
    )


def text(lines: Iterable[Line]) -> str:
    """Return the table as Markdown."""
    rows = [("Row", "Measure", "Ours", "Reference", "Ratio", "Goal", "")]
    rows += [
        (
            one.row,
            one.measure,
            one.ours,
            one.reference,
            "" if one.value is None else f"{one.value:.2f}",
            one.goal.replace("<=", "≤").replace(">=", "≥"),
            one.met,
        )
        for one in lines
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    drawn = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    drawn.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(drawn)
