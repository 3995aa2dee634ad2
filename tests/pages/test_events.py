"""The event stream: its filters, its scope, and the page of one event."""

from __future__ import annotations

import re
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard.access import scope as scopes
from dashboard.access.permissions import Permission
from dashboard.models import AuditEntry, Event, Queue, Run, User
from tests import make
from tests.pages import trail
from tests.rules import engine

pytestmark = pytest.mark.both_databases
P = Permission
MAIL = "petra@example.org"


@pytest.fixture(autouse=True)
def present() -> Any:
    with time_machine.travel(trail.at("18:00"), tick=False):
        yield


@pytest.fixture
def stored(client: FlaskClient) -> dict[str, int]:
    """Store the events of a day; return the ids of some by name."""
    support, sales = {"queue": "support", "contact": {"phone": "+420123456214"}}, {"queue": "sales"}
    trail.store(
        trail.work("call", "c1", "09:00", "09:10", "jana", **support, direction="in"),
        trail.work("chat", "c2", "10:00", "10:05", "jana", **sales),
        trail.work("email", "c3", "11:00", "11:20", "petr", **sales),
        [trail.event("agent.signed_in", "08:00", "jana"), trail.event("agent.signed_in", "08:01", "petr")],
        [trail.event("custom.paid", "12:00", None, session="s1", price=3, note=f"from {MAIL}")],
        [trail.event("custom.paid", "12:01", None, session="s1")],
    )
    names = {"call.accepted": "call", "chat.accepted": "chat", "email.accepted": "email"}
    return {names.get(each.type, each.type): each.id for each in Event.select().order_by(Event.id.desc())}


def viewer(client: FlaskClient, *permissions: Permission, grants: list[Any] | None = None) -> User:
    access = make.access([P.EVENTS_VIEW, *permissions], grants or ["all_users", "all_queues"])
    user = make.user(access=access)
    make.sign_in(client, user)
    return user


def listed(client: FlaskClient, query: str = "") -> list[str]:
    """Return the times of the events on the page, newest first."""
    page = client.get(f"/events?period=today&tz=Europe/Prague&{query}")
    assert page.status_code == 200, page.text
    return re.findall(
        r'<th scope="row"[^>]*>\s*<a href="/events\?[^"]*open=\d+#detail"[^>]*>[^<]*?(\d\d:\d\d):\d\d',
        page.text,
    )


WHOLE = ["12:01", "12:00", "11:20", "11:00", "10:05", "10:00", "09:10", "09:00", "09:00", "08:01", "08:00"]
FILTERS = [
    ("", WHOLE),
    ("type_group=calls", ["09:10", "09:00"]),
    ("type_group=custom", ["12:01", "12:00"]),
    ("type=call.accepted", ["09:00"]),
    ("type=call.accepted&type=email.accepted", ["11:00", "09:00"]),
    ("user=petr", ["11:20", "11:00", "08:01"]),
    ("user__blank=1", ["12:01", "12:00", "09:00"]),
    ("type=contact.created", ["09:00"]),
    ("queue=sales&type__not=chat.closed", ["11:20", "11:00", "10:00"]),
    ("interaction=c1", ["09:10", "09:00"]),
    ("session=s1", ["12:01", "12:00"]),
    ("source=pbx&type_group=agents", ["08:01", "08:00"]),
    ("q=c1-", []),
    ("sort=time&user=petr", ["08:01", "11:00", "11:20"]),
]


@pytest.mark.parametrize(("query", "expected"), FILTERS)
def test_filters_choose_events_newest_first(
    client: FlaskClient, stored: Any, query: str, expected: list[str]
) -> None:
    viewer(client)
    assert listed(client, query) == expected


SCOPES = [
    (["all_users", ("queues", "sales")], [*WHOLE[:6], "08:01", "08:00"]),
    ([("users", "petr"), "all_queues"], ["11:20", "11:00", "08:01"]),
    ([("users", "jana"), ("queues", "sales")], ["10:05", "10:00", "08:00"]),
    (["all_queues"], []),
]


@pytest.mark.parametrize(("grants", "expected"), SCOPES)
def test_events_outside_the_scope_are_not_listed_counted_or_shown(
    client: FlaskClient, stored: Any, grants: list[Any], expected: list[str]
) -> None:
    ids = {each.login: each.id for each in User.select()} | {each.name: each.id for each in Queue.select()}
    user = viewer(
        client, grants=[each if isinstance(each, str) else (each[0], ids[each[1]]) for each in grants]
    )
    assert listed(client) == expected
    number = len(expected)
    assert (f"{number} events" in client.get("/events?period=today").text) == (number > 0)
    everything = [
        each.id for each in Event.select().order_by(Event.id)
    ]  # a look at an event is an event, too
    allowed = [
        each.id for each in Event.select().where(*scopes.of_user(user).allows_events()).order_by(Event.id)
    ]
    shown = [ident for ident in everything if client.get(f"/events/{ident}").status_code == 200]
    assert shown == allowed
    assert len(shown) == number


def test_a_user_without_grants_sees_own_events_only(client: FlaskClient, stored: Any) -> None:
    access = make.access([P.EVENTS_VIEW])
    User.update(access=access).where(User.login == "petr").execute()
    make.sign_in(client, User.get(User.login == "petr"))
    assert listed(client) == ["11:20", "11:00", "08:01"]
    assert client.get(f"/events/{stored['call']}").status_code == 404
    assert client.get("/events?user=jana").status_code == 400


def test_an_event_shows_facts_data_and_what_happened_around(client: FlaskClient, stored: Any) -> None:
    viewer(client, P.QUEUES_FIGURES)
    page = client.get(f"/events/{stored['call']}").text
    assert "•••" in page
    assert "+420123456214" not in page
    assert re.search(r'href="/interactions/\d+"', page)
    assert "<dd>Inbound</dd>" in re.sub(r"\s+(?=<)|(?<=>)\s+", "", page), "a choice by its label"
    assert "Same interaction" in page
    assert "Same session" not in page
    assert page.count('<li class="b">') == 1
    assert AuditEntry.select().where(AuditEntry.action == "event.viewed").count() == 1


def test_contact_details_in_data_are_masked_without_the_permission(client: FlaskClient, stored: Any) -> None:
    ident = Event.get((Event.type == "custom.paid") & Event.data.contains("price")).id
    viewer(client)
    masked = client.get(f"/events/{ident}").text
    assert MAIL not in masked
    assert "p•••@example.org" in masked
    viewer(client, P.PII_UNMASK)
    page = client.get(f"/events/{ident}").text
    assert MAIL in page
    assert "Same session" in page


def test_rules_that_ran_show_only_with_the_permission(client: FlaskClient, stored: Any) -> None:
    rule, ident = engine.rule(), stored["call"]
    run = Run.create(
        rule_id=rule.id, version=1, firing=str(ident), event_id=ident, outcome="done", at_ms=0, made_ms=0
    )
    viewer(client)
    assert "Rules that ran" not in client.get(f"/events/{ident}").text
    viewer(client, P.RULES_TRACES, P.RULES_VIEW)
    assert f'href="/runs/{run.id}"' in client.get(f"/events/{ident}").text
    assert "No rule ran on this event." in client.get(f"/events/{stored['email']}").text


@pytest.mark.parametrize(
    "query", ["type_group=x", "source=x", "user=x", "columns=data", "data=x", "period=ever"]
)
def test_what_cannot_be_used_is_refused(client: FlaskClient, stored: Any, query: str) -> None:
    viewer(client)
    assert client.get(f"/events?{query}").status_code == 400


def test_exports_hold_the_filtered_events(client: FlaskClient, stored: Any) -> None:
    viewer(client, P.TRACING_EXPORT_DATA)
    text = client.get("/events.csv?period=today&user=petr&columns=type,source").data.decode("utf-8-sig")
    assert len(text.splitlines()) == 4
