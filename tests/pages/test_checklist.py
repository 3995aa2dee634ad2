"""The set-up checklist of Home: what ticks its steps, where they lead, who sees it and until when."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access import scope
from dashboard.events import internal, record
from dashboard.ingest.schema import NewEvent
from dashboard.models import PauseType, Queue, Rule, Setting, Team, TeamLead, TypeSwitch, User
from dashboard.pages.home import checklist
from tests import make
from tests.pages import asks

pytestmark = pytest.mark.both_databases


def event(source: str) -> None:
    record.append(record.source(source).id, [NewEvent("1", "custom.ping", 1_772_000_000_000)])


def without_tokens(page: str) -> str:
    return re.sub(r'<input type="hidden" name="csrf_token"[^>]*>', "", page)


def lead() -> None:
    TeamLead.create(team=Team.create(name="Team"), user=User.get())


def target(**values: object) -> Callable[[], object]:
    return lambda: Queue.update(**values).execute()


# What changes in the database, and which steps it ticks.
TICKS: list[tuple[Callable[[], object], set[str]]] = [
    (lambda: internal.append("system.started", {}), set()),
    (lambda: event("pbx"), {"data"}),
    (lambda: make.queue("support", label="support"), set()),
    (target(sla_seconds=45), {"queues"}),
    (target(sla_seconds=20), set()),
    (target(label="Support"), {"queues"}),
    (lambda: PauseType.create(name="tea", label="Tea"), {"pauses"}),
    (lambda: make.user("agent"), set()),
    (lead, {"teams"}),
    (lambda: make.user("second", password="correct horse"), {"roles"}),
    (lambda: TypeSwitch.create(type="call.muted", recorded=False, in_rules=False), {"events"}),
    (lambda: Rule.create(name="Rule", definition={}, created_ts=0, updated_ts=0), {"rules"}),
]


def test_the_database_ticks_the_steps_and_the_last_one_ends_the_checklist(app: Flask) -> None:
    viewer = make.administrator("boss", password="correct horse")
    expected: set[str] = set()
    with app.test_request_context():
        for act, ticked in TICKS:
            act()
            expected = (expected - {"queues"} if act is TICKS[4][0] else expected) | ticked
            found = checklist.read(scope.of_user(viewer))
            assert found is not None
            assert {line.key for line in found.lines if line.done} == expected
            assert (found.finished, found.has_data) == (len(expected), "data" in expected)
        app.config["STOPA"] = dataclasses.replace(app.config["STOPA"], smtp_url="smtp://mail.example.com")
        assert checklist.read(scope.of_user(viewer)) is None


def test_home_shows_the_checklist_alone_until_the_first_event_and_each_step_leads_on(
    client: FlaskClient,
) -> None:
    make.sign_in(client, make.administrator("boss"))
    home = client.get("/").text
    assert ('id="checklist"' in home, 'id="team"' in home) == (True, False)
    (steps,) = re.findall(r'<ol class="feed todo">.*?</ol>', home, re.S)
    links = re.findall(r'href="([^"]+)"', steps)
    assert len(links) == len(checklist.STEPS)
    assert {client.get(link).status_code for link in links} == {200}
    htmx = {"HX-Request": "true", "HX-Target": "checklist"}
    part = client.get("/?first=1", headers=htmx).text
    start = without_tokens(re.sub(r'<p class="sub" id="updated" hx-swap-oob.*?</p>', "", part, flags=re.S))
    assert start.strip() in without_tokens(home)
    (seen,) = re.findall(r'"seen":"([0-9a-f]+)"', start)
    assert client.get(f"/?first=1&seen={seen}", headers=htmx).status_code == 204
    event("pbx")
    assert client.get("/?first=1", headers=htmx).headers["HX-Refresh"] == "true"
    assert 'id="team"' in client.get("/").text


def test_steps_can_be_left_out_and_the_checklist_hidden_and_shown_again(client: FlaskClient) -> None:
    make.sign_in(client, make.administrator("boss"))
    sent = {"step": "mail", "on": "1"}
    assert client.post("/checklist", data=sent).headers["Location"] == "/"
    assert client.post("/checklist", data=sent).status_code == 302
    assert asks.audited("settings.updated").changes == {"mail": [False, True]}
    assert "1 of 8 done" in client.get("/").text
    client.post("/checklist", data={"step": "mail", "on": "0"})
    assert "0 of 8 done" in client.get("/").text
    client.post("/checklist", data={"step": "hidden", "on": "1"})
    home = client.get("/").text
    assert ('id="checklist"' in home, "Show the set-up checklist" in home) == (False, True)
    client.post("/checklist", data={"step": "hidden", "on": "0"})
    assert 'id="checklist"' in client.get("/").text
    for bad in ({}, {"step": "mail"}, {"step": "mail", "on": "2"}, {"step": "x", "on": "1"}):
        assert client.post("/checklist", data=bad).status_code == 422, bad
    for key in checklist.KEYS[:-1]:
        client.post("/checklist", data={"step": key, "on": "1"})
    home = client.get("/").text
    assert ('id="checklist"' in home, "Show the set-up checklist" in home) == (False, False)


def test_only_administrators_of_roles_see_it_and_only_the_steps_they_can_open(client: FlaskClient) -> None:
    asks.sign_in_with(client, checklist.SEEING, asks.Permission.QUEUES_VIEW, asks.Permission.RULES_OPERATE)
    home = client.get("/").text
    assert re.findall(r'name="step" value="(\w+)"', home) == ["hidden", "queues", "mail"]
    asks.sign_in_with(client, asks.Permission.QUEUES_VIEW)
    assert 'id="checklist"' not in client.get("/").text
    checklist.hide_at_first()
    checklist.hide_at_first()
    assert Setting.get(Setting.name == checklist.NAME).value == checklist.HIDDEN
