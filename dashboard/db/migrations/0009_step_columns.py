"""Columns for what a step's number and receipt encoded: repetition, replay by hand, begun sending."""

from __future__ import annotations

from typing import Any

from peewee import SqliteDatabase

# The n-th repetition of a notice added n * 100,000 to the number of its recipient.
REPETITIONS = """
    UPDATE "step" SET "repetition" = "part" / 100000, "part" = "part" - "part" / 100000 * 100000
    WHERE "part" >= 100000
    """

RECEIPTS = {
    True: """
        UPDATE "step" SET
            "manual" = coalesce(json_extract("receipt", '$.by_hand'), 0),
            "begun_ms" = json_extract("receipt", '$.begun_ms'),
            "receipt" = json_remove("receipt", '$.by_hand', '$.begun_ms')
        WHERE json_type("receipt", '$.by_hand') IS NOT NULL OR json_type("receipt", '$.begun_ms') IS NOT NULL
        """,
    False: """
        UPDATE "step" SET
            "manual" = coalesce(("receipt" ->> 'by_hand')::boolean, false),
            "begun_ms" = ("receipt" ->> 'begun_ms')::bigint,
            "receipt" = "receipt" - 'by_hand' - 'begun_ms'
        WHERE jsonb_exists("receipt", 'by_hand') OR jsonb_exists("receipt", 'begun_ms')
        """,
}


def up(_migrator: Any, db: Any) -> None:
    sqlite = isinstance(db, SqliteDatabase)
    integer, boolean, no = ("INTEGER", "INTEGER", "0") if sqlite else ("BIGINT", "BOOLEAN", "false")
    db.execute_sql('ALTER TABLE "step" ADD COLUMN "repetition" INTEGER NOT NULL DEFAULT 0')
    db.execute_sql(f'ALTER TABLE "step" ADD COLUMN "manual" {boolean} NOT NULL DEFAULT {no}')
    db.execute_sql(f'ALTER TABLE "step" ADD COLUMN "begun_ms" {integer}')
    db.execute_sql('DROP INDEX "step_run_id_n_part"')
    db.execute_sql(REPETITIONS)
    db.execute_sql(
        'CREATE UNIQUE INDEX "step_run_id_n_part_repetition" ON "step" ("run_id", "n", "part", "repetition")'
    )
    db.execute_sql(RECEIPTS[sqlite])
