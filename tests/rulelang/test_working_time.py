"""Working time: exact over nights, holidays and changes of the clock."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.rulelang.working_time import WorkCalendar, of_stored, ranges

PRAGUE = "Europe/Prague"
OFFICE = {str(day): [["08:00", "12:00"], ["13:00", "17:00"]] for day in range(1, 6)}
NIGHT = {str(day): [["00:00", "06:00"], ["22:00", "24:00"]] for day in range(1, 8)}
HOUR, DAY = 3600, 86_400


def calendar(zone: str = PRAGUE, hours: object = None, **days: list[list[str]]) -> WorkCalendar:
    """Return a calendar; special days are given as d2026_12_24=ranges."""
    special = [(name[1:].replace("_", "-"), found) for name, found in days.items()]
    return of_stored(zone, OFFICE if hours is None else hours, special)


def ts(text: str, zone: str = PRAGUE) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


OPEN = [
    ("a working morning", "2026-03-02 08:00", True),
    ("its end is closed", "2026-03-02 12:00", False),
    ("lunch", "2026-03-02 12:30", False),
    ("a Saturday", "2026-03-07 10:00", False),
    ("a holiday", "2026-12-24 10:00", False),
    ("an extra opening on a Saturday", "2026-12-19 10:30", True),
    ("hours of that day alone", "2026-12-31 13:30", False),
]


@pytest.mark.parametrize(("what", "at", "is_open"), OPEN, ids=[row[0] for row in OPEN])
def test_it_is_open_in_its_ranges_and_on_its_days(what: str, at: str, is_open: bool) -> None:
    site = calendar(d2026_12_24=[], d2026_12_19=[["10:00", "11:00"]], d2026_12_31=[["08:00", "12:00"]])
    assert site.is_open(ts(at)) is is_open


def test_a_holiday_is_a_date_without_hours() -> None:
    site = calendar(d2026_12_24=[], d2026_12_31=[["08:00", "12:00"]])
    days = [
        site.is_holiday(ts(f"{on} 10:00")) for on in ("2026-12-24", "2026-12-31", "2026-12-26", "2026-12-23")
    ]
    assert days == [True, False, False, False]


LENGTHS = [
    ("over lunch", "2026-03-02 11:00", "2026-03-02 14:00", 2 * HOUR),
    ("over a weekend", "2026-03-06 16:00", "2026-03-09 09:00", 2 * HOUR),
    ("backwards", "2026-03-09 09:00", "2026-03-06 16:00", 0),
    ("a week", "2026-03-02 00:00", "2026-03-09 00:00", 40 * HOUR),
]


@pytest.mark.parametrize(("what", "start", "end", "seconds"), LENGTHS, ids=[row[0] for row in LENGTHS])
def test_open_time_is_counted_within_ranges(what: str, start: str, end: str, seconds: int) -> None:
    assert calendar().open_seconds(ts(start), ts(end)) == seconds


@pytest.mark.parametrize(
    ("on", "hours"),
    [("2026-03-28", 8), ("2026-03-29", 7), ("2026-10-24", 8), ("2026-10-25", 9)],
    ids=["day before spring", "spring", "day before autumn", "autumn"],
)
def test_a_night_has_an_hour_less_or_more_when_the_clock_changes(on: str, hours: int) -> None:
    found = calendar(hours=NIGHT).open_seconds(ts(f"{on} 00:00"), ts(f"{on} 00:00") + 25 * HOUR)
    nights = sum(end - start for start, end in calendar(hours=NIGHT).spans(date.fromisoformat(on)))
    assert nights == hours * HOUR
    assert found >= nights


def test_a_range_that_the_clock_skips_is_empty_and_one_it_repeats_is_twice_as_long() -> None:
    small = calendar(hours={"7": [["02:00", "03:00"]]})
    assert small.spans(date(2026, 3, 29)) == ()
    ((start, end),) = small.spans(date(2026, 10, 25))
    assert end - start == 2 * HOUR


def test_ranges_that_meet_in_the_repeated_hour_are_one() -> None:
    both = calendar(hours={"7": [["01:00", "02:30"], ["02:30", "04:00"]]})
    ((start, end),) = both.spans(date(2026, 10, 25))
    assert end - start == 4 * HOUR


def test_working_time_added_over_a_weekend_and_a_holiday() -> None:
    site = calendar(d2026_03_09=[])
    assert site.add(ts("2026-03-06 15:00"), 4 * HOUR) == ts("2026-03-10 10:00")


def test_a_calendar_that_never_opens_has_no_deadline() -> None:
    assert calendar(hours={}).add(0, 1) is None
    assert calendar(hours={}).add(5, 0) == 5


def test_a_date_of_long_ago_costs_no_more_than_ten_years() -> None:
    site = calendar()
    assert site.open_seconds(-(10**10), ts("2026-03-09 00:00")) < 3660 * 8 * HOUR


@pytest.mark.parametrize(
    "stored",
    [
        [["8:00", "9:00"]],
        [["10:00", "09:00"]],
        [["08:00", "10:00"], ["09:00", "11:00"]],
        [["24:00", "24:00"]],
    ],
)
def test_ranges_out_of_order_or_form_are_refused(stored: list[list[str]]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  its text is for developers
        ranges(stored)


zones = st.sampled_from([PRAGUE, "America/St_Johns", "Asia/Tokyo", "Africa/Cairo", "Australia/Lord_Howe"])
hours = st.sampled_from([OFFICE, NIGHT, {"1": [["00:00", "24:00"]]}, {"7": [["01:30", "02:45"]]}])
instants = st.integers(ts("2025-01-01", "UTC"), ts("2027-01-01", "UTC"))
lengths = st.integers(1, 40 * HOUR)


@given(zones, hours, instants, lengths)
def test_what_was_added_is_what_is_counted(zone: str, open_: object, at: int, seconds: int) -> None:
    site = calendar(zone, open_)
    due = site.add(at, seconds)
    assert due is not None
    assert site.open_seconds(at, due) == seconds
    assert site.open_seconds(at, due - 1) == seconds - 1


@given(zones, hours, instants, lengths, lengths)
def test_working_time_adds_up(zone: str, open_: object, at: int, one: int, other: int) -> None:
    site = calendar(zone, open_)
    middle, end = at + one, at + one + other
    assert site.open_seconds(at, middle) + site.open_seconds(middle, end) == site.open_seconds(at, end)
    first = site.add(at, one)
    assert first is not None
    assert site.add(first, other) == site.add(at, one + other)


@given(zones, hours, instants)
def test_a_second_is_counted_when_it_is_open(zone: str, open_: object, at: int) -> None:
    site = calendar(zone, open_)
    assert site.open_seconds(at, at + 1) == site.is_open(at)
