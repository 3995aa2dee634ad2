"""/readyz and /metrics: what monitoring reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from dashboard.access import keys
from dashboard.db import database
from dashboard.events import health, room
from dashboard.jobs import counters, heartbeat, worker
from dashboard.settings import SettingsError, load
from tests import make

pytestmark = pytest.mark.both_databases
TOKEN = "0123456789abcdef"
EVENT = {"id": "1", "type": "call.queued", "time": "2026-03-02T09:00:00Z", "interaction": "c", "queue": "q"}


@pytest.fixture
def counting(app: Flask) -> Iterator[None]:
    app.config["STOPA"] = replace(app.config["STOPA"], metrics=TOKEN)
    counters.use(True)
    yield
    counters.flush()
    counters.use(False)


def numbers(client: FlaskClient, **headers: str) -> dict[tuple[str, ...], float]:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}", **headers})
    assert answer.status_code == 200
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_metrics_count_what_was_done(client: FlaskClient, counting: None) -> None:
    key = keys.make("pbx", "pbx", "ingest")
    for body in ([EVENT], [EVENT], [{**EVENT, "id": "2", "type": "Not a type"}]):
        client.post("/api/v1/events", json=body, headers={"Authorization": f"Bearer {key}"})
    client.post("/sign-in", data={"login": make.administrator().login, "password": "wrong"})
    client.get("/nowhere")
    for invented in ("A1", "A2"):
        client.open("/nowhere", method=invented)
    before = numbers(client)
    worker.drain()
    after = numbers(client)
    assert {name: before[name] for name in before if name[0] == "stopa_events_total"} == {
        ("stopa_events_total", "stored", "pbx"): 1,
        ("stopa_events_total", "repeated", "pbx"): 1,
        ("stopa_events_total", "refused", "pbx"): 1,
    }
    assert before["stopa_requests_total", "POST", "/api/v1/events", "202"] == 2
    assert before["stopa_requests_total", "POST", "/api/v1/events", "422"] == 1
    assert before["stopa_requests_total", "GET", "none", "404"] == 1
    assert {name[1]: before[name] for name in before if name[1:3] == ("other", "none")} == {"other": 2}
    assert before["stopa_sign_ins_total", "failed"] == 1
    assert before["stopa_jobs", "digest", "waiting"] == 2  # one is of an own event
    assert before["stopa_last_event_number",] >= 2  # PostgreSQL leaves out the number of a repeated one
    assert ("stopa_jobs", "digest", "waiting") not in after
    assert after["stopa_jobs_total", "digest", "done"] == 2
    assert after["stopa_requests_total", "GET", "/metrics", "200"] == 1
    assert after["stopa_database_bytes",] > 100_000


# What is set, how it is asked for, and the status.
ALLOWED = [
    ("", {}, "127.0.0.1", 404),
    ("", {"Authorization": "Bearer "}, "127.0.0.1", 404),
    (TOKEN, {}, "127.0.0.1", 401),
    (TOKEN, {"Authorization": "Bearer ř"}, "127.0.0.1", 401),
    (TOKEN, {"Authorization": f"Bearer {TOKEN}"}, "192.0.2.1", 200),
    ("loopback", {}, "127.0.0.1", 200),
    ("loopback", {}, "::1", 200),
    ("loopback", {}, "192.0.2.1", 401),
    ("loopback", {"X-Forwarded-For": "127.0.0.1"}, "127.0.0.1", 401),
    ("loopback", {"Authorization": "Bearer loopback"}, "192.0.2.1", 401),
]


def test_metrics_are_for_whom_the_setting_names(app: Flask, client: FlaskClient) -> None:
    for metrics, headers, address, status in ALLOWED:
        app.config["STOPA"] = replace(app.config["STOPA"], metrics=metrics)
        answer = client.get("/metrics", headers=headers, environ_overrides={"REMOTE_ADDR": address})
        assert answer.status_code == status, (metrics, headers, address)


def test_a_short_token_is_a_wrong_setting() -> None:
    with pytest.raises(SettingsError) as raised:
        load(
            {"STOPA_METRICS": "short", "STOPA_DATABASE": "sqlite:////tmp/x.db", "STOPA_SECRET_KEY": "0" * 32}
        )
    assert [problem.name for problem in raised.value.problems] == ["STOPA_METRICS"]


def test_ready_names_every_reason_why_not(app: Flask, client: FlaskClient) -> None:
    def ready() -> tuple[int, list[str]]:
        answer = client.get("/readyz")
        return answer.status_code, [line.partition(":")[0] for line in answer.text.splitlines()]

    assert ready() == (503, ["worker"])
    heartbeat.mark(0)
    assert ready() == (200, ["ok"])
    heartbeat.unmark()
    if health.folder() is not None:
        app.config["STOPA"] = replace(app.config["STOPA"], disk_low_mb=10_000_000)
        assert ready() == (503, ["worker", "disk"])
        assert "no events are taken" not in client.get("/readyz").text
        room.keep_free(10_000_000)
        assert "MB free, no events are taken" in client.get("/readyz").text
        room.keep_free(0)
    database.execute_sql("DELETE FROM schema_migration")
    assert ready() == (503, ["database"])
