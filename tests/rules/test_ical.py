"""Holidays out of iCalendar files: whole days, yearly ones for five years on, and nothing that hangs."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.i18n.message import Message
from dashboard.rules import ical
from dashboard.rules.ical import MAX_BYTES, MAX_REPEATING, parse

TODAY = date(2026, 11, 21)


def file(*entries: str) -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0"]
    for entry in entries:
        lines += ["BEGIN:VEVENT", *entry.split("|"), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def dates(*entries: str) -> list[str]:
    found = parse(file(*entries), TODAY)
    return [] if isinstance(found, Message) else [day.on.isoformat() for day in found]


CASES = [
    ("one day", "DTSTART;VALUE=DATE:20261228", ["2026-12-28"]),
    ("its end is not of it", "DTSTART;VALUE=DATE:20261228|DTEND;VALUE=DATE:20261229", ["2026-12-28"]),
    (
        "several days",
        "DTSTART;VALUE=DATE:20261231|DTEND;VALUE=DATE:20270102",
        ["2026-12-31", "2027-01-01"],
    ),
    ("a length", "DTSTART;VALUE=DATE:20261231|DURATION:P2D", ["2026-12-31", "2027-01-01"]),
    ("midnight to midnight", "DTSTART:20261228T000000|DTEND:20261229T000000", ["2026-12-28"]),
    ("a meeting", "DTSTART:20261228T100000Z|DTEND:20261228T110000Z", []),
    ("too long ago", "DTSTART;VALUE=DATE:20241231", []),
    (
        "every year",
        "DTSTART;VALUE=DATE:20201224|RRULE:FREQ=YEARLY",
        [f"{year}-12-24" for year in range(2025, 2032)],
    ),
    (
        "every other year until one",
        "DTSTART;VALUE=DATE:20221224|RRULE:FREQ=YEARLY;INTERVAL=2;UNTIL=20281231",
        ["2026-12-24", "2028-12-24"],
    ),
    ("so many times", "DTSTART;VALUE=DATE:20241224|RRULE:FREQ=YEARLY;COUNT=3", ["2025-12-24", "2026-12-24"]),
    (
        "a weekday of a month",
        "DTSTART;VALUE=DATE:20251127|RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;UNTIL=20270101",
        ["2025-11-27", "2026-11-26"],
    ),
    (
        "the last one of a month",
        "DTSTART;VALUE=DATE:20260525|RRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO;COUNT=2",
        ["2026-05-25", "2027-05-31"],
    ),
    (
        "but not in one year",
        "DTSTART;VALUE=DATE:20261224|RRULE:FREQ=YEARLY;COUNT=3|EXDATE;VALUE=DATE:20271224",
        ["2026-12-24", "2028-12-24"],
    ),
    ("a leap day", "DTSTART;VALUE=DATE:20240229|RRULE:FREQ=YEARLY", ["2028-02-29"]),
    ("every second", "DTSTART;VALUE=DATE:20260101|RRULE:FREQ=SECONDLY", []),
]


@pytest.mark.parametrize(("what", "entry", "expected"), CASES, ids=[row[0] for row in CASES])
def test_whole_days_are_taken(what: str, entry: str, expected: list[str]) -> None:
    assert dates(entry) == expected


def test_a_name_is_one_line_and_the_first_of_a_date_stays() -> None:
    found = parse(
        file(
            "SUMMARY:New Year's\\nDay|DTSTART;VALUE=DATE:20270101",
            "SUMMARY:Other|DTSTART;VALUE=DATE:20270101",
            f"SUMMARY:{'x' * 500}|DTSTART;VALUE=DATE:20270102",
        ),
        TODAY,
    )
    assert not isinstance(found, Message)
    assert [day.name for day in found] == ["New Year's Day", "x" * ical.NAME_MAX]


def test_an_entry_of_many_years_is_taken_within_ours() -> None:
    found = dates("DTSTART;VALUE=DATE:20100101|DURATION:P9000D")
    assert (found[0], found[-1]) == ("2025-01-01", "2031-12-31")


def test_an_entry_that_is_not_well_formed_loses_no_other() -> None:
    assert dates("DTSTART;VALUE=DATE:2026", "DTSTART;VALUE=DATE:20261228") == ["2026-12-28"]


REFUSED = [
    ("nothing", b"", ical.NO_CALENDAR),
    ("no calendar", b"hello", ical.NO_CALENDAR),
    ("not closed", b"BEGIN:VCALENDAR\r\n", ical.NO_CALENDAR),
    ("another component", b"BEGIN:VEVENT\r\nEND:VEVENT\r\n", ical.NO_CALENDAR),
    ("no entry", file(), ical.NO_DAYS),
    ("too large", b"x" * (MAX_BYTES + 1), ical.TOO_LARGE),
    (
        "too many that repeat",
        file(*["DTSTART;VALUE=DATE:20250101|RRULE:FREQ=YEARLY"] * (MAX_REPEATING + 1)),
        ical.TOO_REPEATING,
    ),
]


@pytest.mark.parametrize(("what", "given_", "text"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_cannot_be_taken_is_told(what: str, given_: bytes, text: str) -> None:
    found = parse(given_, TODAY)
    assert isinstance(found, Message)
    assert found.text == text


@given(st.binary(max_size=400))
def test_no_file_raises(noise: bytes) -> None:
    for given_ in (
        noise,
        file(noise.decode("latin-1")),
        file("DTSTART;VALUE=DATE:20261228|RRULE:" + noise.hex()),
    ):
        found = parse(given_, TODAY)
        assert isinstance(found, Message) or all(day.on.year >= 2025 for day in found)
