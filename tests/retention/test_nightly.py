"""The nightly deletion: kind by kind, in pieces, from wherever it was interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import peewee
import pytest
import time_machine
from flask import Flask

from dashboard.audit import verify
from dashboard.clock import DAY_S
from dashboard.db import database, pieces
from dashboard.db.prepared import insert_row
from dashboard.events import kept
from dashboard.jobs import worker
from dashboard.models import AuditEntry, ExportFile, ExportPart, Job, Run, Step
from dashboard.retention import nightly
from tests.audit.test_chain import START_MS, write
from tests.pages import trail

pytestmark = pytest.mark.both_databases
NOW = trail.at("2026-03-02 12:00")


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def store(days_ago: int) -> None:
    """Store a file with a part and a run of a deleted rule with a step, made so many days ago."""
    made_ts = NOW - days_ago * DAY_S
    file = {"user_id": 1, "maker": "events", "format": "csv", "locale": "en", "name": "events.csv"}
    ExportFile.create(id=str(days_ago), created_ts=made_ts, expires_ts=made_ts + 9 * DAY_S, **file)
    ExportPart.create(file=str(days_ago), n=0, data=b"x")
    run = insert_row(
        Run, firing=str(days_ago), rule_id=9, version=1, at_ms=0, outcome="done", made_ms=made_ts * 1000
    )
    insert_row(Step, run_id=run, rule_id=9, n=0, action="note", key=f"k{run}", state="done", made_ms=0)


def write_entries(days_ago: int) -> None:
    write(3, first=((NOW - days_ago * DAY_S) * 1000 - START_MS) // 60_000)


def left() -> dict[str, list[str]]:
    runs = Run.select(Run.firing).order_by(Run.made_ms)
    files = ExportFile.select(ExportFile.id).order_by(ExportFile.created_ts)
    return {"runs": [row.firing for row in runs], "files": [row.id for row in files]}


def save(**days: int) -> None:
    with database.atomic():
        assert kept.save(kept.periods().days | days, kept.periods().version)


def test_each_kind_is_deleted_after_its_own_period(app: Flask, db: peewee.Database) -> None:
    for days_ago in (40, 12, 5, 3):
        store(days_ago)
    write_entries(40)
    save(audit=31, exports=10, runs=4)
    with app.app_context():
        nightly.queue.enqueue(nightly.KIND, {})
        worker.drain([nightly.KIND])
    assert left() == {"runs": ["3"], "files": ["5", "3"]}
    assert (ExportPart.select().count(), Step.select().count()) == (2, 1)
    entry = AuditEntry.get(AuditEntry.action == "retention.run")
    assert entry.details == {"exports": 2, "runs": 3, "audit": 3}
    assert (entry.actor_type, verify.walk().fault) == ("system", None)
    assert Job.select().where(Job.kind == nightly.KIND).count() == 0


def test_what_is_kept_for_ever_stays_and_the_rest_by_default(app: Flask, db: peewee.Database) -> None:
    for days_ago in (40, 12, 5):
        store(days_ago)
    write_entries(4000)
    with app.app_context():
        nightly.run([])
    assert left() == {"runs": ["12", "5"], "files": []}
    assert AuditEntry.select().where(AuditEntry.action != "retention.run").count() == 3


def test_a_deletion_that_is_interrupted_goes_on_with_the_next(
    app: Flask, db: peewee.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for days_ago in range(40, 50):
        store(days_ago)
    monkeypatch.setattr(pieces, "PIECE", 3)
    delete = nightly._pieces()
    with app.app_context():
        next(delete)
        delete.close()
        nightly.run([], at_once_s=0)  # one piece, then it queues itself
        assert Job.select().where(Job.kind == nightly.KIND).count() == 1
        worker.drain([nightly.KIND])
    assert left() == {"runs": [], "files": []}


def test_what_is_kept_begins_at_midnight_of_the_site(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "STOPA", replace(app.config["STOPA"], timezone="Europe/Prague"))
    with app.app_context(), time_machine.travel(trail.at("2026-03-30 12:00"), tick=False):
        first_days = [kept.first_ms(days) // 1000 for days in (0, 1, 2)]
    assert first_days == [trail.at(f"2026-03-{day} 00:00") for day in (30, 29, 28)]  # the 29th has 23 hours
