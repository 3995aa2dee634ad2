"""A key knows its maker, whose rights limit what it reads; no key sends as the dashboard itself."""

from __future__ import annotations

from typing import Any

MAKERS = """
    UPDATE "api_key" SET "maker_id" = (
        SELECT "actor_id" FROM "audit_entry"
        WHERE "action" = 'key.created' AND "actor_type" = 'user'
            AND "target_type" = 'key' AND "target_id" = CAST("api_key"."id" AS VARCHAR)
        ORDER BY "id" LIMIT 1
    )
    """
RESERVED = """
    UPDATE "api_key" SET "revoked_ts" = "created_ts"
    WHERE "revoked_ts" IS NULL AND "allow" = 'ingest'
        AND "source_id" IN (SELECT "id" FROM "source" WHERE lower("name") = 'stopa')
    """


def up(_migrator: Any, db: Any) -> None:
    """The audit log says who made which key; those of the command line have no maker."""
    db.execute_sql('ALTER TABLE "api_key" ADD COLUMN "maker_id" INTEGER')
    db.execute_sql(MAKERS)
    db.execute_sql(RESERVED)
