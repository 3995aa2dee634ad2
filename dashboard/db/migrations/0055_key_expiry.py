"""API keys may end by themselves."""

from __future__ import annotations

from typing import Any

import peewee as pw


def up(_migrator: Any, db: Any) -> None:
    integer = "INTEGER" if isinstance(db, pw.SqliteDatabase) else "BIGINT"
    db.execute_sql(f'ALTER TABLE "api_key" ADD COLUMN "expires_ts" {integer}')
