"""Columns for the state of a subject: its life cycle, and the event that began its present status."""

from __future__ import annotations

from typing import Any

from peewee import SqliteDatabase

STATUS = {
    True: """UPDATE "subject" SET "status_event_id" = json_extract("values", '$.""')""",
    False: """UPDATE "subject" SET "status_event_id" = CAST("values"::jsonb ->> '' AS BIGINT)""",
}


def up(_migrator: Any, db: Any) -> None:
    """Add the columns; a row without a life cycle is folded again from the log when it is next needed."""
    sqlite = isinstance(db, SqliteDatabase)
    db.execute_sql(f'ALTER TABLE "subject" ADD COLUMN "status_event_id" {"INTEGER" if sqlite else "BIGINT"}')
    db.execute_sql('ALTER TABLE "subject" ADD COLUMN "life" TEXT')
    db.execute_sql(STATUS[sqlite])
