"""An activity and its page, for tests of what rules and people put there."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.access.permissions import Permission
from dashboard.models import Activity, Event
from tests.pages import trail
from tests.pages.asks import HOSTILE
from tests.pages.html import Page

P = Permission
SEES = (P.TRACING_VIEW, P.RULES_VIEW, P.RULES_TRACES)
MAKES = (P.TRACING_VIEW, P.RULES_EDIT)
TOKEN = "0123456789abcdef0123456789abcdef"
CHAT = {"queue": "web", "interaction": "w-1", "channel": "webchat"}
CONTACT = {"name": "Eva Malá", "phone": "+420601234567"}
NOTE = "Call {{ event.interaction }} +420601234567"
MARKS = [{"do": "tag", "tags": ["vip", HOSTILE]}, {"do": "note", "text": NOTE}]


def chat(**more: Any) -> None:
    trail.store(
        trail.event("chat.accepted", "09:00", **CHAT, contact=CONTACT, url="https://example.org/a", **more),
        trail.event("chat.closed", "09:30", **CHAT),
    )


def activity(channel: str = "webchat") -> int:
    return int(Activity.get(Activity.channel == channel).id)


def page(client: FlaskClient, channel: str = "webchat") -> Page:
    answer = client.get(f"/tracing/activities/{activity(channel)}")
    assert answer.status_code == 200
    return Page(answer.text)


def press(client: FlaskClient, ident: int | None = None, **form: str) -> TestResponse:
    url = f"/tracing/activities/{ident or activity()}/manual?tz=Europe/Prague"
    return client.post(url, data={"token": TOKEN, "button": "Escalate", **form})


def pressed() -> list[Event]:
    return list(Event.select().where(Event.type.in_(["chat.manual", "ticket.manual"])).order_by(Event.id))
