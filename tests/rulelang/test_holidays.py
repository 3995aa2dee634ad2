"""Holidays out of iCalendar files: whole days, yearly ones for five years on, and nothing that hangs."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.i18n.message import Message
from dashboard.rulelang import holidays as holidays_reader
from dashboard.rulelang.holidays import (
    CANCELLED,
    MAX_BYTES,
    MAX_REPEATING,
    NOT_WHOLE_DAYS,
    UNREADABLE,
    Holidays,
    parse,
)

TODAY = date(2026, 11, 21)
PRAGUE = ZoneInfo("Europe/Prague")
CASES_OF_BUGS = Path(__file__).parents[2].parent / "shared" / "data" / "bug_cases"


def file(*entries: str) -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0"]
    for entry in entries:
        lines += ["BEGIN:VEVENT", *entry.split("|"), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def dates(*entries: str) -> list[str]:
    return [day.on.isoformat() for day in holidays(file(*entries)).days]


def holidays(given: bytes) -> Holidays:
    found = parse(given, TODAY, PRAGUE)
    assert isinstance(found, Holidays)
    return found


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
    (
        "Maximum repeats",
        "DTSTART;VALUE=DATE:20241224|RRULE:FREQ=YEARLY;COUNT=3",
        ["2025-12-24", "2026-12-24"],
    ),
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
    ("an end that is the start", "DTSTART;VALUE=DATE:20261228|DTEND;VALUE=DATE:20261228", ["2026-12-28"]),
    ("an end before the start", "DTSTART;VALUE=DATE:20261228|DTEND;VALUE=DATE:20261201", ["2026-12-28"]),
    ("midnight in another zone", "DTSTART;TZID=Asia/Tokyo:20261228T000000", ["2026-12-28"]),
    ("midnight in UTC", "DTSTART:20261228T000000Z|DTEND:20261229T000000Z", ["2026-12-28"]),
    ("local midnight in UTC", "DTSTART:20261227T230000Z|DURATION:P1D", ["2026-12-28"]),
    ("to the last second", "DTSTART:20261228T000000|DTEND:20261229T235959", ["2026-12-28", "2026-12-29"]),
    ("to noon", "DTSTART:20261228T000000|DTEND:20261229T120000", []),
    (
        "on a day of every month",
        "DTSTART;VALUE=DATE:20311015|RRULE:FREQ=YEARLY;BYMONTHDAY=15",
        ["2031-10-15", "2031-11-15", "2031-12-15"],
    ),
    (
        "every week",
        "DTSTART;VALUE=DATE:20261207|RRULE:FREQ=WEEKLY;UNTIL=20261220T230000Z;BYHOUR=5",
        ["2026-12-07", "2026-12-14", "2026-12-21"],
    ),
    ("twenty Mondays on", "DTSTART;VALUE=DATE:20311201|RRULE:FREQ=YEARLY;BYDAY=-1MO", ["2031-12-29"]),
    ("an interval of nothing", "DTSTART;VALUE=DATE:20311201|RRULE:FREQ=DAILY;INTERVAL=0", []),
    ("of another calendar", "DTSTART;VALUE=DATE:20261201|RRULE:RSCALE=HEBREW;FREQ=YEARLY", []),
    (
        "more dates, one of them a period",
        "DTSTART;VALUE=DATE:20261201|RDATE;VALUE=DATE:20261203|RDATE;VALUE=PERIOD:20261205T000000Z/P1D",
        ["2026-12-01", "2026-12-03", "2026-12-05"],
    ),
]


@pytest.mark.parametrize(("what", "entry", "expected"), CASES, ids=[row[0] for row in CASES])
def test_whole_days_are_taken(what: str, entry: str, expected: list[str]) -> None:
    assert dates(entry) == expected


def test_a_repetition_that_another_entry_changes_moves_and_a_cancelled_one_goes() -> None:
    yearly = "UID:a|DTSTART;VALUE=DATE:20281201|RRULE:FREQ=YEARLY"
    moved = "UID:a|RECURRENCE-ID;VALUE=DATE:20291201|DTSTART;VALUE=DATE:20291203"
    gone = "UID:a|RECURRENCE-ID;VALUE=DATE:20301201|DTSTART;VALUE=DATE:20301201|STATUS:CANCELLED"
    other = "UID:b|DTSTART;VALUE=DATE:20301201"
    assert dates(yearly, moved, gone) == ["2028-12-01", "2029-12-03", "2031-12-01"]
    assert dates(other, moved) == ["2029-12-03", "2030-12-01"]


BUGS = [
    (
        "ical_weekday_in_days",
        ["2025-11-24", "2026-06-20", "2026-10-31", "2026-11-23", "2027-06-26", "2027-11-22"],
        [],
    ),
    ("ical_outlook_until", ["2026-10-20", "2027-01-01", "2027-10-20", "2028-10-20"], []),
    (
        "ical_left_out",
        [
            *("2026-04-06", "2026-07-04", "2026-07-06", "2026-09-07", "2026-09-13", "2026-11-26"),
            *(f"2026-12-{day}" for day in (23, 24, 28, 29, 30, 31)),
            *("2027-03-29", "2027-07-05", "2027-09-13", "2027-11-25"),
            *("2028-04-17", "2028-07-03", "2028-09-12", "2028-11-23"),
        ],
        [],
    ),
    (
        "ical_too_many",
        ["2026-09-07"],
        [("Cancelled holiday", CANCELLED), ("Night meeting of an hour", NOT_WHOLE_DAYS)],
    ),
]


@pytest.mark.skipif(not CASES_OF_BUGS.exists(), reason="the shared data is not on this machine")
@pytest.mark.parametrize(("name", "expected", "left_out"), BUGS, ids=[row[0] for row in BUGS])
def test_files_that_other_programs_read_wrong(
    name: str, expected: list[str], left_out: list[tuple[str, str]]
) -> None:
    found = holidays((CASES_OF_BUGS / f"{name}.ics").read_bytes())
    until = max(expected)[:4]
    assert [day.on.isoformat() for day in found.days if day.on.isoformat()[:4] <= until] == expected
    assert found.left_out == left_out


@pytest.mark.skipif(not CASES_OF_BUGS.exists(), reason="the shared data is not on this machine")
def test_a_file_in_another_encoding_is_refused_by_name() -> None:
    refused = parse((CASES_OF_BUGS / "ical_cp1250.ics").read_bytes(), TODAY, PRAGUE)
    assert isinstance(refused, Message)
    assert refused.text == holidays_reader.NOT_UTF8


def test_what_is_left_out_is_named_in_the_order_of_the_file() -> None:
    found = holidays(
        file(
            "SUMMARY:Broken|DTSTART;VALUE=DATE:2026",
            "DTSTART;VALUE=DATE:20261228",
            "SUMMARY:Meeting|DTSTART:20261228T100000Z",
            "SUMMARY:Often|DTSTART;VALUE=DATE:20260101|RRULE:FREQ=SECONDLY",
            "SUMMARY:Past|DTSTART;VALUE=DATE:20100101",
            "DTSTART;VALUE=DATE:20261229|STATUS:CANCELLED",
        )
    )
    assert [day.on.isoformat() for day in found.days] == ["2026-12-28"]
    assert found.left_out == [
        ("Broken", UNREADABLE),
        ("Meeting", NOT_WHOLE_DAYS),
        ("Often", UNREADABLE),
        ("", CANCELLED),
    ]


def test_a_character_that_a_fold_divides_is_whole_again() -> None:
    folded = "SUMMARY:Štědrý|DTSTART;VALUE=DATE:20261224"
    found = holidays(file(folded).replace("ě".encode(), "ě".encode()[:1] + b"\r\n " + "ě".encode()[1:]))
    assert [day.name for day in found.days] == ["Štědrý"]


def test_repetitions_that_take_too_long_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holidays_reader, "MAX_SECONDS", 0.01)
    never = "DTSTART;VALUE=DATE:20260101|RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"
    refused = parse(file(never, never), TODAY, PRAGUE)
    assert isinstance(refused, Message)
    assert refused.text == holidays_reader.TOO_SLOW


def test_a_name_is_one_line_and_the_first_of_a_date_stays() -> None:
    found = holidays(
        file(
            "SUMMARY:New Year's\\nDay|DTSTART;VALUE=DATE:20270101",
            "SUMMARY:Other|DTSTART;VALUE=DATE:20270101",
            f"SUMMARY:{'x' * 500}|DTSTART;VALUE=DATE:20270102",
        )
    )
    assert [day.name for day in found.days] == ["New Year's Day", "x" * holidays_reader.NAME_MAX]


def test_an_entry_of_many_years_is_taken_within_ours() -> None:
    found = dates("DTSTART;VALUE=DATE:20100101|DURATION:P9000D")
    assert (found[0], found[-1]) == ("2025-01-01", "2031-12-31")


def test_an_entry_that_is_not_well_formed_loses_no_other() -> None:
    assert dates("DTSTART;VALUE=DATE:2026", "DTSTART;VALUE=DATE:20261228") == ["2026-12-28"]


REFUSED = [
    ("nothing", b"", holidays_reader.NO_CALENDAR),
    ("no calendar", b"hello", holidays_reader.NO_CALENDAR),
    ("not closed", b"BEGIN:VCALENDAR\r\n", holidays_reader.NO_CALENDAR),
    ("another component", b"BEGIN:VEVENT\r\nEND:VEVENT\r\n", holidays_reader.NO_CALENDAR),
    ("another encoding", "BEGIN:VCALENDAR Štědrý".encode("cp1250"), holidays_reader.NOT_UTF8),
    ("too large", b"x" * (MAX_BYTES + 1), holidays_reader.TOO_LARGE),
    (
        "too many that repeat",
        file(*["DTSTART;VALUE=DATE:20250101|RRULE:FREQ=YEARLY"] * (MAX_REPEATING + 1)),
        holidays_reader.TOO_REPEATING,
    ),
]


@pytest.mark.parametrize(("what", "given_", "text"), REFUSED, ids=[row[0] for row in REFUSED])
def test_entries_that_cannot_be_imported_are_reported(what: str, given_: bytes, text: str) -> None:
    found = parse(given_, TODAY, PRAGUE)
    assert isinstance(found, Message)
    assert found.text == text


@given(st.binary(max_size=400))
def test_no_file_raises(noise: bytes) -> None:
    for given_ in (
        noise,
        file(noise.decode("latin-1")),
        file("DTSTART;VALUE=DATE:20261228|RRULE:" + noise.hex()),
    ):
        found = parse(given_, TODAY, PRAGUE)
        assert isinstance(found, Message) or all(day.on.year >= 2025 for day in found.days)
