"""The application with a mail server, just before a schedule is due."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard.notify import safe_http
from tests.api import Api
from tests.notify.mail_server import Sink, serving
from tests.reports.calls import events
from tests.reports.mails import DUE


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def mail(app: Flask, client: FlaskClient, sink: Sink, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """The application with a mail server and the calls of a week."""
    monkeypatch.setattr(safe_http, "TOTAL_S", 2.0)
    with serving(sink) as place:
        app.config["STOPA"] = replace(
            app.config["STOPA"],
            smtp_url=f"smtp://{place}",
            mail_from="Stopa <stopa@desk.example>",
            base_url="https://desk.example",
        )
        Api(client).take(events())
        yield app


@pytest.fixture
def clock(mail: Flask) -> Iterator[time_machine.Coordinates]:
    """The time stands still just before the schedule is due; the mail server needs that of its own."""
    with time_machine.travel(DUE.timestamp() - 60, tick=False) as moved:
        yield moved
