"""Notifications have the time of what they are about and lead to it; profiles can be off on screen.

Mail is on without a profile. Users of before get a profile that keeps them as they were: on screen alone.
"""

from __future__ import annotations

from typing import Any

from peewee import SqliteDatabase


def up(_migrator: Any, db: Any) -> None:
    sqlite = isinstance(db, SqliteDatabase)
    integer, boolean = ("INTEGER", "INTEGER") if sqlite else ("BIGINT", "BOOLEAN")
    yes, no = ("1", "0") if sqlite else ("true", "false")
    db.execute_sql(f'ALTER TABLE "notification" ADD COLUMN "at_ms" {integer} NOT NULL DEFAULT 0')
    db.execute_sql(
        'UPDATE "notification" SET "at_ms" = coalesce('
        '(SELECT r."at_ms" FROM "run" r WHERE r."id" = "notification"."run_id"), "made_ms")'
    )
    db.execute_sql(
        """UPDATE "notification" SET "url" = "url" || '/item' WHERE substr("url", 1, 6) = '/runs/'"""
    )
    db.execute_sql('CREATE INDEX "notification_user_id_at_ms" ON "notification" ("user_id", "at_ms")')
    db.execute_sql(f'ALTER TABLE "profile" ADD COLUMN "screen" {boolean} NOT NULL DEFAULT {yes}')
    db.execute_sql(
        f"""
        INSERT INTO "profile"
            ("user_id", "name", "is_default", "email", "quiet_from", "quiet_to", "quiet_days", "version")
        SELECT u."id", 'Standard', {yes}, {no}, '', '', '[]', 1 FROM "user" u
        WHERE NOT EXISTS (SELECT 1 FROM "profile" p WHERE p."user_id" = u."id" AND p."is_default")
        """  # noqa: S608 - constants
    )
