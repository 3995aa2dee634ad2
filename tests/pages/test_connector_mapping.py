"""The mapped webhook: fields and types as lines, the preview of a sample, and what then comes in."""

from __future__ import annotations

import html
import json

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.models import Connector, Event, User
from tests.pages import asks

SECRET = "a-secret-of-twenty-letters"
FIELDS = """id = delivery
type = event
time = at
interaction = ticket.id
user = ticket.agents.0.mail
queue = "Support"
contact.email = ticket.from
data.status = ticket.state"""
TYPES = "opened = ticket.created\nfixed = ticket.closed"
SAMPLE = {
    "delivery": "d-1",
    "event": "fixed",
    "at": "2026-03-02T10:00:00+01:00",
    "ticket": {"id": 7, "agents": [{"mail": "eva@example.com"}], "from": "jan@example.org", "state": "done"},
}
NOW = "2026-03-02T12:00:00Z"


@pytest.fixture
def url(client: FlaskClient) -> str:
    asks.sign_in_with(client, Permission.KEYS_VIEW, Permission.KEYS_EDIT)
    client.post("/settings/connectors/new", data={"kind": "mapped", "name": "shop", "secret": SECRET})
    return f"/settings/connectors/{Connector.get().id}"


def form(**changes: str) -> dict[str, str]:
    return {"version": "1", "fields": FIELDS, "types": TYPES, **changes}


@pytest.mark.both_databases
@time_machine.travel(NOW, tick=False)
def test_a_payload_becomes_the_event_that_the_preview_shows(client: FlaskClient, url: str) -> None:
    bearer = {"Authorization": f"Bearer {SECRET}"}
    assert client.post("/connect/shop", json=SAMPLE, headers=bearer).status_code == 422
    shown = client.post(url, data=form(preview="1", sample=json.dumps(SAMPLE)))
    event = {
        "id": "d-1",
        "type": "ticket.closed",
        "time": "2026-03-02T09:00:00+00:00",
        "user": "eva@example.com",
        "queue": "Support",
        "interaction": "7",
        "contact": {"email": "jan@example.org"},
        "data": {"status": "done"},
    }
    text = shown.text.partition('id="event"')[2].partition('tabindex="0">')[2].partition("</pre>")[0]
    text = html.unescape(text)
    assert (shown.status_code, json.loads(text)) == (200, event)
    assert Connector.get().mapping == {}, "a preview saves nothing"
    assert client.post(url, data=form()).status_code == 302
    assert asks.audited("connector.updated").changes["mapping"][1] == f"{FIELDS}\n\n{TYPES}"
    assert FIELDS in html.unescape(client.get(url).text).replace("\r\n", "\n")
    looked = SAMPLE | {"delivery": None, "at": None, "event": "Looked at"}
    cases = (
        (SAMPLE, 1, "ticket.closed", 1_772_442_000_000),
        (SAMPLE, 0, "ticket.closed", 1_772_442_000_000),
        (SAMPLE | {"delivery": 2, "at": 1_772_442_000}, 1, "ticket.closed", 1_772_442_000_000),
        (SAMPLE | {"delivery": 3, "at": 1_772_442_000_500}, 1, "ticket.closed", 1_772_442_000_500),
        (
            looked,
            1,
            "custom.looked_at",
            1_772_452_800_000,
        ),
        (
            looked,
            0,
            "custom.looked_at",
            1_772_452_800_000,
        ),
    )
    for payload, accepted, type_, time_ms in cases:
        answer = client.post("/connect/shop", json=payload, headers=bearer)
        assert (answer.status_code, json.loads(answer.text)["accepted"]) == (202, accepted), answer.text
        last = Event.select().where(Event.type == type_).order_by(Event.id.desc()).get()
        assert (last.time_ms, User.get_by_id(last.user_id).login) == (time_ms, "eva@example.com")


def test_what_does_not_fit_is_refused_with_the_line_or_the_path(client: FlaskClient, url: str) -> None:
    for changes, problem in (
        ({"fields": "id"}, "Line 1: write name = value."),
        ({"fields": "id = a\n\nfax = b"}, "Line 2: fax is no field of an event."),
        ({"fields": "id = a\nid = b"}, "Line 2: id stands twice."),
        ({"types": "a = ticket.exploded"}, "Line 1: ticket.exploded is no event type that may be sent."),
        ({"types": "a = ticket.idle"}, "Line 1: ticket.idle is no event type that may be sent."),
        ({"fields": "\n".join(f"data.x{n} = a" for n in range(101))}, "Up to 100 lines are allowed."),
        ({"fields": "x" * 20_001}, "Enter at most 20000 characters."),
    ):
        answer = client.post(url, data=form(**changes))
        assert (answer.status_code, problem in html.unescape(answer.text)) == (422, True), problem
    for sample, problem in (
        ("{", "Invalid JSON."),
        ("[]", "Must be an object."),
        ("{}", "event: Required."),
        ('{"event": {}}', "event: Must be text."),
        ('{"event": "fixed", "at": "soon"}', "at: Must be a time such as"),
        ('{"event": "fixed", "at": 1e300}', "at: Must be between the years"),
        ('{"event": "fixed", "at": NaN}', "at: Must be between the years"),
        ('{"event": "fixed"}', "interaction: Required."),
    ):
        answer = client.post(url, data=form(preview="1", sample=sample))
        assert (answer.status_code, problem in html.unescape(answer.text)) == (200, True), problem
    assert Connector.get().mapping == {}
