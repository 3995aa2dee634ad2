"""One's own language and zone, and a new password."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access import guard, sessions
from dashboard.models import AuditEntry, Session, User
from tests import make
from tests.pages.door import PASSWORD, enter, is_in
from tests.pages.html import Page


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


def test_a_user_sees_and_ends_the_own_sign_ins(client: FlaskClient, jana: User, app: Flask) -> None:
    """Each row has device, shortened address, method and times. Others' sign-ins are out of reach."""
    petr = app.test_client()
    other = make.sign_in(petr, make.user("petr", access=jana.access))
    clients = {}
    for ip, agent in (
        ("203.0.113.77", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        ("2001:db8:1:2::77", "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0) Version/19.0 Safari/604.1"),
        ("198.51.100.7", "<b>curl</b>"),
    ):
        clients[ip] = each = app.test_client()
        each.environ_base["REMOTE_ADDR"] = ip
        enter(each, User_Agent=agent)
    enter(client)
    rows = list(Page(client.get("/account").text).rows.values())[1:]
    assert sorted(row[:3] for row in rows[1:]) == [
        ["Firefox on Windows", "203.0.113.…", "Password"],
        ["Safari on iOS", "2001:db8:1::…", "Password"],
        ["Unknown device", "198.51.100.…", "Password"],
    ]
    assert rows[0][0].endswith("This device")
    starts = {row.ip: row.token_hash[: sessions.START] for row in Session.select()}
    for start in (starts["203.0.113.77"], "0" * 16, "%", sessions.start_of(other)):
        assert client.post("/account/sign-out", data={"session": start}).headers["Location"] == "/account"
    assert [is_in(each) for each in clients.values()] == [False, True, True]
    client.post("/account/sign-out")
    assert [is_in(each) for each in clients.values()] == [False, False, False]
    assert is_in(client)
    ended = AuditEntry.select(AuditEntry.details).where(AuditEntry.action == "auth.sessions_ended")
    assert [row.details["sessions"] for row in ended] == [1, 0, 0, 0, 2]
    for own in (False, True):
        held = client.get_cookie(guard.COOKIE)
        assert held is not None
        which = sessions.start_of(held.value) if own else "all"
        answer = client.post("/account/sign-out", data={"session": which})
        assert answer.headers["Location"] == "/sign-in"
        assert answer.headers["Clear-Site-Data"]
        assert not is_in(client)
        enter(client)
    assert is_in(petr)


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
