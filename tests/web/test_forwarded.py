"""Forwarded headers that are sent and not believed: once in the log, and on Operations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import time_machine
from flask import Flask

from dashboard.access.permissions import Permission
from dashboard.models import Setting
from dashboard.web import forwarded
from tests import make

pytestmark = pytest.mark.both_databases

IGNORED = "Requests come with X-Forwarded-For, which is ignored because STOPA_TRUSTED_PROXIES is 0."
FEWER = "Requests come with %s of 1 values, fewer than STOPA_TRUSTED_PROXIES (2), so it is ignored."
CASES = [
    (0, {}, None),
    (0, {"X-Forwarded-For": "203.0.113.9"}, IGNORED),
    (0, {"X-Forwarded-Proto": "https"}, IGNORED.replace("-For,", "-Proto,")),
    (0, {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}, IGNORED),
    (1, {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}, None),
    (1, {}, None),
    (2, {"X-Forwarded-For": "6.6.6.6, 203.0.113.9"}, None),
    (2, {"X-Forwarded-For": "203.0.113.9"}, FEWER % "X-Forwarded-For"),
    (2, {"X-Forwarded-For": "a, b", "X-Forwarded-Proto": "https"}, FEWER % "X-Forwarded-Proto"),
]


@pytest.fixture(autouse=True)
def today() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(1_772_000_000, tick=False) as traveller:
        yield traveller


def trust(app: Flask, proxies: int) -> None:
    app.config["STOPA"] = replace(app.config["STOPA"], trusted_proxies=proxies)


def operations(app: Flask) -> str:
    client = app.test_client()
    make.sign_in(client, make.user(access=make.access([Permission.RULES_OPERATE])))
    return client.get("/operations").text


@pytest.mark.parametrize(("proxies", "headers", "said"), CASES)
def test_a_header_that_is_not_believed_is_shown_and_logged_once(
    new_app: Flask, caplog: pytest.LogCaptureFixture, proxies: int, headers: dict[str, str], said: str | None
) -> None:
    trust(new_app, proxies)
    for path in ("/static/app.css", "/sign-in", "/api/v1/events", "/healthz"):
        new_app.test_client().get(path, headers=headers).close()
    page = operations(new_app)
    assert ("Requests come with" in page, said is None or said in page) == (said is not None, True)
    lines = [one.getMessage() for one in caplog.records if "not believed" in one.getMessage()]
    assert len(lines) == (said is not None)
    assert all(f"STOPA_TRUSTED_PROXIES is {proxies}" in line for line in lines)


def test_the_notice_goes_after_a_day_or_with_the_setting(
    new_app: Flask, today: time_machine.Traveller
) -> None:
    headers = {"X-Forwarded-For": "203.0.113.9"}
    new_app.test_client().get("/sign-in", headers=headers)
    today.shift(forwarded.SHOWN_S)
    assert IGNORED in operations(new_app)
    today.shift(1)
    assert IGNORED not in operations(new_app)
    new_app.test_client().get("/sign-in", headers=headers)
    assert IGNORED in operations(new_app)
    trust(new_app, 1)
    assert IGNORED not in operations(new_app)


def test_many_requests_write_once_an_hour(new_app: Flask, today: time_machine.Traveller) -> None:
    client, written = new_app.test_client(), []
    for shift in (0, 60, 3500, 40, 3600, -7200):
        today.shift(shift)
        Setting.delete().where(Setting.name == forwarded.NAME).execute()
        client.get("/sign-in", headers={"X-Forwarded-For": "203.0.113.9"})
        written.append(Setting.select().where(Setting.name == forwarded.NAME).exists())
    assert written == [True, False, False, True, True, True]
