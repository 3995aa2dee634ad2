"""One's own language and zone, and a new password."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.models import AuditEntry, User
from tests import make
from tests.pages.door import PASSWORD, enter, is_in


@pytest.fixture
def jana(app: Flask) -> User:
    return make.user("jana", access=make.access(), password=PASSWORD)


def test_a_new_password_ends_all_other_sessions(client: FlaskClient, jana: User, app: Flask) -> None:
    enter(client)
    other = app.test_client()
    enter(other)
    answer = client.post("/account/password", data={"current": PASSWORD, "password": "battery staple"})
    assert answer.status_code == 302
    assert is_in(client)
    assert not is_in(other)
    assert enter(other).status_code == 422
    assert enter(other, password="battery staple").status_code == 302


def test_a_user_signs_out_on_all_other_devices(client: FlaskClient, jana: User, app: Flask) -> None:
    others = [app.test_client() for _ in range(2)]
    for each in (client, *others):
        make.sign_in(each, jana)
    assert "You are signed in on 3 devices." in client.get("/account").text
    assert client.post("/account/sign-out").headers["Location"] == "/account"
    assert "You are signed in on 1 device." in client.get("/account").text
    assert not any(is_in(each) for each in others)
    entry = AuditEntry.get(AuditEntry.action == "auth.sessions_ended")
    assert (entry.details, entry.target_id) == ({"sessions": 2}, str(jana.id))


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [
        ("wrong", "battery staple", "current"),
        (PASSWORD, "short", "password"),
        (PASSWORD, "Password123", "password"),
        (PASSWORD, "x" * 257, "password"),
        (PASSWORD, "", "password"),
    ],
)
def test_invalid_password_changes_nothing(
    client: FlaskClient, jana: User, current: str, new: str, field: str
) -> None:
    make.sign_in(client, jana)
    answer = client.post("/account/password", data={"current": current, "password": new})
    assert answer.status_code == 422
    assert f'id="e-{field}"' in answer.text
    assert User.get_by_id(jana.id).password_hash == jana.password_hash


def test_current_password_attempts_are_limited(client: FlaskClient, jana: User) -> None:
    make.sign_in(client, jana)
    for _ in range(5):
        client.post("/account/password", data={"current": "wrong", "password": "battery staple"})
    answer = client.post("/account/password", data={"current": PASSWORD, "password": "battery staple"})
    assert answer.status_code == 429
    assert 'id="e-current"' in answer.text
    assert User.get_by_id(jana.id).password_hash == jana.password_hash


def test_account_stores_language_and_time_zone(client: FlaskClient, jana: User) -> None:
    make.sign_in(client, jana)
    assert client.post("/account", data={"locale": "ja", "timezone": "Asia/Tokyo"}).status_code == 302
    assert '<html lang="ja">' in client.get("/account").text
    for form, field in (
        ({"locale": "xx"}, "locale"),
        ({"timezone": "Mars"}, "timezone"),
        ({"timezone": "../etc"}, "timezone"),
        ({"timezone": "localtime"}, "timezone"),
    ):
        answer = client.post("/account", data=form)
        assert answer.status_code == 422
        assert f'id="e-{field}"' in answer.text
    assert User.get_by_id(jana.id).timezone == "Asia/Tokyo"
    client.post(
        "/account", data={"locale": "", "timezone": "", "access": "1", "login": "root", "deactivated_ts": "1"}
    )
    stored = User.get_by_id(jana.id)
    assert (stored.login, stored.access_id, stored.deactivated_ts) == ("jana", jana.access_id, None)


def test_language_chosen_before_sign_in_is_kept(client: FlaskClient, jana: User) -> None:
    assert client.get("/language/cs?next=/sign-in").headers["Location"] == "/sign-in"
    assert '<html lang="cs">' in client.get("/sign-in").text
    enter(client)
    assert '<html lang="cs">' in client.get("/account").text
    client.get("/language/ja")
    assert '<html lang="ja">' in client.get("/account").text
    assert User.get_by_id(jana.id).locale == ""
    for code in ("xx", "..", "cs/../ja"):
        assert client.get(f"/language/{code}").status_code == 404
