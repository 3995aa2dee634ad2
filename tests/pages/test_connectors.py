"""The list of connectors, a new one, its secret that is shown once, deletion."""

from __future__ import annotations

import html
import re

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.db import database
from dashboard.jobs import worker
from dashboard.models import AuditEntry, Channel, Connector, Event, Source
from dashboard.notify import addresses, help_desk
from tests.api import custom
from tests.notify.help_desk_server import TOKEN, Desk
from tests.pages import asks

P = Permission
URL = "/settings/connectors"
FORM = {"kind": "chatwoot", "name": "desk"}
SECRET = "a-secret-of-twenty-letters"


@pytest.fixture
def editor(client: FlaskClient) -> FlaskClient:
    asks.sign_in_with(client, P.KEYS_VIEW, P.KEYS_EDIT)
    return client


def test_the_set_up_shows_the_real_address_and_a_secret_that_works_once(editor: FlaskClient) -> None:
    for kind, place in (
        ("zammad", r'<pre class="json" tabindex="0">([\w-]{43})</pre>'),
        ("chatwoot", r"/connect/chatwoot\?token=([\w-]{43})</pre>"),
        ("events", r"Authorization: Bearer ([\w-]{43})</pre>"),
    ):
        answer = editor.post(f"{URL}/new", data={"kind": kind, "name": kind})
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
        [plain] = re.findall(place, answer.text)
        row = Connector.select().join(Source).where(Source.name == kind).get()
        assert (row.kind, row.secret) == (kind, plain)
        assert f"http://127.0.0.1:8000/connect/{kind}" in answer.text
        for path in (URL, f"{URL}/{row.id}", f"{URL}/{row.id}/delete"):
            assert plain not in editor.get(path).text
        assert all(plain not in str(entry.__data__) for entry in AuditEntry.select())
    asks.fragment_is_block(editor, URL)


def test_a_new_secret_replaces_the_old_one_and_deletion_keeps_the_events(editor: FlaskClient) -> None:
    with time_machine.travel("2026-03-02T12:00:00Z", tick=False):
        editor.post(f"{URL}/new", data={"kind": "events", "name": "desk", "secret": SECRET})
        row = Connector.get()

        def status(secret: str) -> int:
            bearer = {"Authorization": f"Bearer {secret}"}
            event = custom("a", time="2026-03-02T11:00:00Z")
            return editor.post("/connect/desk", json=event, headers=bearer).status_code

        assert status(SECRET) == 202
        worker.drain()
        assert "1 event" in editor.get(f"{URL}/{row.id}").text
        saved = editor.post(f"{URL}/{row.id}", data={"version": row.version})
        assert (saved.status_code, Connector.get().secret) == (302, SECRET)
        version = Connector.get().version
        made = editor.post(f"{URL}/{row.id}", data={"version": version, "new_secret": "1"})
        assert (made.status_code, Connector.get().secret in made.text) == (200, True)
        assert (status(SECRET), status(Connector.get().secret)) == (401, 202)
        stale = editor.post(f"{URL}/{row.id}", data={"version": version, "secret": SECRET})
        assert (stale.status_code, SECRET in stale.text) == (422, False)
        assert editor.post(f"{URL}/{row.id}/delete").status_code == 302
        assert (status(SECRET), Connector.select().count(), Event.select().count() > 0) == (401, 0, True)
    for act in ("created", "deleted"):
        assert asks.audited(f"connector.{act}").target_label == "desk"


@pytest.mark.both_databases
def test_what_no_connector_can_be_is_refused_at_its_field(editor: FlaskClient) -> None:
    Source.create(name="old", is_file=True, created_ts=1)
    editor.post(f"{URL}/new", data=FORM)
    for changes, problem in (
        ({}, "This source already has a connector. Choose another name."),
        ({"name": "old"}, "Events of this source come from a file. Choose another name."),
        ({"name": "a/b"}, "Enter up to 60 letters, digits, dots, hyphens and underscores."),
        ({"name": ""}, "Enter up to 60 letters, digits, dots, hyphens and underscores."),
        ({"name": "stopa"}, "This is the name of Stopa's own events. Choose another."),
        ({"name": "b", "kind": "fax"}, "Choose a type."),
        ({"name": "b", "secret": "short"}, "Enter 16 to 200 characters without spaces, or leave empty."),
    ):
        answer = editor.post(f"{URL}/new", data={**FORM, **changes})
        assert (answer.status_code, problem in html.unescape(answer.text)) == (422, True), problem
    assert Connector.select().count() == 1


def test_the_api_of_a_help_desk_is_a_channel_that_is_checked_tested_and_never_shown(
    client: FlaskClient,
) -> None:
    asks.sign_in_with(client, P.KEYS_VIEW, P.KEYS_EDIT, P.CHANNELS_VIEW, P.CHANNELS_EDIT)
    client.post(f"{URL}/new", data={"kind": "zammad", "name": "desk", "secret": SECRET})
    row, desk = Connector.get(), Desk("zammad")
    with desk.serving():
        for changes, problem in (
            ({"api_address": desk.address}, "Enter both the address and the token."),
            ({"api_token": TOKEN}, "Enter both the address and the token."),
            ({"api_address": "http://10.0.0.1", "api_token": TOKEN}, addresses.PRIVATE),
            ({"api_address": "desk", "api_token": TOKEN}, addresses.NOT_HTTP),
            (
                {"api_address": desk.address, "api_token": "a b"},
                "Enter at most 200 characters without spaces.",
            ),
        ):
            answer = client.post(f"{URL}/{row.id}", data={"version": 1, **changes})
            assert (answer.status_code, problem in html.unescape(answer.text)) == (422, True), problem
        assert Channel.select().count() == 0
        sent = {"version": 1, "api_address": desk.address, "api_token": TOKEN}
        assert client.post(f"{URL}/{row.id}", data=sent).status_code == 302
        channel = Channel.get()
        assert (channel.kind, channel.name, channel.ordered) == ("zammad", "desk: Zammad", True)
        assert Connector.get().channel_id == channel.id
        worker.drain()
        page = f"/settings/channels/{channel.id}"
        assert "Address found." in client.get(page).text
        assert client.post(f"{page}/test").status_code == 302
        worker.drain()
        assert ("HTTP status 200." in client.get(page).text, desk.requests[-1].path) == (
            True,
            "/api/v1/users/me",
        )
        new = {"version": 2, "api_token": "another-token"}
        assert client.post(f"{URL}/{row.id}", data=new).status_code == 302
        kept = Channel.get()
        assert (kept.id, kept.secret, kept.address) == (channel.id, "another-token", desk.address)
        assert client.post(f"{page}/test").status_code == 302
        worker.drain()
        assert help_desk.BAD_TOKEN in html.unescape(client.get(page).text)
    for path in (URL, f"{URL}/{row.id}", "/settings/channels", page):
        text = client.get(path).text
        assert not [each for each in (TOKEN, "another-token", f"{desk.address}/") if each in text], path
    for entry in AuditEntry.select():
        assert "-token" not in str(entry.__data__)
    first, second = (
        AuditEntry.select().where(AuditEntry.action == "connector.updated").order_by(AuditEntry.id)
    )
    assert (first.changes["api_address"], list(second.changes)) == ([False, True], ["api_token"])
    assert TOKEN not in str(database.execute_sql('SELECT "secret" FROM "channel"').fetchone())
    asks.sign_in_with(client, P.KEYS_VIEW, P.KEYS_EDIT)
    assert "api_token" not in client.get(f"{URL}/{row.id}").text
    client.post(f"{URL}/{row.id}", data={"version": 3, "api_token": "stolen-token"})
    assert Channel.get().secret == "another-token"
    client.post(f"{URL}/{row.id}/delete")
    assert (Connector.select().count(), Channel.select().count()) == (0, 0)


def test_who_may_not_edit_keys_sees_the_list_and_changes_nothing(client: FlaskClient) -> None:
    asks.refuses_strangers(client, URL)
    asks.refuses_posts(client, f"{URL}/new", P.KEYS_VIEW)
    assert client.get(URL).status_code == 200
