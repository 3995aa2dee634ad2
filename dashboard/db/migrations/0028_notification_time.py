"""Notifications have the time of what they are about; profiles say whether new ones are counted on screen."""

from __future__ import annotations

from typing import Any

from peewee import SqliteDatabase


def up(_migrator: Any, db: Any) -> None:
    sqlite = isinstance(db, SqliteDatabase)
    integer, boolean, yes = ("INTEGER", "INTEGER", "1") if sqlite else ("BIGINT", "BOOLEAN", "true")
    db.execute_sql(f'ALTER TABLE "notification" ADD COLUMN "at_ms" {integer} NOT NULL DEFAULT 0')
    db.execute_sql(
        'UPDATE "notification" SET "at_ms" = coalesce('
        '(SELECT r."at_ms" FROM "run" r WHERE r."id" = "notification"."run_id"), "made_ms")'
    )
    db.execute_sql('CREATE INDEX "notification_user_id_at_ms" ON "notification" ("user_id", "at_ms")')
    db.execute_sql(f'ALTER TABLE "profile" ADD COLUMN "screen" {boolean} NOT NULL DEFAULT {yes}')
