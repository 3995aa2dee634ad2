"""A measure that becomes bad is one event, until it was good again."""

from __future__ import annotations

import json
from pathlib import Path

import peewee
import pytest
import time_machine
from flask import Flask

from dashboard import clock
from dashboard.events import health, record
from dashboard.events.health import Gauge
from dashboard.jobs import queue
from dashboard.models import Event, Job

pytestmark = pytest.mark.both_databases


def told() -> list[tuple[str, dict[str, int]]]:
    rows = Event.select(Event.type, Event.data).order_by(Event.id).tuples()
    return [(type_, json.loads(data)) for type_, data in rows]


def gauge(value: int, machine: str = "") -> Gauge:
    return Gauge("system.backlog_high", {"backlog": value}, value > 100, value < 50, machine)


@pytest.mark.usefixtures("db")
def test_bad_measure_is_reported_once_until_it_recovers() -> None:
    for value in (10, 101, 120, 60, 101, 40, 101):
        health.tell(gauge(value))
    assert told() == [("system.backlog_high", {"backlog": 101})] * 2


@pytest.mark.usefixtures("db")
def test_a_good_machine_does_not_speak_for_another() -> None:
    one = "one.example.org" * 9
    for value, machine in ((101, one), (10, "two"), (101, one), (101, "two")):
        health.tell(gauge(value, machine))
    assert told() == [("system.backlog_high", {"backlog": 101})] * 2


def look(app: Flask) -> None:
    with app.app_context():
        health.look(every_s=0)


def test_job_backlog_is_reported(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "BACKLOG", 2)
    for _ in range(3):
        queue.enqueue("digest", {"after": 0, "to": 0})
    look(app)
    Job.delete().execute()
    look(app)
    assert told() == [("system.backlog_high", {"backlog": 3})]


@time_machine.travel("2026-11-19 10:00:00Z", tick=False)
def test_late_digests_are_reported_with_the_source_of_the_oldest(app: Flask) -> None:
    for source, age_s in (("pbx", 61), ("chat", 20)):
        queue.enqueue("digest", {"after": 0, "to": 0, "source": record.source(source).id})
        Job.update(created_ms=clock.now_ms() - age_s * 1000).where(Job.created_ms == clock.now_ms()).execute()
    look(app)
    assert told() == [("source.backlog", {"lag_s": 61, "name": "pbx"})]


def test_low_disk_space_is_reported_of_the_disk_that_is_seen(
    app: Flask, db: peewee.Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is that of the file of SQLite, or else that of the instance; a server's is not seen."""
    sqlite = isinstance(db, peewee.SqliteDatabase)
    monkeypatch.setattr(health, "INSTANCE", tmp_path / "missing")
    assert bool([each for each in health.gauges(2**40) if each.type == "system.disk_low"]) == sqlite
    monkeypatch.setattr(health, "INSTANCE", tmp_path)
    (found,) = [each for each in health.gauges(2**40) if each.bad]
    assert found.data["folder"] == str(Path(db.database).parent if sqlite else tmp_path)
    assert not [each for each in health.gauges(1) if each.bad]
    monkeypatch.setattr(health, "_last_check", None)
    monkeypatch.setitem(app.config, "STOPA", type("Low", (), {"disk_low_mb": 2**40}))
    with app.app_context():
        for _ in range(2):
            health.look(every_s=3600)
    assert [type_ for type_, _data in told()] == ["system.disk_low"]
