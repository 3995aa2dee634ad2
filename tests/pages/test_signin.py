"""Signing in and out, and what keeps strangers from guessing."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace

import peewee
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from playhouse.pool import PooledDatabase

from dashboard import clock, create_app
from dashboard.access import keys, passwords, sessions, throttle
from dashboard.access.guard import COOKIE
from dashboard.access.keys import digest
from dashboard.db import database
from dashboard.models import AuditEntry, Session, SignInAttempt, User
from dashboard.settings import Settings
from tests import make
from tests.pages.door import PASSWORD, enter, is_in

HOSTILE_PATHS = (
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "/%0a/evil.example\n",
    "\\\\evil.example",
    "https://evil.example",
    "http:evil.example",
    "javascript:alert(1)",
    "evil.example",
    " //evil.example",
    "/\r\nLocation: https://evil.example",
    "//evil.example@localhost/",
    "http://localhost@evil.example",
    "/" + "a" * 3000,
    "https:/\\evil.example",
    "/\x7f/evil.example",
    "/ /evil.example",
)


@pytest.fixture(autouse=True)
def today() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(1_772_000_000, tick=False) as traveller:
        yield traveller


@pytest.fixture
def jana(app: Flask) -> User:
    return make.user("jana", access=make.access(), password=PASSWORD)


def test_sign_in_redirects_to_the_requested_page(client: FlaskClient, jana: User) -> None:
    wanted = client.get("/tracing?unit=week&tz=Europe/Prague").headers["Location"]
    form = client.get(wanted).text
    target = re.search(r'name="next" value="([^"]+)"', form)
    assert target is not None
    answer = enter(client, next=target.group(1).replace("&amp;", "&"))
    assert answer.headers["Location"] == "/tracing?unit=week&tz=Europe/Prague"
    assert is_in(client)
    assert client.get("/sign-in?next=/tracing").headers["Location"] == "/tracing"


def test_form_posted_after_session_end_is_not_used_as_redirect(client: FlaskClient, jana: User) -> None:
    assert client.post("/account", data={"locale": "cs"}).headers["Location"] == "/sign-in"


def test_session_cookie_is_same_site_and_http_only(client: FlaskClient, jana: User, app: Flask) -> None:
    cookie = next(
        line for line in enter(client).headers.getlist("Set-Cookie") if line.startswith(f"{COOKIE}=")
    )
    parts = {part.strip().partition("=")[0] for part in cookie.split(";")}
    assert {"HttpOnly", "SameSite", "Path", "Max-Age"} <= parts
    assert "SameSite=Lax" in cookie
    assert "Secure" not in parts
    app.config["SESSION_COOKIE_SECURE"] = True  # what a base URL of https gives
    assert "; Secure" in enter(app.test_client()).headers["Set-Cookie"]


def test_only_the_hash_of_a_token_is_stored(client: FlaskClient, jana: User) -> None:
    enter(client)
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    assert [row.token_hash for row in Session.select()] == [digest(cookie.value)]


def test_all_sign_in_failures_show_the_same_message(client: FlaskClient, jana: User) -> None:
    make.user("gone", access=make.access(), password=PASSWORD, deactivated_ts=1)
    make.user("barred", password=PASSWORD)
    make.user("traced", access=make.access())
    texts = set()
    for login, password in (
        ("jana", "wrong"),
        ("nobody", PASSWORD),
        ("gone", PASSWORD),
        ("barred", PASSWORD),
        ("traced", ""),
        ("Jana", PASSWORD),
        ("", ""),
        ("' OR 1=1 --", "x"),
        ("x" * 500, "y" * 5000),
    ):
        answer = enter(client, login, password)
        assert answer.status_code == 422, login
        shown = re.sub(r' value="[^"]*"', "", answer.text)
        texts.add(" ".join(re.sub(r"csrf_token.*", "", shown).split()))
        assert PASSWORD not in answer.text
    assert len(texts) == 1
    assert Session.select().count() == 0


def test_unknown_user_takes_as_long_as_wrong_password(client: FlaskClient, jana: User) -> None:
    def median(login: str) -> float:
        taken = []
        for _ in range(3):
            begun = time.perf_counter()
            assert not passwords.check(
                "wrong", (User.get_or_none(User.login == login) or User()).password_hash
            )
            taken.append(time.perf_counter() - begun)
        return statistics.median(taken)

    assert median("nobody") > median("jana") / 4


def test_five_failures_block_the_account_for_15_minutes(
    client: FlaskClient, jana: User, today: time_machine.Traveller
) -> None:
    for _ in range(5):
        assert enter(client, password="wrong").status_code == 422
    for login in ("jana", "JANA"):
        answer = enter(client, login)
        assert answer.status_code == 429
        assert answer.headers["Retry-After"] == "900"
        assert "Try again in 15 minutes" in answer.text
    today.shift(899)
    assert enter(client).status_code == 429
    today.shift(2)
    assert enter(client).status_code == 302


def test_unknown_account_is_blocked_too(client: FlaskClient, jana: User) -> None:
    for _ in range(5):
        throttle.attempt(throttle.by_stranger("nobody", "192.0.2.1"))
    assert enter(client, "nobody").status_code == 429


def test_successful_sign_in_resets_the_failures(client: FlaskClient, jana: User) -> None:
    for _ in range(4):
        throttle.attempt(throttle.by_stranger("jana", "192.0.2.1"))
    assert enter(client).status_code == 302
    assert SignInAttempt.select().where(SignInAttempt.key == "login:jana").count() == 0


def test_address_is_limited_to_30_attempts_despite_forwarded_headers(client: FlaskClient, jana: User) -> None:
    for n in range(30):
        throttle.attempt(throttle.by_stranger(f"user{n}", "127.0.0.1"))
    for n in range(3):
        forged = enter(
            client, X_Forwarded_For=f"203.0.113.{n}", X_Real_IP=f"203.0.113.{n}", Forwarded="for=203.0.113.9"
        )
        assert forged.status_code == 429
    assert AuditEntry.select().where(AuditEntry.ip != "127.0.0.1").count() == 0


def test_attempt_counts_survive_a_restart(client: FlaskClient, jana: User, settings: Settings) -> None:
    for _ in range(5):
        enter(client, password="wrong")
    again = create_app(settings)
    again.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    try:
        assert enter(again.test_client()).status_code == 429
    finally:
        _leave(database.obj)


def test_all_cookies_carry_the_prefix_where_the_base_url_is_https(jana: User, settings: Settings) -> None:
    app = create_app(replace(settings, base_url="https://stopa.example.com"))
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    try:
        client = app.test_client()
        answers = [client.get("/sign-in"), enter(client), client.get("/language/cs")]
        lines = [line for answer in answers for line in answer.headers.getlist("Set-Cookie")]
        names = {line.partition("=")[0] for line in lines}
        assert names == {"__Host-stopa", "__Host-stopa_form", "__Host-stopa_known"}
        assert all("; Secure" in line and "; Path=/" in line and "Domain" not in line for line in lines)
    finally:
        _leave(database.obj)


def _leave(opened: peewee.Database) -> None:
    if not opened.is_closed():
        opened.close()
    if isinstance(opened, PooledDatabase):
        opened.close_all()


def test_redirects_stay_on_the_site(client: FlaskClient, jana: User) -> None:
    for target in HOSTILE_PATHS:
        answers = [
            client.get("/language/en", query_string={"next": target}),
            enter(client, next=target),
            client.get("/sign-in", query_string={"next": target}),
        ]
        assert [answer.headers["Location"] for answer in answers] == ["/"] * 3, target


def test_foreign_headers_do_not_authenticate(client: FlaskClient, jana: User) -> None:
    names = ("Remote-User", "X-Forwarded-User", "X-Remote-User", "X-Auth-Request-User")
    for value in ("jana", "admin"):
        answer = client.get(
            "/account", headers={**dict.fromkeys(names, value), "Authorization": f"Bearer {value}"}
        )
        assert answer.status_code == 302
    key = keys.make("reader", "pbx", "read")
    assert client.get("/account", headers={"Authorization": f"Bearer {key}"}).status_code == 302


def test_sign_out_invalidates_copied_cookies(client: FlaskClient, jana: User, app: Flask) -> None:
    enter(client)
    cookie = client.get_cookie(COOKIE)
    assert cookie is not None
    answer = client.post("/sign-out")
    assert answer.headers["Location"] == "/sign-in"
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert client.get_cookie(COOKIE) is None
    copy = app.test_client()
    copy.set_cookie(COOKIE, cookie.value)
    assert not is_in(copy)
    assert client.get("/sign-out").status_code == 405


def test_sessions_end_when_idle_and_after_a_week(
    client: FlaskClient, jana: User, today: time_machine.Traveller
) -> None:
    enter(client)
    today.shift(sessions.IDLE_S)
    assert is_in(client)
    today.shift(sessions.IDLE_S + 1)
    assert not is_in(client)
    enter(client)
    for _ in range(sessions.ABSOLUTE_S // sessions.IDLE_S):
        today.shift(sessions.IDLE_S)
        assert is_in(client)
    today.shift(1)
    assert not is_in(client)


def test_sign_in_and_sign_out_are_audited(client: FlaskClient, jana: User) -> None:
    enter(client, password="hunter2secret", User_Agent="Probe/1")
    enter(client, User_Agent="Probe/1")
    client.post("/account/password", data={"current": PASSWORD, "password": "battery staple"})
    client.post("/sign-out")
    entries = list(AuditEntry.select().order_by(AuditEntry.id))
    assert [(one.action, one.outcome, one.actor_type, one.actor_label) for one in entries] == [
        ("auth.sign_in_failed", "failure", "anonymous", ""),
        ("auth.signed_in", "success", "user", "jana"),
        ("auth.password_changed", "success", "user", "jana"),
        ("auth.signed_out", "success", "user", "jana"),
    ]
    assert entries[0].target_label == "jana"
    assert entries[2].changes == {"password": ["•••", "•••"]}
    for one in entries:
        assert one.target_type == "user"
        assert (one.ip, one.interface) == ("127.0.0.1", "web")
        assert re.fullmatch("[0-9a-f]{16}", one.request_id)
        assert one.occurred_ms == clock.now_ms()
        whole = f"{one.changes} {one.details} {one.target_label} {one.user_agent}"
        for secret in ("hunter2secret", PASSWORD, "battery staple"):
            assert secret not in whole
    assert entries[0].user_agent == "Probe/1"
