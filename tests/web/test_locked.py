"""Pages while another process holds the write lock: what is only read is shown, and recorded later."""

from __future__ import annotations

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard import clock
from dashboard.audit import deferred
from dashboard.db import dialect
from dashboard.models import AuditEntry, Session
from tests import make
from tests.access.test_matrix import ABSENT, routes
from tests.ingest.test_kill import locked
from tests.pages import trail
from tests.pages.trail import DAY

pytestmark = pytest.mark.both_databases
# Nothing leaves that is not recorded; the page of a pause needs its start.
LEFT_OUT = (".pdf", ".csv", ".xlsx", ".json", "/export", "/tracing/pause")


def test_every_page_is_shown_and_its_look_is_recorded_after_the_lock(
    client: FlaskClient, app: Flask, db_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialect, "READER_WAIT_MS", 10)
    trail.store(trail.ordinary())
    make.sign_in(client, make.administrator())
    later_s = clock.now_s() + 3600
    shown = 0
    with time_machine.travel(later_s, tick=False):
        with locked(db_url):
            for route in routes(app):
                if (
                    route.method == "GET"
                    and str(ABSENT) not in route.path
                    and not route.path.endswith(LEFT_OUT)
                ):
                    query = {"user": "jana", "date": DAY} if route.path == "/tracing" else {}
                    answer = client.get(route.path, query_string=query)
                    assert answer.status_code in (200, 302), (route, answer.status_code)
                    shown += 1
        deferred.flush()
        assert AuditEntry.select().where(AuditEntry.action == "tracing.viewed").count() == 1
        client.get("/users")
        assert Session.get().seen_ts == later_s
    assert shown >= 30
