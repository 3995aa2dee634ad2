"""The kinds of a contact centre's audit: what is done or sent is shown with its data, in every language."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.models import AuditEntry, Event, User
from dashboard.sources.declared.audit import KINDS, REPORTED, TARGETS
from tests import make
from tests.pages import door, trail
from tests.pages.html import Page
from tests.pages.test_audit import LANGUAGES, P, evening, speak  # noqa: F401  a fixture

# What a source sends, as a contact centre's audit would have it: type, what stands beside, data.
SENT: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "START_CALL": ("call.started", {"interaction": "call-7", "contact": {"name": "Eva Malá"}}, {}),
    "MESSENGER_SEND": ("chat.message_sent", {"interaction": "chat-7", "contact": {"name": "Eva Malá"}}, {}),
    "LIVE_VIEW": ("cobrowse.joined", {"session": "sess-7"}, {}),
    "LOGGED_IN": ("agent.signed_in", {}, {}),
    "ONLINE_STATUS_ONLINE": ("agent.ready", {}, {}),
    "ONLINE_STATUS_OFFLINE": ("agent.not_ready", {}, {"reason": "lunch break"}),
    "STATUS_CHANGE": (
        "chat.status_changed",
        {"interaction": "chat-7", "contact": {"name": "Eva Malá"}},
        {"status": "solved", "message_id": "m-77"},
    ),
    "ROLE_CHANGE": ("user.role_changed", {}, {"name": "petr", "role": "Supervisors"}),
    "PERMISSION_CHANGE": ("role.permissions_changed", {}, {"role": "Supervisors"}),
    "PLUGIN_CHANGE": ("system.plugin_changed", {}, {"name": "Survey plugin"}),
    "SETTINGS_CHANGE": ("system.settings_changed", {}, {"setting": "opening-hours"}),
    "MEETING_CHANGE": ("meeting.changed", {}, {"title": "Demo of Monday", "change": "DELETE"}),
    "CONFERENCE_AGENT": ("meeting.joined", {"interaction": "conf-7"}, {"title": "Demo of Monday"}),
    "CONFERENCE_RECORDING": (
        "meeting.recording_started",
        {"interaction": "conf-7", "contact": {"name": "Eva Malá"}},
        {"agents": ["jana", "petr"], "tags": ["vip-tag"]},
    ),
}


def test_every_kind_is_sent_by_some_source() -> None:
    assert SENT.keys() == KINDS.keys() == set(REPORTED.values())


@pytest.mark.parametrize("kind", SENT)
def test_what_a_source_sends_is_shown_by_its_kind_with_its_data(client: FlaskClient, kind: str) -> None:
    admin = make.administrator()
    make.sign_in(client, admin)
    type_, beside, data = SENT[kind]
    trail.store([trail.event(type_, "09:00", "jana", **beside, **data)])
    jana = User.get(User.login == "jana")
    event = Event.get(Event.type == type_)
    found = client.get(f"/audit/activity.json?kind={kind}").json
    (row,) = found["rows"]
    assert (row["kind"], row["user"], row["user_id"]) == (kind, "jana", jana.id)
    for name in ("interaction", "session"):
        assert (row[name] or "") == beside.get(name, "")
    others = [each for each in KINDS if each != kind]
    assert client.get(f"/audit/activity.json?kind={others[0]}").json["rows"] == []
    labels = set()
    for language in LANGUAGES:
        speak(admin, language)
        page = client.get("/audit/activity").text.partition('id="result"')[2]
        (label,) = re.findall(rf"<td[^>]*>\s*([^<]*\({kind}\))\s*</td>", page)
        labels.add(label)
        assert re.search(rf"<td[^>]*>\s*{jana.id}\s*</td>", page)
        assert f'href="/events/{event.id}"' in page
        shown = client.get(f"/events/{event.id}").text
        for value in data.values():
            for text in value if isinstance(value, list) else [value]:
                assert text in shown
    assert len(labels) == 3


def sign_in(client: FlaskClient, app: Flask) -> None:
    make.user("petr", access=make.access([P.AUDIT_VIEW]), password=door.PASSWORD)
    assert door.enter(client, "petr").status_code == 302


def change_role(client: FlaskClient, app: Flask) -> None:
    make.sign_in(client, make.administrator())
    user, role = make.user("petr", name="Petr"), make.access(name="Supervisors")
    data = {"login": "petr", "name": "Petr", "access": role.id, "password": door.PASSWORD, "version": 1}
    answer = client.post(f"/users/{user.id}", data=data)
    assert answer.status_code == 302, answer.text


def change_permissions(client: FlaskClient, app: Flask) -> None:
    make.sign_in(client, make.administrator())
    role = make.access([P.QUEUES_VIEW], name="Supervisors")
    ticked = {"tab": "modules", "p": ["users.view"], "version": 1}
    assert client.post(f"/accesses/{role.id}/edit", data=ticked).status_code == 302


def change_source(client: FlaskClient, app: Flask) -> None:
    trail.store([trail.event("agent.ready", "09:00")])
    done = app.test_cli_runner().invoke(args=["source", "set", "pbx", "--presence", "first-to-last"])
    assert done.exit_code == 0, done.output


def change_settings(client: FlaskClient, app: Flask) -> None:
    make.sign_in(client, make.administrator())
    data = {"name": "lunch", "label": "Lunch", "minutes": "30"}
    assert client.post("/pauses/new", data=data).status_code == 302


DONE: dict[str, tuple[Callable[[FlaskClient, Flask], None], tuple[str, ...]]] = {
    "LOGGED_IN": (sign_in, ()),
    "ROLE_CHANGE": (change_role, ("Supervisors",)),
    "PERMISSION_CHANGE": (change_permissions, ("Supervisors", "<del>Queues</del>", "<ins>Users</ins>")),
    "PLUGIN_CHANGE": (change_source, ("pbx", "<del>recorded</del>", "<ins>first-to-last</ins>")),
    "SETTINGS_CHANGE": (change_settings, ("Lunch", "<ins>1,800</ins>")),
}


@pytest.mark.parametrize("kind", DONE)
def test_what_is_done_in_stopa_is_an_entry_of_its_kind(client: FlaskClient, app: Flask, kind: str) -> None:
    act, data = DONE[kind]
    act(client, app)
    reader = make.administrator("reader")
    make.sign_in(client, reader)
    (row,) = client.get(f"/audit.json?kind={kind}&columns=actor,kind,seq").json["rows"]
    entry = AuditEntry.get(AuditEntry.seq == row["seq"])
    assert row["kind"] == kind
    assert entry.actor_id is None or row["actor"].endswith(f" #{entry.actor_id}")
    page = client.get(f"/audit/{entry.id}").text
    for text in data:
        assert text in page
    labels = set()
    for language, (title, *_rest) in LANGUAGES.items():
        speak(reader, language)
        listed = client.get(f"/audit?kind={kind}").text
        assert f"<h1>{title}</h1>" in listed
        labels.add(Page(listed.partition("<tbody>")[2]).text)
        assert client.get(f"/audit/{entry.id}").status_code == 200
    assert len(labels) == 3


def test_each_kind_of_target_that_is_recorded_has_a_name() -> None:
    recorded = {
        target.elts[0].value
        for path in Path("dashboard").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") in ("record", "viewed")
        for target in call.args
        if isinstance(target, ast.Tuple) and isinstance(target.elts[0], ast.Constant)
    }
    assert {"audit", "figures", "policy"} <= recorded <= set(TARGETS)
