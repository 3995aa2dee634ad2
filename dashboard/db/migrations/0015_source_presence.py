"""A setting of a source: where the presence of members comes from who never join a queue."""

from __future__ import annotations

from typing import Any


def up(_migrator: Any, db: Any) -> None:
    db.execute_sql('ALTER TABLE "source" ADD COLUMN "presence" VARCHAR(20) NOT NULL DEFAULT \'recorded\'')
