"""The pages of backtests: asked for, made in the background, shown to who asked, compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.jobs import worker
from dashboard.models import Backtest, Job, Notification, Rule, Run, Step
from dashboard.models.rules import RuleDraft
from tests import make
from tests.pages.asks import HOSTILE, SHOWN, audited, sign_in_with
from tests.pages.html import Page
from tests.rules.engine import LOG, NOON, event, notify, rule, send, user_id

P = Permission
TESTS = (P.RULES_VIEW, P.RULES_BACKTEST)
BIG = {"all": [{"field": "data.value", "op": "is", "value": "100"}, {"field": "user", "op": "is_not_empty"}]}


@pytest.fixture(autouse=True)
def soon(app: Flask) -> Iterator[None]:
    with time_machine.travel(NOON / 1000 + 60, tick=False):
        yield


def sold(seconds: float = 0, value: str = "100", user: str = "jana", **more: Any) -> dict[str, Any]:
    contact = {"name": "Eva Fialová", "phone": "+420123456214"}
    return event(seconds=seconds, data={"value": value}, contact=contact, user=user, **more)


@pytest.fixture
def one(app: Flask) -> Rule:
    boss = make.administrator("boss")
    title = "Sold for {{ data.value }} to {{ contact.phone }}"
    return rule(
        [{**notify(boss, title=title), "limit": {"often": "once", "by": "rule"}}, LOG],
        name="Big sale",
        **{"if": BIG},
    )


def said(text: str) -> str:
    return " ".join(Page(text).text.split())


def test_a_backtest_is_made_in_the_background_and_shown(one: Rule, client: FlaskClient) -> None:
    send(sold(), sold(5, "7"), sold(9), sold(10, interaction=HOSTILE))
    sign_in_with(client, *TESTS)
    answer = client.post(f"/rules/{one.id}/backtest", data={"days": "7"})
    assert answer.status_code == 303
    url = answer.headers["Location"]
    waiting = client.get(url)
    assert waiting.headers["Refresh"].startswith("3;")
    assert 'hx-trigger="every 2s"' in waiting.text
    worker.drain(["backtest"])
    page = client.get(url)
    assert "Refresh" not in page.headers
    assert "3 of 4 events would have matched, giving 3 runs after limits. Nothing was sent." in said(
        page.text
    )
    assert HOSTILE not in page.text
    assert SHOWN in page.text
    assert "2 Mar 2026 12:00:10 +00:00" in said(page.text)
    part = client.get(url, headers={"HX-Request": "true", "HX-Target": "progress"}).text.strip()
    assert part.startswith('<div id="progress"')
    assert part in page.text
    assert audited("rule.backtested").details["days"] == 7
    assert [cells[1:] for cells in Page(page.text).rows.values() if "2 Mar" in cells[0]] == [["3", "0", "3"]]
    assert url in client.get(f"/rules/{one.id}/backtest").text
    assert (Run.select().count(), Step.select().count(), Notification.select().count()) == (0, 0, 0)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"days": "2"},
        {"days": "-1"},
        {"days": HOSTILE},
    ],
)
def test_a_wrong_order_changes_nothing(form: dict[str, str], one: Rule, client: FlaskClient) -> None:
    sign_in_with(client, *TESTS)
    assert client.post(f"/rules/{one.id}/backtest", data=form).status_code == 422
    assert (Backtest.select().count(), Job.select().where(Job.kind == "backtest").count()) == (0, 0)


def test_a_backtest_is_its_makers_alone(one: Rule, client: FlaskClient) -> None:
    sign_in_with(client, *TESTS)
    url = client.post(f"/rules/{one.id}/backtest", data={"days": "7"}).headers["Location"]
    assert client.get(url).status_code == 200
    sign_in_with(client, *TESTS)
    assert client.get(url).status_code == 404
    assert client.get("/backtests/99").status_code == 404
    assert client.post(url).status_code == 405


def test_a_failed_backtest_says_so(one: Rule, client: FlaskClient) -> None:
    sign_in_with(client, *TESTS)
    url = client.post(f"/rules/{one.id}/backtest", data={"days": "7"}).headers["Location"]
    Backtest.update(state="failed", result={"error": HOSTILE}).execute()
    page = client.get(url).text
    assert "The backtest failed. An internal error occurred" in page
    assert HOSTILE not in page


def test_failed_backtest_shows_its_reason(one: Rule, client: FlaskClient) -> None:
    sign_in_with(client, *TESTS)
    one.definition = {**one.definition, "wait": {"seconds": 60, "calendar": HOSTILE}}
    one.save()
    url = client.post(f"/rules/{one.id}/backtest", data={"days": "7"}).headers["Location"]
    worker.drain(["backtest"])
    page = client.get(url)
    assert f"The backtest failed. The calendar “{SHOWN}” doesn" in page.text
    assert "Refresh" not in page.headers


def test_what_is_typed_is_tested_in_place_of_what_is_saved(one: Rule, client: FlaskClient) -> None:
    send(sold(), sold(5, "7"))
    viewer = sign_in_with(client, *TESTS, P.RULES_EDIT)
    form = {"name": "Typed", "definition": {"types": ["custom.sale"], "then": [LOG]}}
    RuleDraft.create(user_id=viewer.id, rule_id=one.id, form=form, updated_ms=NOON)
    order = {"days": "1", "draft": "1"}
    url = client.post(f"/rules/{one.id}/backtest", data=order).headers["Location"]
    worker.drain(["backtest"])
    page = said(client.get(url).text)
    assert "unsaved draft" in page
    assert "2 of 2 events would have matched, giving 2 runs after limits." in page


def test_a_backtest_tells_nothing_of_events_outside_the_scope(one: Rule, client: FlaskClient) -> None:
    send(sold(user="jana"), sold(5, user="petr"), sold(9, user="petr"))
    sign_in_with(client, *TESTS, grants=[("users", user_id("jana")), "all_queues"])
    url = client.post(f"/rules/{one.id}/backtest", data={"days": "7"}).headers["Location"]
    worker.drain(["backtest"])
    page = said(client.get(url).text)
    assert "Events that would have matched: 1. Runs after limits: 1. Nothing was sent." in page
    assert "Only runs within your scope are counted." in page
    assert [cells[1:] for cells in Page(client.get(url).text).rows.values() if "2 Mar" in cells[0]] == [
        ["1", "0", "1"]
    ]
