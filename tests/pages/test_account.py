"""The first administrator, one's own language and zone, and a new password."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access import first_admin
from dashboard.models import Access, Setting, User
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


def test_first_visit_creates_the_administrator_once(client: FlaskClient) -> None:
    assert client.get("/sign-in").headers["Location"] == "/setup"
    code = first_admin.setup_code()
    assert code is not None
    form = {"code": code, "login": "boss", "name": "The Boss", "password": PASSWORD}
    for field, value in (("code", "0"), ("login", "two words"), ("name", ""), ("password", "short")):
        wrong = client.post("/setup", data={**form, field: value})
        assert wrong.status_code == 422
        assert f'id="e-{field}"' in wrong.text
        assert PASSWORD not in wrong.text
    assert User.select().count() == 0
    assert client.post("/setup", data=form).headers["Location"] == "/sign-in"
    assert enter(client, "boss").status_code == 302
    assert User.get().access == Access.get(Access.name == "Administrator")
    assert Setting.get_or_none(Setting.name == first_admin.CODE_NAME) is None
    assert client.post("/setup", data={**form, "login": "second"}).headers["Location"] == "/sign-in"
    assert User.select().count() == 1


def test_setup_code_attempts_are_limited(client: FlaskClient) -> None:
    code = first_admin.setup_code()
    form = {"code": "guess", "login": "boss", "name": "Boss", "password": PASSWORD}
    for _ in range(5):
        assert client.post("/setup", data=form).status_code == 422
    answer = client.post("/setup", data={**form, "code": code})
    assert answer.status_code == 429
    assert User.select().count() == 0
