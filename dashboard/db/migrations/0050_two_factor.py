"""Second factors of users, sign-ins that wait for one, and what is known of the browser of a session."""

from __future__ import annotations

from typing import Any

import peewee as pw


class Table(pw.Model):
    class Meta:
        legacy_table_names = False


class PendingSignIn(Table):
    token_hash = pw.CharField(64, primary_key=True)
    user_id = pw.IntegerField(index=True)
    created_ts = pw.BigIntegerField()
    stamp = pw.CharField(64)
    method = pw.CharField(20)


class TwoFactor(Table):
    user_id = pw.IntegerField(primary_key=True)
    secret = pw.TextField()
    confirmed_ts = pw.BigIntegerField(null=True)
    last_step = pw.BigIntegerField(default=0)


class RecoveryCode(Table):
    id = pw.AutoField()
    user_id = pw.IntegerField(index=True)
    code_hash = pw.CharField(64)


def up(_migrator: Any, db: Any) -> None:
    tables = [PendingSignIn, TwoFactor, RecoveryCode]
    with db.bind_ctx(tables):
        db.create_tables(tables)
    boolean, no = ("INTEGER", "0") if isinstance(db, pw.SqliteDatabase) else ("BOOLEAN", "FALSE")
    columns = (
        ("access", "two_factor", f"{boolean} NOT NULL DEFAULT {no}"),
        ("session", "agent", "VARCHAR(200) NOT NULL DEFAULT ''"),
        ("session", "method", "VARCHAR(20) NOT NULL DEFAULT ''"),
    )
    for table, column, kind in columns:
        db.execute_sql(f'ALTER TABLE "{table}" ADD COLUMN "{column}" {kind}')
