"""Webhooks over HTTP, repeated and out of order: the events are those of a sender that is never late."""

from __future__ import annotations

import hmac
import json
from collections import Counter
from typing import Any

import peewee
import pytest
from flask import Flask

from dashboard.models import Connector, Event, RefusedEvent, Source
from tests.ingest.test_zammad import ticket
from tests.ingest.webhook_sender import Sender, Webhook, serving
from tests.ingest.webhooks import NEEDS_SHARED, Json, sample

SECRET = "a-secret-of-twenty-letters"
JACOB, EMMA = ({"login": f"{name}@example.com", "roles": ["Agent"]} for name in ("jacob", "emma"))
# What a ticket is at each minute after its creation; what is not named stays.
LIVES: tuple[tuple[Json, ...], ...] = (
    ({}, {"state": "pending reminder"}, {"state": "closed"}, {"state": "open"}, {"state": "closed"}),
    (
        {"owner": JACOB},
        {"priority": "3 high"},
        {"owner": EMMA, "group": {"name": "Billing"}},
        {"state": "merged"},
    ),
    (
        {"state": "closed"},
        {"state": "open"},
        {"owner": JACOB},
        {"group": {"name": "Billing"}},
        {"priority": "1 low"},
    ),
    ({"priority": "3 high"}, {"priority": "2 normal"}, {"priority": "3 high"}, {"state": "closed"}),
)


def zammad(source: str) -> list[list[Webhook]]:
    """Return the deliveries of some tickets: their creation, and each change with a message of an agent."""
    found = []
    for ident, life in enumerate(LIVES, 1):
        first = sample("zammad/ticket_created")
        first["ticket"]["id"], first["article"]["id"] = ident, ident * 100
        bodies, now = [first], {"state": "open", "id": ident}
        for minute, changes in enumerate(life, 1):
            now = now | changes
            said = {
                "id": ident * 100 + minute,
                "sender": "Agent",
                "created_at": f"2020-11-13T15:{minute:02}:00Z",
            }
            bodies.append(ticket(minute, said | {"body": "Hi", "created_by": JACOB}, **now))
        found.append([_signed(source, body, f"{ident}-{n}") for n, body in enumerate(bodies)])
    return found


def _signed(source: str, body: Json, delivery: str) -> Webhook:
    raw = json.dumps(body).encode()
    signature = f"sha1={hmac.digest(SECRET.encode(), raw, 'sha1').hex()}"
    return Webhook(f"/connect/{source}", {"X-Hub-Signature": signature, "X-Zammad-Delivery": delivery}, raw)


def chatwoot(source: str) -> list[list[Webhook]]:
    """Return the deliveries of some conversations."""
    created, updated, changed, said = (
        sample(f"chatwoot/{name}")
        for name in (
            "conversation_created",
            "conversation_updated",
            "conversation_status_changed",
            "message_created",
        )
    )
    found = []
    for ident in range(1, 4):
        bodies = [
            created | {"id": ident},
            said | {"id": ident, "conversation": said["conversation"] | {"id": ident}},
            updated | {"id": ident, "timestamp": 1_747_336_300},
            changed | {"id": ident},
            changed | {"id": ident, "status": "open", "timestamp": 1_747_340_100},
            changed | {"id": ident, "timestamp": 1_747_340_200},
        ]
        path = f"/connect/{source}?token={SECRET}"
        found.append([Webhook(path, {}, json.dumps(body).encode()) for body in bodies])
    return found


def events(source: str) -> list[tuple[Any, ...]]:
    """Return the events of a source, without the ids of rows."""
    e, ident = Event, Source.get(Source.name == source).id
    columns = (e.interaction, e.type, e.external_id, e.time_ms, e.user_id, e.queue_id, e.data)
    return sorted(e.select(*columns).where(e.source_id == ident).tuples(), key=str)


def changes(source: str) -> Counter[Any]:
    """Return what changed on each ticket, whenever that was noticed."""
    shown = ("status", "priority", "assignee", "to", "message")
    return Counter(
        (ticket_id, type_, *map(json.loads(data).get, shown))
        for ticket_id, type_, *_rest, data in events(source)
        if type_ not in ("ticket.created", "ticket.updated")
    )


@NEEDS_SHARED
@pytest.mark.both_databases
def test_repeats_lost_answers_and_overtaking_change_nothing(app: Flask, db: peewee.Database) -> None:
    for kind in ("zammad", "chatwoot"):
        for name in (kind, f"{kind}-late"):
            source = Source.create(name=name, created_ts=1)
            Connector.create(source=source, kind=kind, secret=SECRET, created_ts=1)
    with serving(app) as port:
        for overtaking, end in ((False, ""), (True, "-late")):
            sender = Sender(port, overtaking, seed=3)
            sender.send([*zammad(f"zammad{end}"), *chatwoot(f"chatwoot{end}")])
            assert set(sender.statuses) == {202}
    assert events("chatwoot") == events("chatwoot-late")
    assert len(events("chatwoot")) == len({each[2] for each in events("chatwoot")}) == 3 * 7
    assert changes("zammad") == changes("zammad-late")
    assert len(events("zammad")) == 4 * 3 + 18 * 2 + 25  # tickets, updates with an article, changes
    assert RefusedEvent.select().count() == 0
