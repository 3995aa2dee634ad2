"""When the events of each live source arrive, and until when it may be silent."""

from __future__ import annotations

from typing import Any


def up(_migrator: Any, db: Any) -> None:
    source = '"source_id" INTEGER NOT NULL PRIMARY KEY REFERENCES "source" ("id") ON DELETE CASCADE'
    number, json = ("INTEGER", "TEXT") if db.param == "?" else ("BIGINT", "JSONB")
    db.execute_sql(
        f'CREATE TABLE "source_rhythm" ({source}, "arrived_ms" {number} NOT NULL, "due_ms" {number}, '
        f'"silent_ms" {number}, "hours" {json} NOT NULL)'
    )
    due = '"source_rhythm" ("due_ms") WHERE "due_ms" IS NOT NULL'
    db.execute_sql(f'CREATE INDEX "source_rhythm_due" ON {due}')
