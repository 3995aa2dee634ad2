"""Retention of the audit log, and entries of before the chain: what is left verifies."""

from __future__ import annotations

from collections.abc import Iterator

import peewee
import pytest
import time_machine
from playhouse.migrations import Runner

from dashboard.audit import chain, retention, verify
from dashboard.audit.chain import Head
from dashboard.audit.verify import Fault, Kind
from dashboard.db import migrate, open_database, pieces
from dashboard.models import AuditEntry, AuditSubject
from tests.audit.test_chain import START_MS, copy, without_triggers, write
from tests.db.test_old_rows import insert

pytestmark = pytest.mark.both_databases


@pytest.fixture(autouse=True)
def frozen() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START_MS / 1000, tick=False) as traveller:
        yield traveller


def test_retention_leaves_a_chain_that_verifies(db: peewee.Database) -> None:
    write(9)
    for seq in range(1, 10):
        AuditSubject.create(user_id=1, occurred_ms=START_MS, seq=seq)
    sealed = [verify.entry(3), verify.entry(5), chain.head()]
    seals = [seal for seal in sealed if seal]
    assert sum(retention.purge(START_MS + 6 * 60_000)) == 5
    assert [row.seq for row in AuditEntry.select().order_by(AuditEntry.seq)] == [6, 7, 8, 9, 10]
    assert [row.seq for row in AuditSubject.select().order_by(AuditSubject.seq)] == [6, 7, 8, 9]
    assert AuditEntry.get(AuditEntry.seq == 10).action == "audit.purged"
    assert verify.walk(seals) == (6, chain.head(), 5, 0, 2, None, 0)  # the seal of entry 3 went with it
    assert sum(retention.purge(START_MS + 6 * 60_000)) == 0
    assert AuditEntry.select().count() == 5
    assert sum(retention.purge(START_MS * 2)) == 5
    assert verify.walk().entries == 1
    write(1)
    assert verify.walk().fault is None


def test_entry_stored_late_is_no_end_of_what_is_deleted(db: peewee.Database) -> None:
    write(3)
    write(1, first=-50)  # a look that waited
    assert sum(retention.purge(START_MS + 2 * 60_000)) == 1
    assert [row.seq for row in AuditEntry.select().order_by(AuditEntry.seq)] == [2, 3, 4, 5]


def test_interrupted_purge_is_finished_by_the_next(
    db: peewee.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(9)
    monkeypatch.setattr(pieces, "PIECE", 2)
    assert next(retention.purge(START_MS + 6 * 60_000)) == 2
    assert verify.walk().fault is None
    assert sum(retention.purge(START_MS + 6 * 60_000)) == 3
    assert verify.walk() == (6, chain.head(), 5, 0, 0, None, 0)


@pytest.fixture
def upgraded(empty_url: str) -> Iterator[peewee.Database]:
    """A database that was upgraded with three entries of the version before the chain."""
    db = open_database(empty_url)
    db.connect()
    Runner(db, str(migrate.DIRECTORY)).up("0018_events_permission")
    texts = dict.fromkeys(("target_label", "ip", "user_agent", "request_id", "interface", "actor_label"), "")
    for number in range(3):
        made = {
            "occurred_ms": START_MS - 3 + number,
            "action": "user.created",
            "crud": "c",
            "outcome": "success",
        }
        target = {"target_type": "user", "target_id": "1", "changes": {"a": [1, 2]}, "details": {}}
        insert(db, "audit_entry", actor_type="user", actor_id=1, **made, **target, **texts)
    migrate.run(db)
    yield db
    db.close()
    if not isinstance(db, peewee.SqliteDatabase):
        db.close_all()


def test_entries_of_before_the_chain_are_reported_apart(upgraded: peewee.Database) -> None:
    assert verify.walk() == (1, Head(0, ""), 0, 3, 0, None, 0)
    write(2)
    entries = list(AuditEntry.select().order_by(AuditEntry.id))
    assert [(row.seq, row.action) for row in entries[2:4]] == [
        (None, "user.created"),
        (1, "audit.chain_started"),
    ]
    assert entries[0].changes == {"a": [1, 2]}
    assert entries[3].details == {"entries": 3, "last_id": entries[2].id}
    assert verify.walk() == (1, chain.head(), 3, 3, 0, None, 0)


@pytest.mark.parametrize("sql", ["DELETE FROM audit_entry WHERE id = 2", copy("NULL", "2")])
def test_entries_of_before_the_chain_are_counted(upgraded: peewee.Database, sql: str) -> None:
    write(2)
    without_triggers(upgraded)
    upgraded.execute_sql(sql)
    assert verify.walk().fault == Fault(0, Kind.OUTSIDE)


@pytest.mark.parametrize(("before_ms", "left"), [(START_MS - 1, 1), (START_MS, 0), (START_MS + 10**9, 0)])
def test_entries_of_before_the_chain_are_deleted_first(
    upgraded: peewee.Database, before_ms: int, left: int
) -> None:
    write(2)
    sum(retention.purge(before_ms))
    result = verify.walk()
    assert (result.before, result.fault) == (left, None)
    sum(retention.purge(START_MS))
    assert (verify.walk().before, verify.walk().fault) == (0, None)
