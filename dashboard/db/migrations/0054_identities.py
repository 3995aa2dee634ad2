"""Users at an OpenID Connect provider."""

from __future__ import annotations

from typing import Any

import peewee as pw


class Table(pw.Model):
    class Meta:
        legacy_table_names = False


class User(Table):
    id = pw.AutoField()


class UserIdentity(Table):
    id = pw.AutoField()
    issuer = pw.CharField(500)
    subject = pw.CharField(255)
    user = pw.ForeignKeyField(User, on_delete="CASCADE")
    created_ts = pw.BigIntegerField()

    class Meta:
        indexes = ((("issuer", "subject"), True), (("user", "issuer"), True))


def up(_migrator: Any, db: Any) -> None:
    with db.bind_ctx([User, UserIdentity]):
        db.create_tables([UserIdentity])
    db.execute_sql('ALTER TABLE "session" ADD COLUMN "id_token" TEXT NOT NULL DEFAULT \'\'')
