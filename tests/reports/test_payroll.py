"""Reports for payroll equal the page of attendance: over midnight, over a change of clocks, in scope."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from dashboard import clock
from dashboard.access import scope as scopes
from dashboard.access.permissions import Permission
from dashboard.clock import Span
from dashboard.models import User
from dashboard.reports import library, result
from dashboard.reports.types import Result
from dashboard.sources.run import TooLong
from dashboard.tracing.made import attendance
from tests import make
from tests.pages import trail

pytestmark = pytest.mark.both_databases

ZONE = "Europe/Prague"
AS_OF = trail.at("2026-04-02 12:00")
MARCH = {"from": ["2026-03-01"], "to": ["2026-03-31"], "tz": [ZONE]}


@pytest.fixture
def stored(app: Flask) -> None:
    trail.store(
        trail.ordinary("jana"),
        trail.stay("2026-03-10 22:00", "2026-03-11 06:30", "petr"),
        trail.pause("lunch", "2026-03-10 23:50", "2026-03-11 00:20", "petr"),
        trail.stay("2026-03-29 00:30", "2026-03-29 06:00", "petr"),  # of a day of 23 hours
    )


def built(key: str, viewer: scopes.Scope, **given: str) -> Result:
    report = library.find(viewer, key)
    assert report is not None
    chosen = {**MARCH, **{name: [value] for name, value in given.items()}}
    return result.build(viewer, report, chosen, ZONE, AS_OF)


def test_each_day_is_that_of_the_page_of_attendance(app: Flask, stored: None) -> None:
    viewer = scopes.of_user(make.administrator())
    span = Span(clock.day(date(2026, 3, 1), ZONE).start, clock.day(date(2026, 4, 1), ZONE).start)
    people = attendance.read(viewer, None, "", span, ZONE, AS_OF, "en")
    days = sorted((day.first, person, day) for person in people for day in person.days)
    wanted = [
        (
            person.member.name,
            day.first,
            day.last,
            day.times.login,
            day.times.ready,
            day.times.paid,
            day.times.unpaid,
            day.times.worked,
            "Yes" if day.times.inferred else "No",
            len(day.corrections),
        )
        for _first, person, day in days
    ]
    assert [row.cells for row in built("sign-in-times", viewer).rows] == wanted
    assert [row[3] for row in wanted] == [30_600, 7200, 23_400, 16_200]


def test_hours_have_a_row_a_person_and_day_with_totals(app: Flask, stored: None) -> None:
    viewer = scopes.of_user(make.administrator())
    found = built("hours-for-payroll", viewer)
    petr = next(each for each in found.sections if each.label == "petr")
    assert len(petr.rows) == 31
    assert [row.cells[2] for row in petr.rows if row.cells[2]] == [7200, 23_400, 16_200]
    assert petr.total is not None
    assert petr.total.cells[2:] == (46_800, 46_800 - 1800, 0, 1800, 45_000, 0)
    assert found.total is not None
    assert found.total.cells[2] == 46_800 + 30_600


def test_only_people_in_scope_have_rows(app: Flask, stored: None) -> None:
    jana = User.get(User.login == "jana")
    access = make.access([Permission.TRACING_VIEW], [("users", jana.id)])
    viewer = scopes.of_user(make.user(access=access))
    for key in ("sign-in-times", "hours-for-payroll"):
        assert {row.cells[0] for row in built(key, viewer).rows} == {"jana"}


def test_more_days_than_the_page_shows_are_refused(app: Flask, stored: None) -> None:
    viewer = scopes.of_user(make.administrator())
    with pytest.raises(TooLong):
        built("sign-in-times", viewer, **{"from": "2025-01-01"})
