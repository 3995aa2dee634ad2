"""The team's day: every row equal to the user's own tracing, who needs a look first, within the scope."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard import clock
from dashboard.access import scope
from dashboard.access.permissions import Permission
from dashboard.models import AuditEntry, PauseType, Team, TeamLead, TeamMember, User
from dashboard.tracing import trace
from dashboard.web import team_day
from dashboard.web.team_day import Flag
from tests import make
from tests.api import Api
from tests.ingest.day import DATE, DAY, ZONE
from tests.pages import trail

pytestmark = pytest.mark.both_databases

P = Permission
SPAN = clock.day(date.fromisoformat(DATE), ZONE)
LATER = SPAN.end + 40 * 86_400


def of(user: str) -> list[dict[str, Any]]:
    """Return the ordinary day of another user."""
    return [
        {**event, "id": f"{user}{event['id']}", "user": user}
        | ({"interaction": f"{user}{event['interaction']}"} if "interaction" in event else {})
        for event in DAY
    ]


def at(time: str, type_: str, user: str, **more: Any) -> dict[str, Any]:
    return {"id": f"{user}{type_}{time}", "type": type_, "time": f"{DATE}T{time}+01:00", "user": user, **more}


MISSED = [
    at(f"09:1{n}:{second}", f"call.{kind}", "petr", interaction=f"m{n}")
    for n in range(3)
    for second, kind in (("00", "offered"), ("20", "ignored"))
]


@pytest.fixture
def stored(client: FlaskClient) -> None:
    PauseType.create(name="lunch", label="Lunch", max_seconds=1200)
    Api(client).take([*DAY, *of("petr"), *of("eva")[:4], *MISSED])


def read() -> team_day.TeamDay:
    members = team_day.people(scope.whole(), None, SPAN, LATER)
    return team_day.read(scope.whole(), members, SPAN, ZONE, LATER, "en")


def row(name: str) -> team_day.Row:
    found = read()
    return next(row for group in found.groups for row in group.rows if row.member.login == name)


def test_a_row_equals_the_users_own_tracing(stored: None) -> None:
    for name in ("jana", "petr"):
        own = trace.read(scope.whole(), name, SPAN, ZONE, LATER)
        assert own is not None
        shown = row(name)
        for figure in ("login", "ready", "not_ready", "busy", "free", "occupancy", "work_logged_out"):
            assert getattr(shown.figures, figure) == getattr(own.figures, figure), figure
        assert shown.figures.pause.total == own.figures.pause.total
        assert shown.handled == len(own.closed)


def test_who_needs_a_look_comes_first_and_why(stored: None) -> None:
    found = read()
    assert found.groups[0].name == "look"
    flags = {row.member.login: row.flags for group in found.groups for row in group.rows}
    assert flags["petr"] == (Flag.PAUSE, Flag.MISSES)  # half an hour of lunch, 20 minutes allowed
    assert flags["jana"] == (Flag.PAUSE,)
    assert (row("jana").over, row("petr").missed) == (600, 3)
    assert row("jana").overruns == (("Lunch", 600),)
    assert (found.handled, found.missed, found.over) == (10, 3, 2)


def test_a_dialled_call_that_nobody_answered_is_none_that_its_user_did_not_take(
    client: FlaskClient, stored: None
) -> None:
    dialled = [
        at(f"09:2{n}:{second}", f"call.{kind}", "petr", interaction=f"d{n}", data={"direction": "out"})
        for n in range(2)
        for second, kind in (("00", "dialled"), ("20", "unreached"))
    ]
    Api(client).take(dialled)
    assert row("petr").missed == 3
    make.sign_in(client, make.administrator())
    page = client.get(f"/team?date={DATE}").text
    link = re.search(r'href="([^"]*state=not_taken)#activities">3<', page)
    assert link
    listed = client.get(link[1].replace("&amp;", "&")).text
    rows = listed.partition('id="activities"')[2]
    assert rows.count("bd bad") == 3
    assert re.search(r"All\s*<[^>]*>3<", rows)
    given = f"by=user&from={DATE}&to={DATE}&tz={ZONE}"
    table = list(csv.reader(io.StringIO(client.get(f"/figures.csv?{given}").data.decode("utf-8-sig"))))
    column = table[0].index("Not taken")
    assert {line[0]: line[column] for line in table[1:]}["petr"] == "3"


def sign_in(client: FlaskClient, grants: list[Any]) -> User:
    user = make.user(access=make.access([P.TRACING_VIEW], grants))
    make.sign_in(client, user)
    return user


def shown(client: FlaskClient, query: str = "") -> list[str]:
    page = client.get(f"/team?date={DATE}{query}")
    assert page.status_code == 200, page.text
    return sorted(
        re.findall(
            r'<a class="name" href="/tracing\?user=(\w+)&amp;unit=day&amp;date=2026-03-02">', page.text
        )
    )


def test_only_users_in_scope_and_teams_that_one_leads_are_shown(client: FlaskClient, stored: None) -> None:
    jana, petr = (User.get(User.login == name) for name in ("jana", "petr"))
    team, other = Team.create(name="Support"), Team.create(name="Sales")
    TeamMember.create(team=team, user=jana)
    TeamMember.create(team=other, user=petr)
    sign_in(client, ["all_users", "all_queues"])
    assert shown(client) == ["eva", "jana", "petr"]
    assert shown(client, f"&team={other.id}") == ["petr"]
    lead = sign_in(client, ["led_teams"])
    assert shown(client) == []
    TeamLead.create(team=team, user=lead)
    assert shown(client) == ["jana"]
    assert shown(client, f"&team={team.id}") == ["jana"]
    page = client.get(f"/team?date={DATE}&team={other.id}")
    assert (page.status_code, "Sales" in page.text, "petr" in page.text) == (400, False, False)


@pytest.mark.parametrize("query", ["date=x", "date=2026-02-30", "team=x", "team=999", "colour=red"])
def test_what_cannot_be_used_is_said(client: FlaskClient, query: str) -> None:
    sign_in(client, ["all_users"])
    page = client.get(f"/team?{query}")
    assert (page.status_code, 'role="alert"' in page.text) == (400, True)


def test_looking_is_audited_with_the_date(client: FlaskClient, stored: None) -> None:
    sign_in(client, ["all_users"])
    shown(client)
    shown(client)
    entry = AuditEntry.get(AuditEntry.action == "team.viewed")
    assert entry.details["date"] == DATE
    assert AuditEntry.select().where(AuditEntry.action == "team.viewed").count() == 1


def test_a_day_without_work_leads_to_the_last_one_with_some(client: FlaskClient, stored: None) -> None:
    team = Team.create(name="Support")
    TeamMember.create(team=team, user=User.get(User.login == "jana"))
    empty_team = Team.create(name="Sales")
    sign_in(client, ["all_users"])
    for query, leads in (
        ("date=2001-01-01", None),
        ("date=2026-03-20", f"/team?date={DATE}"),
        (f"date=2027-05-01&team={team.id}", f"/team?team={team.id}&amp;date={DATE}"),
        (f"date=2026-03-20&team={empty_team.id}", None),
    ):
        page = client.get(f"/team?{query}").text
        assert "Nobody worked on this day" in page, query
        found = re.search(r'href="([^"]*)">Go to the last day', page)
        assert (found and found[1]) == leads, query
    sign_in(client, [])
    page = client.get("/team?date=2026-03-20").text
    assert "Go to the last day" not in page


def test_who_is_still_signed_in_is_on_no_day_to_come(stored: None) -> None:
    trail.store(trail.stay(LATER - 3600, None, "petr"))
    today, tomorrow = (clock.Span(LATER + day * 86_400, LATER + (day + 1) * 86_400) for day in (0, 1))
    assert "petr" in [each.login for each in team_day.people(scope.whole(), None, today, LATER)]
    assert team_day.people(scope.whole(), None, tomorrow, LATER) == []


def compared(client: FlaskClient, query: str) -> list[str]:
    page = client.get(f"/compare?date={DATE}&{query}")
    assert page.status_code == 200, page.text
    head = page.text.split('<table class="side">')[1].split("</thead>")[0] if "side" in page.text else ""
    return re.findall(r'<th scope="col" class="n">([^<]*)</th>', head)


def test_people_are_compared_with_the_figures_of_their_own_tracing(client: FlaskClient, stored: None) -> None:
    sign_in(client, ["all_users", "all_queues"])
    assert sorted(compared(client, "user=jana&user=petr&user=jana")) == ["jana", "petr"]
    own = trace.read(scope.whole(), "jana", SPAN, ZONE, LATER)
    assert own is not None
    assert formats_of(own.figures.login) in client.get(f"/compare?date={DATE}&user=jana").text
    assert compared(client, "user=jana&unit=week") == ["jana"]
    assert "Nobody chosen" in client.get("/compare").text
    moved = client.get(f"/team/compare?users=jana,petr&date={DATE}")
    assert moved.headers["Location"] == f"/compare?date={DATE}&user=jana&user=petr"
    url = f"/compare?date={DATE}&user=jana"
    part = client.get(url, headers={"HX-Request": "true", "HX-Target": "result"}).text.strip()
    assert part.startswith('<div id="result"')
    assert part in client.get(url).text


def formats_of(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


TOO_MANY = "&".join(f"user=u{n}" for n in range(11))


WRONG = [("unit=year", "Period"), ("date=x", "Date"), ("colour=red", "colour"), (TOO_MANY, "User")]


@pytest.mark.parametrize(("query", "label"), WRONG)
def test_a_comparison_that_cannot_be_made_is_refused_with_the_parameter(
    client: FlaskClient, query: str, label: str
) -> None:
    sign_in(client, ["all_users"])
    page = client.get(f"/compare?{query}")
    assert (page.status_code, f"{label}: " in page.text) == (400, True)
    assert client.get(f"/compare.csv?{query}").status_code in (400, 403)


def test_somebody_outside_the_scope_is_not_found(client: FlaskClient, stored: None) -> None:
    sign_in(client, [])
    assert client.get("/compare?user=jana").status_code == 404
    assert client.get("/compare?user=nobody").status_code == 404


def test_looking_at_a_comparison_is_audited_for_each_person(client: FlaskClient, stored: None) -> None:
    sign_in(client, ["all_users"])
    User.update(name="Jana Malá").where(User.login == "jana").execute()
    compared(client, "user=jana&user=petr")
    entries = AuditEntry.select().where(AuditEntry.action == "comparison.viewed")
    assert sorted(entry.target_label for entry in entries) == ["Jana Malá", "petr"]


def rows_of(client: FlaskClient, url: str) -> dict[str, list[str]]:
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    table = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    return {line[1]: line for line in table[1:] if line[1]}


def test_files_hold_the_figures_of_the_page(client: FlaskClient, stored: None) -> None:
    user = make.user(
        access=make.access([P.TRACING_VIEW, P.TRACING_EXPORT_DATA, P.TRACING_EXPORT_PDF], ["all_users"])
    )
    make.sign_in(client, user)
    team = rows_of(client, f"/team.csv?date={DATE}")
    assert sorted(team) == ["eva", "jana", "petr"]
    assert rows_of(client, f"/compare.csv?date={DATE}&user=jana") == {"jana": team["jana"]}
    shown = row("jana")
    for value in (shown.figures.login, shown.figures.free, shown.figures.pause.paid, shown.over):
        assert str(value) in team["jana"], value
    for page in ("team", "compare"):
        for kind, head in (("xlsx", b"PK"), ("pdf", b"%PDF")):
            answer = client.get(
                f"/{page}.{kind}?date={DATE}&user=jana"
                if page == "compare"
                else f"/{page}.{kind}?date={DATE}"
            )
            assert (answer.status_code, answer.data[: len(head)]) == (200, head), (page, kind)
    assert client.get("/compare.csv").status_code == 404


def test_at_most_fifty_people_are_shown_and_the_others_counted(client: FlaskClient) -> None:
    events = [at("09:00:00", "agent.signed_in", f"agent{n}") for n in range(53)]
    Api(client).take(events)
    sign_in(client, ["all_users"])
    page = client.get(f"/team?date={DATE}").text
    assert page.count('id="u-agent') == 50
    assert "3 more people are left out. Choose a team." in page
