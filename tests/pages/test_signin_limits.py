"""Limits of attempts to sign in, with parallel requests; who is locked out by whom; what is recorded."""

from __future__ import annotations

from collections.abc import Iterator

import peewee
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access import known_browsers, throttle
from dashboard.models import AuditEntry, SignInAttempt, User
from tests import make
from tests.pages.door import PASSWORD, at_once, enter, is_in

pytestmark = pytest.mark.both_databases

NOW = 1_772_000_000
STRANGER = {"REMOTE_ADDR": "203.0.113.9"}


@pytest.fixture(autouse=True)
def today() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def jana(app: Flask) -> User:
    return make.user("jana", access=make.access(), password=PASSWORD)


def attack(app: Flask, login: str = "jana", number: int = throttle.MAX_PER_ACCOUNT) -> list[int]:
    """Try wrong passwords from another address and return the statuses."""
    stranger = app.test_client()
    form = {"login": login, "password": "wrong"}
    return [stranger.post("/sign-in", data=form, environ_base=STRANGER).status_code for _ in range(number)]


def failures() -> list[tuple[str, str]]:
    entries = AuditEntry.select(AuditEntry.outcome, AuditEntry.target_label).order_by(AuditEntry.id)
    return list(entries.where(AuditEntry.action == "auth.sign_in_failed").tuples())


def test_parallel_guesses_are_judged_up_to_the_limit(app: Flask) -> None:
    found = at_once(24, lambda n: enter(app.test_client(), password=f"wrong {n}").status_code)
    assert found == {422: 5, 429: 19}
    assert failures().count(("failure", "jana")) == 5
    assert failures().count(("denied", "jana")) == 1


def test_parallel_guesses_of_the_current_password_are_limited(app: Flask, jana: User) -> None:
    client = app.test_client()
    token = make.sign_in(client, jana)

    def guess(n: int) -> int:
        one = app.test_client()
        one.set_cookie("stopa", token)
        form = {"current": f"wrong {n}", "password": "battery staple"}
        return one.post("/account/password", data=form).status_code

    assert at_once(12, guess) == {422: 5, 429: 7}


def test_a_known_browser_signs_in_while_strangers_lock_the_account(app: Flask, client: FlaskClient) -> None:
    enter(client)
    client.post("/sign-out")
    assert attack(app, number=7) == [422] * 5 + [429] * 2
    assert enter(app.test_client()).status_code == 429  # an unknown browser with the right password
    assert enter(client, password="mistyped").status_code == 422
    assert enter(client).status_code == 302
    assert attack(app, number=1) == [429]  # her success does not open the account to strangers


def test_a_known_browser_signs_in_while_its_address_is_used_up(app: Flask, client: FlaskClient) -> None:
    enter(client)
    client.post("/sign-out")
    for n in range(throttle.MAX_PER_ADDRESS):
        throttle.attempt(throttle.by_stranger(f"user{n}", "127.0.0.1"))
    assert enter(app.test_client()).status_code == 429
    assert enter(client).status_code == 302


def test_a_known_browser_waits_a_minute_between_further_guesses(
    app: Flask, client: FlaskClient, today: time_machine.Traveller
) -> None:
    enter(client)
    for _ in range(throttle.MAX_PER_ACCOUNT):
        assert enter(client, password="wrong").status_code == 422
    answer = enter(client)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
    assert enter(app.test_client()).status_code == 302  # they count for this browser alone
    for shift, password, status in ((60, "wrong", 422), (59, PASSWORD, 429), (1, PASSWORD, 302)):
        today.shift(shift)
        assert enter(client, password=password).status_code == status


FOREIGN = {
    "none": lambda cookie, other: "",
    "garbage": lambda cookie, other: "garbage",
    "changed": lambda cookie, other: cookie[:-5] + ("a" if cookie[-5] != "a" else "b") + cookie[-4:],
    "another account's": lambda cookie, other: other,
}


@pytest.mark.parametrize("name", FOREIGN)
def test_only_the_own_signed_cookie_passes_the_lock(app: Flask, client: FlaskClient, name: str) -> None:
    petr = make.user("petr", access=make.access(), password=PASSWORD)
    enter(client)
    cookie = client.get_cookie(known_browsers.COOKIE)
    assert cookie is not None
    attack(app)
    other = app.test_client()
    with app.app_context():
        foreign = known_browsers.remember("", petr)
    other.set_cookie(known_browsers.COOKIE, FOREIGN[name](cookie.value, foreign))
    assert enter(other).status_code == 429
    other.set_cookie(known_browsers.COOKIE, cookie.value)
    assert enter(other).status_code == 302


def test_one_browser_knows_several_accounts_and_forgets_the_oldest(app: Flask, jana: User) -> None:
    users = [make.user(access=make.access(), password=PASSWORD) for _ in range(known_browsers.ACCOUNTS)]
    with app.app_context():
        cookie = known_browsers.remember("", jana)
        for user in users[:-1]:
            cookie = known_browsers.remember(cookie, user)
        assert known_browsers.browser(cookie, jana)
        cookie = known_browsers.remember(cookie, users[-1])
        assert known_browsers.browser(cookie, jana) is None
        assert all(known_browsers.browser(cookie, user) for user in users)


def test_a_new_password_makes_all_but_the_own_browser_unknown(
    app: Flask, client: FlaskClient, jana: User
) -> None:
    other = app.test_client()
    for each in (client, other):
        enter(each)
    client.post("/account/password", data={"current": PASSWORD, "password": "battery staple"})
    attack(app)
    assert enter(other, password="battery staple").status_code == 429
    assert enter(client, password="battery staple").status_code == 302


def test_strangers_do_not_keep_a_user_from_a_new_password(
    app: Flask, client: FlaskClient, jana: User
) -> None:
    make.sign_in(client, jana)
    attack(app)
    answer = client.post("/account/password", data={"current": PASSWORD, "password": "battery staple"})
    assert answer.status_code == 302


def test_throttled_attempts_are_recorded_once_per_window_and_limit(
    app: Flask, today: time_machine.Traveller
) -> None:
    attack(app, number=25)
    assert failures() == [("failure", "jana")] * 5 + [("denied", "jana")]
    for n in range(40):
        attack(app, f"user{n}", 1)  # 25 more until the address has used up its 30
    assert failures()[6:] == [("failure", f"user{n}") for n in range(25)] + [("denied", "user25")]
    today.shift(throttle.WINDOW_S)
    attack(app, number=10)
    assert failures()[32:] == [("failure", "jana")] * 5 + [("denied", "jana")]


@pytest.mark.parametrize(("shift", "status"), [(-3600, 302), (-61, 302), (-30, 429), (0, 429)])
def test_a_clock_set_back_lengthens_no_lock(
    app: Flask, client: FlaskClient, today: time_machine.Traveller, shift: int, status: int
) -> None:
    attack(app)
    today.shift(shift)
    answer = enter(client)
    assert answer.status_code == status
    assert int(answer.headers.get("Retry-After", 0)) <= throttle.WINDOW_S
    today.shift(throttle.WINDOW_S)
    assert enter(app.test_client()).status_code in (302, status)
    today.shift(throttle.SKEW_S)
    assert enter(app.test_client()).status_code == 302


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "", True),
    ],
)
def test_an_address_is_counted_by_network(db: peewee.Database, first: str, second: str, shared: bool) -> None:
    for n in range(throttle.MAX_PER_ADDRESS):
        assert not throttle.attempt(throttle.by_stranger(f"user{n}", first)).wait_s
    assert bool(throttle.attempt(throttle.by_stranger("jana", second)).wait_s) == shared


def test_texts_longer_than_their_columns_are_no_error(app: Flask, jana: User) -> None:
    client, address = app.test_client(), {"REMOTE_ADDR": "x" * 500}
    form = {"login": "İ" * 120, "password": "wrong"}  # two letters each in lower case
    statuses = [client.post("/sign-in", data=form, environ_base=address).status_code for _ in range(6)]
    assert statuses == [422] * 5 + [429]
    form = {"login": "jana", "password": PASSWORD}
    assert client.post("/sign-in", data=form, environ_base=address).status_code == 302


def test_unlocking_forgets_failures_of_the_account_and_of_addresses(app: Flask, jana: User) -> None:
    attack(app)
    attack(app, "petr", 2)
    assert throttle.unlock("jana", jana.id) == 5
    assert [row.key for row in SignInAttempt.select()] == ["login:petr"] * 2
    assert enter(app.test_client()).status_code == 302


def test_https_cookies_cannot_be_set_by_other_hosts(app: Flask, client: FlaskClient) -> None:
    app.config["SESSION_COOKIE_SECURE"] = True  # what a base URL of https gives
    secure = {"base_url": "https://localhost"}
    form = {"login": "jana", "password": PASSWORD}
    answer = client.post("/sign-in", data=form, **secure)
    cookies = [line for line in answer.headers.getlist("Set-Cookie") if "stopa_form" not in line]
    assert [line.partition("=")[0] for line in cookies] == ["__Host-stopa", "__Host-stopa_known"]
    for line in cookies:
        parts = {part.strip() for part in line.split(";")}
        assert {"Secure", "HttpOnly", "Path=/"} <= parts
        assert "Domain" not in line
    assert client.get("/account", **secure).status_code == 200
    plain = app.test_client()
    session = client.get_cookie("__Host-stopa")
    assert session is not None
    plain.set_cookie("stopa", session.value)
    assert not is_in(plain)  # without the prefix it may come from anybody
    client.post("/sign-out", **secure)
    assert client.get_cookie("__Host-stopa") is None
