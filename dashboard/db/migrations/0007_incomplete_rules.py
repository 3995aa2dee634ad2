"""What an import left out of a rule: the rule stays off until it has been saved in the editor."""

from __future__ import annotations

from typing import Any

from peewee import SqliteDatabase


def up(_migrator: Any, db: Any) -> None:
    kind = "TEXT" if isinstance(db, SqliteDatabase) else "JSONB"
    db.execute_sql(f"""ALTER TABLE "rule" ADD COLUMN "missing" {kind} NOT NULL DEFAULT '[]'""")


def down(_migrator: Any, db: Any) -> None:
    db.execute_sql('ALTER TABLE "rule" DROP COLUMN "missing"')
