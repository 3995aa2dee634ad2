"""POST /connect/<source> from Chatwoot: conversations and messages in each of their forms."""

from __future__ import annotations

import json

import pytest
from flask.testing import FlaskClient

from dashboard.ingest.connectors import chatwoot
from dashboard.models import Event
from tests.ingest.webhooks import NEEDS_SHARED, Json, connector, sample, send, stored

EMILIE = {"name": "Emílie Nováková"}
AGENT, INBOX = "agent7@example.com", "Inbox 3"
CHATWOOT: tuple[tuple[str, list[tuple[str, str, str | None, str | None]], str], ...] = (
    (
        "conversation_created",
        [
            ("conversation:207:created", "chat.queued", None, INBOX),
            ("conversation:207:assigned:1747336268000", "chat.accepted", AGENT, INBOX),
        ],
        "207",
    ),
    (
        "conversation_updated",
        [("conversation:207:assigned:7:1747336268000", "chat.accepted", AGENT, INBOX)],
        "207",
    ),
    (
        "conversation_status_changed",
        [("conversation:207:resolved:1747339999000", "chat.closed", AGENT, INBOX)],
        "207",
    ),
    ("message_created", [("message:654", "chat.message_received", None, INBOX)], "207"),
    ("message_created_documented", [("message:1", "chat.message_received", None, None)], "1"),
)


@NEEDS_SHARED
@pytest.mark.both_databases
def test_each_payload_of_chatwoot_is_exactly_these_events_and_a_repeat_is_none(client: FlaskClient) -> None:
    connector("chatwoot")
    for name, expected, chat in CHATWOOT:
        body = sample(f"chatwoot/{name}")
        assert send(client, "chatwoot", body).get_json()["accepted"] == len(expected), name
        assert send(client, "chatwoot", body).get_json()["repeated"] == len(expected), name
        assert stored() == expected, name
        first = Event.select().first()
        assert first.interaction == chat
        assert json.loads(first.contact) == ({"name": "contact-name"} if chat == "1" else EMILIE)
        Event.delete().execute()


@NEEDS_SHARED
def test_the_forms_in_which_chatwoot_writes_the_same(client: FlaskClient) -> None:
    connector("chatwoot")
    changed, said = sample("chatwoot/conversation_status_changed"), sample("chatwoot/message_created")
    agent = {"id": 7, "name": "Agent 7", "email": AGENT, "type": "user"}
    assigned = sample("chatwoot/conversation_updated")
    moved = {"assignee_id": {"current_value": 7, "previous_value": 4}}
    freed = {"assignee_id": {"current_value": None, "previous_value": 7}}
    cases: tuple[tuple[Json, list[tuple[str, str | None]]], ...] = (
        (changed | {"status": "open"}, [("chat.reopened", AGENT)]),
        (changed | {"status": "snoozed"}, [("chat.postponed", AGENT)]),
        (changed | {"status": "pending"}, [("chat.status_changed", AGENT)]),
        (said | {"message_type": 0}, [("chat.message_received", None)]),
        (said | {"message_type": 1, "sender": agent}, [("chat.message_sent", AGENT)]),
        (
            said | {"message_type": "outgoing", "sender": agent, "private": True},
            [("chat.comment_added", AGENT)],
        ),
        (said | {"message_type": "template"}, [("chat.message_sent", None)]),
        (said | {"message_type": 2}, []),
        (assigned | {"changed_attributes": [moved]}, [("chat.transferred", None), ("chat.accepted", AGENT)]),
        (assigned | {"changed_attributes": freed}, [("chat.transferred", None), ("chat.queued", None)]),
        (assigned | {"changed_attributes": [{"labels": {}}]}, []),
        ({"event": "webwidget_triggered", "id": 1}, []),
    )
    for body, expected in cases:
        answer = send(client, "chatwoot", body)
        assert (answer.status_code, answer.get_json()["refused"]) == (202, []), body
        assert [(type_, user) for _id, type_, user, _queue in stored()] == expected, body
        Event.delete().execute()


def test_a_time_of_chatwoot_means_the_same_in_each_form() -> None:
    for form in (
        "2020-03-03T13:05:57Z",
        "2020-03-03 13:05:57 UTC",
        "1583240757",
        "1583240757.0",
        "Tue Mar 03 2020 06:05:57 GMT-0700 (Mountain Standard Time)",
    ):
        assert chatwoot.of_text(form) == 1_583_240_757_000, form
    assert chatwoot.of_number(1_583_240_757) == 1_583_240_757_000
    for form in ("yesterday", "2020-03-03 13:05:57", "9" * 300, "1e9", "٣"):
        assert not isinstance(chatwoot.of_text(form), int), form
    assert not isinstance(chatwoot.of_number(float("inf")), int)
