"""Signing in by the header of a proxy: whose header counts, and what ends the session."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

import pyotp
import pytest
from flask import Flask, g
from flask.testing import FlaskClient

from dashboard import create_app
from dashboard.access import presets, sign_in_settings, two_factor
from dashboard.access.guard import COOKIE
from dashboard.access.sign_in_settings import SignIn
from dashboard.models import Access, AuditEntry, PendingSignIn, Session, TwoFactor, User
from dashboard.settings import Settings
from tests import make
from tests.pages import door
from tests.pages.door import PASSWORD, at_once, is_in

HEADER = "X-Remote-User"
NETWORKS = tuple(ip_network(each) for each in ("10.0.0.0/28", "127.0.0.1", "fd00::/8"))


@pytest.fixture
def app(app: Flask, settings: Settings) -> Flask:
    app.config["STOPA"] = replace(settings, auth_header=HEADER, auth_proxies=NETWORKS)
    return app


@pytest.fixture
def jana(app: Flask) -> User:
    presets.make()
    return make.user("jana", access=Access.get(Access.name == "Agent"), password=PASSWORD)


def who(client: FlaskClient, login: str | None, peer: str = "10.0.0.1", **headers: str) -> str:
    """Return the name of the user as whom a request is answered, "" for nobody."""
    named = {HEADER: login.encode().decode("latin-1")} if login is not None else {}
    environ = {"REMOTE_ADDR": peer}
    with client:
        client.get("/account", headers={**named, **headers}, environ_overrides=environ)
        return g.user.login if g.user is not None else ""


def test_header_counts_only_from_the_proxy_itself(app: Flask, jana: User) -> None:
    for login in ("žofie", "JAROŠ"):  # the last byte of Š is a blank of Latin-1
        make.user(login, access=jana.access)
    make.user("gone", access=jana.access, deactivated_ts=1)
    make.user("traced")
    for login, peer, headers, wanted in (
        ("jana", "10.0.0.1", {}, "jana"),
        ("jana", "10.0.0.15", {}, "jana"),
        ("jana", "127.0.0.1", {}, "jana"),
        ("jana", "::ffff:10.0.0.1", {}, "jana"),
        ("jana", "fd00::1", {}, "jana"),
        ("žofie", "10.0.0.1", {}, "žofie"),
        ("JAROŠ", "10.0.0.1", {}, "JAROŠ"),
        ("ja\0na", "10.0.0.1", {}, ""),
        (" jana ", "10.0.0.1", {}, "jana"),
        ("jana", "10.0.0.16", {}, ""),
        ("jana", "192.0.2.1", {"X-Forwarded-For": "10.0.0.1"}, ""),
        ("jana", "fe80::1", {}, ""),
        ("jana", "", {}, ""),
        ("jana", "unix:", {}, ""),
        ("", "10.0.0.1", {}, ""),
        (None, "10.0.0.1", {"X-Forwarded-User": "jana", "Remote-User": "jana"}, ""),
        ("jana,chief", "10.0.0.1", {}, ""),
        ("Jana", "10.0.0.1", {}, ""),
        ("gone", "10.0.0.1", {}, ""),
        ("traced", "10.0.0.1", {}, ""),
        ("nobody", "10.0.0.1", {}, ""),
        ("j" * 5000, "10.0.0.1", {}, ""),
    ):
        assert who(app.test_client(), login, peer, **headers) == wanted, (login, peer, headers)
    environ = {"REMOTE_ADDR": "10.0.0.1"}
    answer = app.test_client().get("/sign-in", headers={HEADER: "gone"}, environ_overrides=environ)
    assert "Your user is deactivated" in answer.text
    app.config["STOPA"] = replace(app.config["STOPA"], auth_header="")
    assert who(app.test_client(), "jana") == ""


def test_forwarded_address_is_not_the_proxys(settings: Settings, jana: User) -> None:
    """With ProxyFix the address of the request is the client's; what counts is the other end."""
    chosen = replace(settings, auth_header=HEADER, auth_proxies=NETWORKS, trusted_proxies=1)
    behind = create_app(chosen)
    client = behind.test_client()
    assert who(client, "jana", "10.0.0.1", **{"X-Forwarded-For": "192.0.2.7"}) == "jana"
    assert [row.ip for row in Session.select()] == ["192.0.2.7"]
    assert who(behind.test_client(), "jana", "192.0.2.1", **{"X-Forwarded-For": "10.0.0.1"}) == ""


def test_session_lives_as_long_as_the_header_names_its_user(
    client: FlaskClient, app: Flask, jana: User
) -> None:
    make.user("petr", access=jana.access, password=PASSWORD)
    assert who(client, "jana") == "jana"
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    assert (cookie.http_only, cookie.same_site) == (True, "Lax")
    assert who(client, "jana") == "jana"
    assert Session.select().count() == 1, "one session for all requests"
    (entry,) = AuditEntry.select().where(AuditEntry.action == "auth.signed_in")
    assert (entry.actor_label, entry.details) == ("jana", {"method": "header"})
    stolen = app.test_client()
    stolen.set_cookie(COOKIE, cookie.value)
    assert who(stolen, "jana", "192.0.2.1") == "", "the cookie alone opens nothing"
    assert Session.select().count() == 0
    assert who(client, "jana") == "jana"
    assert who(client, "petr") == "petr", "another user at the same browser"
    assert [row.user_id for row in Session.select()] == [User.get(User.login == "petr").id]
    assert who(client, None) == "", "the header is gone"
    assert Session.select().count() == 0
    assert door.enter(client, "petr").status_code == 302
    assert is_in(client), "a password needs no header"
    assert who(client, "nobody") == "petr"
    assert who(client, "jana") == "jana"
    User.update(deactivated_ts=1).where(User.id == jana.id).execute()
    assert who(client, "jana") == ""


def test_unknown_user_is_added_where_that_was_chosen(client: FlaskClient, app: Flask, jana: User) -> None:
    make.user("traced")
    agent = jana.access_id
    for choices, login, wanted in (
        ({"adds": True}, "new", ""),
        ({"access": agent}, "new", ""),
        ({"adds": True, "access": agent}, "new", "new"),
        ({"adds": True, "access": agent}, "traced", "traced"),
        ({"adds": True, "access": agent}, "two words", ""),
    ):
        sign_in_settings.save(SignIn(**choices))
        assert who(app.test_client(), login) == wanted, (choices, login)
    assert {row.login for row in User.select()} == {"jana", "traced", "new"}
    assert User.get(User.login == "new").access_id == agent
    sign_in_settings.save(SignIn(emergency_only=True, emergency=(jana.id,)))
    assert 'name="password"' not in app.test_client().get("/sign-in").text


def test_second_factor_is_asked_for_where_the_role_requires_it(client: FlaskClient, jana: User) -> None:
    Access.update(two_factor=True).where(Access.id == jana.access_id).execute()
    named, environ = {HEADER: "jana"}, {"REMOTE_ADDR": "10.0.0.1"}
    answer = client.get("/my-data", headers=named, environ_overrides=environ)
    assert answer.headers["Location"] == "/sign-in/second-step?next=/my-data"
    page = client.get(answer.headers["Location"], headers=named, environ_overrides=environ)
    assert (page.status_code, 'name="code"' in page.text) == (200, True)
    assert Session.select().count() == 0
    secret = TwoFactor.get_by_id(jana.id).secret
    client.get("/inbox", headers=named, environ_overrides=environ)  # of another tab
    assert (TwoFactor.get_by_id(jana.id).secret, PendingSignIn.select().count()) == (secret, 1)
    values = {"code": pyotp.TOTP(secret).now()}
    done = client.post("/sign-in/second-step", data=values, headers=named, environ_overrides=environ)
    assert (done.status_code, [row.method for row in Session.select()]) == (200, ["header"])
    two_factor.remove(jana.id)
    assert who(client, "jana") == "", "the second factor was reset"


def test_machines_have_no_session(app: Flask, jana: User) -> None:
    for path in ("/healthz", "/api/v1/events", "/static/app.css"):
        environ = {"REMOTE_ADDR": "10.0.0.1"}
        app.test_client().get(path, headers={HEADER: "jana"}, environ_overrides=environ).close()
    assert Session.select().count() == 0


@pytest.mark.both_databases
def test_first_requests_at_once_add_one_user(app: Flask, jana: User) -> None:
    sign_in_settings.save(SignIn(adds=True, access=jana.access_id))
    assert at_once(4, lambda _n: who(app.test_client(), "new")) == {"new": 4}
    assert User.select().where(User.login == "new").count() == 1
