"""Erased users: marks of their user names, and the audit entries from which their texts are taken.

An audit entry may be changed only where a row names it, and only in its texts; these rows stay.
"""

from __future__ import annotations

from typing import Any

REASON = "audit entries cannot be changed or deleted"
TABLES = (
    """
    CREATE TABLE "erased_login" ("digest" VARCHAR(64) NOT NULL PRIMARY KEY, "user_id" INTEGER NOT NULL)
    """,
    """
    CREATE TABLE "audit_redaction" ("entry_id" {big} NOT NULL PRIMARY KEY, "made_ms" {big} NOT NULL)
    """,
)
FIXED = (
    *("id", "seq", "prev_hash", "hash", "occurred_ms", "actor_type", "actor_id", "action", "crud", "outcome"),
    *("target_type", "request_id", "interface"),
)
SQLITE = """
    CREATE TRIGGER "{table}_{verb}" BEFORE {verb} ON "{table}" {when}
    BEGIN SELECT RAISE(ABORT, '{reason}'); END
    """
POSTGRESQL = (
    "DROP TRIGGER audit_entry_update ON audit_entry",
    """
    CREATE FUNCTION audit_is_redacted(entry bigint) RETURNS boolean LANGUAGE sql AS
    $$SELECT EXISTS (SELECT 1 FROM audit_redaction r WHERE r.entry_id = $1)$$
    """,
    """
    CREATE TRIGGER audit_entry_truncate BEFORE TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()
    """,
    """
    CREATE TRIGGER audit_redaction_update BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_redaction
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()
    """,
)


def up(_migrator: Any, db: Any) -> None:
    sqlite = db.param == "?"
    for statement in TABLES:
        db.execute_sql(statement.format(big="INTEGER" if sqlite else "BIGINT"))
    if not sqlite:
        for statement in POSTGRESQL:
            db.execute_sql(statement)
        new, old = (", ".join(f"{row}.{name}" for name in FIXED) for row in ("NEW", "OLD"))
        changes = f"NOT audit_is_redacted(OLD.id) OR ({new}) IS DISTINCT FROM ({old})"
        db.execute_sql(
            "CREATE TRIGGER audit_entry_update BEFORE UPDATE ON audit_entry "
            f"FOR EACH ROW WHEN ({changes}) EXECUTE FUNCTION audit_refuse()"
        )
        return
    db.execute_sql('DROP TRIGGER "audit_entry_UPDATE"')
    unnamed = 'NOT EXISTS (SELECT 1 FROM "audit_redaction" WHERE "entry_id" = OLD."id")'
    when = " OR ".join([unnamed, *(f'NEW."{name}" IS NOT OLD."{name}"' for name in FIXED)])
    for table, verb, condition in (
        ("audit_entry", "UPDATE", f"WHEN {when}"),
        ("audit_redaction", "UPDATE", ""),
        ("audit_redaction", "DELETE", ""),
    ):
        db.execute_sql(SQLITE.format(table=table, verb=verb, when=condition, reason=REASON))
