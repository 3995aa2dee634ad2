"""How many events of each source arrived in each of the last hours, and how late."""

from __future__ import annotations

from typing import Any


def up(_migrator: Any, db: Any) -> None:
    source = '"source_id" INTEGER NOT NULL REFERENCES "source" ("id") ON DELETE CASCADE'
    number, json = ("INTEGER", "TEXT") if db.param == "?" else ("BIGINT", "JSONB")
    db.execute_sql(
        f'CREATE TABLE "source_hour" ({source}, "hour_ts" {number} NOT NULL, "events" INTEGER NOT NULL, '
        f'"ahead" INTEGER NOT NULL, "last_id" {number} NOT NULL, "last_ms" {number} NOT NULL, '
        f'"delays" {json} NOT NULL, PRIMARY KEY ("source_id", "hour_ts"))'
    )
    db.execute_sql('CREATE INDEX "sourcehour_source_id" ON "source_hour" ("source_id")')
