"""The button on an activity that records a manual event of its interaction."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard import clock
from dashboard.access import scope
from dashboard.events import internal, switches
from dashboard.events.switches import Choice
from dashboard.jobs import worker
from dashboard.models import Activity, Source, User
from dashboard.tracing import load
from tests import make
from tests.pages import trail
from tests.pages.activities import (
    CONTACT,
    MAKES,
    SEES,
    P,
    activity,
    chat,
    page,
    press,
    pressed,
)
from tests.pages.asks import HOSTILE, SHOWN, audited, entries, sign_in_with
from tests.pages.html import Page
from tests.rules.engine import rule, user_id


@pytest.fixture(autouse=True)
def evening(app: Flask) -> Iterator[None]:
    with time_machine.travel(trail.at("2026-03-02 20:00"), tick=False):
        yield


def test_a_manual_event_is_one_of_its_interaction_and_rules_act_on_it(client: FlaskClient) -> None:
    fits = {
        "all": [
            {"field": "data.button", "op": "is", "value": "Escalate"},
            {"field": "data.url", "op": "contains", "value": "example.org"},
            {"field": "queue.channel", "op": "one_of", "value": ["chat"]},
        ]
    }
    rule([{"do": "tag", "tags": ["escalated"]}], ["chat.manual"], **{"if": fits})
    make.queue("web", channel="chat")
    chat(wait_s=7)
    viewer = sign_in_with(client, *MAKES)
    answer = press(client)
    assert (answer.status_code, answer.headers["Location"]) == (
        302,
        f"/tracing/activities/{activity()}?tz=Europe/Prague",
    )
    (event,) = pressed()
    assert (event.interaction, event.source_id) == ("w-1", Source.get(Source.name == "pbx").id)
    assert (event.user_id, event.time_ms) == (viewer.id, trail.at("2026-03-02 20:00") * 1000)
    assert json.loads(event.data) == {
        "button": "Escalate",
        "channel": "webchat",
        "url": "https://example.org/a",
    }
    assert json.loads(event.contact) == CONTACT
    worker.drain(["digest"])
    shown = page(client)
    assert "Event recorded. Rules will run within seconds." in shown.text
    assert "Manual chat event: Escalate" in shown.text
    assert "escalated" in shown.text


def test_the_work_itself_stays_as_it_was(client: FlaskClient) -> None:
    chat()
    before = list(Activity.select().dicts())
    sign_in_with(client, *MAKES)
    press(client)
    worker.drain(["digest"])
    assert list(Activity.select().dicts()) == before


def test_acts_on_rules_are_no_part_of_a_users_day(client: FlaskClient) -> None:
    chat()
    viewer = sign_in_with(client, *MAKES)
    press(client)
    internal.append("rule.created", {}, viewer.id)
    day = clock.day(date(2026, 3, 2), "Europe/Prague")
    assert load.event_counts(scope.whole(), viewer.id, day) == {"chat.manual": 1}


def test_it_leaves_an_audit_entry(client: FlaskClient) -> None:
    chat()
    viewer = sign_in_with(client, *MAKES)
    press(client)
    entry = audited("manual_event.recorded")
    assert (entry.actor_id, entry.target_type, entry.target_label) == (viewer.id, "interaction", "w-1")
    assert entry.details == {"type": "chat.manual", "activity": activity(), "button": "Escalate"}


def test_a_form_sent_twice_makes_one_event(client: FlaskClient) -> None:
    chat()
    sign_in_with(client, *MAKES)
    tokens = [page(client).values("token"), page(client).values("token")]
    assert tokens[0] != tokens[1]
    press(client, token=tokens[0][0])
    assert press(client, token=tokens[0][0]).status_code == 302
    assert "Duplicate event; already recorded." in page(client).text
    assert len(pressed()) == 1
    audited("manual_event.recorded")
    press(client, token=tokens[1][0])
    assert len(pressed()) == 2


def test_what_happens_on_another_day_has_its_date(client: FlaskClient) -> None:
    chat()
    with time_machine.travel(trail.at("2026-03-04 10:00"), tick=False):
        sign_in_with(client, *MAKES)
        press(client)
        shown = Page(client.get(f"/tracing/activities/{activity()}?tz=Europe/Prague").text)
    times = [cells[0] for cells in shown.rows.values() if len(cells) == 4]
    assert times == ["Time", "09:00:00", "09:30:00", "4 Mar 2026 10:00:00"]


def test_a_button_needs_no_name(client: FlaskClient) -> None:
    chat()
    sign_in_with(client, *MAKES)
    assert press(client, button=" ").status_code == 302
    assert "button" not in json.loads(pressed()[0].data)
    assert "Manual chat event" in page(client).text


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"button": "x" * 81}, "Enter 0 to 80 characters."),
        ({"button": "a\x07b"}, "Remove control characters."),
        ({"token": ""}, "be read. Submit it again."),
        ({"token": "x" * 32}, "be read. Submit it again."),
    ],
)
def test_bad_input_is_named_and_nothing_is_recorded(
    form: dict[str, str], sentence: str, client: FlaskClient
) -> None:
    chat()
    sign_in_with(client, *MAKES)
    before = entries()
    answer = press(client, **form)
    shown = Page(answer.text)
    assert answer.status_code == 422
    assert sentence in shown.text
    assert shown.values("button") == [form.get("button", "Escalate")]
    assert pressed() == []
    assert entries() == before


def test_a_hostile_name_is_shown_as_typed(client: FlaskClient) -> None:
    chat()
    sign_in_with(client, *MAKES)
    press(client, button=HOSTILE)
    assert SHOWN in client.get(f"/tracing/activities/{activity()}").text
    refused = press(client, button=HOSTILE * 9)
    assert refused.status_code == 422
    assert SHOWN in refused.text


def test_who_may_not_make_rules_has_no_button(client: FlaskClient) -> None:
    chat()
    url = f"/tracing/activities/{activity()}/manual"
    assert client.post(url).headers["Location"].startswith("/sign-in")
    assert client.post(url, headers={"HX-Request": "true"}).status_code == 401
    sign_in_with(client, *SEES)
    assert "Record a manual event" not in page(client).text
    assert press(client).status_code == 403
    sign_in_with(client, *MAKES)
    assert client.get(url).status_code == 405
    assert pressed() == []


def test_an_agent_presses_it_on_work_of_ones_own_alone(client: FlaskClient) -> None:
    chat()
    agent = make.access([P.RULES_OWN])
    User.update(access=agent.id).where(User.login == "jana").execute()
    make.sign_in(client, User.get(User.login == "jana"))
    assert press(client).status_code == 302
    make.sign_in(client, make.user("petr", access=agent))
    assert press(client).status_code == 404


def test_outside_the_scope_there_is_nothing_to_press(client: FlaskClient) -> None:
    chat()
    for grants in ([("users", 0)], ["all_users"], [("users", user_id("jana")), ("queues", 0)]):
        sign_in_with(client, *MAKES, grants=grants)
        assert press(client).status_code == 404
    sign_in_with(client, *MAKES)
    assert press(client, 987_654).status_code == 404
    assert pressed() == []


@pytest.mark.parametrize(("kind", "offered"), [("call", False), ("email", False), ("chat", True)])
def test_only_kinds_that_have_manual_events_offer_them(kind: str, offered: bool, client: FlaskClient) -> None:
    trail.store(trail.work(kind, "x-1", "09:00", "09:30"))
    sign_in_with(client, *MAKES)
    ident = int(Activity.get().id)
    shown = client.get(f"/tracing/activities/{ident}").text
    assert ("Record a manual event" in shown) == offered
    assert press(client, ident).status_code == (302 if offered else 404)


def test_a_ticket_carries_what_is_known_of_it(client: FlaskClient) -> None:
    ticket = {"interaction": "t-9", "number": "T-9", "priority": "low"}
    trail.store(
        trail.event("ticket.updated", "10:00", **ticket, seconds=120, custom={"vip": True}),
        trail.event("ticket.updated", "11:00", interaction="t-9", priority="high", number=None),
    )
    sign_in_with(client, *MAKES)
    press(client, activity("ticket"))
    (event,) = pressed()
    assert event.type == "ticket.manual"
    assert json.loads(event.data) == {
        "number": "T-9",
        "priority": "high",
        "custom": {"vip": True},
        "button": "Escalate",
    }


@pytest.mark.parametrize("choice", [Choice(False, False), Choice(True, False)])
def test_a_type_that_rules_may_not_use_has_no_button(choice: Choice, client: FlaskClient) -> None:
    chat()
    switches.choose("chat.manual", choice)
    sign_in_with(client, *MAKES)
    assert "Record a manual event" not in page(client).text
    assert press(client).status_code == 404


def test_a_file_is_not_added_to(client: FlaskClient) -> None:
    chat()
    Source.update(is_file=True).where(Source.name == "pbx").execute()
    sign_in_with(client, *MAKES)
    assert "Record a manual event" not in page(client).text
    assert press(client).status_code == 404
