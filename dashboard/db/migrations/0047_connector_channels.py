"""Connectors may have a channel to the system's API, for changes that rules make there."""

from __future__ import annotations

from typing import Any


def up(_migrator: Any, db: Any) -> None:
    key = 'REFERENCES "channel" ("id") ON DELETE SET NULL'
    db.execute_sql(f'ALTER TABLE "connector" ADD COLUMN "channel_id" INTEGER {key}')
    db.execute_sql('CREATE INDEX "connector_channel_id" ON "connector" ("channel_id")')
