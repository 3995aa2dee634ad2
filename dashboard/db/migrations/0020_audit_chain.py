"""Audit entries are chained by hashes, and the database refuses to change them.

Entries of earlier versions stay outside the chain: nothing proves that they are as they were written.
"""

from __future__ import annotations

from typing import Any

REASON = "audit entries cannot be changed or deleted"
SQLITE = """
    CREATE TRIGGER "{table}_{verb}" BEFORE {verb} ON "{table}" {when}
    BEGIN SELECT RAISE(ABORT, '{reason}'); END
    """
# Entries go only up to where a checkpoint keeps the end of what was deleted.
GONE = """WHEN NOT EXISTS (SELECT 1 FROM "audit_checkpoint"
    WHERE "to_seq" >= OLD."seq" OR (OLD."seq" IS NULL AND "to_id" >= OLD."id"))"""
POSTGRESQL = (
    f"""
    CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN RAISE EXCEPTION '{REASON}'; END$$
    """,
    """
    CREATE FUNCTION audit_is_gone(seq bigint, id bigint) RETURNS boolean LANGUAGE sql AS
    $$SELECT EXISTS (SELECT 1 FROM audit_checkpoint c
        WHERE c.to_seq >= $1 OR ($1 IS NULL AND c.to_id >= $2))$$
    """,
    """
    CREATE TRIGGER audit_entry_delete BEFORE DELETE ON audit_entry
    FOR EACH ROW WHEN (NOT audit_is_gone(OLD.seq, OLD.id)) EXECUTE FUNCTION audit_refuse()
    """,
    """
    CREATE TRIGGER audit_entry_update BEFORE UPDATE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()
    """,
    """
    CREATE TRIGGER audit_checkpoint_update BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()
    """,
)
CHECKPOINT = """
    CREATE TABLE "audit_checkpoint" (
        "id" {auto} NOT NULL PRIMARY KEY,
        "to_seq" {big} NOT NULL,
        "last_hash" VARCHAR(64) NOT NULL,
        "to_id" {big} NOT NULL,
        "made_ms" {big} NOT NULL
    )
    """


def up(_migrator: Any, db: Any) -> None:
    sqlite = db.param == "?"
    auto, big = ("INTEGER", "INTEGER") if sqlite else ("BIGSERIAL", "BIGINT")
    db.execute_sql(f'ALTER TABLE "audit_entry" ADD COLUMN "seq" {big}')
    for column in ("prev_hash", "hash"):
        db.execute_sql(f'ALTER TABLE "audit_entry" ADD COLUMN "{column}" VARCHAR(64) NOT NULL DEFAULT \'\'')
    db.execute_sql('CREATE UNIQUE INDEX "auditentry_seq" ON "audit_entry" ("seq")')
    db.execute_sql('CREATE INDEX "auditentry_request" ON "audit_entry" ("request_id")')
    db.execute_sql(CHECKPOINT.format(auto=auto, big=big))
    if not sqlite:  # a hash covers the text as it was written, which JSONB does not keep
        for column in ("changes", "details"):
            db.execute_sql(f'ALTER TABLE "audit_entry" ALTER COLUMN "{column}" TYPE TEXT')
        for statement in POSTGRESQL:
            db.execute_sql(statement)
        return
    for table, verb, when in (
        ("audit_entry", "UPDATE", ""),
        ("audit_entry", "DELETE", GONE),
        ("audit_checkpoint", "UPDATE", ""),
        ("audit_checkpoint", "DELETE", ""),
    ):
        db.execute_sql(SQLITE.format(table=table, verb=verb, when=when, reason=REASON))
