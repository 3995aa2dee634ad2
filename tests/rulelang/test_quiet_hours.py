"""Quiet hours end when a reader's clock says so: over midnight, over weekends, over changes of the clock."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import pytest

from dashboard import clock
from dashboard.rulelang.working_time import quiet_until

ZONE = "Europe/Prague"


class Hours(NamedTuple):
    quiet_from: str = ""
    quiet_to: str = ""
    quiet_days: tuple[int, ...] = ()


NIGHT = Hours("20:00", "08:00")
NOON = Hours("12:00", "13:00")
WEEKEND = Hours(quiet_days=(6, 7))
BOTH = Hours("20:00", "08:00", (6, 7))

CASES = [
    # 2026-03-02 is a Monday.
    pytest.param(NOON, "2026-03-02 11:59", None, id="before quiet hours"),
    pytest.param(NOON, "2026-03-02 12:00", "2026-03-02 13:00", id="they begin with their first minute"),
    pytest.param(NOON, "2026-03-02 13:00", None, id="and are over with their last"),
    pytest.param(NIGHT, "2026-03-02 23:00", "2026-03-03 08:00", id="over midnight, before it"),
    pytest.param(NIGHT, "2026-03-03 07:59", "2026-03-03 08:00", id="over midnight, after it"),
    pytest.param(NIGHT, "2026-03-03 08:00", None, id="over midnight, when over"),
    pytest.param(WEEKEND, "2026-03-06 23:59", None, id="before whole days"),
    pytest.param(WEEKEND, "2026-03-07 00:00", "2026-03-09 00:00", id="days that follow are one quiet"),
    pytest.param(BOTH, "2026-03-06 20:00", "2026-03-09 08:00", id="hours and days that meet are one quiet"),
    pytest.param(BOTH, "2026-03-05 21:00", "2026-03-06 08:00", id="a night before a working day is a night"),
    pytest.param(Hours("22:00", "00:00"), "2026-03-02 22:30", "2026-03-03 00:00", id="until midnight"),
    pytest.param(Hours(), "2026-03-02 03:00", None, id="no hours, no quiet"),
    pytest.param(Hours("08:00", "08:00"), "2026-03-02 09:00", None, id="hours of no length"),
    # The clock goes from 2 to 3 on 2026-03-29 and from 3 to 2 on 2026-10-25.
    pytest.param(Hours("22:00", "02:30"), "2026-03-29 01:00", "2026-03-29 03:00", id="a skipped end"),
    pytest.param(NIGHT, "2026-03-28 21:00", "2026-03-29 08:00", id="a night of 11 hours"),
    pytest.param(NIGHT, "2026-10-24 21:00", "2026-10-25 08:00", id="a night of 13 hours"),
    pytest.param(Hours(quiet_days=(7,)), "2026-10-25 00:00", "2026-10-26 00:00", id="a day of 25 hours"),
]


def at(text: str) -> int:
    return clock.resolve(datetime.fromisoformat(text), ZONE) * 1000


@pytest.mark.parametrize(("hours", "now", "until"), CASES)
def test_quiet_ends(hours: Hours, now: str, until: str | None) -> None:
    assert quiet_until(hours, at(now), ZONE) == (until and at(until))


def test_an_end_that_comes_twice_is_the_second() -> None:
    first = at("2026-10-25 02:30")
    assert quiet_until(Hours("22:00", "02:30"), first, ZONE) == first + 3_600_000


def test_the_zone_is_the_readers() -> None:
    noon_in_prague = at("2026-03-02 12:00")
    assert quiet_until(NIGHT, noon_in_prague, "Asia/Tokyo") == at("2026-03-03 00:00")
    assert quiet_until(NIGHT, noon_in_prague, ZONE) is None


def test_nothing_waits_for_ever() -> None:
    always = Hours(quiet_days=(1, 2, 3, 4, 5, 6, 7))
    until = quiet_until(always, at("2026-03-02 12:00"), ZONE)
    assert until == at("2026-03-10 00:00")
