"""What customers type in co-browsing is hidden wherever events are shown, searched, exported or sent."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard.jobs import worker
from dashboard.models import Channel, Event, Interaction, Notification, RefusedEvent, Rule, Run, Step, User
from dashboard.retention import content
from tests import make
from tests.api import Api
from tests.pages import trail
from tests.rules import engine

pytestmark = pytest.mark.both_databases
SECRET = "Kutnohorska 4111"
WIDE = {"all": [{"field": "data.value", "op": "contains", "value": "Kutno"}]}


@pytest.fixture(autouse=True)
def present() -> Any:
    with time_machine.travel(trail.at("18:00"), tick=False):
        yield


def typed(ident: str, **more: Any) -> dict[str, Any]:
    said = {"by": "customer", "element": "street", "value": SECRET, "fields": [{"text": SECRET}]}
    beside = {"session": "s1", "interaction": "c-1", "user": "jana", "data": said}
    return {"id": ident, "type": "cobrowse.input_changed", "time": "2026-03-02T09:00:00Z", **beside, **more}


def rules(admin: User) -> Rule:
    """Make a rule that tells everything that it can of an event, also to a webhook."""
    channel = Channel.create(
        name="Hook", kind="webhook", address="https://example.org", created_ts=0, secret="x" * 32
    )
    told = "{{ data.value }} {{ data.fields }} {{ data.element }}"
    actions = [
        {**engine.notify(admin, title=told), "limit": {"often": "always"}},
        {"do": "webhook", "channel": channel.id, "text": told, "limit": {"often": "always"}},
        {"do": "log", "text": told},
    ]
    return engine.rule(actions, types=("cobrowse.input_changed",), updated_by=admin, **{"if": WIDE})


def test_a_typed_value_is_shown_nowhere_but_on_the_page_of_the_session(client: FlaskClient) -> None:
    admin = make.administrator()
    make.sign_in(client, admin)
    api, rule = Api(client), rules(admin)
    trail.store([trail.event("chat.accepted", "09:59", "jana", interaction="c-1")])
    api.take(typed("1"))
    attributes = {"specversion": "1.0", "source": "tool", "type": "cobrowse.selected", "subject": "s1"}
    whole = {**attributes, "id": "2", "time": "2026-03-02T09:00:01Z", "session": "s1", "data": SECRET}
    api.send(json.dumps(whole), "application/cloudevents+json")
    api.post([typed("3", time="x"), {**typed("4"), "user": 7}])
    worker.drain()
    event = Event.get(Event.type == "cobrowse.input_changed")
    assert SECRET in event.data
    run = Run.get(Run.rule_id == rule.id)
    page = f"/interactions/{Interaction.get(Interaction.external_id == 'c-1').id}"
    pages = [f"/events/{event.id}", "/events", "/events/refused", page, f"/runs/{run.id}"]
    pages += [f"/rules/{rule.id}/try?event={event.id}", f"/rules/{rule.id}/why?subject=interaction:pbx:c-1"]
    pages += ["/settings/channels/deliveries", "/inbox", "/sessions", "/sessions/actions"]
    pages += [f"/events/refused?open={row.id}" for row in RefusedEvent.select()]
    shown = {path: client.get(path) for path in pages}
    assert {path: answer.status_code for path, answer in shown.items()} == dict.fromkeys(pages, 200)
    texts = {path: answer.text for path, answer in shown.items()}
    assert "street" in texts[pages[0]]
    texts["api"] = json.dumps(api.events(), ensure_ascii=False)
    assert "street" in texts["api"]
    texts["files"] = client.get("/events.csv").text + client.get("/sessions/actions.csv").text
    texts["refused"] = json.dumps([row.text for row in RefusedEvent.select()], ensure_ascii=False)
    assert texts["refused"].count("street") == RefusedEvent.select().count() > 0
    texts["notified"] = Notification.get(Notification.user_id == admin.id).title
    assert "street" in texts["notified"]
    texts["steps"] = json.dumps([row.payload for row in Step.select()], ensure_ascii=False)
    assert '"event"' in texts["steps"]
    texts["found"] = json.dumps(client.get("/events.json?period=today&q=Kutnohor").json["rows"])
    assert texts.pop("found") == "[]"
    jana = User.get(User.login == "jana")
    User.update(access=make.access([])).where(User.id == jana.id).execute()
    make.sign_in(client, jana)
    export = client.post("/my-data/export").headers["Location"]
    worker.drain()
    files = client.get(f"{export}/file")
    with zipfile.ZipFile(io.BytesIO(files.data)) as own:
        texts["my data"] = own.read("event_data.json").decode()
    assert "street" in texts["my data"]
    assert [path for path, text in texts.items() if "Kutnohor" in text] == []
    list(content.delete(10**15))
    assert SECRET not in json.dumps(list(Event.select(Event.data).tuples()), ensure_ascii=False)
