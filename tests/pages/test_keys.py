"""The list of keys, a new key, revocation."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from typing import NamedTuple

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.access import keys
from dashboard.access.permissions import Permission
from dashboard.models import ApiKey, AuditEntry, Queue, User
from tests import make
from tests.api import Api, custom
from tests.pages import asks

P = Permission

FORM = {"name": "Exchange", "source": "pbx", "allow": "ingest"}


@pytest.fixture
def editor(client: FlaskClient) -> FlaskClient:
    asks.sign_in_with(client, P.KEYS_VIEW, P.KEYS_EDIT, P.TRACING_VIEW)
    return client


def test_a_key_is_shown_once_and_works(editor: FlaskClient) -> None:
    answer = editor.post("/settings/keys/new", data={**FORM, "known_only": "1"})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    (plain,) = set(re.findall(r"stopa_[\w-]{30,}", answer.text))
    found = keys.find(plain)
    assert found is not None
    assert (found.name, found.allow, found.makes) == ("Exchange", "ingest", False)
    for url in ("/settings/keys", "/settings/keys/new", f"/settings/keys/{found.id}/revoke"):
        assert plain not in editor.get(url).text
    assert plain[:12] in editor.get("/settings/keys").text
    assert all(plain not in str(entry.__data__) for entry in AuditEntry.select())
    assert asks.audited("key.created").details == {"source": "pbx", "allow": "ingest", "known_only": True}
    asks.fragment_is_block(editor, "/settings/keys")


def test_the_form_sent_twice_makes_one_key(editor: FlaskClient) -> None:
    assert editor.post("/settings/keys/new", data=FORM).status_code == 200
    again = editor.post("/settings/keys/new", data=FORM)
    assert again.status_code == 422
    assert "A key with this name already exists. Revoke it or choose another name." in again.text
    assert ApiKey.select().count() == 1


BAD = [
    ("name", "", "Enter 1 to 120 characters."),
    ("source", "", "Enter 1 to 120 characters."),
    ("source", "a\x1bb", "Remove control characters."),
    ("allow", "everything", "Choose a permission."),
    ("days", "31", "Choose an item from the list."),
]


@pytest.mark.parametrize(("field", "value", "said"), BAD)
def test_a_bad_field_is_named_and_nothing_changes(
    editor: FlaskClient, field: str, value: str, said: str
) -> None:
    answer = editor.post("/settings/keys/new", data={**FORM, field: value})
    assert answer.status_code == 422
    assert said in answer.text
    assert not ApiKey.select().exists()


@pytest.mark.parametrize(
    ("permissions", "grants", "status"),
    [
        ((P.KEYS_EDIT, P.TRACING_VIEW), ("all_users", "all_queues"), 200),
        ((P.KEYS_EDIT, P.TRACING_VIEW), ("all_users",), 422),
        ((P.KEYS_EDIT, P.TRACING_VIEW), ("led_teams", "all_queues"), 422),
        ((P.KEYS_EDIT,), ("all_users", "all_queues"), 422),
    ],
)
def test_a_key_that_reads_all_is_made_by_who_sees_all(
    client: FlaskClient, permissions: tuple[P, ...], grants: tuple[str, ...], status: int
) -> None:
    asks.sign_in_with(client, *permissions, grants=grants)
    answer = client.post("/settings/keys/new", data={"name": "Wallboard", "allow": "read"})
    assert answer.status_code == status


def test_revoking_asks_first_and_shuts_the_key_out(editor: FlaskClient) -> None:
    plain = keys.make("Exchange", "pbx", "ingest")
    url = f"/settings/keys/{ApiKey.get().id}/revoke"
    assert "Revoke Exchange?" in editor.get(url).text
    assert keys.find(plain) is not None
    for _ in range(2):
        assert editor.post(url).status_code == 302
    assert keys.find(plain) is None
    asks.audited("key.revoked")
    answer = editor.post("/api/v1/events", json=[], headers={"Authorization": f"Bearer {plain}"})
    assert answer.status_code == 401
    assert "Exchange" not in editor.get("/settings/keys").text.partition('id="result"')[2]
    assert "Revoked" in editor.get("/settings/keys?revoked=1").text


def test_hostile_text_is_shown_as_typed(editor: FlaskClient) -> None:
    keys.make(asks.HOSTILE, "pbx", "ingest")
    assert asks.SHOWN in editor.get("/settings/keys").text


def test_who_may(client: FlaskClient) -> None:
    keys.make("Exchange", "pbx", "ingest")
    revoke = f"/settings/keys/{ApiKey.get().id}/revoke"
    for url in ("/settings/keys", "/settings/keys/new", revoke):
        asks.refuses_strangers(client, url)
    for url in ("/settings/keys/new", revoke):
        asks.refuses_posts(client, url, P.KEYS_VIEW)
    assert "Revoke" not in client.get("/settings/keys").text.partition("<tbody>")[2]
    assert ApiKey.get().revoked_ts is None
    asks.sign_in_with(client, P.KEYS_EDIT)
    assert client.get("/settings/keys/999/revoke").status_code == 404
    assert client.post("/settings/keys/99999999999999/revoke").status_code == 404
    assert client.delete(revoke).status_code == 405


CONTACT = {"name": "Eva Nováková", "phone": "+420777123456", "email": "eva@example.org"}
NUMBERS = {"from": "+420777123456", "raw": ["420777123456", "Eva Nováková"], "dialled": 420777123456}
ANSWERED = {"day": "2026-03-02", "seconds": 30, "requester": "Eva Nováková", **NUMBERS}


class Maker(NamedTuple):
    """The user who made a read key in Settings > API keys, and what the key reads."""

    user: User
    api: Api
    key: str

    def get(self, path: str, **query: object) -> TestResponse:
        return self.api.get(f"/api/v1/{path}", key=self.key, **query)

    def allow(self, *permissions: P, grants: Iterable[str | tuple[str, int]] = asks.EVERYTHING) -> None:
        User.update(access=make.access(permissions, grants)).where(User.id == self.user.id).execute()


@pytest.fixture
def maker(client: FlaskClient) -> Maker:
    """A key made by a user with all permissions but pii.unmask, who stays signed in; and an event."""
    api = Api(client)
    event = custom("c-1", user="jana", queue="support", interaction="i-1", contact=CONTACT, data=ANSWERED)
    api.take([event, custom("c-2", user="petr", queue="sales", interaction="i-2"), custom("c-3")])
    user = asks.sign_in_with(client, *(set(P) - {P.PII_UNMASK}))
    page = client.post("/settings/keys/new", data={"name": "Wall", "allow": "read"}).text
    assert "Contact details are masked for this key" in page
    (key,) = set(re.findall(r"stopa_[\w-]{30,}", page))
    return Maker(user, api, key)


def test_a_read_key_masks_contacts_as_long_as_its_maker_sees_them_masked(maker: Maker) -> None:
    answer = maker.get("events", limit=1)
    (event,) = answer.json["events"]
    assert event["contact"] == {"name": "E•••", "phone": "+420 ••• ••• 456", "email": "e•••@example.org"}
    assert event["data"] == {
        "day": "2026-03-02",
        "seconds": 30,
        "requester": "E•••",
        "from": "+420 ••• ••• 456",
        "raw": ["••• ••• 456", "E•••"],
        "dialled": "••• ••• 456",
    }
    for secret in ("777123456", "777 123", "Nov", "eva@"):
        assert secret not in answer.text
    assert "Contact details masked" in maker.api.client.get("/settings/keys").text
    maker.allow(*P)
    listed = maker.api.client.get("/settings/keys").text
    assert ("Contact details masked" in listed, listed.count("Full contact details")) == (False, 2)
    (event,) = maker.get("events", limit=1).json["events"]
    assert (event["contact"], event["data"]) == (CONTACT, ANSWERED)
    (event,) = maker.api.get("/api/v1/events", limit=1).json["events"]  # a key of the command line
    assert event["contact"] == CONTACT


def test_a_read_key_masks_the_attributes_of_a_cloudevent_and_leaves_its_bytes_out(maker: Maker) -> None:
    naming = {"specversion": "1.0", "id": "777123456", "source": "/pbx", "type": "custom.x"}
    body = {**naming, "caller": "+420 777 123 456", "subject": "eva@example.org"}
    for more in ({"data": ["777123456"]}, {"id": "2", "data_base64": "AAEC"}):
        assert maker.api.send(json.dumps({**body, **more}), "application/cloudevents+json").status_code == 202
    first, second = maker.get("events", type="custom.x").json["events"]
    shown = {"caller": "+420 ••• ••• 456", "subject": "e•••@example.org"}
    assert (first["cloudevent"], first["data"]) == ({**naming, **shown}, ["••• ••• 456"])
    assert second["cloudevent"] == {**naming, **shown, "id": "2"}
    maker.allow(*P)
    _first, second = maker.get("events", type="custom.x").json["events"]
    assert second["cloudevent"]["data_base64"] == "AAEC"


def test_a_read_key_keeps_to_the_users_and_queues_of_its_maker(maker: Maker) -> None:
    def shown() -> list[str]:
        return [event["id"] for event in maker.get("events", type=custom("")["type"]).json["events"]]

    assert shown() == ["c-1", "c-2", "c-3"]
    jana, support = User.get(User.login == "jana").id, Queue.get(Queue.name == "support").id
    maker.allow(P.TRACING_VIEW, P.QUEUES_FIGURES, grants=[("users", jana), "all_queues"])
    assert shown() == ["c-1"]
    statuses = [maker.get("tracing", user=login).status_code for login in ("jana", "petr")]
    assert statuses == [200, 404]
    maker.allow(P.TRACING_VIEW, P.QUEUES_FIGURES, grants=["all_users", ("queues", support)])
    assert shown() == ["c-1", "c-3"]
    assert [maker.get("queues", queue=name).status_code for name in ("support", "sales")] == [200, 404]
    maker.allow(P.TRACING_VIEW)
    assert maker.get("queues", queue="support").status_code == 403
    assert maker.get("interactions").status_code == 403
    maker.allow(P.TRACING_VIEW, P.QUEUES_FIGURES)
    assert maker.get("interactions").status_code == 200


def test_the_deactivation_of_the_maker_says_that_keys_stop(maker: Maker, client: FlaskClient) -> None:
    petr = User.get(User.login == "petr").id
    asks.sign_in_with(client, *P)
    said = "Read keys made by this user stop working: 1."
    for ident, shown in ((maker.user.id, True), (petr, False)):
        assert (said in client.get(f"/users/{ident}/deactivate").text) == shown


@pytest.mark.parametrize("change", [{"deactivated_ts": 1}, {"access": None}, {"access": "without the right"}])
def test_a_read_key_is_refused_without_its_maker(maker: Maker, change: dict[str, object]) -> None:
    if change.get("access"):
        maker.allow(P.KEYS_VIEW)
    else:
        User.update(change).where(User.id == maker.user.id).execute()
    entries = AuditEntry.select().count()
    for path, query in (("events", {}), ("tracing", {"user": "jana"}), ("queues", {"queue": "support"})):
        answer = maker.get(path, **query)
        assert (answer.status_code, "may no longer view" in answer.json["detail"]) == (401, True), path
    assert AuditEntry.select().count() == entries
    asks.sign_in_with(maker.api.client, P.KEYS_VIEW)
    assert "Refused: its maker may no longer read" in maker.api.client.get("/settings/keys").text
    assert maker.api.post(custom("later")).status_code == 202  # a key that sends has no such limit


def test_a_refused_request_is_audited_once(maker: Maker) -> None:
    maker.allow(P.TRACING_VIEW)
    for _ in range(3):
        assert maker.get("queues", queue="support").status_code == 403
    assert asks.audited("access.denied").actor_label == "Wall"


@pytest.mark.parametrize("name", ["stopa", "Stopa", " STOPA ", "ｓｔｏｐａ"])
def test_no_key_speaks_for_the_dashboard_itself(editor: FlaskClient, name: str) -> None:
    answer = editor.post("/settings/keys/new", data={**FORM, "source": name})
    assert (answer.status_code, keys.RESERVED in html.unescape(answer.text)) == (422, True)
    with pytest.raises(ValueError, match="Stopa's own"):
        keys.make("Exchange", name, "ingest")
    assert not ApiKey.select().exists()


def test_a_further_key_for_a_source_names_the_others(editor: FlaskClient) -> None:
    text = "The source pbx already has keys: Exchange."
    assert text not in editor.post("/settings/keys/new", data=FORM).text
    keys.make("old", "pbx", "ingest")
    ApiKey.update(revoked_ts=1).where(ApiKey.name == "old").execute()
    keys.make("reader", "pbx", "read")
    assert text in editor.post("/settings/keys/new", data={**FORM, "name": "Second"}).text


def test_the_page_of_a_key_shows_its_use_and_the_first_event(editor: FlaskClient) -> None:
    made = editor.post("/settings/keys/new", data=FORM).text
    (plain,) = set(re.findall(r"stopa_[\w-]{30,}", made))
    url = f"/settings/keys/{ApiKey.get().id}"
    assert f'hx-get="{url}?refused=0"' in made
    code = [html.unescape(text) for text in re.findall(r'<pre class="json all"[^>]*>(.*?)</pre>', made, re.S)]
    assert "http://127.0.0.1:8000/api/v1/events" in code[0]
    assert all(plain in text for text in code[:2])
    compile(code[1], "sample", "exec")
    assert code[2] == "bin/stopa follow /var/log/asterisk/queue_log --source pbx"
    assert [text.rpartition("/")[2] for text in code[3:]] == ["zammad", "chatwoot"]
    part = {"HX-Request": "true", "HX-Target": "first"}
    assert editor.get(f"{url}?refused=0", headers=part).status_code == 204
    page = editor.get(url).text
    shown = [text in page for text in ("Waiting for the first event…", "$STOPA_KEY", plain)]
    assert shown == [True, True, False]
    bearer = {"Authorization": f"Bearer {plain}"}
    assert editor.post("/api/v1/events", json=[{"type": "x"}], headers=bearer).status_code == 422
    assert "1 record was refused." in editor.get(f"{url}?refused=0", headers=part).text
    assert editor.get(f"{url}?refused=1", headers=part).status_code == 204
    sent = {"type": "agent.signed_in", "user": "jana", "time": "2026-03-02T09:00:00Z"}
    assert editor.post("/api/v1/events", json=sent, headers=bearer).status_code == 202
    found = editor.get(f"{url}?refused=1", headers=part).text
    assert "The first event has arrived: Agent signed in" in found
    assert 'href="/tracing?user=jana&amp;date=2026-03-02"' in found
    assert "hx-get" not in found
    assert found.strip() in editor.get(url).text


def test_the_first_event_is_shown_to_its_readers_only(client: FlaskClient, app: Flask) -> None:
    plain = keys.make("Exchange", "pbx", "ingest")
    url, bearer = f"/settings/keys/{ApiKey.get().id}", {"Authorization": f"Bearer {plain}"}
    sent = {"type": "agent.signed_in", "user": "jana", "time": "2026-03-02T09:00:00Z"}
    app.test_client().post("/api/v1/events", json=sent, headers=bearer)
    rights: list[tuple[tuple[P, ...], tuple[str, ...], str]] = [
        ((P.KEYS_VIEW, P.TRACING_VIEW), asks.EVERYTHING, "Open the day of jana"),
        ((P.KEYS_VIEW, P.EVENTS_VIEW), asks.EVERYTHING, "Open the event"),
        ((P.KEYS_VIEW, P.EVENTS_VIEW, P.TRACING_VIEW), ("led_teams", "all_queues"), ""),
        ((P.KEYS_VIEW,), asks.EVERYTHING, ""),
    ]
    for permissions, grants, link in rights:
        asks.sign_in_with(client, *permissions, grants=grants)
        page = client.get(url).text
        assert "The first event has arrived" in page, permissions
        for each in ("Open the day of jana", "Open the event"):
            assert (each in page) == (each == link), (permissions, each)
        assert ">Revoke<" not in page
    asks.sign_in_with(client, P.KEYS_EDIT)
    client.post(f"{url}/revoke")
    page = client.get(url).text
    assert ("The first event has arrived" in page, "Send events" in page) == (False, False)
    assert client.get("/settings/keys/999").status_code == 404
    read = keys.make("Wallboard", "pbx", "read")
    page = client.get(f"/settings/keys/{ApiKey.get(ApiKey.name == 'Wallboard').id}").text
    shown = [text in page for text in ("Waiting for the first request…", "Read events", read)]
    assert shown == [True, True, False]
