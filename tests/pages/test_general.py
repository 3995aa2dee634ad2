"""The page of the installation: its health, the settings in force, a test of its mail."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.events import backups, health
from dashboard.jobs import heartbeat, worker
from dashboard.models import Event, Source, SourceRhythm, User
from dashboard.settings import SETTINGS
from tests.notify.mail_server import Sink, serving
from tests.pages import asks
from tests.pages.html import Page

PATH = "/settings/general"
DAY_S = 86_400
PARTS = ("Database", "Background work", "Sources", "Backup", "Disk")


@pytest.fixture
def viewer(client: FlaskClient) -> FlaskClient:
    asks.sign_in_with(client, Permission.RULES_OPERATE)
    return client


def rows(client: FlaskClient) -> dict[str, list[str]]:
    """Return the cells of both tables by the first of each row."""
    return {cells[0]: cells[1:] for cells in Page(client.get(PATH).text).rows.values() if cells}


def result(client: FlaskClient) -> list[str]:
    """Return the words about the last test mail."""
    return re.sub(
        "<[^>]*>", " ", client.get(PATH).text.partition('id="tested"')[2].partition("</p>")[0]
    ).split()


def state(client: FlaskClient) -> dict[str, str]:
    return {label: cells[0] for label, cells in rows(client).items() if len(cells) == 2 and label in PARTS}


def test_health_names_what_is_wrong(app: Flask, viewer: FlaskClient) -> None:
    app.config["STOPA"] = replace(app.config["STOPA"], disk_low_mb=1)
    source = Source.create(name="pbx", created_ts=1)
    SourceRhythm.create(source=source, arrived_ms=1, silent_ms=2, hours={})
    before = {label: cells[0] for label, cells in rows(viewer).items()}
    assert (before["Background work"], before["Sources"], before["Backup"]) == (
        "Stopped",
        "Silent",
        "Missing",
    )
    heartbeat.mark(0)
    SourceRhythm.update(silent_ms=None).execute()
    backups.note("night.db", 3 * 2**20)
    assert state(viewer) == dict.fromkeys(PARTS, "Good")
    assert rows(viewer)["Backup"][1].endswith("3 MB, night.db")
    with time_machine.travel(clock.now_s() - 2 * DAY_S - 60):
        backups.note("earlier.db", 1)
    assert rows(viewer)["Backup"][0] == "Too old"


def test_settings_are_shown_without_secrets(viewer: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOPA_SMTP_URL", "smtp://me:geheim@mail.example.com")
    shown = {label: cells for label, cells in rows(viewer).items() if label.startswith("STOPA_")}
    assert list(shown) == [setting.name for setting in SETTINGS]
    assert shown["STOPA_SMTP_URL"] == ["smtp://me:***@mail.example.com", "Environment"]
    assert shown["STOPA_LOCALE"] == ["en", "Default"]


def test_a_test_mail_goes_to_the_viewer(app: Flask, viewer: FlaskClient) -> None:
    assert viewer.post(f"{PATH}/mail").status_code == 422
    User.update(email="op@example.com").execute()
    sink = Sink()
    with serving(sink) as address:
        app.config["STOPA"] = replace(app.config["STOPA"], smtp_url=f"smtp://{address}")
        assert viewer.post(f"{PATH}/mail").status_code == 302
        assert "on its way" in Page(viewer.get(PATH).text).text
        worker.drain()
        assert [to for to, _mail in sink.got] == [["op@example.com"]]
    assert result(viewer)[1:3] == ["Delivered", "op@example.com,"]
    assert asks.audited("mail.tested").outcome == "success"
    viewer.post(f"{PATH}/mail")
    worker.drain()
    assert result(viewer)[1:3] == ["Failed", "op@example.com,"]


def test_a_database_without_a_new_backup_is_reported_once(app: Flask) -> None:
    backups.note("night.db", 1)
    with time_machine.travel(clock.now_s() + 3 * DAY_S):
        for _ in range(2):
            for gauge in health.gauges(1):
                health.tell(gauge)
    types = [type_ for (type_,) in Event.select(Event.type).order_by(Event.id).tuples()]
    assert [type_ for type_ in types if type_.startswith("backup")] == ["backup.made", "backup.missing"]


def test_strangers_are_refused(client: FlaskClient) -> None:
    asks.refuses_strangers(client, PATH)
    asks.refuses_posts(client, f"{PATH}/mail", Permission.HOME_VIEW)
