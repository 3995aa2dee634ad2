"""The list of keys, a new key, revocation."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from dashboard.access import keys
from dashboard.access.permissions import Permission
from dashboard.models import ApiKey, AuditEntry
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
