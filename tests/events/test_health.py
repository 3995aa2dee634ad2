"""A measure that becomes bad is one event, until it was good again."""

from __future__ import annotations

import json

import peewee
import pytest

from dashboard.events import health
from dashboard.events.health import Gauge
from dashboard.jobs import queue
from dashboard.models import Event, Job

pytestmark = pytest.mark.both_databases


def told() -> list[tuple[str, dict[str, int]]]:
    rows = Event.select(Event.type, Event.data).order_by(Event.id).tuples()
    return [(type_, json.loads(data)) for type_, data in rows]


def gauge(value: int) -> Gauge:
    return Gauge("system.backlog_high", "backlog", value, value > 100, value < 50)


@pytest.mark.usefixtures("db")
def test_bad_measure_is_reported_once_until_it_recovers() -> None:
    for value in (10, 101, 120, 60, 101, 40, 101):
        health.tell(gauge(value))
    assert told() == [("system.backlog_high", {"backlog": 101})] * 2


@pytest.mark.usefixtures("db")
def test_job_backlog_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "BACKLOG", 2)
    monkeypatch.setattr(health, "DISK_MB", 0)
    for _ in range(3):
        queue.enqueue("digest", {"after": 0, "to": 0})
    health.look(every_s=0)
    Job.delete().execute()
    health.look(every_s=0)
    assert told() == [("system.backlog_high", {"backlog": 3})]


def test_low_disk_space_is_reported(db: peewee.Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "DISK_MB", 2**40)
    monkeypatch.setattr(health, "_last_check", None)
    found = {each.type for each in health.gauges() if each.bad}
    assert found == ({"system.disk_low"} if isinstance(db, peewee.SqliteDatabase) else set())
    health.look(every_s=3600)
    health.look(every_s=3600)
    assert [type_ for type_, _data in told()] == sorted(found)
