"""When a rule that runs by the calendar runs: valid minutes, once, on its days."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from dashboard.rulelang.triggers import Schedule
from dashboard.rulelang.working_time import next_run, of_stored, runs

ZONE = "Europe/Prague"
WEEK = of_stored(ZONE, {str(day): [["08:00", "17:00"]] for day in range(1, 6)}, [("2026-03-02", [])])


def ts(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE)).timestamp())


def local(instant: int | None) -> str:
    return "" if instant is None else f"{datetime.fromtimestamp(instant, ZoneInfo(ZONE)):%Y-%m-%d %H:%M}"


CASES = [
    ("later today", Schedule(("08:00", "16:00")), "2026-03-02 09:00", "2026-03-02 16:00"),
    ("not now again", Schedule(("08:00",)), "2026-03-02 08:00", "2026-03-03 08:00"),
    ("on its weekdays", Schedule(("08:00",), (1, 3)), "2026-03-02 08:00", "2026-03-04 08:00"),
    ("a skipped time at the next valid minute", Schedule(("02:30",)), "2026-03-28 12:00", "2026-03-29 03:00"),
    ("a repeated time the first time", Schedule(("02:30",)), "2026-10-24 12:00", "2026-10-25 02:30"),
]


@pytest.mark.parametrize(("what", "schedule", "after", "planned"), CASES, ids=[row[0] for row in CASES])
def test_the_next_run(what: str, schedule: Schedule, after: str, planned: str) -> None:
    assert local(next_run(schedule, ZONE, None, ts(after))) == planned


def test_only_working_days_count_with_a_calendar() -> None:
    schedule = Schedule(("08:00",), calendar="Office")
    assert local(next_run(schedule, ZONE, WEEK, ts("2026-02-27 09:00"))) == "2026-03-03 08:00"
    assert next_run(schedule, ZONE, of_stored(ZONE, {}, []), ts("2026-02-27 09:00")) is None


def test_two_times_that_a_change_makes_one_run_once_and_a_repeated_hour_runs_once() -> None:
    spring = runs(
        Schedule(("02:15", "02:45", "03:00")), ZONE, None, ts("2026-03-29 00:00"), ts("2026-03-30 00:00")
    )
    assert [local(each) for each in spring] == ["2026-03-29 03:00"]
    autumn = runs(Schedule(("02:30",)), ZONE, None, ts("2026-10-25 00:00"), ts("2026-10-26 00:00"))
    assert [local(each) for each in autumn] == ["2026-10-25 02:30"]
