"""The timeline places bars by elapsed time, keeps lanes apart and shows what a plain drawing would hide."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dashboard.clock import Span, day, hours, week
from dashboard.pages.tracing.plot import Item, Plot
from dashboard.pages.tracing.timeline import EMPTY_HEIGHT, MAX_BARS, day_plot, minutes_plot, week_plot
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


def drawn(plot: Plot, css: str) -> list[tuple[float, float]]:
    return [(bar.x, bar.width) for row in plot.rows for bar in row.bars if bar.css == css]


@pytest.mark.parametrize(
    ("on", "length", "labels"),
    [
        pytest.param(date(2026, 3, 29), 23, ["00:00", "01:00", "03:00", "04:00"], id="spring: no 02"),
        pytest.param(
            date(2026, 10, 25), 25, ["00:00", "01:00", "02 +2", "02 +1", "03:00"], id="autumn: 02 twice"
        ),
        pytest.param(date(2026, 3, 2), 24, ["00:00", "01:00", "02:00", "03:00"], id="ordinary day"),
    ],
)
def test_a_fitted_day_keeps_its_own_hours(on: date, length: int, labels: list[str]) -> None:
    span = day(on, ZONE)
    item = Item(Kind.HANDLING, span.start, span.start + 4 * 3600, "call", 1)
    plot = day_plot([item], span, span.end, ZONE)
    assert len(hours(span, ZONE)) == length
    assert [tick.label for tick in plot.ticks if tick.label][: len(labels)] == labels
    full = day_plot([item], span, span.end, ZONE, all_day=True)
    assert drawn(full, "call") == [(0.0, round(400 / length, 3))]


@pytest.mark.parametrize(
    ("first", "last", "as_of", "shown"),
    [
        pytest.param("07:31", "15:10", "23:00:00", ("07:30", "23:15"), id="today reaches a quarter past now"),
        pytest.param("07:31", "15:10", None, ("07:30", "15:15"), id="whole quarters"),
        pytest.param("09:00", "10:30", None, ("06:30", "10:30"), id="at least four hours, from before"),
        pytest.param("21:00", "22:10", None, ("18:15", "22:15"), id="four hours back from the evening"),
        pytest.param("00:10", "23:50", None, ("00:00", "24:00"), id="never over the day"),
        pytest.param("00:20", "01:00", None, ("00:00", "01:00"), id="no more than the day has"),
        pytest.param("07:00", "16:00", None, ("07:00", "16:00"), id="no air behind an end on a quarter"),
    ],
)
def test_the_day_is_fitted(first: str, last: str, as_of: str | None, shown: tuple[str, str]) -> None:
    plot = day_plot([work(first, last)], SPAN, at(as_of) if as_of else NEXT_DAY, ZONE)
    begin, end = (at(clock) if clock != "24:00" else SPAN.end for clock in shown)
    assert (plot.start, plot.end) == (begin, end)


def test_an_open_activity_runs_to_now_and_says_so() -> None:
    plot = whole_day(work("10:00", None), as_of=at("12:00"))
    bar = next(bar for bar in plot.rows[0].bars if bar.css == "call")
    assert (bar.x, bar.width, bar.open, bar.seconds) == (41.667, 8.333, True, 7200)
    assert plot.rows[0].now == 50.0


def test_after_call_work_and_holds_are_parts_of_a_call() -> None:
    holds = ((at("09:10"), at("09:20")), (at("11:00"), at("11:10")))
    call = work("09:00", "10:00", after=at("09:45"), holds=holds)
    bar = next(bar for bar in whole_day(call).rows[0].bars if bar.css == "call")
    assert bar.notches == (("after", 40.625, 1.042), ("hold", 38.194, 0.695), ("hold", 45.833, 0.695))
    hour = Span(at("09:15"), at("09:30"))
    cut = day_plot([call], hour, NEXT_DAY, ZONE, all_day=True).rows[0].bars[0]
    assert cut.notches == (("hold", 0.0, 33.333),)
    assert week_plot([call], week(DAY, ZONE), NEXT_DAY, ZONE).rows[0].bars[0].notches == ()


def test_an_hour_has_a_tick_each_five_minutes() -> None:
    hour = Span(at("09:00"), at("10:00"))
    labels = [tick.label for tick in day_plot([work("08:00", "11:00")], hour, NEXT_DAY, ZONE, True).ticks]
    assert labels == [*(f"09:{minute:02}" for minute in range(0, 60, 5)), "10:00"]


def test_over_midnight_each_day_shows_its_part_with_an_arrow() -> None:
    night = Item(Kind.HANDLING, at("23:51"), SPAN.end + 19 * 60, "call", 1)
    tuesday = day(date(2026, 3, 3), ZONE)
    first = whole_day(night).rows[0].bars[0]
    second = day_plot([night], tuesday, tuesday.end, ZONE, all_day=True).rows[0].bars[0]
    assert (first.before, first.after) == (False, True)
    assert (second.before, second.after, second.x) == (True, False, 0.0)
    assert first.seconds == second.seconds == 28 * 60


def test_signed_out_time_differs_from_a_day_without_records() -> None:
    known = whole_day(stay(Kind.LOGIN, "06:00", "12:00")).rows[0]
    unknown = whole_day(work("06:00", "12:00")).rows[0]
    assert [(band.x, band.width) for band in known.bands if band.css == "out"] == [(0.0, 25.0), (50.0, 50.0)]
    assert [band for band in unknown.bands if band.css == "out"] == []


@pytest.mark.parametrize(
    ("pause_min", "blocks"),
    [
        pytest.param(6, [(2, 1200)], id="closer than seven minutes"),
        pytest.param(7, [(1, 600), (1, 600)], id="seven minutes apart"),
    ],
)
def test_the_week_joins_neighbours_of_one_kind(pause_min: int, blocks: list[tuple[int, int]]) -> None:
    first = at("09:00")
    second = first + 600 + pause_min * 60
    items = [Item(Kind.HANDLING, s, s + 600, "email", n) for n, s in enumerate((first, second))]
    plot = week_plot(items, week(DAY, ZONE), NEXT_DAY, ZONE)
    assert [(bar.count, bar.seconds) for bar in plot.rows[0].bars] == blocks


def test_a_week_block_over_midnight_counts_only_the_time_of_its_day() -> None:
    night = Item(Kind.HANDLING, at("23:51"), SPAN.end + 19 * 60, "call", 1)
    monday, tuesday, *_ = week_plot([night], week(DAY, ZONE), SPAN.end + 86400, ZONE).rows
    assert (monday.bars[0].seconds, tuesday.bars[0].seconds) == (9 * 60, 19 * 60)
    assert (monday.seconds, tuesday.seconds) == (9 * 60, 19 * 60)


@pytest.mark.parametrize(
    ("on", "columns", "gaps"),
    [
        pytest.param(date(2026, 3, 29), 24, [0, 0, 0, 0, 0, 0, 1], id="spring: the last day lacks 02"),
        pytest.param(date(2026, 10, 25), 25, [1, 1, 1, 1, 1, 1, 0], id="autumn: six days lack the second 02"),
        pytest.param(DAY, 24, [0] * 7, id="ordinary week"),
    ],
)
def test_the_week_shares_one_axis_over_a_clock_change(on: date, columns: int, gaps: list[int]) -> None:
    span = week(on, ZONE)
    noon = Item(Kind.HANDLING, at("12:00", on), at("13:00", on), "call", 1)
    signed_in = Item(Kind.LOGIN, *span)
    plot = week_plot([noon, signed_in], span, span.end, ZONE)
    assert [sum(band.css == "gap" for band in row.bands) for row in plot.rows] == gaps
    assert len(plot.ticks) == columns + 1
    column = 12 if columns == 24 else 13
    row = (on - datetime.fromtimestamp(span.start, ZoneInfo(ZONE)).date()).days
    bar = next(bar for bar in plot.rows[row].bars if bar.css == "call")
    assert bar.x == pytest.approx(100 * column / columns, abs=0.001)
    fitted = week_plot([noon], span, span.end, ZONE)
    assert [tick.label for tick in fitted.ticks] == ["12:00", "13:00"]
    assert [(bar.x, bar.width) for each in fitted.rows for bar in each.bars] == [(0.0, 100.0)]


def test_days_without_records_are_low_and_days_to_come_say_so() -> None:
    plot = week_plot([work("09:00", "10:00")], week(DAY, ZONE), at("12:00", date(2026, 3, 4)), ZONE)
    assert [row.state for row in plot.rows] == ["", "none", "none", "future", "future", "future", "future"]
    assert {row.height for row in plot.rows[1:]} == {EMPTY_HEIGHT}


def test_the_repeated_hour_is_two_rows_of_minutes() -> None:
    on = date(2026, 10, 25)
    span = day(on, ZONE)
    item = Item(Kind.HANDLING, span.start + 3600, span.start + 5 * 3600, "call", 1)
    plot = minutes_plot([item], span, span.end, ZONE, 60)
    assert [row.label for row in plot.rows] == ["01:00", "02:00 +2", "02:00 +1", "03:00"]
    assert all(bar.width == 100.0 for row in plot.rows for bar in row.bars)


@pytest.mark.parametrize(
    ("minutes", "labels"),
    [
        pytest.param(60, ["08:00", "09:00", "10:00", "11:00"], id="each hour with a sign-in"),
        pytest.param(15, ["08:00", "09:15", "12:00"], id="quarters in which something happened"),
        pytest.param(5, ["08:00", "09:20", "12:00"], id="five minutes in which something happened"),
    ],
)
def test_minute_rows_stand_only_where_they_say_something(minutes: int, labels: list[str]) -> None:
    items = [stay(Kind.READY, "08:00", "12:00"), work("09:20", "09:24")]
    assert [row.label for row in minutes_plot(items, SPAN, NEXT_DAY, ZONE, minutes).rows] == labels


def test_an_activity_is_counted_as_started_in_one_row_only() -> None:
    items = [
        Item(Kind.RINGING, at("09:59:50"), at("10:00:05"), "call", 7),
        work("10:00:05", "11:10", number=7),
    ]
    assert [row.started for row in minutes_plot(items, SPAN, NEXT_DAY, ZONE, 60).rows] == [1, 0, 0]


def test_over_six_hundred_bars_close_neighbours_are_drawn_as_blocks() -> None:
    start = at("08:00")
    items = [Item(Kind.HANDLING, start + 60 * n, start + 60 * n + 50, "call", n) for n in range(MAX_BARS + 1)]
    plot = whole_day(*items)
    assert plot.total == 1
    assert (plot.rows[0].bars[0].count, plot.rows[0].bars[0].seconds) == (MAX_BARS + 1, 50 * (MAX_BARS + 1))
    assert whole_day(*items[:MAX_BARS]).total == MAX_BARS


@pytest.mark.parametrize(("bars", "skip"), [(20, False), (21, True)])
def test_a_link_leads_past_a_long_plot(bars: int, skip: bool) -> None:
    items = [
        work(f"{n // 2:02}:{30 * (n % 2):02}", f"{n // 2:02}:{30 * (n % 2) + 9:02}", number=n)
        for n in range(bars)
    ]
    assert whole_day(*items).skip is skip


@pytest.mark.parametrize(
    ("as_of", "all_day", "expected"),
    [
        pytest.param(at("18:00"), True, 75.0, id="today opens at now"),
        pytest.param(NEXT_DAY, True, 71.5, id="another day opens at the first activity"),
        pytest.param(NEXT_DAY, False, None, id="a fitted past day begins with it"),
    ],
)
def test_a_narrow_screen_opens_where_something_is(as_of: int, all_day: bool, expected: float | None) -> None:
    plot = day_plot([work("09:00", "10:00")], SPAN, as_of, ZONE, all_day)
    assert plot.open_at == expected


def test_an_empty_period_has_no_rows() -> None:
    assert day_plot([], SPAN, NEXT_DAY, ZONE).rows == ()
    assert minutes_plot([], SPAN, NEXT_DAY, ZONE, 60).rows == ()
    elsewhere = Item(Kind.HANDLING, SPAN.end + 10, SPAN.end + 20, "call", 1)
    assert day_plot([elsewhere], Span(*SPAN), NEXT_DAY, ZONE).rows == ()


@pytest.mark.parametrize("start", ["10:00", "13:00"])
def test_nonsense_in_time_draws_no_backward_bar(start: str) -> None:
    backwards = Item(Kind.HANDLING, at(start), at("09:00"), "call", 1)
    bars = whole_day(backwards).rows[0].bars
    assert [(bar.width, bar.seconds) for bar in bars] == [(0.2, 0)]
