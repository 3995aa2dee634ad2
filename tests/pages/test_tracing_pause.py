"""The page of a pause: for those who see its user's day, with its limit and the work during it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard.models import PauseType, User
from tests import make
from tests.pages import trail
from tests.pages.html import Page
from tests.pages.trail import DAY
from tests.pages.watch import open_user, watcher

LUNCH = f"/tracing/pause?user=jana&at={trail.at('12:00')}&tz=Europe/Prague"


@pytest.fixture(autouse=True)
def evening() -> Iterator[None]:
    with time_machine.travel(trail.at("2026-03-02 20:00"), tick=False):
        yield


def test_bar_and_row_of_a_pause_lead_to_its_page(client: FlaskClient) -> None:
    trail.store(trail.ordinary())
    PauseType.create(name="lunch", label="Oběd", max_seconds=1200)
    make.sign_in(client, make.administrator())
    day = Page(client.get(f"/tracing?user=jana&date={DAY}&tz=Europe/Prague").text)
    assert day.source.count(LUNCH.replace("&", "&amp;")) == 2
    page = Page(client.get(LUNCH).text)
    facts = " ".join(page.text.split())
    for fact in ("Unpaid pause", "Oběd", "0:30:00", "Limit", "0:20:00", "Longer than its limit by 0:10:00"):
        assert fact in facts, fact
    assert [cells for cells in page.rows.values() if cells[0] == "12:20:00"] == [
        ["12:20:00", "Email", "0:10:00"]
    ]
    with time_machine.travel(trail.at("20:30"), tick=False):
        trail.store(trail.stay("20:10", None), trail.pause("lunch", "20:20", None))
        open_pause = client.get(f"/tracing/pause?user=jana&at={trail.at('20:20')}")
        assert "This pause goes on" in open_pause.text


def test_a_pause_is_for_those_who_see_its_day(client: FlaskClient) -> None:
    trail.store(trail.ordinary(), trail.ordinary("petr"))
    assert client.get(LUNCH).headers["Location"].startswith("/sign-in")
    watcher(client, ("users", User.get(User.login == "petr").id))
    assert client.get(LUNCH).status_code == 404
    assert client.get(LUNCH.replace("jana", "petr")).status_code == 200
    open_user(client)
    assert client.get(LUNCH).status_code == client.get(LUNCH.replace("user=jana&", "")).status_code == 200
    assert client.get(LUNCH.replace("jana", "petr")).status_code == 404
    for at in ("", "x", "-1", "٣", "9" * 30, str(trail.at("12:01"))):
        assert client.get(f"/tracing/pause?user=jana&at={at}").status_code == 404, at
    assert client.get(f"{LUNCH}x").status_code == 422
    assert client.post(LUNCH).status_code == 405
