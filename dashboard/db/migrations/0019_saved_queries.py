"""The table of saved queries, and the right to share them for the built-in roles that have it by preset."""

from __future__ import annotations

import json
from typing import Any

import peewee as pw

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
    mark = db.param
    names = ", ".join([mark] * len(ROLES))
    chosen = f'SELECT "id", "permissions" FROM "access" WHERE "is_system" AND "name" IN ({names})'  # noqa: S608
    update = f'UPDATE "access" SET "permissions" = {mark} WHERE "id" = {mark}'  # noqa: S608
    for ident, stored in db.execute_sql(chosen, ROLES).fetchall():
        held = json.loads(stored) if isinstance(stored, str) else stored  # PostgreSQL gives the list
        db.execute_sql(update, (json.dumps(sorted({*held, ADDED})), ident))
