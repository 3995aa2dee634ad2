"""Which stretch lies where: the axis, the one state at a time, levels of a lane and blocks."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.clock import day
from dashboard.pages.tracing.axis import linear
from dashboard.pages.tracing.lanes import LEVELS, by_lane, merge, presence, stack
from dashboard.pages.tracing.plot import Item, Plot
from dashboard.pages.tracing.timeline import day_plot
from dashboard.tracing.types import Kind

ZONE = "Europe/Prague"
DAY = date(2026, 3, 2)
SPAN = day(DAY, ZONE)
NEXT_DAY = SPAN.end + 3600


def at(clock: str, on: date = DAY) -> int:
    hour, minute, *rest = (int(part) for part in clock.split(":"))
    local = datetime(on.year, on.month, on.day, hour, minute, *rest, tzinfo=ZoneInfo(ZONE))
    return int(local.astimezone(UTC).timestamp())


def work(start: str, end: str | None, channel: str = "call", number: int = 1, **facts: Any) -> Item:
    until = None if end is None else at(end)
    return Item(Kind.HANDLING, at(start), until, channel, number, **facts)


def stay(kind: Kind, start: str, end: str | None, **facts: Any) -> Item:
    until = None if end is None else at(end)
    return Item(kind, at(start), until, **facts)


def whole_day(*items: Item, as_of: int = NEXT_DAY) -> Plot:
    return day_plot(items, SPAN, as_of, ZONE, all_day=True)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        pytest.param(6 * 3600, 12 * 3600, (25.0, 25.0), id="inside"),
        pytest.param(-2 * 3600, 6 * 3600, (0.0, 25.0), id="began before, cut at the edge"),
        pytest.param(18 * 3600, 26 * 3600, (75.0, 25.0), id="ends after, cut at the edge"),
        pytest.param(3600, 3601, (4.167, 0.2), id="one second is widened to be seen"),
        pytest.param(86399, 86400, (99.8, 0.2), id="widened at the end stays inside"),
        pytest.param(8 * 3600 + 7, 8 * 3600 + 427, (33.341, 0.487), id="three decimals, edges that meet"),
    ],
)
def test_a_stretch_is_placed_in_percent_of_elapsed_time(
    start: int, end: int, expected: tuple[float, float]
) -> None:
    assert linear(0, 86400).stretch(start, end) == expected


def test_an_axis_without_length_is_refused() -> None:
    with pytest.raises(ValueError, match="must end after"):
        linear(5, 5)


@given(st.integers(0, 86399), st.integers(1, 40000))
def test_no_bar_leaves_the_plot(start: int, length: int) -> None:
    x, width = linear(0, 86400).stretch(start, start + length)
    assert x >= 0
    assert width >= 0.2
    assert x + width <= 100.0005


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param(
            [stay(Kind.LOGIN, "08:00", "12:00"), stay(Kind.READY, "08:05", "12:00")],
            [("idle", "08:00", "08:05"), ("ready", "08:05", "12:00")],
            id="signed in before ready",
        ),
        pytest.param(
            [stay(Kind.READY, "08:00", "12:00"), stay(Kind.PAUSE, "10:00", "10:15", paid=True)],
            [("ready", "08:00", "10:00"), ("pause", "10:00", "10:15"), ("ready", "10:15", "12:00")],
            id="a pause interrupts ready",
        ),
        pytest.param(
            [
                stay(Kind.PAUSE, "10:00", "11:00", label="Lunch"),
                stay(Kind.PAUSE, "10:30", "10:40", label="Call"),
            ],
            [("pause", "10:00", "10:30"), ("pause", "10:30", "10:40"), ("pause", "10:40", "11:00")],
            id="of two pauses the later start wins",
        ),
        pytest.param(
            [stay(Kind.READY, "08:00", "10:00"), stay(Kind.READY, "09:00", "12:00")],
            [("ready", "08:00", "12:00")],
            id="ready in two queues is one piece",
        ),
    ],
)
def test_the_status_lane_has_one_state_at_a_time(
    items: list[Item], expected: list[tuple[str, str, str]]
) -> None:
    names = {Kind.LOGIN: "idle", Kind.READY: "ready", Kind.PAUSE: "pause"}
    pieces = [(names[Kind(p.item.kind)], p.start, p.end) for p in presence(items, NEXT_DAY)]
    assert pieces == [(name, at(start), at(end)) for name, start, end in expected]


def test_chats_at_once_take_the_first_free_level() -> None:
    chats = [
        work("11:00", "11:30", "webchat", 1),
        work("11:10", "11:40", "sms", 2),
        work("11:20", "11:25", "viber", 3),
        work("11:30", "11:50", "webchat", 4),
    ]
    pieces = stack(by_lane(chats, NEXT_DAY)["chat"])
    assert [piece.level for piece in pieces] == [0, 1, 2, 0]
    lane = next(lane for lane in whole_day(*chats).rows[0].lanes if lane.kind == "chat")
    assert (lane.rows, lane.height) == (3, 12 + 22 * 3)


def test_more_than_five_at_once_are_counted_on_the_last_level() -> None:
    chats = [work("11:00", "11:30", "webchat", number) for number in range(8)]
    pieces = stack(by_lane(chats, NEXT_DAY)["chat"])
    assert sorted((piece.level, piece.activities) for piece in pieces) == [
        (0, 1),
        (1, 1),
        (2, 1),
        (3, 1),
        (4, 4),
    ]


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 90)), max_size=40))
def test_no_two_bars_of_a_level_overlap_and_none_is_lost(spans: list[tuple[int, int]]) -> None:
    items = [Item(Kind.HANDLING, a, a + n, "sms", number) for number, (a, n) in enumerate(spans)]
    pieces = stack(by_lane(items, 1000).get("chat", []))
    assert sum(piece.activities for piece in pieces) == len(items)
    for level in range(LEVELS):
        row = sorted((p.start, p.end) for p in pieces if p.level == level)
        assert all(first[1] <= second[0] for first, second in pairwise(row))


def test_ringing_that_was_answered_belongs_to_its_activity() -> None:
    taken = [Item(Kind.RINGING, at("09:00"), at("09:00:10"), "call", 7), work("09:00:10", "09:05", number=7)]
    missed = Item(Kind.RINGING, at("10:00"), at("10:00:20"), "call", 8)
    bars = [bar for bar in whole_day(*taken, missed).rows[0].bars if bar.css == "call"]
    assert [(bar.ringing, bar.quiet) for bar in bars] == [(True, True), (False, False), (True, False)]
    assert whole_day(*taken, missed).total == 2


def test_hidden_work_keeps_its_time_and_joins_no_other_block() -> None:
    one, two = work("09:00", "09:10", number=1), work("09:11", "09:20", number=2, hidden=True)
    blocks = merge(by_lane([one, two], NEXT_DAY)["call"], 600)
    assert [(block.item.hidden, block.seconds) for block in blocks] == [(False, 600), (True, 540)]
    assert "hidden" in whole_day(one, two).marks
