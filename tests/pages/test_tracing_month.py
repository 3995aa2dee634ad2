"""A month is a calendar of days with bars that add up to the month, on the page and on paper."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard import clock
from dashboard.access import scope as scopes
from dashboard.pages.tracing import forms, month
from dashboard.tracing import trace as traces
from tests import make
from tests.pages import trail
from tests.pages.files import fetch, sheets_of, text_of
from tests.pages.html import Page

ADDRESS = "/tracing?user=jana&unit=month&tz=Europe/Prague"


@pytest.fixture(autouse=True)
def evening() -> Iterator[None]:
    with time_machine.travel(trail.at("2026-03-02 20:00"), tick=False):
        yield


def work_over_months() -> None:
    trail.store(
        trail.ordinary(),
        trail.stay("2026-02-10 09:00", "2026-02-10 17:00"),
        trail.stay("2026-02-28 22:00", "2026-03-01 02:00"),
    )


@pytest.mark.parametrize(
    ("on", "days", "blank", "login"),
    [
        ("2026-02-10", 28, 6, {"2026-02-10": 8 * 3600, "2026-02-28": 2 * 3600}),
        ("2026-03-31", 31, 6, {"2026-03-01": 2 * 3600, "2026-03-02": 30_600}),
    ],
)
def test_the_days_of_a_month_add_up_to_it(
    app: Flask, on: str, days: int, blank: int, login: dict[str, int]
) -> None:
    work_over_months()
    with app.test_request_context():
        asked = forms.parse({"user": "jana", "unit": "month", "date": on}, "jana", "Europe/Prague")
        trace = traces.read(scopes.whole(), "jana", asked.span, asked.zone, clock.now_s())
        assert trace is not None
        weeks = month.weeks(trace, asked)
    assert {len(week) for week in weeks} == {7}
    found = [day for week in weeks for day in week if day]
    assert (len(found), next(n for n, day in enumerate(weeks[0]) if day)) == (days, blank)
    assert {str(day.date): day.figures.login for day in found if day.figures and day.figures.login} == login
    assert trace.figures.login == sum(login.values())
    assert all(
        sum(piece.part.value for piece in day.pieces) == day.figures.login for day in found if day.figures
    )
    assert max(day.width for day in found) == 100
    assert asked.span == clock.Span(
        clock.day(found[0].date, asked.zone).start, clock.day(found[-1].date, asked.zone).end
    )


def test_a_month_leads_to_its_days_and_to_other_months(client: FlaskClient) -> None:
    work_over_months()
    make.sign_in(client, make.administrator())
    page = Page(client.get(f"{ADDRESS}&date=2026-03-31").text)
    assert "March 2026" in page.text
    assert sum("unit=day" in url and "date=2026-03-02" in url for url in page.links()) == 1
    assert not any("date=2026-03-03" in url for url in page.links())
    assert "date=2026-02-01" in (page.link(id="step-back") or "")
    assert "date=2026-04-01" in (page.link(id="step-on") or "")
    assert "No activities in this period" in client.get(f"{ADDRESS}&date=2026-01-05").text
    for date in ("1970-01-02", "2100-12-31"):
        assert client.get(f"{ADDRESS}&date={date}").status_code == 200
    query = {"unit": "month", "date": "2026-02-10"}
    assert "February 2026" in text_of(fetch(client, "pdf", **query).data)
    by_day = sheets_of(fetch(client, "xlsx", **query).data)["By day"]
    assert len(by_day) == 28 + 2
    shown = Page(client.get(f"{ADDRESS}&date=2026-02-10").text)
    assert {cells[0] for cells in shown.rows.values() if len(cells) == 14} == {
        "Day",
        "Tue 10",
        "Sat 28",
        "Month",
    }
    printed = text_of(fetch(client, "pdf", **query).data)
    assert "No data on 26 days." in shown.text
    assert "No data on 26 days." in printed
    assert ["10 Feb 2026" in printed, "11 Feb 2026" in printed] == [True, False]
    assert (
        'filename="stopa-tracing-jana-2026-02-01.csv"'
        in fetch(client, "csv", **query).headers["Content-Disposition"]
    )
