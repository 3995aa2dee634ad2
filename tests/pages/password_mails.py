"""Links by mail with which a user chooses a password, as tests ask for them and open them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard.jobs import worker
from dashboard.models import User
from dashboard.notify import account_mail
from tests import make
from tests.notify.mail_server import Sink, serving
from tests.pages.door import PASSWORD

NOW = 1_772_000_000
FORGOTTEN, NEW = "/sign-in/forgotten", "/sign-in/new-password"
BETTER = "battery staple"
LINK = re.compile(r"http://127\.0\.0\.1:8000/sign-in/new-password\?token=([\w-]{43})")


@pytest.fixture(autouse=True)
def today() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def sink(app: Flask) -> Iterator[Sink]:
    sink = Sink()
    with serving(sink) as place:
        app.config["STOPA"] = replace(app.config["STOPA"], smtp_url=f"smtp://{place}")
        yield sink


@pytest.fixture
def jana(app: Flask) -> User:
    return make.user(
        "jana", access=make.access(name="Agents"), password=PASSWORD, email="jana@example.org", locale="cs"
    )


def work(app: Flask) -> None:
    with app.app_context():
        worker.drain([account_mail.REQUEST, account_mail.KIND])


def token(sink: Sink) -> str:
    """Return the token of the latest mail, the same in its text and its HTML."""
    mail = sink.got[-1][1]
    found = {
        part for kind in ("plain", "html") for part in LINK.findall(mail.get_body((kind,)).get_content())
    }  # type: ignore[union-attr]
    (only,) = found
    return only


def ask(app: Flask, client: FlaskClient, account: str = "jana") -> None:
    assert client.post(FORGOTTEN, data={"account": account}).status_code == 302
    work(app)


def choose(client: FlaskClient, given: str, password: str = BETTER) -> int:
    return client.post(NEW, data={"token": given, "password": password}).status_code
