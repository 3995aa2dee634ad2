"""Figures by user, team and hour: equal to the users' own days, within the scope, the same in files."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard import clock
from dashboard.access import scope
from dashboard.access.permissions import Permission
from dashboard.i18n import formats
from dashboard.models import AuditEntry, Team, TeamMember, User
from dashboard.tracing import trace
from dashboard.tracing.trace import Trace
from tests.api import Api
from tests.pages.figures_page import TAG, sign_in, table

pytestmark = pytest.mark.both_databases

P = Permission
DAY = 1_772_409_600  # 2026-03-02 00:00 UTC
SPAN = clock.Span(DAY, DAY + 86_400)
PERIOD = "tz=UTC&unit=day&date=2026-03-02"
# user, signed in from and until, calls from and until; in minutes of the day
PEOPLE = {
    "jana": (480, 720, [(500, 530), (535, 545), (600, 660)]),
    "petr": (600, 660, [(610, 620)]),
    "eva": (540, 600, []),
}


@pytest.fixture
def stored(client: FlaskClient) -> None:
    events: list[dict[str, Any]] = []

    def event(kind: str, minute: int, user: str, **more: str) -> None:
        time = clock.iso(DAY + minute * 60, "UTC")
        events.append({"id": f"{user}{kind}{minute}", "type": kind, "time": time, "user": user, **more})

    for user, (start, end, calls) in PEOPLE.items():
        event("agent.signed_in", start, user)
        event("agent.ready", start, user)
        for n, (first, last) in enumerate(calls):
            for kind, minute in (
                ("accepted", first),
                ("connected", first),
                ("disconnected", last),
                ("closed", last),
            ):
                event(f"call.{kind}", minute, user, interaction=f"{user}{n}", queue="support")
        event("agent.signed_out", end, user)
    Api(client).take(events)
    north, south = Team.create(name="North"), Team.create(name="South")
    for team, user in ((north, "jana"), (north, "petr"), (south, "petr")):
        TeamMember.create(team=team, user=User.get(User.login == user))


def day_of(login: str) -> Trace:
    found = trace.read(scope.whole(), login, SPAN, "UTC", SPAN.end + 86_400)
    assert found is not None
    return found


def of_hours(client: FlaskClient, query: str) -> dict[tuple[str, str], list[str]]:
    """Return the texts of the table of users and hours."""
    page = client.get(f"/figures?by=user_hour&{query}").text
    body = page.partition('aria-labelledby="tb"')[2].partition("</tbody>")[0]
    rows = re.findall(r"<tr>(<th scope=\"row\".*?)</tr>", body, re.S)
    cells = [[TAG.sub("", cell) for cell in re.findall("<t[hd].*?</t[hd]>", row)] for row in rows]
    return {(cell[0], cell[1]): cell[2:] for cell in cells}


@time_machine.travel(DAY + 5 * 86_400, tick=False)
def test_the_figures_of_a_user_are_those_of_the_users_own_day(client: FlaskClient, stored: None) -> None:
    sign_in(client, P.TRACING_VIEW)
    found = table(client, f"by=user&{PERIOD}")
    assert list(found) == ["jana", "petr", "eva", "Total"]
    assert found["jana"] == [
        "3", "3", "·", "1:40:00", "·", "1:40:00", "0:33:20", "4:00:00", "1:40:00", "41.7%"
    ]  # fmt: skip
    assert found["eva"] == ["·", "·", "·", "·", "·", "·", "·", "1:00:00", "·", "0.0%"]
    for login in PEOPLE:
        own, shown = day_of(login).figures, found[login]
        assert shown[7:9] == [formats.duration(each) if each else "·" for each in (own.ready, own.busy)]
        assert int(shown[1].replace("·", "0")) == own.calls.closed
        assert shown[9] == f"{own.occupancy:.1%}"
    own_day = "/tracing?user=jana&unit=day&date=2026-03-02&tz=UTC"
    page = client.get(f"/figures?by=user&{PERIOD}").text
    assert page.count(own_day.replace("&", "&amp;")) == 9  # the name, and each figure that is not 0
    assert client.get(own_day).status_code == 200
    for state in ("closed", "not_taken"):
        numbers = re.findall(rf'href="(/tracing[^"]*state={state})#activities">(\d+)<', page)
        for link, number in numbers:
            listed = client.get(link.replace("&amp;", "&")).text.partition('id="activities"')[2]
            assert re.search(rf"All\s*<[^>]*>{number}<", listed), link
        assert bool(numbers) == (state == "closed")
    assert found["Total"][1] == "4"
    client.get(f"/figures?by=queue&{PERIOD}")
    looks = AuditEntry.select().where(AuditEntry.action == "figures.viewed")
    assert [(each.target_id, each.details["from"]) for each in looks] == [("user", DAY)]
    assert found["Total"][9] == f"{(100 + 10) / (240 + 60 + 60):.1%}"


@time_machine.travel(DAY + 5 * 86_400, tick=False)
def test_users_by_hour_have_what_was_handled_and_the_occupancy_of_each_hour(
    client: FlaskClient, stored: None
) -> None:
    sign_in(client, P.TRACING_VIEW, P.TRACING_EXPORT_DATA)
    found = of_hours(client, PERIOD)
    assert found["jana", "08:00"] == ["2", "1", "0:40:00", "1:00:00", "0:35:00", "58.3%"]
    assert found["jana", "09:00"] == ["·", "1", "·", "1:00:00", "0:05:00", "8.3%"]
    assert found["jana", "10:00"] == ["1", "·", "1:00:00", "1:00:00", "1:00:00", "100.0%"]
    assert found["jana", "11:00"] == ["·", "1", "·", "1:00:00", "·", "0.0%"]
    assert found["petr", "10:00"] == ["1", "1", "0:10:00", "1:00:00", "0:10:00", "16.7%"]
    assert len(found) == 6
    lines = list(
        csv.reader(io.StringIO(client.get(f"/figures.csv?by=user_hour&{PERIOD}").data.decode("utf-8-sig")))
    )
    assert lines[0][:4] == ["User", "Hour", "Activities", "Handled"]
    assert [line[:4] for line in lines[1:3]] == [["eva", "09:00", "0", "0"], ["jana", "08:00", "2", "1"]]
    assert lines[-1][:4] == ["Total", "", "4", "4"]
    week = of_hours(client, "tz=UTC&unit=week&date=2026-03-02")
    assert week["jana", "08:00"] == found["jana", "08:00"]


@time_machine.travel(DAY + 5 * 86_400, tick=False)
def test_a_team_has_the_figures_of_its_members_and_the_total_counts_each_once(
    client: FlaskClient, stored: None
) -> None:
    sign_in(client, P.TRACING_VIEW)
    found = table(client, f"by=team&{PERIOD}")
    assert {name: cells[:2] for name, cells in found.items()} == {
        "North": ["4", "4"], "South": ["1", "1"], "None": ["·", "·"], "Total": ["4", "4"]
    }  # fmt: skip
    assert found["South"][-3:] == ["1:00:00", "0:10:00", "16.7%"]
    assert "Groups overlap" in client.get(f"/figures?by=team&{PERIOD}").text


@time_machine.travel(DAY + 5 * 86_400, tick=False)
def test_only_users_of_the_scope_are_shown(client: FlaskClient, stored: None) -> None:
    petr = User.get(User.login == "petr")
    sign_in(client, P.TRACING_VIEW, grants=["all_queues", ("users", petr.id)])
    for by in ("user", "team", "user_hour"):
        page = client.get(f"/figures?by={by}&{PERIOD}")
        assert page.status_code == 200
        assert "jana" not in page.text
    assert list(table(client, f"by=user&{PERIOD}")) == ["petr", "Total"]
    sign_in(client)
    for by in ("user", "team", "user_hour"):
        assert client.get(f"/figures?by={by}").status_code == 403
        assert client.get(f"/figures.csv?by={by}").status_code == 403


@time_machine.travel(DAY + 5 * 86_400, tick=False)
def test_a_filter_that_times_do_not_have_leaves_them_out(client: FlaskClient, stored: None) -> None:
    sign_in(client, P.TRACING_VIEW)
    found = table(client, f"by=user&queue=support&{PERIOD}")
    assert found["jana"] == ["3", "3", "·", "1:40:00", "·", "1:40:00", "0:33:20"]
    assert "eva" not in found


@time_machine.travel(DAY + 200 * 86_400, tick=False)
def test_of_a_period_that_is_too_long_for_times_the_rest_is_shown(client: FlaskClient, stored: None) -> None:
    sign_in(client, P.TRACING_VIEW)
    query = "by=user&tz=UTC&from=2026-02-01&to=2026-07-30"
    assert table(client, query)["jana"][:2] == ["3", "3"]
    assert "The period is too long for ready time" in client.get(f"/figures?{query}").text
