"""Corrections of signed-in time and pauses: what counts, what stays, and that a rebuild gives the same."""

from __future__ import annotations

import json
from itertools import count, pairwise
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboard.access import scope
from dashboard.clock import Span
from dashboard.db import database
from dashboard.events import record
from dashboard.ingest import corrections, schema
from dashboard.ingest.corrections import CorrectionError, Wanted
from dashboard.jobs import worker
from dashboard.models import AuditEntry, Event, Interval, User
from dashboard.tracing import corrections as laid
from dashboard.tracing import projection, trace
from dashboard.tracing.corrections import Correction, Stretch
from dashboard.tracing.ongoing import signed_in
from dashboard.tracing.presence_rows import Presence
from dashboard.tracing.types import IntervalRow, Kind
from tests import make

pytestmark = pytest.mark.both_databases

START = 1_777_870_800  # Monday 2026-05-04 07:00 in Prague
NOW = START + 20 * 3600
DAY = Span(START - 7 * 3600, START + 17 * 3600)
ZONE = "Europe/Prague"
LOGIN, PAUSE = Kind.LOGIN, Kind.PAUSE


def h(hours: float) -> int:
    return START + round(hours * 3600)


def send(name: str, *rows: tuple[float, str, str]) -> User:
    made = [
        schema.NewEvent(
            f"{name}{at}{kind}", f"agent.{kind}", h(at) * 1000, name, None, None, None, None,
            json.dumps({"pause": label} if label else {}), 0,
        )
        for at, kind, label in rows
    ]  # fmt: skip
    record.append(record.source("live").id, made, rules=False)
    worker.drain(["digest"])
    return User.get(User.login == name)


def counted(user: User) -> list[tuple[int, int, int | None, str]]:
    i = Interval
    query = i.select(i.kind, i.start_ts, i.end_ts, i.label).where((i.user_id == user.id) & (i.kind <= 3))
    return sorted(query.tuples())


def figures(user: User) -> tuple[int, int]:
    found = trace.read(scope.whole(), user.login, DAY, ZONE, NOW)
    assert found is not None
    return found.figures.login, found.figures.pause.total


@pytest.fixture
def author(app: Flask, time_machine: Any) -> User:
    time_machine.move_to(NOW, tick=False)
    return make.user("boss")


@pytest.fixture
def jana(author: User) -> User:
    """Signed in from 0 to 8, paused from 3 to 4."""
    return send(
        "jana",
        (0, "signed_in", ""),
        (3, "pause_started", "lunch"),
        (4, "pause_ended", ""),
        (8, "signed_out", ""),
    )


def correct(user: User, author: User, kind: Kind, was: Any, now: Any, reason: str = "forgot") -> None:
    one = [None if part is None else Stretch(h(part[0]), h(part[1]), *part[2:]) for part in (was, now)]
    corrections.correct(user, Wanted(kind, one[0], one[1], reason), author, ZONE)


CASES = [
    pytest.param([(LOGIN, (0, 8), (0, 6))], (6, 1), id="a wrong sign-out"),
    pytest.param([(LOGIN, (0, 8), (1, 8))], (7, 1), id="a wrong sign-in"),
    pytest.param([(LOGIN, None, (9, 11))], (10, 1), id="a missing sign-in and sign-out"),
    pytest.param([(LOGIN, (0, 8), None)], (0, 0), id="a sign-in that was none"),
    pytest.param([(PAUSE, (3, 4, "lunch", False), (3, 3.5, "lunch", False))], (8, 0.5), id="a shorter pause"),
    pytest.param([(PAUSE, None, (5, 6, "tea", True))], (8, 2), id="a missing pause"),
    pytest.param([(LOGIN, (0, 8), (0, 6)), (LOGIN, (0, 6), (0, 7))], (7, 1), id="corrected twice"),
    pytest.param([(LOGIN, (0, 8), (0, 2)), (LOGIN, None, (4, 5))], (3, 0), id="added where time was removed"),
]


@pytest.mark.parametrize(("made", "hours"), CASES)
def test_figures_follow_corrections_and_a_rebuild(
    jana: User, author: User, made: list[Any], hours: tuple[float, float]
) -> None:
    for kind, was, now in made:
        correct(jana, author, kind, was, now)
    expected = tuple(int(each * 3600) for each in hours)
    assert figures(jana) == expected
    worker.drain(["digest"])
    live = counted(jana)
    projection.rebuild()
    assert (figures(jana), counted(jana)) == (expected, live)


def test_the_original_stays_and_a_correction_can_be_taken_back(jana: User, author: User) -> None:
    before = counted(jana)
    correct(jana, author, LOGIN, (0, 8), (0, 6))
    original = Interval.get((Interval.user_id == jana.id) & (Interval.kind == Kind.LOGIN_ORIGINAL))
    assert (original.start_ts, original.end_ts) == (h(0), h(8))
    (one,) = laid.of_user(jana.id)
    assert (one.was, one.now, one.reason, one.by) == (
        Stretch(h(0), h(8)),
        Stretch(h(0), h(6)),
        "forgot",
        "boss",
    )
    corrections.take_back(jana, one, "was right", author, ZONE)
    assert counted(jana) == before
    (one,) = laid.of_user(jana.id)
    assert one.taken_back is not None
    assert (one.taken_back.reason, one.taken_back.by) == ("was right", "boss")
    entries = [
        entry.changes["login"]
        for entry in AuditEntry.select().where(AuditEntry.action == "session.corrected")
    ]
    old, new = (
        "2026-05-04T07:00:00+02:00 – 2026-05-04T15:00:00+02:00",
        "2026-05-04T07:00:00+02:00 – 2026-05-04T13:00:00+02:00",
    )
    assert entries == [[old, new], [new, old]]


REFUSED = [
    pytest.param(LOGIN, None, (7, 9), "from", "Overlaps", id="overlaps the beginning"),
    pytest.param(LOGIN, None, (-2, 1), "to", "Overlaps", id="overlaps the end"),
    pytest.param(PAUSE, (3, 4, "lunch", False), (7, 9, "lunch", False), "to", "not signed in", id="outside"),
    pytest.param(LOGIN, (0, 8), (0, 0), "to", "later than", id="without length"),
    pytest.param(LOGIN, (0, 8), (0, 8), "from", "Nothing", id="no change"),
    pytest.param(LOGIN, (0, 7), (0, 6), "was", "meanwhile", id="not what counts"),
    pytest.param(LOGIN, None, (19, 21), "to", "passed", id="in the future"),
    pytest.param(LOGIN, (0, 8), (-48, 8), "to", "at most", id="too long"),
]


@pytest.mark.parametrize(("kind", "was", "now", "field", "text"), REFUSED)
def test_what_cannot_be_is_refused_with_the_field_and_leaves_nothing(
    jana: User, author: User, kind: Kind, was: Any, now: Any, field: str, text: str
) -> None:
    before, events = counted(jana), Event.select().count()
    with pytest.raises(CorrectionError) as refused:
        correct(jana, author, kind, was, now)
    assert refused.value.field == field
    assert text in refused.value.problem.render()
    assert (counted(jana), Event.select().count()) == (before, events)


def test_events_that_come_late_are_cut_where_a_correction_lies(jana: User, author: User) -> None:
    correct(jana, author, LOGIN, (0, 8), (0, 6))
    send("jana", (-1, "signed_in", ""))
    assert [row[1:3] for row in counted(jana) if row[0] == LOGIN] == [(h(-1), h(0)), (h(0), h(6))]
    projection.rebuild()
    assert [row[1:3] for row in counted(jana) if row[0] == LOGIN] == [(h(-1), h(0)), (h(0), h(6))]


def test_a_corrected_sign_out_bounds_an_open_call_as_a_recorded_one(jana: User, author: User) -> None:
    source = record.source("live").id
    call = [
        schema.NewEvent(f"c{kind}", f"call.{kind}", h(at) * 1000, "jana", None, "c1", None, None, "{}", 0)
        for at, kind in ((6.9, "accepted"), (7, "connected"))
    ]
    record.append(source, call, rules=False)
    worker.drain(["digest"])
    correct(jana, author, LOGIN, (0, 8), (0, 7.5))
    found = trace.read(scope.whole(), "jana", DAY, ZONE, NOW)
    assert found is not None
    live = [(row.end_bound, row.end_reason) for row in found.activities]
    assert live == [(h(7.5), "signed_out")]
    projection.rebuild()
    again = trace.read(scope.whole(), "jana", DAY, ZONE, NOW)
    assert again is not None
    assert [(row.end_bound, row.end_reason) for row in again.activities] == live


DRAWN = [
    pytest.param([(LOGIN, 0, 6), (Kind.READY, 1, 8)], [(1, 6)], id="ready after the corrected sign-out"),
    pytest.param([(LOGIN, 0, 3), (LOGIN, 5, 8), (Kind.READY, 1, 7)], [(1, 3), (5, 7)], id="a gap"),
    pytest.param([(LOGIN, 0, None), (Kind.READY, 1, None)], [(1, None)], id="still going on"),
    pytest.param([(LOGIN, 0, 2), (Kind.READY, 3, 4)], [], id="signed out"),
    pytest.param([(Kind.READY, 3, 4)], [(3, 4)], id="no sign-in is known"),
]


@pytest.mark.parametrize(("rows", "ready"), DRAWN)
def test_ready_time_is_drawn_within_signed_in_time(rows: list[Any], ready: list[Any]) -> None:
    drawn = signed_in([IntervalRow(kind, start, end) for kind, start, end in rows], 9)
    assert [(row.start, row.end) for row in drawn if row.kind == Kind.READY] == ready


ROWS = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 6), st.sampled_from([LOGIN, PAUSE])), max_size=5)
MADE = st.lists(
    st.tuples(
        st.sampled_from([LOGIN, PAUSE]),
        st.none() | st.tuples(st.integers(0, 20), st.integers(1, 6)),
        st.none() | st.tuples(st.integers(0, 20), st.integers(1, 6)),
        st.booleans(),
    ).filter(lambda made: made[1] is not None or made[2] is not None),
    max_size=5,
)


def piece(part: tuple[int, int] | None) -> Stretch | None:
    return None if part is None else Stretch(part[0], part[0] + part[1])


@given(ROWS, MADE)
@settings(max_examples=150, deadline=None)
def test_in_the_area_of_the_last_correction_nothing_but_it_remains(rows: list[Any], made: list[Any]) -> None:
    recorded = [
        Presence(kind, str(n), at, at + long, "", False, False, None, at, at + long, 1, n + 1)
        for n, (at, long, kind) in enumerate(rows)
    ]
    done = [
        Correction(
            str(n), 2, n, 1, kind, piece(was), piece(now), "", "", laid.TakenBack(0, "", "") if back else None
        )
        for n, (kind, was, now, back) in enumerate(made)
    ]
    touched, new = laid.overlay(recorded, done)
    result = [row for row in recorded if row not in touched] + new
    for kind in (LOGIN, PAUSE):
        mine = [one for one in done if one.kind is kind and one.taken_back is None]
        if mine:
            area, now = mine[-1].area, mine[-1].now
            inside = [
                (r.start, r.end)
                for r in result
                if r.kind == kind and r.start < area.end and (r.end or 99) > area.start
            ]
            assert inside == ([] if now is None else [(now.start, now.end)])
        else:
            assert [row for row in result if row.kind == kind] == [
                row for row in recorded if row.kind == kind
            ]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["new", "move", "remove", "back"]),
        st.sampled_from([LOGIN, PAUSE]),
        st.integers(0, 18),
        st.integers(1, 6),
    ),
    max_size=6,
)


@pytest.fixture
def numbers(author: User) -> Any:
    return count()


@given(STEPS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_after_any_corrections_stretches_are_disjoint_and_a_rebuild_gives_the_same(
    author: User, numbers: Any, steps: list[tuple[str, Kind, int, int]]
) -> None:
    user = send(
        f"u{next(numbers)}",
        (0, "signed_in", ""),
        (3, "pause_started", "lunch"),
        (4, "pause_ended", ""),
        (8, "signed_out", ""),
        (10, "signed_in", ""),
    )
    for act, kind, at, long in steps:
        counts = corrections.stretches(user.id, kind, DAY, NOW)
        chosen = counts[at % len(counts)] if counts else None
        made = [one for one in laid.of_user(user.id) if one.taken_back is None]
        if act == "back" and made:
            corrections.take_back(user, made[at % len(made)], "no", author, ZONE)
        elif act != "back":
            was = None if act == "new" else chosen
            now = (
                None
                if act == "remove"
                else Stretch(h(at), h(at + long), "tea" if kind is PAUSE else "", False)
            )
            try:
                corrections.correct(user, Wanted(kind, was, now, "x"), author, ZONE)
            except CorrectionError:
                assert not database.in_transaction()
    worker.drain(["digest"])
    live = counted(user)
    for kind in (LOGIN, PAUSE):
        rows = [row for row in live if row[0] == kind]
        assert all(one[2] is not None and one[2] <= two[1] for one, two in pairwise(rows)), rows
    projection.rebuild()
    assert counted(user) == live
