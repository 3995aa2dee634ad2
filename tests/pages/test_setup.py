"""The first administrator: the one-time code, parallel requests, and who else is there."""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any

import peewee
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access import first_admin
from dashboard.models import Access, Setting, SignInAttempt, User
from tests import make
from tests.pages import asks
from tests.pages.door import PASSWORD, at_once, enter, is_in

pytestmark = pytest.mark.both_databases

TOO_LATE = "The first administrator has already been added, so nothing was saved. Sign in."


@pytest.fixture(autouse=True)
def today() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(1_772_000_000, tick=False) as traveller:
        yield traveller


def form(code: str | None, login: str = "boss", **more: Any) -> dict[str, Any]:
    return {"code": code, "login": login, "name": "The Boss", "password": PASSWORD, **more}


def test_first_visit_creates_the_administrator_once(client: FlaskClient) -> None:
    assert client.get("/sign-in").headers["Location"] == "/setup"
    code = first_admin.setup_code()
    assert code is not None
    for field, value in (("code", "0"), ("login", "two words"), ("name", ""), ("password", "short")):
        wrong = client.post("/setup", data={**form(code), field: value})
        assert wrong.status_code == 422
        assert f'id="e-{field}"' in wrong.text
        assert PASSWORD not in wrong.text
    assert User.select().count() == 0
    done = client.post("/setup", data=form(code))
    assert done.headers["Location"] == "/"
    assert is_in(client)
    assert asks.audited("auth.signed_in").actor_label == "boss"
    assert User.get().access == Access.get(Access.name == "Administrator")
    assert Setting.get_or_none(Setting.name == first_admin.CODE_NAME) is None
    assert client.post("/setup", data=form(code, "second")).headers["Location"] == "/sign-in"
    assert User.select().count() == 1


def test_setup_code_attempts_are_limited(client: FlaskClient) -> None:
    code = first_admin.setup_code()
    for _ in range(5):
        assert client.post("/setup", data=form("guess")).status_code == 422
    answer = client.post("/setup", data=form(code))
    assert answer.status_code == 429
    assert User.select().count() == 0
    other = {"REMOTE_ADDR": "203.0.113.9"}  # a stranger's guesses close the page for nobody else
    assert client.post("/setup", data=form(code), environ_base=other).status_code == 302


def test_parallel_requests_make_one_administrator(app: Flask) -> None:
    code = first_admin.setup_code()

    def add(n: int) -> tuple[str, bool]:
        client = app.test_client()
        target = client.post("/setup", data=form(code, f"boss{n}")).headers["Location"]
        return target, TOO_LATE in html.unescape(client.get("/sign-in").text)

    assert at_once(8, add) == {("/sign-in", True): 7, ("/", False): 1}
    assert User.select().count() == 1
    assert not SignInAttempt.select().exists()


def test_late_request_with_a_used_code_hears_that_an_administrator_exists(client: FlaskClient) -> None:
    code = first_admin.setup_code()
    make.administrator(password=PASSWORD)
    assert client.post("/setup", data=form(code)).headers["Location"] == "/sign-in"
    assert TOO_LATE in html.unescape(client.get("/sign-in").text)


def test_printed_codes_stay_valid_when_another_start_prints_one(db: peewee.Database) -> None:
    printed = [str(first_admin.setup_code()) for _ in range(first_admin.CODES_KEPT)]
    assert all(first_admin.code_is_right(code) for code in printed)
    latest = str(first_admin.setup_code())
    right = [first_admin.code_is_right(code) for code in (*printed, latest, "", " ", f" {latest} ")]
    assert right == [False, True, True, True, True, True, False, False, True]
    assert not any(code in Setting.get().value for code in (*printed, latest))
    assert first_admin.make_administrator("boss", "Boss", PASSWORD)
    assert not any(first_admin.code_is_right(code) for code in (*printed, latest))
    assert first_admin.setup_code() is None


def test_servers_that_start_at_once_print_valid_codes(app: Flask) -> None:
    printed = at_once(4, lambda _n: str(first_admin.setup_code()))
    assert [first_admin.code_is_right(code) for code in printed] == [True] * 4


def test_a_user_known_from_events_becomes_the_administrator(client: FlaskClient) -> None:
    make.user("boss", name="Boss of events", deactivated_ts=1)
    assert client.post("/setup", data=form(first_admin.setup_code())).status_code == 302
    assert enter(client, "boss").status_code == 302
    row = User.get()
    assert (row.name, row.access.name) == ("Boss of events", "Administrator")
