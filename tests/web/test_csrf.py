"""A form counts only with the token of its own session; without one nothing changes."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access import keys
from dashboard.access.guard import MACHINE_PATHS
from dashboard.db import database
from dashboard.models import User
from tests import make

FORM = {"login": "petr", "name": "Petr", "access": "", "email": "", "locale": "", "timezone": ""}


@pytest.fixture
def client(app: Flask) -> Iterator[FlaskClient]:
    app.config["WTF_CSRF_ENABLED"] = True
    yield app.test_client()
    app.config["WTF_CSRF_ENABLED"] = False


def token(client: FlaskClient, path: str = "/users/new") -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    assert found is not None
    return found.group(1)


def state() -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table but those that a look alone may change."""
    tables = sorted(set(database.get_tables()) - {"session"})
    return {
        table: sorted(map(repr, database.execute_sql(f'SELECT * FROM "{table}"').fetchall()))
        for table in tables
    }  # type: ignore[misc]


def test_no_post_of_a_session_counts_without_a_token(client: FlaskClient, app: Flask) -> None:
    make.sign_in(client, make.administrator(password="correct horse"))
    token(client)
    before, tried = state(), 0
    for rule in app.url_map.iter_rules():
        if "POST" in (rule.methods or set()) and not rule.rule.startswith(MACHINE_PATHS):
            path = re.sub(r"<int:\w+>", "1", rule.rule)
            for form in ({}, {"csrf_token": ""}, {"csrf_token": "x" * 90}):
                answer = client.post(path, data={**FORM, **form})
                assert answer.status_code == 400, path
                assert "The form expired. Reload the page and try again." in answer.text
            tried += 1
    assert tried > 15
    assert state() == before


def test_a_token_of_another_session_does_not_count(client: FlaskClient, app: Flask) -> None:
    admin = make.administrator()
    make.sign_in(client, admin)
    other = app.test_client()
    make.sign_in(other, admin)
    own, foreign = token(client), token(other)
    assert client.post("/users/new", data={**FORM, "csrf_token": foreign}).status_code == 400
    assert User.select().count() == 1
    assert client.post("/users/new", data={**FORM, "csrf_token": own}).status_code == 302
    assert User.select().count() == 2


def test_a_token_counts_in_the_body_or_header_and_never_in_the_address(client: FlaskClient) -> None:
    make.sign_in(client, make.administrator())
    own = token(client)
    assert client.post(f"/users/new?csrf_token={own}", data=FORM).status_code == 400
    assert client.post("/users/new", json={**FORM, "csrf_token": own}).status_code == 400
    text = "&".join(f"{name}={value}" for name, value in {**FORM, "csrf_token": own}.items())
    assert client.post("/users/new", data=text, content_type="text/plain").status_code == 400
    assert User.select().count() == 1
    assert client.post("/users/new", data=FORM, headers={"X-CSRFToken": own}).status_code == 302


def test_the_refusal_knows_who_is_signed_in_and_has_a_number(client: FlaskClient) -> None:
    make.sign_in(client, make.administrator())
    answer = client.post("/users/new", data=FORM)
    assert 'class="app"' in answer.text
    assert re.search(r"Request ID: [0-9a-f]{16}", answer.text)


def test_signing_in_needs_the_token_of_its_form_and_gives_a_new_one(client: FlaskClient) -> None:
    make.user("jana", access=make.access(), password="correct horse")
    form = {"login": "jana", "password": "correct horse"}
    assert client.post("/sign-in", data=form).status_code == 400
    before = token(client, "/sign-in")
    assert client.post("/sign-in", data={**form, "csrf_token": before}).status_code == 302
    assert client.post("/sign-out", data={"csrf_token": before}).status_code == 400
    assert client.post("/sign-out", data={"csrf_token": token(client, "/account")}).status_code == 302


def test_the_interface_asks_for_a_key_and_not_for_a_token(client: FlaskClient) -> None:
    key = keys.make("sender", "pbx", "ingest")
    event = {"type": "custom.seen", "time": "2026-03-02T09:00:00Z"}
    answer = client.post("/api/v1/events", json=event, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 202
    make.sign_in(client, make.administrator())
    assert client.post("/api/v1/events", json=event).status_code == 401
