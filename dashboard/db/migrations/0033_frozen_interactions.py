"""Interactions whose events have been deleted say since when."""

from __future__ import annotations

from typing import Any

from peewee import SqliteDatabase


def up(_migrator: Any, db: Any) -> None:
    kind = "INTEGER" if isinstance(db, SqliteDatabase) else "BIGINT"
    db.execute_sql(f'ALTER TABLE "interaction" ADD COLUMN "frozen_ms" {kind}')
