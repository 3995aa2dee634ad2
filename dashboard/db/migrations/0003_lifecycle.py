"""Columns for ends that never came: the bound, its reason, the proved time, and when time alone bounds."""

from __future__ import annotations

from typing import Any

from peewee import SqliteDatabase

ADDED = (
    ("activity", "end_bound", "BIGINT"),
    ("activity", "end_reason", "VARCHAR(20)"),
    ("activity", "proved_s", "INTEGER"),
    ("activity", "expires_ts", "BIGINT"),
    ("interval", "proved_ts", "BIGINT"),
    ("interval", "end_reason", "VARCHAR(20)"),
    ("interval", "expires_ts", "BIGINT"),
    ("interaction", "end_bound", "BIGINT"),
    ("interaction", "end_reason", "VARCHAR(20)"),
    ("interaction", "expires_ts", "BIGINT"),
    ("interaction", "timeouts", "INTEGER"),
)


WIDER = ('"state" VARCHAR(12)', '"state" VARCHAR(20)')


def up(_migrator: Any, db: Any) -> None:
    sqlite = isinstance(db, SqliteDatabase)
    if sqlite:
        # SQLite limits no length, so that only the declaration changes; copying the table could take
        # minutes. The columns added below make every connection read the declaration again.
        db.execute_sql("PRAGMA writable_schema = ON")
        db.execute_sql(
            "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'activity'",
            WIDER,
        )
        db.execute_sql("PRAGMA writable_schema = OFF")
    else:
        db.execute_sql('ALTER TABLE "activity" ALTER COLUMN "state" TYPE VARCHAR(20)')
    for table, column, type_ in ADDED:
        kind = "INTEGER" if sqlite and type_ == "BIGINT" else type_
        db.execute_sql(f'ALTER TABLE "{table}" ADD COLUMN "{column}" {kind}')
    for table in ("activity", "interval", "interaction"):
        db.execute_sql(
            f'CREATE INDEX "{table}_expires" ON "{table}" ("expires_ts") WHERE "expires_ts" IS NOT NULL'
        )
