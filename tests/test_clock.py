"""Local days, weeks and hours; expected instants come from the published test vectors and zone data."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from dashboard import clock

PRAGUE = "Europe/Prague"
DATA = Path(__file__).parents[1].parent / "shared" / "data" / "tz_edges"
ZONES = [PRAGUE, "Asia/Tokyo", "America/St_Johns", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kathmandu"]


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def test_now_is_aware_and_floored() -> None:
    with time_machine.travel(datetime(2026, 3, 2, 8, 0, 0, 999_900, tzinfo=UTC), tick=False):
        assert clock.now() == datetime(2026, 3, 2, 8, 0, 0, 999_900, tzinfo=UTC)
        assert clock.now_ms() == utc("2026-03-02T08:00:00Z") * 1000 + 999
        assert clock.now_s() == utc("2026-03-02T08:00:00Z")


@pytest.mark.parametrize(
    ("zone", "on", "start", "seconds"),
    [
        pytest.param(PRAGUE, "2025-03-30", "2025-03-29T23:00Z", 82_800, id="spring day has 23 hours"),
        pytest.param(PRAGUE, "2025-10-26", "2025-10-25T22:00Z", 90_000, id="autumn day has 25 hours"),
        pytest.param(PRAGUE, "2025-06-01", "2025-05-31T22:00Z", 86_400, id="summer day"),
        pytest.param("Asia/Tokyo", "2025-10-26", "2025-10-25T15:00Z", 86_400, id="no clock change"),
        pytest.param("Africa/Cairo", "2024-04-26", "2024-04-25T22:00Z", 82_800, id="Cairo starts at 01:00"),
        pytest.param("America/Santiago", "2024-09-08", "2024-09-08T04:00Z", 82_800, id="Santiago at 01:00"),
        pytest.param("America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00Z", 90_000, id="late evening twice"),
        pytest.param("America/St_Johns", "2010-11-06", "2010-11-06T02:30Z", 86_400, id="back over midnight"),
        pytest.param(
            "America/St_Johns", "2010-11-07", "2010-11-07T02:30Z", 90_000, id="lived twice: the next"
        ),
        pytest.param(
            "Australia/Lord_Howe", "2025-04-06", "2025-04-05T13:00Z", 88_200, id="half an hour back"
        ),
        pytest.param("Pacific/Apia", "2011-12-30", "2011-12-30T10:00Z", 0, id="a date that never was"),
    ],
)
def test_day_spans_from_its_first_instant_to_the_next(zone: str, on: str, start: str, seconds: int) -> None:
    span = clock.day(date.fromisoformat(on), zone)
    assert (span.start, span.seconds) == (utc(start), seconds)


@pytest.mark.parametrize(
    ("on", "hours"),
    [
        pytest.param("2025-10-20", 169, id="from its Monday"),
        pytest.param("2025-10-26", 169, id="from its Sunday"),
        pytest.param("2025-10-27", 168, id="the week after"),
        pytest.param("2025-03-24", 167, id="spring"),
    ],
)
def test_a_week_is_seven_local_days_from_monday(on: str, hours: int) -> None:
    span = clock.week(date.fromisoformat(on), PRAGUE)
    assert span.seconds == hours * 3600
    assert clock.local_date(span.start, PRAGUE).weekday() == 0
    assert [d.weekday() for d in clock.local_dates(span, PRAGUE)] == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("zone", "on", "labels"),
    [
        pytest.param(PRAGUE, "2025-03-30", ["00", "01", "03", "04"], id="skipped hour is absent"),
        pytest.param(PRAGUE, "2025-10-26", ["00", "01", "02+02:00", "02+01:00", "03"], id="hour twice"),
        pytest.param("Africa/Cairo", "2024-04-26", ["01", "02"], id="starts at 01:00"),
        pytest.param("Asia/Kathmandu", "2025-01-01", ["00", "01", "02"], id="quarter-hour offset"),
        pytest.param(
            "Australia/Lord_Howe", "2025-04-06", ["00", "01+11:00", "01+10:30", "02"], id="half hour"
        ),
    ],
)
def test_hours_are_labelled_by_the_local_clock(zone: str, on: str, labels: list[str]) -> None:
    slots = clock.hours(clock.day(date.fromisoformat(on), zone), zone)
    assert [slot.label + slot.offset for slot in slots][: len(labels)] == labels


@given(
    on=st.dates(min_value=date(1975, 1, 1), max_value=date(2030, 12, 31)),
    zone=st.sampled_from([*ZONES, "Pacific/Apia", "America/Santiago"]),
)
def test_hours_cover_their_day_without_overlap(on: date, zone: str) -> None:
    span = clock.day(on, zone)
    slots = clock.hours(span, zone)
    assert sum(slot.end - slot.start for slot in slots) == span.seconds
    assert all(0 < slot.end - slot.start <= 3600 for slot in slots)
    assert all(a.end == b.start for a, b in pairwise(slots))
    assert len({(slot.label, slot.offset) for slot in slots}) == len(slots)
    assert clock.local_dates(span, zone) == ([on] if span.seconds else [])


@given(ts=st.integers(utc("1980-01-01T00:00Z"), utc("2030-01-01T00:00Z")), zone=st.sampled_from(ZONES))
def test_an_instant_belongs_to_the_day_of_its_local_date(ts: int, zone: str) -> None:
    span = clock.day(clock.local_date(ts, zone), zone)
    assert span.start <= ts < span.end


@pytest.mark.parametrize(
    ("local", "end", "expected"),
    [
        pytest.param("2025-10-26T02:30", False, "2025-10-26T00:30Z", id="twice: the earlier for a start"),
        pytest.param("2025-10-26T02:30", True, "2025-10-26T01:30Z", id="twice: the later for an end"),
        pytest.param("2025-03-30T02:30", False, "2025-03-30T01:00Z", id="skipped: the next valid instant"),
        pytest.param("2025-03-30T02:30", True, "2025-03-30T01:00Z", id="skipped: for an end as well"),
        pytest.param("2025-07-01T12:00", True, "2025-07-01T10:00Z", id="plain time"),
        pytest.param("2025-07-01T12:00:00.900", False, "2025-07-01T10:00Z", id="floored to the second"),
    ],
)
def test_local_time_is_resolved(local: str, end: bool, expected: str) -> None:
    assert clock.resolve(datetime.fromisoformat(local), PRAGUE, end=end) == utc(expected)


def test_aware_local_time_is_rejected() -> None:
    with pytest.raises(ValueError, match="no zone of its own"):
        clock.resolve(datetime(2026, 1, 1, tzinfo=UTC), PRAGUE)


@pytest.mark.parametrize(
    "name", ["", "Europe", "Europe/Prag", "../etc/passwd", "+02:00", "a\0b", "x" * 5000, *clock.NO_ZONES]
)
def test_an_unknown_zone_is_named(name: str) -> None:
    with pytest.raises(ValueError, match="unknown time zone"):
        clock.zone(name)


def known(file: str) -> Any:
    if not DATA.is_dir():
        pytest.skip("the shared data is absent")
    return json.loads((DATA / file).read_text("utf-8"))


def test_every_known_offset_change_is_handled() -> None:
    checked = 0
    for zone, edges in known("edges.json")["zones"].items():
        for edge in edges:
            if int(edge["local_day"][:4]) > 2026:  # zone data of another release may differ later on
                continue
            span = clock.day(date.fromisoformat(edge["local_day"]), zone)
            from_wall = datetime.fromisoformat(edge["from_wall"])
            assert span.seconds == edge["day_length_h"] * 3600, edge
            if edge["kind"] == "gap":
                assert clock.resolve(from_wall, zone) == edge["epoch"], edge
            else:
                repeated = edge["offset_before_s"] - edge["offset_after_s"]
                assert clock.resolve(from_wall, zone) == edge["epoch"] - repeated, edge
                assert clock.resolve(from_wall, zone, end=True) == edge["epoch"], edge
            checked += 1
    assert checked > 100


def test_hours_of_every_known_day() -> None:
    for known_day in known("day_buckets.json"):
        zone = known_day["zone"]
        span = clock.day(date.fromisoformat(known_day["local_day"]), zone)
        assert span == (utc(known_day["starts_utc"]), utc(known_day["ends_utc"]))
        buckets = {
            f"{datetime.fromtimestamp(slot.start, clock.zone(zone)):%Y-%m-%dT%H:%M%z}": (
                slot.end - slot.start
            )
            // known_day["event_every_s"]
            for slot in clock.hours(span, zone)
        }
        assert buckets == known_day["per_hour"]
