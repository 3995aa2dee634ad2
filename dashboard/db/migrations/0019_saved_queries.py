"""The table of saved queries, and the right to share them for the built-in roles that have it by preset."""

from __future__ import annotations

from typing import Any

import peewee as pw

from dashboard.db.granted import grant

ADDED = "reports.share"
ROLES = ("Administrator", "Team lead")


class User(pw.Model):
    id = pw.AutoField()

    class Meta:
        table_name = "user"


class Access(pw.Model):
    id = pw.AutoField()

    class Meta:
        table_name = "access"


class SavedQuery(pw.Model):
    id = pw.AutoField()
    user = pw.ForeignKeyField(User, on_delete="CASCADE")
    name = pw.CharField(120)
    description = pw.CharField(500, default="")
    source = pw.CharField(40)
    query = pw.TextField()
    chart = pw.CharField(12, default="")
    on_list = pw.BooleanField(default=False)
    shared = pw.CharField(8, default="private")
    access = pw.ForeignKeyField(Access, null=True, on_delete="SET NULL")
    created_ts = pw.BigIntegerField()
    updated_ts = pw.BigIntegerField()
    version = pw.IntegerField(default=1)

    class Meta:
        table_name = "saved_query"


def up(_migrator: Any, db: Any) -> None:
    with db.bind_ctx([User, Access, SavedQuery]):
        db.create_tables([SavedQuery])
    grant(db, (ADDED,), ROLES)
