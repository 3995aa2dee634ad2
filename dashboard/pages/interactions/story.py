"""One interaction on a time axis: a lane for the customer, the queue and each user. Pure.

Places are percents of the width, times UTC epoch seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from dashboard import clock
from dashboard.pages.interactions.queries import Facts, Part, Work
from dashboard.tracing.types import Kind, State

TOP, LANE, BAR = 40, 34, 18
MAX_TICKS = 9
STEPS = (1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 604_800)
MIN_WIDTH = 0.3  # percent, of the shortest bar
NOT_TAKEN = (State.MISSED, State.REJECTED)


class Shape(StrEnum):
    """What a bar of a lane means."""

    LINE = "line"  # the customer is there
    WAIT = "wait"
    RING = "ring"
    NOT_TAKEN = "not_taken"  # a mark without width
    TALK = "talk"
    HOLD = "hold"
    WORK = "work"  # handling of what is no call
    AFTER = "after"  # handling of a call outside the conversation


class Bar(NamedTuple):
    shape: Shape
    start: int
    end: int
    x: float
    width: float
    y: int
    text: str = ""


class Lane(NamedTuple):
    """A row; `user_id` of a user's lane, `queue` for the queue's."""

    key: str
    work: Work | None
    y: int
    bars: list[Bar]


class Tick(NamedTuple):
    x: float
    at: int


class Hop(NamedTuple):
    """A thin vertical by which the interaction passes from one lane to another."""

    x: float
    y1: int
    y2: int


class Story(NamedTuple):
    start: int
    end: int
    step: int
    height: int
    lanes: list[Lane]
    ticks: list[Tick]
    hops: list[Hop]


def draw(
    found: Facts, works: Sequence[Work], parts: Sequence[Part], last: int, as_of: int, zone: str
) -> Story:
    """Return the drawing; `last` is the time of the last event, what is open ends at it or at `as_of`."""
    first = min([found.first_ms // 1000, *(part.start for part in parts)])
    ends = [found.ended_ts or 0, found.end_bound or 0, last, *(part.end or 0 for part in parts)]
    going = found.ended_ts is None and found.end_bound is None and found.outcome != "abandoned"
    end = max(*ends, first + 1, as_of if going else 0)
    axis = _Axis(first, max(end, first + 1))
    lanes = [Lane("customer", None, TOP, [axis.bar(Shape.LINE, first, found.ended_ts or end, TOP)])]
    if found.queued_ts is not None:
        waited = found.queued_ts + found.wait_s if found.wait_s is not None else found.answered_ts or end
        top = TOP + LANE
        lanes.append(Lane("queue", None, top, [axis.bar(Shape.WAIT, found.queued_ts, waited, top)]))
    for user in dict.fromkeys(work.user_id for work in works):
        top = TOP + LANE * len(lanes)
        mine = [work for work in works if work.user_id == user]
        bars = [bar for work in mine for bar in _work(axis, work, parts, top, end)]
        lanes.append(Lane(f"user-{user}", mine[0], top, bars))
    step = next((step for step in STEPS if (axis.end - axis.start) / step <= MAX_TICKS), STEPS[-1])
    offset = clock.offset_s(axis.start, zone)
    at = -(-(axis.start + offset) // step) * step - offset
    ticks = [Tick(axis.x(moment), moment) for moment in range(at, axis.end, step)]
    return Story(axis.start, axis.end, step, TOP + LANE * len(lanes), lanes, ticks, _hops(axis, lanes))


class _Axis:
    """Maps times to percents, with a margin of two percent on both sides."""

    def __init__(self, first: int, last: int) -> None:
        margin = max(1, (last - first) // 50)
        self.start, self.end = first - margin, last + margin

    def x(self, at: int) -> float:
        return round((at - self.start) * 100 / (self.end - self.start), 3)

    def bar(self, shape: Shape, start: int, end: int, top: int) -> Bar:
        width = max(round(self.x(end) - self.x(start), 3), MIN_WIDTH)
        return Bar(shape, start, end, self.x(start), width, top + (LANE - BAR) // 2)


def _work(axis: _Axis, work: Work, parts: Sequence[Part], top: int, end: int) -> list[Bar]:
    mine = [part for part in parts if part.activity_id == work.id]
    talks = work.talk_s > 0 or any(part.kind == Kind.TALK for part in mine)
    shapes = {
        Kind.RINGING: Shape.RING,
        Kind.HANDLING: Shape.AFTER if talks else Shape.WORK,
        Kind.TALK: Shape.TALK,
        Kind.HOLD: Shape.HOLD,
    }
    # Talk is drawn over handling, hold over both.
    ordered = sorted(
        (part for part in mine if Kind(part.kind) in shapes), key=lambda part: (part.kind, part.start)
    )
    bars = [axis.bar(shapes[Kind(part.kind)], part.start, part.end or end, top) for part in ordered]
    if work.state in NOT_TAKEN:
        at = max([part.end or end for part in mine], default=work.end or work.start)
        bars.append(axis.bar(Shape.NOT_TAKEN, at, at, top))
    return bars


def _hops(axis: _Axis, lanes: Sequence[Lane]) -> list[Hop]:
    """Return a vertical from the lane before to each beginning of a lane."""
    hops = []
    for before, lane in pairwise(lanes):
        if lane.bars:
            begin = min(bar.start for bar in lane.bars)
            hops.append(Hop(axis.x(begin), before.y + LANE // 2, lane.y + LANE // 2))
    return hops
