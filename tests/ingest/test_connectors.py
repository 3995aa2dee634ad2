"""POST /connect/<source>: who is heard, what is refused and where."""

from __future__ import annotations

import hmac
import json
from copy import deepcopy

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard.db import database
from dashboard.ingest.connectors.proof import is_proved
from dashboard.models import Connector, Event, RefusedEvent
from tests.ingest.webhooks import DATA, NEEDS_SHARED, SECRET, connector, sample, send

# What the samples say of customers.
DETAILS = ("Emily", "Adams", "emily@", "1234 7777", "Bennelong", "Emílie", "Nováková", "contact-name")


@NEEDS_SHARED
@time_machine.travel("2026-03-02T12:00:00Z", tick=False)
def test_what_is_no_payload_of_the_vendor_is_refused_with_the_place(client: FlaskClient) -> None:
    connector("zammad")
    connector("chatwoot")
    whole = {
        kind: sample(name)
        for kind, name in (("zammad", "zammad/ticket_created"), ("chatwoot", "chatwoot/message_created"))
    }
    wrong: tuple[tuple[str, str, object, str], ...] = (
        ("zammad", "ticket", None, "ticket.id"),
        ("zammad", "ticket", [], "ticket"),
        ("zammad", "ticket.id", {}, "ticket.id"),
        ("zammad", "ticket.id", "x" * 201, "interaction"),
        ("zammad", "ticket.updated_at", "now", "ticket.updated_at"),
        ("zammad", "ticket.customer", "Emily", "ticket.customer"),
        ("zammad", "article.created_at", None, "article.created_at"),
        ("chatwoot", "event", "conversation_exploded", "event"),
        ("chatwoot", "id", None, "id"),
        ("chatwoot", "created_at", True, "created_at"),
        ("chatwoot", "created_at", "soon", "created_at"),
        ("chatwoot", "created_at", 1e308, "created_at"),
        ("chatwoot", "message_type", 9, "message_type"),
        ("chatwoot", "conversation", {}, "conversation.id"),
        ("chatwoot", "conversation.meta", 1, "conversation.meta"),
    )
    for kind, path, value, place in wrong:
        body = deepcopy(whole[kind])
        at = body
        *above, name = path.split(".")
        for each in above:
            at = at[each]
        at[name] = value
        answer = send(client, kind, body)
        assert answer.status_code in (202, 422), (path, answer.text)
        assert place in {field for one in answer.get_json()["refused"] for field in one["errors"]}, (
            path,
            answer.text,
        )
        kept = RefusedEvent.select().order_by(RefusedEvent.id.desc()).get()
        assert place in json.loads(kept.errors), path
        shown = [detail for detail in DETAILS if detail in kept.text]
        assert ('"ticket"' in kept.text or '"event"' in kept.text, shown) == (True, []), (path, kept.text)
    for raw, status in (
        (b"", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b"[" * 90_000, 400),
        (b"[]", 400),
        (b"7", 400),
    ):
        for kind in whole:
            assert send(client, kind, raw).status_code == status, (kind, raw[:9])
    assert send(client, "zammad", whole["zammad"], **{"Content-Encoding": "gzip"}).status_code == 415


def test_only_who_knows_the_secret_is_heard(client: FlaskClient) -> None:
    body = b'{"event": "webwidget_triggered"}'

    def signed(algorithm: str, text: bytes = body, key: str = SECRET) -> str:
        return f"{algorithm}={hmac.digest(key.encode(), text, algorithm).hex()}"

    cases: tuple[tuple[str, dict[str, str], str, bool], ...] = (
        ("zammad", {"x-hub-signature": signed("sha1")}, "", True),
        ("zammad", {"x-hub-signature": signed("sha1", key="other")}, "", False),
        ("zammad", {"x-hub-signature": signed("sha1", b"other")}, "", False),
        ("zammad", {"x-hub-signature": "sha1=ž"}, "", False),
        ("zammad", {}, SECRET, False),
        ("chatwoot", {}, SECRET, True),
        ("chatwoot", {}, "other", False),
        ("chatwoot", {}, "", False),
        (
            "chatwoot",
            {"x-chatwoot-timestamp": "17", "x-chatwoot-signature": signed("sha256", b"17." + body)},
            "",
            True,
        ),
        (
            "chatwoot",
            {"x-chatwoot-timestamp": "18", "x-chatwoot-signature": signed("sha256", b"17." + body)},
            "",
            False,
        ),
        ("events", {"x-hub-signature-256": signed("sha256")}, "", True),
        ("events", {}, SECRET, True),
    )
    for kind, headers, token, right in cases:
        assert is_proved(kind, SECRET, headers, token, body) is right, (kind, headers, token)
        assert not is_proved(kind, "", headers, "", body)
    connector("chatwoot")
    for path, bearer in (
        ("/connect/chatwoot", ""),
        ("/connect/chatwoot?token=wrong", ""),
        ("/connect/chatwoot", "Bearer wrong"),
        ("/connect/absent?token=wrong", ""),
    ):
        answer = client.post(path, data=body, headers={"Authorization": bearer})
        assert answer.status_code == 401, path
    Connector.update(secret="").execute()
    assert client.post("/connect/chatwoot?token=", data=body).status_code == 401
    stolen = database.execute_sql('SELECT "secret" FROM "connector"').fetchone()[0]
    assert SECRET not in stolen


def test_a_connector_for_events_takes_what_the_interface_takes(client: FlaskClient) -> None:
    connector("events")
    event = {"id": "a", "type": "custom.a", "time": "2026-03-02T09:00:00Z"}
    cloud = {"id": "b", "source": "/x", "specversion": "1.0", "type": "custom.b", "time": event["time"]}
    bearer = {"Authorization": "Bearer token"}
    Connector.update(secret="token").execute()
    for kind, body in (("application/json", event), ("application/cloudevents+json", cloud)):
        for count in (1, 0):
            answer = client.post("/connect/events", json=body, headers={**bearer, "Content-Type": kind})
            assert (answer.status_code, answer.get_json()["accepted"]) == (202, count), answer.text
    wrong = client.post("/connect/events", json={**event, "time": "soon"}, headers=bearer)
    assert (wrong.status_code, RefusedEvent.get().text) == (422, json.dumps({**event, "time": "soon"}))
    assert client.post("/connect/events", data="x", headers=bearer).status_code == 415


@NEEDS_SHARED
@pytest.mark.both_databases
def test_each_conformance_request_of_cloudevents_is_the_one_event_it_carries(client: FlaskClient) -> None:
    connector("events", "token")
    counts = []
    for vector in json.loads((DATA / "cloudevents" / "vectors.json").read_text())["vectors"]:
        given = {**vector["headers"], "Authorization": "Bearer token"}
        answer = client.post("/connect/events", data=vector["body"].encode(), headers=given)
        counts.append((answer.status_code, answer.get_json()["accepted"], answer.get_json()["ids"]))
        unsigned = client.post("/connect/events", data=vector["body"].encode(), headers=vector["headers"])
        assert unsigned.status_code == 401, vector["name"]
    assert counts == [(202, count, ["1234-1234-1234"]) for count in (1, 0, 0, 0)]
    [found] = Event.select()
    assert json.loads(found.envelope)["source"] == vector["attributes"]["source"]
