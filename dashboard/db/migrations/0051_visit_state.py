"""Visits remember when their session closed, the times of their pages, and who the visitor is."""

from __future__ import annotations

from typing import Any

import peewee as pw


def up(_migrator: Any, db: Any) -> None:
    big = "INTEGER" if isinstance(db, pw.SqliteDatabase) else "BIGINT"
    for name in ("closed_ms", "first_ms", "page_ms"):
        db.execute_sql(f'ALTER TABLE "visit" ADD COLUMN "{name}" {big}')
    db.execute_sql('ALTER TABLE "visit" ADD COLUMN "contact_key" VARCHAR(300) NOT NULL DEFAULT \'\'')
