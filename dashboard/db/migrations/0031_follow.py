"""Logs that are followed, and the place up to which each was read."""

from __future__ import annotations

from typing import Any


def up(_migrator: Any, db: Any) -> None:
    source = '"source_id" INTEGER NOT NULL PRIMARY KEY REFERENCES "source" ("id") ON DELETE CASCADE'
    number = "INTEGER" if db.param == "?" else "BIGINT"
    numbers = ", ".join(
        f'"{name}" {number} NOT NULL' for name in ("inode", "offset", "line", "began", "reached", "read_ms")
    )
    db.execute_sql(
        f'CREATE TABLE "follow" ({source}, "path" TEXT NOT NULL, "mark" VARCHAR(32) NOT NULL, {numbers})'
    )
