"""Users have a title and a telephone number, queues a weight."""

from __future__ import annotations

from typing import Any


def up(_migrator: Any, db: Any) -> None:
    db.execute_sql("""ALTER TABLE "user" ADD COLUMN "title" VARCHAR(120) NOT NULL DEFAULT ''""")
    db.execute_sql("""ALTER TABLE "user" ADD COLUMN "phone" VARCHAR(60) NOT NULL DEFAULT ''""")
    db.execute_sql('ALTER TABLE "queue" ADD COLUMN "weight" INTEGER NOT NULL DEFAULT 0')
