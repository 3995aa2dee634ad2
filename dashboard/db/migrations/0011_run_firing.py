"""Runs are unique by rule, firing and version, each in a column of its own instead of one text."""

from __future__ import annotations

from typing import Any

from peewee import SqliteDatabase

TAKEN_APART = {
    True: """
        UPDATE "run" SET
            "version" = CAST(substr("key", instr("key", ':') + 1) AS INTEGER),
            "firing" = substr(
                substr("key", instr("key", ':') + 1),
                instr(substr("key", instr("key", ':') + 1), ':') + 1
            )
        WHERE "key" GLOB '[0-9]*:[0-9]*:*'
        """,
    False: """
        UPDATE "run" SET
            "version" = CAST(split_part("key", ':', 2) AS INTEGER),
            "firing" = regexp_replace("key", '^[0-9]+:[0-9]+:', '')
        WHERE "key" ~ '^[0-9]+:[0-9]+:'
        """,
}


def up(_migrator: Any, db: Any) -> None:
    """The runs of tests, whose key begins with a word, keep it whole."""
    db.execute_sql("""ALTER TABLE "run" ADD COLUMN "firing" VARCHAR(300) NOT NULL DEFAULT ''""")
    db.execute_sql('UPDATE "run" SET "firing" = "key"')
    db.execute_sql(TAKEN_APART[isinstance(db, SqliteDatabase)])
    db.execute_sql('DROP INDEX "run_key"')
    db.execute_sql('ALTER TABLE "run" DROP COLUMN "key"')
    db.execute_sql(
        'CREATE UNIQUE INDEX "run_rule_id_firing_version" ON "run" ("rule_id", "firing", "version")'
    )
