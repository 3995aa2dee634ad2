"""POST /connect/<source> from Zammad: the life of a ticket from what it is now."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.models import Event
from tests.ingest.webhooks import NEEDS_SHARED, Json, connector, sample, send, stored

TICKET = {"number": "10081", "title": "Webhook-Test", "status": "open", "priority": "2 normal"}
EMILY = {"name": "Emily Adams", "phone": "0061 2 1234 7777", "email": "emily@example.com"}


def ticket(minute: int, article: Json | None = None, **changes: Any) -> Json:
    """Return the sample ticket as it is some minutes after its creation."""
    found = sample("zammad/ticket_created")
    found["ticket"] |= {"updated_at": f"2020-11-13T15:{minute:02}:00Z", **changes}
    found["article"] = article or {}
    return found


CHRIS, EMMA, DESK = "chris@chrispresso.com", "emma@chrispresso.com", "Service Desk"
CREATED = ("ticket:81:created", "ticket.created", CHRIS, DESK)


@NEEDS_SHARED
@pytest.mark.both_databases
def test_a_new_ticket_of_zammad_is_three_events_and_a_repeat_is_none(client: FlaskClient) -> None:
    connector("zammad")
    for accepted, repeated in ((3, 0), (0, 3)):
        answer = send(client, "zammad", sample("zammad/ticket_created"))
        assert answer.status_code == 202, answer.text
        assert (answer.get_json()["accepted"], answer.get_json()["repeated"]) == (accepted, repeated)
    assert stored() == [
        CREATED,
        ("article:104", "ticket.message_received", None, DESK),
        ("ticket:81:created:ticket.assigned", "ticket.assigned", CHRIS, DESK),
    ]
    created, message, assigned = Event.select().order_by(Event.time_ms)
    assert {each.interaction for each in (created, message, assigned)} == {"81"}
    assert json.loads(created.data) == TICKET | {
        "assignee": EMMA,
        "group": DESK,
        "organization": "Awesome Customer Inc.",
        "requester": "Emily Adams",
        "requester_email": "emily@example.com",
        "channel": "phone",
    }
    assert json.loads(message.data)["message"] == "This is a simple Webhook Test."
    assert json.loads(message.contact) == EMILY


@NEEDS_SHARED
def test_the_changes_of_a_ticket_come_from_its_snapshots_in_any_order_of_arrival(client: FlaskClient) -> None:
    connector("zammad")
    jacob = {"login": "jacob@chrispresso.com", "roles": ["Agent"]}
    agent = {
        "id": 105,
        "sender": "Agent",
        "created_at": "2020-11-13T15:01:00Z",
        "body": "Hi",
        "created_by": jacob,
    }
    steps: tuple[tuple[str, Json, list[str]], ...] = (
        ("reply", ticket(1, agent), ["ticket.updated", "ticket.message_sent"]),
        (
            "note",
            ticket(2, {**agent, "id": 106, "internal": True}),
            ["ticket.updated", "ticket.comment_added"],
        ),
        (
            "moved",
            ticket(3, owner=jacob, group={"name": "Billing"}, priority={"name": "3 high"}),
            ["ticket.updated", "ticket.assigned", "ticket.transferred", "ticket.priority_changed"],
        ),
        ("closed", ticket(4, state="closed"), ["ticket.updated", "ticket.status_changed", "ticket.closed"]),
        ("still closed", ticket(5, state="closed"), ["ticket.updated"]),
        ("back", ticket(6), ["ticket.updated", "ticket.status_changed", "ticket.reopened"]),
        ("merged", ticket(7, state="merged"), ["ticket.updated", "ticket.status_changed", "ticket.merged"]),
        ("late", ticket(0), ["ticket.updated"]),
        ("moved", ticket(3), []),  # again
    )
    send(client, "zammad", sample("zammad/ticket_created"))
    for delivery, body, expected in steps:
        body["ticket"].setdefault("state", "open")
        if delivery in ("closed", "still closed", "back", "merged"):
            body["ticket"] |= {"owner": jacob, "group": {"name": "Billing"}, "priority": {"name": "3 high"}}
        known = {row[0] for row in stored()}
        assert send(client, "zammad", body, delivery=delivery).status_code == 202
        added = [type_ for ident, type_, *_rest in stored() if ident not in known]
        assert sorted(added) == sorted(expected), delivery
    assert [row for row in stored() if row[1] == "ticket.message_sent"] == [
        ("article:105", "ticket.message_sent", "jacob@chrispresso.com", DESK)
    ]


@NEEDS_SHARED
def test_a_ticket_whose_creation_was_not_sent_begins_where_it_was_created(client: FlaskClient) -> None:
    connector("zammad")
    send(client, "zammad", ticket(9, state="closed"), delivery="d-9")
    assert stored() == [
        ("ticket:81:created", "ticket.created", None, None),
        ("ticket:81:1605280140000:ticket.updated", "ticket.updated", CHRIS, DESK),
        ("ticket:81:1605280140000:ticket.closed", "ticket.closed", CHRIS, DESK),
    ]
    for _twice in range(2):
        send(client, "zammad", sample("zammad/ticket_created"), delivery="d-1")  # late
        assert [row[1] for row in stored()] == [
            "ticket.created",
            "ticket.message_received",
            "ticket.updated",
            "ticket.assigned",
            "ticket.updated",
            "ticket.closed",
            "ticket.status_changed",
        ]


@NEEDS_SHARED
def test_an_update_that_two_triggers_or_a_retry_send_is_stored_once_and_nothing_is_lost(
    client: FlaskClient,
) -> None:
    connector("zammad")
    for delivery in ("d-1", "d-2"):
        send(client, "zammad", sample("zammad/ticket_created"), delivery=delivery)
    assert len(stored()) == 3
    for delivery, minute, state, expected in (
        ("d-3", 1, "open", ["ticket.updated"]),
        ("d-4", 1, "open", []),  # a second trigger of the same update
        (
            "d-3",
            2,
            "closed",
            ["ticket.updated", "ticket.status_changed", "ticket.closed"],
        ),  # its retry, later
    ):
        known = {row[0] for row in stored()}
        send(client, "zammad", ticket(minute, state=state), delivery=delivery)
        assert [type_ for ident, type_, *_rest in stored() if ident not in known] == expected


@NEEDS_SHARED
@pytest.mark.both_databases
def test_a_ticket_with_an_id_that_no_database_keeps_is_known_again(client: FlaskClient) -> None:
    connector("zammad")
    for minute, state in ((10, "open"), (20, "closed")):
        for ident in ("a\0", "b\ud800"):
            body = ticket(minute, id=ident, state=state)
            assert send(client, "zammad", body, delivery=f"{minute}-{ident[0]}").status_code == 202
    closed = Event.select(Event.interaction).where(Event.type == "ticket.closed").order_by(Event.id)
    assert [each.interaction for each in closed] == ["a\ufffd", "b\ufffd"]
