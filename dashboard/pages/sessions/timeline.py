"""A session on a time axis: a band of pages, a lane for the agents and one for the customer. Pure.

x in percent of the width, y in pixels, times in UTC milliseconds or seconds as named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from dashboard import clock
from dashboard.pages.sessions.queries import Step

TOP, LANE = 40, 34
LANES = ("page", "agent", "customer")
HEIGHT = TOP + LANE * len(LANES)
TICKS = 9
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
APART = 0.4  # percent: steps of one shape and lane that are nearer are one mark
SHAPES = {"page": "page", "form": "form"}  # of kinds; all others have one of their own


class Mark(NamedTuple):
    """A step, or `number` of them so near that they are drawn as the first."""

    step: Step
    shape: str
    x: float
    y: int
    number: int


class Stay(NamedTuple):
    """A stretch of the session on one page."""

    page: str
    event_id: int
    x: float
    width: float


class Tick(NamedTuple):
    x: float
    at: int


class Drawing(NamedTuple):
    step_s: int
    ticks: list[Tick]
    stays: list[Stay]
    marks: list[Mark]
    cursor: float | None


def draw(steps: Sequence[Step], chosen: Sequence[Step], current: Step | None, zone: str) -> Drawing:
    """Return the drawing of a session with all its `steps`, in order, and marks for those `chosen`."""
    first, last = steps[0].time_ms, steps[-1].time_ms
    margin = max(1000, (last - first) // 30)
    start, length = first - margin, last - first + 2 * margin

    def x(at_ms: int) -> float:
        return round((at_ms - start) * 100 / length, 3)

    seconds = length / 1000
    step_s = next(
        (each for each in STEPS if seconds / each <= TICKS),
        STEPS[-1] * (int(seconds) // STEPS[-1] // TICKS + 1),
    )
    offset = clock.offset_s(start // 1000, zone)
    begin = -(-(start // 1000 + offset) // step_s) * step_s - offset
    ticks = [Tick(x(at * 1000), at) for at in range(begin, (start + length) // 1000 + 1, step_s)]
    stays = [
        Stay(one.page, one.event_id, x(one.time_ms), round(x(after) - x(one.time_ms), 3))
        for one, after in _stays(steps, last)
    ]
    cursor = x(current.time_ms) if current else None
    return Drawing(step_s, ticks, stays, _marks(chosen, current, x), cursor)


def _stays(steps: Sequence[Step], last: int) -> list[tuple[Step, int]]:
    """Return the first step on each page in turn, with the time of the next page or of the end."""
    firsts: list[Step] = []
    for one in steps:
        if one.page and (not firsts or firsts[-1].page != one.page):
            firsts.append(one)
    ends = [after.time_ms for _before, after in pairwise(firsts)]
    return list(zip(firsts, [*ends, last], strict=True)) if firsts else []


def _marks(chosen: Sequence[Step], current: Step | None, x: Callable[[int], float]) -> list[Mark]:
    """Return the marks in order of time; the current step has one of its own."""
    found: dict[tuple[bool, str, int], Mark] = {}
    alone: list[Mark] = []
    for one in chosen:
        shape, place = SHAPES.get(one.kind, "other"), x(one.time_ms)
        y = TOP + LANE * LANES.index(one.by) + LANE // 2
        mark = Mark(one, shape, place, y, 1)
        if one is current:
            alone.append(mark)
            continue
        key = (one.by_agent, shape, int(place / APART))
        found[key] = found[key]._replace(number=found[key].number + 1) if key in found else mark
    return sorted([*found.values(), *alone], key=lambda mark: mark.step.n)
