"""The definitions of user tracing: published vectors, edges in tables, identities for any data."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from dashboard import clock
from dashboard.clock import Span
from dashboard.intervals import measure
from dashboard.tracing.statistics import Figures, as_json, figures
from dashboard.tracing.types import ClosedRow, IntervalRow, Kind, State

PRAGUE = "Europe/Prague"
DAY = clock.day(date(2026, 3, 2), PRAGUE)
HOUR = Span(0, 3600)
LATER = 10_000_000_000


def at(text: str) -> int:
    hours, minutes, *seconds = (int(part) for part in text.split(":"))
    return DAY.start + hours * 3600 + minutes * 60 + sum(seconds)


def row(kind: Kind, start: str, end: str | None, channel: str = "", **more: Any) -> IntervalRow:
    return IntervalRow(kind, at(start), None if end is None else at(end), channel, **more)


def times(*rows: IntervalRow, span: Span = HOUR, as_of: int = LATER, **more: Any) -> Figures:
    return figures(rows, (), span, as_of, **more)


ORDINARY = [
    row(Kind.LOGIN, "8:00", "16:30"),
    row(Kind.READY, "8:05", "16:20"),
    row(Kind.PAUSE, "10:00", "10:15", label="Training", paid=True),
    row(Kind.PAUSE, "12:00", "12:30", label="Lunch"),
    row(Kind.HANDLING, "9:00:00", "9:06:40", "call", activity_id=1),
    row(Kind.TALK, "9:00:20", "9:05:20", "call", activity_id=1),
    row(Kind.HANDLING, "11:00", "11:30", "webchat", activity_id=2),
    row(Kind.HANDLING, "11:10", "11:40", "webchat", activity_id=3),
    row(Kind.HANDLING, "11:20", "11:25", "webchat", activity_id=4),
    row(Kind.HANDLING, "12:20", "12:40", "email", activity_id=5),
]
ORDINARY_CLOSED = [
    ClosedRow("call", "closed", 1, 400),
    ClosedRow("webchat", "closed", 2, 1800),
    ClosedRow("webchat", "closed", 3, 1800),
    ClosedRow("webchat", "closed", 4, 300),
    ClosedRow("email", "closed", 5, 1200),
]


def test_the_ordinary_day_has_the_published_figures() -> None:
    day = figures(ORDINARY, ORDINARY_CLOSED, DAY, LATER, events={"missed": 2})
    chats = {"handling": 2400, "load": 3900, "closed": 3}
    assert as_json(day) == {
        "login": 30_600,
        "ready": 27_000,
        "not_ready": 900,
        "busy": 3400,
        "ringing": 0,
        "free": 23_600,
        "offline": 55_800,
        "pause": {
            "total": 2700,
            "paid": 900,
            "unpaid": 1800,
            "types": [
                {"label": "Lunch", "paid": False, "seconds": 1800, "count": 1},
                {"label": "Training", "paid": True, "seconds": 900, "count": 1},
            ],
        },
        "calls": {"handling": 400, "talk": 300, "hold": 0, "load": 400, "closed": 1},
        "emails": {"handling": 1200, "load": 1200, "closed": 1},
        "chats": {**chats, "webchat": chats},
        "tickets": {"edited": 0, "closed": 0},
        "work_in_pause": 600,
        "work_logged_out": 0,
        "occupancy": 3400 / 27_000,
        "utilisation": 27_600 / 30_600,
        "aht": {"call": 400, "chat": 1300, "email": 1200},
        "events": {"missed": 2},
        "quality": {"inferred": 0, "open": 0},
    }
    assert f"{day.occupancy:.1%}" == "12.6%"


def test_an_empty_day_has_zeros_and_no_ratios() -> None:
    empty = as_json(figures([], [], DAY, LATER))
    assert (empty["offline"], empty["login"], empty["calls"]["closed"]) == (86_400, 0, 0)
    assert (empty["occupancy"], empty["utilisation"], empty["aht"]) == (None, None, {})
    assert "dialled" not in empty["calls"]
    assert set(empty["chats"]) == {"handling", "load", "closed"}


@pytest.mark.parametrize(
    ("start", "end", "day", "seconds"),
    [
        pytest.param(
            "2025-10-25T22:00", "2025-10-26T06:00", "2025-10-25", 7200, id="autumn, before midnight"
        ),
        pytest.param("2025-10-25T22:00", "2025-10-26T06:00", "2025-10-26", 25_200, id="autumn, 7 h after"),
        pytest.param(
            "2025-03-29T22:00", "2025-03-30T06:00", "2025-03-29", 7200, id="spring, before midnight"
        ),
        pytest.param("2025-03-29T22:00", "2025-03-30T06:00", "2025-03-30", 18_000, id="spring, 5 h after"),
    ],
)
def test_a_night_shift_is_split_at_local_midnight(start: str, end: str, day: str, seconds: int) -> None:
    shift = [clock.resolve(datetime.fromisoformat(text), PRAGUE) for text in (start, end)]
    span = clock.day(date.fromisoformat(day), PRAGUE)
    found = times(IntervalRow(Kind.LOGIN, shift[0], shift[1]), span=span)
    assert (found.login, found.offline) == (seconds, span.seconds - seconds)


@pytest.mark.parametrize(
    ("interval", "as_of", "horizons", "login", "quality"),
    [
        pytest.param((-100, 700), LATER, {}, 700, (0, 0), id="cut at the start"),
        pytest.param((3000, 9000), LATER, {}, 600, (0, 0), id="cut at the end"),
        pytest.param((3600, 9000), LATER, {}, 0, (0, 0), id="begins when the period ends"),
        pytest.param((-9, 0), LATER, {}, 0, (0, 0), id="ends when the period begins"),
        pytest.param((600, None), LATER, {}, 3000, (0, 1), id="open runs to the end of the period"),
        pytest.param((600, None), 1000, {}, 400, (0, 1), id="open runs to the present instant"),
        pytest.param((600, 2000), 1000, {}, 400, (0, 0), id="the future belongs to no figure"),
        pytest.param((600, None), 500, {}, 0, (0, 0), id="begins after the present instant"),
        pytest.param(
            (600, None), LATER, {4: 1600}, 1000, (1, 1), id="a file knows nothing after its last line"
        ),
        pytest.param((600, None), LATER, {5: 1600}, 3000, (0, 1), id="another source's end is nothing to it"),
        pytest.param((600, None), LATER, {4: 9999}, 3000, (0, 1), id="the file goes on after the period"),
        pytest.param((600, None), LATER, {4: 500}, 0, (1, 1), id="the file ended before it"),
        pytest.param((900, 800), LATER, {}, 0, (0, 0), id="end before start is no time"),
    ],
)
def test_stretches_are_clipped(
    interval: tuple[int, int | None],
    as_of: int,
    horizons: dict[int, int],
    login: int,
    quality: tuple[int, int],
) -> None:
    found = times(IntervalRow(Kind.LOGIN, *interval, source_id=4), as_of=as_of, horizons=horizons)
    assert found.login == login
    assert (found.quality.inferred, found.quality.open) == quality


def presence(kind: Kind, start: int, end: int, **more: Any) -> IntervalRow:
    return IntervalRow(kind, start, end, **more)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param(
            [presence(Kind.LOGIN, 0, 100), presence(Kind.LOGIN, 50, 200)],
            {"login": 200},
            id="two devices are one",
        ),
        pytest.param(
            [presence(Kind.LOGIN, 0, 100), presence(Kind.READY, 50, 200)],
            {"ready": 50, "not_ready": 50},
            id="ready counts within login only",
        ),
        pytest.param(
            [presence(Kind.LOGIN, 0, 100), presence(Kind.READY, 0, 100), presence(Kind.PAUSE, 90, 200)],
            {"ready": 90, "not_ready": 0},
            id="pause takes from ready and counts within login only",
        ),
        pytest.param(
            [
                presence(Kind.LOGIN, 0, 100),
                presence(Kind.READY, 0, 100),
                presence(Kind.RINGING, 10, 30, channel="call"),
                presence(Kind.HANDLING, 20, 50, channel="call"),
            ],
            {"busy": 30, "ringing": 10, "free": 60},
            id="work wins over ringing",
        ),
        pytest.param(
            [presence(Kind.LOGIN, 0, 100), presence(Kind.HANDLING, 90, 130, channel="sms")],
            {"work_logged_out": 30, "busy": 0, "utilisation": 0.1},
            id="work while signed out",
        ),
        pytest.param(
            [presence(Kind.LOGIN, 0, 100), presence(Kind.HANDLING, 10, 40, channel="call", hidden=True)],
            {"not_ready": 100, "utilisation": 0.3},
            id="hidden work keeps its time",
        ),
    ],
)
def test_base_sets(rows: list[IntervalRow], expected: dict[str, Any]) -> None:
    found = times(*rows)
    assert {name: getattr(found, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("pauses", "paid", "types"),
    [
        pytest.param(
            [(0, 60, "a", True), (30, 50, "b", False)],
            40,
            [("a", 40, 1), ("b", 20, 1)],
            id="where pauses overlap the later start wins, then the earlier goes on",
        ),
        pytest.param(
            [(-60, 60, "a", True), (-30, 60, "b", False)], 0, [("b", 60, 0)], id="also when both began before"
        ),
        pytest.param(
            [(0, 60, "a", True), (0, 60, "a", True)], 60, [("a", 60, 1)], id="one pause in two queues is one"
        ),
        pytest.param([(-5, 10, "a", True)], 10, [("a", 10, 0)], id="counted where it began"),
        pytest.param([(3590, 9000, "a", True)], 10, [("a", 10, 1)], id="time is split, the count is not"),
    ],
)
def test_pauses(pauses: list[Any], paid: int, types: list[Any]) -> None:
    rows = [IntervalRow(Kind.PAUSE, s, e, label=label, paid=is_paid) for s, e, label, is_paid in pauses]
    found = times(IntervalRow(Kind.LOGIN, -10, 9999), *rows).pause
    assert found.paid == paid
    assert [(one.label, one.seconds, one.count) for one in found.types] == types
    assert (
        found.total == found.paid + found.unpaid == measure((max(s, 0), min(e, 3600)) for s, e, *_ in pauses)
    )


def test_dialled_calls_stand_apart_but_keep_the_user_busy() -> None:
    rows = [
        presence(Kind.LOGIN, 0, 1000),
        presence(Kind.READY, 0, 1000),
        presence(Kind.HANDLING, 10, 30, channel="call", activity_id=1),
        presence(Kind.HANDLING, 100, 160, channel="dialled", activity_id=2),
        presence(Kind.TALK, 110, 150, channel="dialled", activity_id=2),
        presence(Kind.HANDLING, 200, 210, channel="dialled", activity_id=3),
        presence(Kind.HANDLING, -20, 5, channel="dialled", activity_id=4),
    ]
    closed = [ClosedRow("dialled", State.CLOSED, 9, 60), ClosedRow("dialled", State.MISSED, 8, 10)]
    found = figures(rows, closed, HOUR, LATER)
    assert found.busy == 95
    assert as_json(found)["calls"] == {
        "handling": 20,
        "talk": 0,
        "hold": 0,
        "load": 20,
        "closed": 0,
        "dialled": {"handling": 75, "talk": 40, "hold": 0, "load": 75, "closed": 1, "attempts": 2},
    }
    assert found.aht == {"dialled": 60}


def test_a_ticket_counts_once_however_often_it_is_worked_on() -> None:
    work = [(State.EDITED, 1), (State.EDITED, 1), (State.CLOSED, 1), (State.CLOSED, 1), (State.EDITED, 2)]
    closed = [ClosedRow("ticket", state, ticket, 0) for state, ticket in work]
    assert as_json(figures([], closed, HOUR, LATER))["tickets"] == {"edited": 2, "closed": 1}


def test_chat_channels_are_counted_separately_and_in_total() -> None:
    rows = [
        presence(Kind.HANDLING, 0, 60, channel="line"),
        presence(Kind.HANDLING, 30, 90, channel="sms"),
        presence(Kind.HANDLING, 50, 70, channel="sms"),
    ]
    chats = as_json(figures(rows, [ClosedRow("viber", "closed", 1, 5)], HOUR, LATER))["chats"]
    assert chats == {
        "handling": 90,
        "load": 140,
        "closed": 1,
        "line": {"handling": 60, "load": 60, "closed": 0},
        "sms": {"handling": 60, "load": 80, "closed": 0},
        "viber": {"handling": 0, "load": 0, "closed": 1},
    }


@pytest.mark.parametrize(
    ("employed", "as_of", "offline"),
    [
        pytest.param(None, LATER, 3000, id="all of the period without login"),
        pytest.param(None, 1800, 1200, id="not the future"),
        pytest.param((3000, None), LATER, 600, id="not before employment"),
        pytest.param((0, 900), LATER, 300, id="not after leaving"),
        pytest.param((9000, None), LATER, 0, id="not employed yet"),
        pytest.param(None, -5, 0, id="a period to come"),
    ],
)
def test_offline(employed: tuple[int, int | None] | None, as_of: int, offline: int) -> None:
    assert times(IntervalRow(Kind.LOGIN, 0, 600), employed=employed, as_of=as_of).offline == offline


def test_who_never_signs_in_was_there_while_ready_or_on_pause() -> None:
    rows = [presence(Kind.READY, 0, 100), presence(Kind.PAUSE, 50, 150, paid=True)]
    found = times(*rows, never_signed_in=True)
    assert (found.login, found.ready, found.pause.paid, found.login_inferred) == (150, 50, 100, True)
    assert as_json(found)["login_inferred"] is True
    assert times(*rows).login == 0


def test_reported_lengths_are_summed_where_the_login_ended() -> None:
    rows = [
        presence(Kind.LOGIN, -500, 100, reported_s=601),
        presence(Kind.LOGIN, 200, 300, reported_s=99),
        presence(Kind.LOGIN, 3000, 3600, reported_s=7),
    ]
    assert as_json(times(*rows))["login_reported"] == 700
    assert "login_reported" not in as_json(times(presence(Kind.LOGIN, 0, 5)))
