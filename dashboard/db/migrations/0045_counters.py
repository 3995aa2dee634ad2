"""Numbers of what the processes of this installation did."""

from __future__ import annotations

from typing import Any


def up(_migrator: Any, db: Any) -> None:
    number = "INTEGER" if db.param == "?" else "BIGINT"
    db.execute_sql(
        'CREATE TABLE "counter" ("name" VARCHAR(40) NOT NULL, "labels" VARCHAR(300) NOT NULL, '
        f'"number" {number} NOT NULL, PRIMARY KEY ("name", "labels"))'
    )
