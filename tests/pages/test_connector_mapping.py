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
from tests.pages.html import Page

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


def chosen(page: str) -> dict[str, str]:
    """Return what a browser would send of a page's selects and the fields beside them."""
    sent: dict[str, str] = {}
    name = ""
    for tag, attributes in Page(page).elements:
        given = attributes.get("name", "")
        if tag == "input" and (given == "version" or given.partition(".")[0] in ("name", "value", "fixed")):
            sent[given] = attributes.get("value", "")
        elif tag == "select":
            name = given
        elif tag == "option" and ("selected" in attributes or name not in sent):
            sent[name] = attributes.get("value", "")
    return sent


@pytest.mark.both_databases
@time_machine.travel(NOW, tick=False)
def test_selects_over_a_sample_write_and_show_the_same_mapping(client: FlaskClient, url: str) -> None:
    two = [SAMPLE, SAMPLE | {"event": "opened", "ticket": SAMPLE["ticket"] | {"to=do": 1, "a.b": 1}}]
    asked = client.post(url, data={**chosen(client.get(url).text), "sample": json.dumps(two), "preview": "1"})
    page = html.unescape(asked.text)
    assert asked.status_code == 200
    for offered in ("event = fixed", "ticket.id = 7", "ticket.agents.0.mail = eva@example.com"):
        assert f">{offered}</option>" in page
    for not_offered in ("ticket.a.b", "ticket.agents "):
        assert f'value="{not_offered}' not in page
    assert "event: Required." not in page, "nothing is chosen: the type is what is missing"
    choices = {
        "path.id": "delivery",
        "path.type": "event",
        "path.time": "at",
        "path.interaction": "ticket.id",
        "path.user": "ticket.agents.0.mail",
        "path.queue": '"',
        "fixed.queue": "Support",
        "path.contact.email": "ticket.from",
        "name.0": "status",
        "path.0": "ticket.state",
        "sample": json.dumps(two),
    }
    page = client.post(url, data={**chosen(asked.text), **choices, "preview": "1"}).text
    seen = {name: value for name, value in chosen(page).items() if name.startswith("value.")}
    assert list(seen.values()) == ["fixed", "opened", "", "", ""]
    types = {"type.0": "ticket.closed", "type.1": "ticket.created"}
    tested = client.post(url, data={**chosen(page), **types, "sample": json.dumps(two), "preview": "1"})
    assert html.unescape(tested.text).count('"interaction": "7"') == 2
    assert Connector.get().mapping == {}
    assert not Event.select().where(Event.interaction == "7").exists()
    assert client.post(url, data={**chosen(tested.text)}).status_code == 302
    order = {name: FIELDS.splitlines().index(name) for name in FIELDS.splitlines()}
    stored = Connector.get().mapping
    assert sorted(stored["fields"].splitlines(), key=order.__getitem__) == FIELDS.splitlines()
    assert stored["types"] == "fixed = ticket.closed\nopened = ticket.created"
    kept = chosen(client.get(url).text)
    assert client.post(url, data=kept).status_code == 302
    assert Connector.get().mapping == stored, "a save without changes changes nothing"
    for changes, problem in (
        ({"name.1": "", "path.1": "at"}, "data. is no field of an event."),
        ({"name.1": "status", "path.1": "at"}, "data.status stands twice."),
        ({"value.2": "", "type.2": "ticket.closed"}, "write name = value."),
        ({"value.2": "fixed", "type.2": "ticket.closed"}, "fixed stands twice."),
    ):
        answer = client.post(url, data={**chosen(client.get(url).text), **changes})
        assert (answer.status_code, problem in html.unescape(answer.text)) == (422, True), problem
        assert Connector.get().mapping == stored


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
    assert FIELDS in html.unescape(client.get(f"{url}?as=text").text).replace("\r\n", "\n")
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


def test_a_sample_with_half_characters_is_shown(client: FlaskClient, url: str) -> None:
    """No path and no type can name them; in texts they are replaced."""
    sample = r'{"type": "\ud800", "a": "b\udc00", "\ud801": 1, "n\u0000": 2, "time": 1772438400}'
    sent = {**chosen(client.get(url).text), "path.type": "type", "path.user": "a", "sample": sample}
    answer = client.post(url, data={**sent, "preview": "1"})
    offered = [value for value in ("a = b\ufffd", "\ufffd = 1", "n\ufffd = 2") if f">{value}<" in answer.text]
    assert (answer.status_code, offered) == (200, ["a = b\ufffd"])
