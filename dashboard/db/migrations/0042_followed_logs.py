"""Sources can be paused, and workers follow logs."""

from __future__ import annotations

from typing import Any


def up(_migrator: Any, db: Any) -> None:
    number = "INTEGER" if db.param == "?" else "BIGINT"
    db.execute_sql(f'ALTER TABLE "source" ADD COLUMN "paused_ms" {number}')
    for column in (
        "\"encoding\" VARCHAR(20) NOT NULL DEFAULT ''",
        f'"lease_ms" {number}',
        "\"worker\" VARCHAR(80) NOT NULL DEFAULT ''",
        "\"problem\" VARCHAR(10) NOT NULL DEFAULT ''",
    ):
        db.execute_sql(f'ALTER TABLE "follow" ADD COLUMN {column}')
