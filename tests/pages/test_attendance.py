"""Attendance: presence by person and day, equal to user tracing, in page and files, within the scope."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook

from dashboard import clock
from dashboard.access import scope
from dashboard.access.permissions import Permission
from dashboard.models import Team, TeamLead, TeamMember, User
from dashboard.tracing import trace
from dashboard.tracing.made import attendance as model
from dashboard.tracing.types import Kind
from tests import make
from tests.api import Api
from tests.ingest.day import DATE, DAY, ZONE

pytestmark = pytest.mark.both_databases

P = Permission
FIRST = date.fromisoformat(DATE)
SPAN = clock.Span(clock.day(FIRST, ZONE).start, clock.day(FIRST + timedelta(7), ZONE).start)
LATER = SPAN.end + 40 * 86_400
WEEK = f"from={DATE}&to=2026-03-08&tz={ZONE}"


def moved(days: int, user: str) -> list[dict[str, Any]]:
    """Return the ordinary day of a user, some days later."""
    on = (FIRST + timedelta(days)).isoformat()
    return [
        {**event, "id": f"{user}{on}{event['id']}", "user": user, "time": event["time"].replace(DATE, on)}
        | ({"interaction": f"{user}{on}{event['interaction']}"} if "interaction" in event else {})
        for event in DAY
    ]


def night(user: str) -> list[dict[str, Any]]:
    """Return a shift over midnight."""
    return [
        {"id": f"{user}in", "type": "agent.signed_in", "time": f"{DATE}T22:00:00+01:00", "user": user},
        {"id": f"{user}out", "type": "agent.signed_out", "time": "2026-03-03T06:00:00+01:00", "user": user},
    ]


@pytest.fixture
def stored(client: FlaskClient) -> None:
    Api(client).take(
        [*moved(0, "jana"), *moved(1, "jana"), *moved(3, "jana"), *moved(0, "petr"), *night("eva")]
    )


def people() -> dict[str, model.Person]:
    found = model.read(scope.whole(), None, "", SPAN, ZONE, LATER, "en")
    return {person.member.login: person for person in found}


def test_each_day_equals_the_users_own_tracing(stored: None) -> None:
    for login, person in people().items():
        for day in person.days:
            own = trace.read(scope.whole(), login, clock.day(day.on, ZONE), ZONE, LATER)
            assert own is not None
            pause = own.figures.pause
            times = (own.figures.login, own.figures.ready, pause.paid, pause.unpaid)
            assert day.times[1:5] == times, (login, day.on)
            starts = [row.start for row in own.intervals if row.kind == Kind.LOGIN]
            assert day.first == max(min(starts), own.span.start)


def test_days_add_up_and_a_night_is_cut_at_midnight(stored: None) -> None:
    found = people()
    assert (found["jana"].total.days, found["jana"].total.login) == (3, 3 * 30_600)
    assert (found["jana"].total.paid, found["jana"].total.unpaid) == (3 * 900, 3 * 1800)
    assert found["jana"].total.worked == 3 * 28_800
    assert [(day.on.day, day.times.login) for day in found["eva"].days] == [(2, 7200), (3, 21_600)]
    assert model.total(found.values()).login == 4 * 30_600 + 28_800


def test_who_is_still_signed_in_has_no_sign_out(stored: None) -> None:
    noon = clock.day(FIRST, ZONE).start + 12 * 3600
    found = model.read(scope.whole(), None, "jana", SPAN, ZONE, noon, "en")
    (day,) = found[0].days
    assert (day.last, day.times.login) == (None, 4 * 3600)
    done = people()["jana"].days[0]
    assert done.last == clock.day(FIRST, ZONE).start + 16 * 3600 + 1800


def sign_in(client: FlaskClient, *permissions: Permission, grants: list[Any] | None = None) -> User:
    user = make.user(access=make.access([P.TRACING_VIEW, *permissions], grants or ["all_users"]))
    make.sign_in(client, user)
    return user


def test_the_page_has_a_row_a_person_and_of_one_a_row_a_day(client: FlaskClient, stored: None) -> None:
    sign_in(client)
    page = client.get(f"/attendance?{WEEK}").text
    for text in ("jana", "petr", "eva", "25:30:00", "8:00:00", "24:00:00"):
        assert f">{text}<" in page
    one = client.get(f"/attendance?{WEEK}&user=jana").text
    assert one.count("08:00:00</td>") == 3
    assert "petr" not in one


def test_files_have_a_row_a_person_and_day_with_the_same_seconds(client: FlaskClient, stored: None) -> None:
    sign_in(client, P.TRACING_EXPORT_DATA)
    text = client.get(f"/attendance.csv?{WEEK}").data.decode("utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(text)))
    rows = [line for line in lines if line["User name"]]
    assert [(row["User"], row["Date"]) for row in rows] == [
        ("eva", "2026-03-02"),
        ("eva", "2026-03-03"),
        ("jana", "2026-03-02"),
        ("jana", "2026-03-03"),
        ("jana", "2026-03-05"),
        ("petr", "2026-03-02"),
    ]
    book = load_workbook(io.BytesIO(client.get(f"/attendance.xlsx?{WEEK}").data))
    sheets = [sheet.title for sheet in book.worksheets]
    assert sheets[:2] == ["Attendance", "By person"]
    heads = [cell.value for cell in next(book.worksheets[0].iter_rows(min_row=3, max_row=3))]
    signed_in = heads.index("Login time")
    times = [row[signed_in] for row in book.worksheets[0].iter_rows(min_row=4, max_row=9, values_only=True)]
    assert [round(each.total_seconds()) for each in times] == [7200, 21_600, *[30_600] * 4]
    assert client.get(f"/attendance.pdf?{WEEK}").status_code == 403


def test_only_people_in_scope_are_there(client: FlaskClient, stored: None) -> None:
    petr = User.get(User.login == "petr")
    team, other = Team.create(name="Support"), Team.create(name="Sales")
    TeamMember.create(team=team, user=petr)
    lead = sign_in(client, P.TRACING_EXPORT_DATA, grants=["led_teams"])
    assert ">petr<" not in client.get(f"/attendance?{WEEK}").text
    TeamLead.create(team=team, user=lead)
    for query in (WEEK, f"{WEEK}&team={team.id}", f"{WEEK}&user=petr"):
        page = client.get(f"/attendance?{query}").text
        assert (("petr" in page), ("jana" in page)) == (True, False)
    assert "jana" not in client.get(f"/attendance?{WEEK}&user=jana").text.partition('id="result"')[2]
    assert client.get(f"/attendance?{WEEK}&team={other.id}").status_code == 400
    assert "jana" not in client.get(f"/attendance.csv?{WEEK}").text


REFUSED = [
    "colour=red",
    "period=ever",
    "from=x",
    "from=2025-01-01&to=2025-12-31",
    "team=x",
    "tz=Nowhere",
]


@pytest.mark.parametrize("query", REFUSED)
def test_what_cannot_be_used_is_said(client: FlaskClient, query: str) -> None:
    sign_in(client, P.TRACING_EXPORT_DATA)
    page = client.get(f"/attendance?{query}")
    assert (page.status_code, 'role="alert"' in page.text) == (400, True)
    assert client.get(f"/attendance.csv?{query}").status_code == 400
