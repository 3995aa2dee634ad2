"""Migrations convert the rows of earlier versions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import peewee
import pytest
from playhouse.migrations import Runner

from dashboard.db import migrate, open_database
from dashboard.models import Step

pytestmark = pytest.mark.both_databases


@pytest.fixture
def old(empty_url: str) -> Iterator[peewee.Database]:
    """A database of the state before the migrations that are tested here."""
    db = open_database(empty_url)
    db.connect()
    Runner(db, str(migrate.DIRECTORY)).up("0007_incomplete_rules")
    yield db
    db.close()
    if not isinstance(db, peewee.SqliteDatabase):
        db.close_all()


def insert(db: peewee.Database, table: str, **values: Any) -> None:
    mark = "?" if isinstance(db, peewee.SqliteDatabase) else "%s"
    names = ", ".join(f'"{name}"' for name in values)
    given = [json.dumps(each) if isinstance(each, dict | list) else each for each in values.values()]
    marks = ", ".join([mark] * len(values))
    db.execute_sql(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', given)


def insert_run(db: peewee.Database, key: str, rule_id: int = 1, version: int = 1) -> None:
    plain = {
        "subject": "",
        "outcome": "done",
        "at_ms": 1,
        "made_ms": 1,
        "late_s": 0,
        "took_us": 0,
        "depth": 0,
    }
    insert(
        db,
        "run",
        key=key,
        rule_id=rule_id,
        version=version,
        chain=[],
        held=0,
        error="",
        **plain,
    )


# Old part and receipt → part, repetition, manual, begun_ms, receipt.
STEPS: list[tuple[int, dict[str, Any], tuple[int, int, bool, int | None, dict[str, Any]]]] = [
    (0, {}, (0, 0, False, None, {})),
    (3, {"status": 200, "note": "ok"}, (3, 0, False, None, {"status": 200, "note": "ok"})),
    (100_003, {}, (3, 1, False, None, {})),
    (300_000, {"by_hand": True}, (0, 3, True, None, {})),
    (4, {"begun_ms": 1_772_452_800_123, "status": 0}, (4, 0, False, 1_772_452_800_123, {"status": 0})),
    (5, {"by_hand": True, "begun_ms": 7}, (5, 0, True, 7, {})),
]


def test_step_columns(old: peewee.Database) -> None:
    insert_run(old, "1:1:5")
    for number, (part, receipt, _new) in enumerate(STEPS):
        plain = {"n": 0, "action": "email", "recipient": "", "state": "done", "attempts": 1, "worker": ""}
        insert(
            old,
            "step",
            run_id=1,
            rule_id=1,
            part=part,
            key=str(number),
            payload={},
            receipt=receipt,
            made_ms=1,
            error="",
            **plain,
        )
    migrate.run(old)
    s = Step
    query = s.select(s.part, s.repetition, s.manual, s.begun_ms, s.receipt).order_by(s.id)
    assert list(query.tuples()) == [new for _part, _receipt, new in STEPS]
