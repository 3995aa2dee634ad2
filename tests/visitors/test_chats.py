"""An accepted invitation becomes a conversation that names the visit: its page leads there and back."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission as P
from dashboard.ingest.connectors.reading import MAPPED
from dashboard.models import Connector, Event, Interaction, Source
from tests import make
from tests.ingest.webhooks import SECRET, connector, send
from tests.pages import asks
from tests.pages.html import Page
from tests.rules import engine
from tests.visitors.visits import NOON, site, visit

pytestmark = pytest.mark.both_databases

WIDGET = "Channel::WebWidget"


def message(number: int, channel: str, of_chat: Any, of_customer: Any, hours: float = 0) -> dict[str, Any]:
    customer = {"id": 42, "name": "Jana", "type": "contact", "custom_attributes": of_customer}
    return {
        "event": "message_created",
        "id": number,
        "content": "Hello",
        "message_type": "incoming",
        "created_at": int(NOON / 1000 + hours * 3600),
        "sender": customer,
        "conversation": {
            "id": number,
            "channel": channel,
            "custom_attributes": of_chat,
            "meta": {"sender": customer},
        },
    }


def test_conversation_names_the_visit_and_each_page_leads_to_the_other(client: FlaskClient) -> None:
    make.sign_in(client, make.administrator())
    connector("chatwoot")
    one = visit(site())
    marked = {"stopa_visit": one.token}
    cases = [
        (message(1, WIDGET, marked, None), one.token, True),
        (message(2, WIDGET, {}, marked), one.token, True),
        (message(3, WIDGET, {"plan": "A"}, {}), None, False),
        (message(4, "Channel::Email", None, marked), None, False),
        (message(5, "Channel::Email", marked, None), one.token, True),
        (message(6, WIDGET, {}, marked, hours=30 * 24), one.token, False),  # in a later visit
        (message(7, WIDGET, {"stopa_visit": "nobody's"}, None), "nobody's", False),
    ]
    for body, session, _leads in cases:
        assert send(client, "chatwoot", body).get_json()["refused"] == []
        assert Event.select().order_by(Event.id.desc()).get().session == session
    engine.digest()
    own = f"/visitors/{one.id}"
    story = Page(client.get(own).text).links()
    for number, (_body, _session, leads) in enumerate(cases, 1):
        chat = Interaction.get(Interaction.external_id == str(number))
        page = f"/interactions/{chat.id}"
        assert (own in Page(client.get(page).text).links()) is leads, number
        assert (page in story) is leads, number
    refused = send(client, "chatwoot", message(8, WIDGET, [1], None)).get_json()["refused"]
    assert list(refused[0]["errors"]) == ["conversation.custom_attributes"]
    asks.sign_in_with(client, P.QUEUES_FIGURES)
    first = Interaction.get(Interaction.external_id == "1")
    assert own not in Page(client.get(f"/interactions/{first.id}").text).links()


def test_mapped_webhook_of_any_chat_names_the_visit(client: FlaskClient) -> None:
    source = Source.create(name="chat", created_ts=1)
    fields = "type = kind\ninteraction = room\nsession = visit"
    mapping = {"fields": fields, "types": ""}
    Connector.create(source=source, kind=MAPPED, secret=SECRET, mapping=mapping, created_ts=1)
    for body in ({"kind": "chat.queued", "room": 7, "visit": "v-1"}, {"kind": "chat.queued", "room": 8}):
        assert send(client, "chat", body).get_json()["accepted"] == 1
    assert [(row.interaction, row.session) for row in Event.select()] == [("7", "v-1"), ("8", None)]
