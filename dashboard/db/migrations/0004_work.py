"""Deadlines are claimed like jobs and deliveries; a channel may ask for its deliveries in order."""

from __future__ import annotations

from typing import Any

from peewee import SqliteDatabase


def up(_migrator: Any, db: Any) -> None:
    integer, no = ("INTEGER", "0") if isinstance(db, SqliteDatabase) else ("BIGINT", "false")
    boolean = "INTEGER" if isinstance(db, SqliteDatabase) else "BOOLEAN"
    for table, column, kind in (
        ("timer", "state", "VARCHAR(10) NOT NULL DEFAULT 'waiting'"),
        ("timer", "attempts", "INTEGER NOT NULL DEFAULT 0"),
        ("timer", "lease_ms", integer),
        ("timer", "worker", "VARCHAR(80) NOT NULL DEFAULT ''"),
        ("channel", "ordered", f"{boolean} NOT NULL DEFAULT {no}"),
    ):
        db.execute_sql(f'ALTER TABLE "{table}" ADD COLUMN "{column}" {kind}')
    db.execute_sql('DROP INDEX "timer_due_ms"')
    db.execute_sql('CREATE INDEX "timer_state_due_ms" ON "timer" ("state", "due_ms")')
