"""When schedules are due: clock changes, ends of months, times that were missed."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from dashboard.reports import timing
from dashboard.reports.timing import Frequency, Timing

PRAGUE = "Europe/Prague"
DAILY, WEEKLY, MONTHLY = Frequency.DAILY, Frequency.WEEKLY, Frequency.MONTHLY


def at(text: str, zone: str = PRAGUE, fold: int = 0) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp())


CASES = [
    ("later today", Timing(DAILY, time(7), PRAGUE), "2026-11-27 06:59", ["2026-11-27 07:00"]),
    ("not the same instant again", Timing(DAILY, time(7), PRAGUE), "2026-11-27 07:00", ["2026-11-28 07:00"]),
    (
        "Mondays and Fridays",
        Timing(WEEKLY, time(7), PRAGUE, frozenset({1, 5})),
        "2026-11-27 08:00",
        ["2026-11-30 07:00", "2026-12-04 07:00", "2026-12-07 07:00"],
    ),
    (
        "31st of every month",
        Timing(MONTHLY, time(7), PRAGUE, month_day=31),
        "2027-01-01 00:00",
        ["2027-01-31 07:00", "2027-02-28 07:00", "2027-03-31 07:00", "2027-04-30 07:00"],
    ),
    (
        "29th of February",
        Timing(MONTHLY, time(7), PRAGUE, month_day=29),
        "2028-02-01 00:00",
        ["2028-02-29 07:00", "2028-03-29 07:00"],
    ),
    (
        "skipped time",  # clocks go from 02:00 to 03:00
        Timing(DAILY, time(2, 30), PRAGUE),
        "2026-03-28 12:00",
        ["2026-03-29 03:00", "2026-03-30 02:30"],
    ),
    (
        "first of a repeated time",
        Timing(DAILY, time(2, 30), PRAGUE),
        "2026-10-24 12:00",
        ["2026-10-25 02:30", "2026-10-26 02:30"],
    ),
    (
        "midnight that does not exist",
        Timing(DAILY, time(0), "Africa/Cairo"),
        "2024-04-25 12:00",
        ["2024-04-26 01:00", "2024-04-27 00:00"],
    ),
    (
        "date that a zone skipped",
        Timing(DAILY, time(9), "Pacific/Apia"),
        "2011-12-29 08:00",
        ["2011-12-29 09:00", "2011-12-31 09:00"],
    ),
]


@pytest.mark.parametrize(("name", "chosen", "after", "expected"), CASES, ids=[case[0] for case in CASES])
def test_next_due_times(name: str, chosen: Timing, after: str, expected: list[str]) -> None:
    found = timing.upcoming(chosen, at(after, chosen.zone), len(expected))
    assert found == [at(each, chosen.zone) for each in expected]


def test_repeated_hour_is_due_once_at_its_first_instant() -> None:
    chosen = Timing(DAILY, time(2, 30), PRAGUE)
    first = at("2026-10-25 02:30")
    assert timing.upcoming(chosen, first, 1) == [at("2026-10-26 02:30")]
    assert at("2026-10-25 02:30", fold=1) == first + 3600


@pytest.mark.parametrize(
    ("now", "expected", "missed", "following"),
    [
        ("2026-11-27 07:00", "2026-11-27 07:00", 0, "2026-11-28 07:00"),
        ("2026-11-28 06:59", "2026-11-27 07:00", 0, "2026-11-28 07:00"),
        ("2026-11-30 12:00", "2026-11-30 07:00", 3, "2026-12-01 07:00"),
    ],
)
def test_missed_times_become_one(now: str, expected: str, missed: int, following: str) -> None:
    found = timing.due(Timing(DAILY, time(7), PRAGUE), at("2026-11-27 07:00"), at(now))
    assert found == (at(expected), missed, at(following))
