"""Links by which users choose a password."""

from __future__ import annotations

from typing import Any

import peewee as pw


class PasswordLink(pw.Model):
    user_id = pw.IntegerField(primary_key=True)
    token_hash = pw.CharField(64, default="", index=True)
    stamp = pw.CharField(64, default="")
    created_ts = pw.BigIntegerField()
    expires_ts = pw.BigIntegerField(null=True)
    problem = pw.TextField(default="")

    class Meta:
        legacy_table_names = False


def up(_migrator: Any, db: Any) -> None:
    with db.bind_ctx([PasswordLink]):
        db.create_tables([PasswordLink])
