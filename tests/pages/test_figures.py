"""The page of figures: equal to the queue's own figures, to its files and to the interactions behind them."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook

from dashboard import clock
from dashboard.access import scope
from dashboard.access.permissions import Permission
from dashboard.clock import Span
from dashboard.models import Queue
from dashboard.sources import period
from dashboard.tracing import queues
from tests.api import Api
from tests.pages.figures_page import sign_in, table
from tests.pages.files import text_of
from tests.reports.calls import CALLS

pytestmark = pytest.mark.both_databases

P = Permission
DAY = "2026-03-02"


def events() -> list[dict[str, Any]]:
    found = []
    for n, (queue, after, waited, talked) in enumerate(CALLS):
        start = 1_772_442_000 + after

        def event(kind: str, at: int, user: str = "", n: int = n, queue: str = queue) -> None:
            made = {"id": f"{n}{kind}", "type": f"call.{kind}", "time": clock.iso(at, "UTC"), "queue": queue}
            found.append({**made, "interaction": f"c{n}", **({"user": user} if user else {})})

        event("queued", start)
        if talked is None:
            event("abandoned", start + waited)
        else:
            for kind, at in (("accepted", 0), ("connected", 0), ("disconnected", talked), ("closed", talked)):
                event(kind, start + waited + at, "jana")
    return found


@pytest.fixture
def stored(client: FlaskClient) -> None:
    Api(client).take(events())


def test_figures_equal_those_of_the_queue(client: FlaskClient, stored: None) -> None:
    sign_in(client)
    found = table(client, f"from={DAY}&to={DAY}")
    assert found["support"] == [
        "5", "3", "60.0%", "2", "·", "·", "·", "40.0%", "0:00:20",
        "0:00:27", "0:00:20", "0:01:10", "0:01:10", "0:06:00", "0:06:00", "5",
    ]  # fmt: skip
    day = queues.day(
        scope.whole(), "support", clock.day(clock.local_date(1_772_442_000, "UTC"), "UTC"), "UTC"
    )
    assert day is not None
    total = day.total
    assert (total.received, total.answered, total.abandoned, total.talk) == (5, 3, 2, 360)
    assert (total.average_wait, total.longest, total.answered_pct) == (27, 70, 60)
    assert total.level == 0.4
    assert found["Total"][:2] == ["6", "4"]


GROUPS = [
    ("by=day", {"Mon 2 Mar 2026": "6", "Tue 3 Mar 2026": "1", "Wed 4 Mar 2026": "·"}),
    ("by=weekday", {"Monday": "6", "Tuesday": "1", "Sunday": "·"}),
    ("by=hour_of_day", {"09:00": "4", "10:00": "2", "11:00": "1", "23:00": "·"}),
    ("by=month", {"March 2026": "7"}),
    ("by=week", {"Week 10, 2–8 Mar 2026": "7"}),
    ("by=hour", {"Mon 2 09:00": "4", "Tue 3 10:00": "1", "Wed 4 23:00": "·"}),
    ("by=channel", {"Call": "7"}),
    ("by=queue&queue=sales", {"sales": "2"}),
]


@pytest.mark.parametrize(("query", "expected"), GROUPS)
def test_every_grouping_has_all_its_rows_and_the_same_total(
    client: FlaskClient, stored: None, query: str, expected: dict[str, str]
) -> None:
    sign_in(client)
    found = table(client, f"from={DAY}&to=2026-03-04&{query}")
    assert {head: found[head][0] for head in expected} == expected
    numbers = [int(cells[0].replace("·", "0")) for head, cells in found.items() if head != "Total"]
    assert sum(numbers) == int(found["Total"][0])


def test_users_are_counted_by_their_activities_with_a_right_of_its_own(
    client: FlaskClient, stored: None
) -> None:
    sign_in(client, P.TRACING_VIEW)
    assert table(client, f"by=user&from={DAY}&to={DAY}")["jana"][:4] == ["4", "4", "·", "0:06:40"]
    sign_in(client)
    assert client.get("/figures?by=user").status_code == 403
    assert ">User</option>" not in client.get("/figures").text


@pytest.mark.parametrize("by", ["queue", "channel", "hour", "day", "week", "month", "weekday", "hour_of_day"])
def test_every_number_leads_to_as_many_interactions(client: FlaskClient, stored: None, by: str) -> None:
    sign_in(client)
    text = client.get(f"/figures?tz=UTC&from={DAY}&to=2026-03-04&by={by}").text
    numbers = re.findall(r'<a href="(/interactions\?[^"]*)">(\d+)</a>', text)
    assert len(numbers) > 6
    for link, number in numbers:
        found = re.search(r"(\d+) interactions?<", client.get(link.replace("&amp;", "&")).text)
        assert found, link
        assert found[1] == number, link


def test_every_number_of_user_events_leads_to_as_many(client: FlaskClient, stored: None) -> None:
    sign_in(client, P.TRACING_VIEW)
    text = client.get(f"/figures?tz=UTC&from={DAY}&to=2026-03-04&by=kind&queue=support").text
    numbers = re.findall(r'<a href="(/interactions/user-events\?[^"]*)">(\d+)</a>', text)
    assert [number for _link, number in numbers[:4]] == ["12", "3", "0", "0"]
    for link, number in [each for each in numbers if each[1] != "0"]:
        found = re.search(r"(\d+) user events?<", client.get(link.replace("&amp;", "&")).text)
        assert found, link
        assert found[1] == number, link


@pytest.mark.parametrize("by", ["queue", "user", "hour", "user_hour"])
def test_json_holds_the_numbers_of_the_files(client: FlaskClient, stored: None, by: str) -> None:
    sign_in(client, P.TRACING_EXPORT_DATA, P.TRACING_VIEW)
    query = f"tz=UTC&from={DAY}&to={DAY}&by={by}"
    found = client.get(f"/figures.json?{query}").get_json()
    lines = list(csv.reader(io.StringIO(client.get(f"/figures.csv?{query}").data.decode("utf-8-sig"))))
    measures = [each["name"] for each in found["columns"] if each["name"] not in ("queue", "user", "hour")]

    def number(text: str) -> float | None:
        return float(text) if text else None

    def cells(values: dict[str, Any]) -> list[float | None]:
        return [values[name] for name in measures]

    of_file = [[number(cell) for cell in line[-len(measures) :]] for line in lines[1:]]
    key = str
    assert sorted(map(cells, found["rows"]), key=key) == sorted(of_file[:-1], key=key)
    assert cells(found["totals"]) == of_file[-1]


def test_json_is_for_those_who_may_export_and_names_a_wrong_parameter(client: FlaskClient) -> None:
    sign_in(client)
    assert client.get("/figures.json").status_code == 403
    sign_in(client, P.TRACING_EXPORT_DATA)
    answer = client.get("/figures.json?by=colour")
    assert (answer.status_code, list(answer.get_json()["errors"])) == (400, ["by"])


def test_files_hold_the_numbers_of_the_table(client: FlaskClient, stored: None) -> None:
    sign_in(client, P.TRACING_EXPORT_DATA)
    query = f"tz=UTC&from={DAY}&to={DAY}&by=queue"
    lines = list(csv.reader(io.StringIO(client.get(f"/figures.csv?{query}").data.decode("utf-8-sig"))))
    assert len(lines) == 4
    assert [line[:3] for line in lines[1:3]] == [["support", "5", "3"], ["sales", "1", "1"]]
    book = load_workbook(io.BytesIO(client.get(f"/figures.xlsx?{query}").data))
    cells = list(book.worksheets[0].iter_rows(min_row=4, values_only=True))
    assert [row[:3] for row in cells[:2]] == [("support", 5, 3), ("sales", 1, 1)]
    assert client.get(f"/figures.pdf?{query}").status_code == 403


def test_only_the_viewers_queues_are_counted(client: FlaskClient, stored: None) -> None:
    sales = Queue.get(Queue.name == "sales")
    sign_in(client, grants=["all_users", ("queues", sales.id)])
    found = table(client, f"from={DAY}&to={DAY}")
    assert found.keys() == {"sales", "Total"}
    assert found["Total"][0] == "1"
    assert client.get("/figures?queue=support").status_code == 400


REFUSED = [
    "by=colour",
    "colour=red",
    "period=ever",
    "group=id",
    "measures=count",
    "sort=id",
    "q=abc",
    "limit=3",
    "from=x",
]


@pytest.mark.parametrize("query", REFUSED)
def test_what_cannot_be_used_is_said(client: FlaskClient, query: str) -> None:
    sign_in(client, P.TRACING_EXPORT_DATA)
    page = client.get(f"/figures?{query}")
    assert (page.status_code, 'role="alert"' in page.text) == (400, True)
    assert client.get(f"/figures.csv?{query}").status_code == 400


def span(first: str, after: str, zone: str = "Europe/Prague") -> Span:
    return period.of_dates(date.fromisoformat(first), date.fromisoformat(after), zone)


COMPARED = [
    (("2026-03-01", "2026-04-01"), ("2026-02-01", "2026-03-01")),  # months, over a change of clocks
    (("2026-01-01", "2026-04-01"), ("2025-10-01", "2026-01-01")),
    (("2026-03-23", "2026-03-30"), ("2026-03-16", "2026-03-23")),
    (("2026-03-02", "2026-03-03"), ("2026-03-01", "2026-03-02")),
]


@pytest.mark.parametrize(("given", "expected"), COMPARED)
def test_a_period_is_compared_with_the_same_days_before(
    given: tuple[str, str], expected: tuple[str, str]
) -> None:
    assert period.before(span(*given), "Europe/Prague", 2**32) == span(*expected)


def test_of_a_running_period_only_the_part_that_has_passed_is_compared() -> None:
    today = span("2026-03-03", "2026-03-04", "UTC")
    assert period.before(today, "UTC", today.start + 3600) == Span(today.start - 86_400, today.start - 82_800)


@pytest.mark.parametrize("list_", ["figures", "interactions", "attendance"])
def test_pdf_files_name_the_time_zone(client: FlaskClient, stored: None, list_: str) -> None:
    sign_in(client, P.TRACING_VIEW, P.TRACING_EXPORT_PDF)
    made = client.get(f"/{list_}.pdf?tz=America/Lima&from={DAY}&to={DAY}")
    assert "America/Lima" in text_of(made.data)


def test_periods_that_have_too_many_hours_are_not_offered(client: FlaskClient, stored: None) -> None:
    sign_in(client)
    page = client.get(f"/figures?by=hour&tz=UTC&from={DAY}&to={DAY}").text
    links = re.findall(r'href="(/figures\?[^"]*(?:unit|period)=[^"]*)"', page)
    assert len(links) > 5
    assert [each for each in links if client.get(each.replace("&amp;", "&")).status_code != 200] == []
    assert "unit=quarter" not in page
