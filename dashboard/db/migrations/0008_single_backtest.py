"""A backtest runs one version of a rule: the columns of a second version go."""

from __future__ import annotations

from typing import Any

from peewee import SqliteDatabase


def up(_migrator: Any, db: Any) -> None:
    for column in ("against", "against_version"):
        db.execute_sql(f'ALTER TABLE "backtest" DROP COLUMN "{column}"')


def down(_migrator: Any, db: Any) -> None:
    kind = "TEXT" if isinstance(db, SqliteDatabase) else "JSONB"
    db.execute_sql(f'ALTER TABLE "backtest" ADD COLUMN "against" {kind}')
    db.execute_sql('ALTER TABLE "backtest" ADD COLUMN "against_version" INTEGER NOT NULL DEFAULT 0')
