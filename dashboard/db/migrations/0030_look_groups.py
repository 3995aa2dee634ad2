"""Groups of users whose data an act showed together, such as those in a report; looks in order of time."""

from __future__ import annotations

from typing import Any

import peewee as pw


class LookGroup(pw.Model):
    id = pw.AutoField()
    digest = pw.CharField(64, unique=True)

    class Meta:
        table_name = "look_group"


class LookMember(pw.Model):
    user_id = pw.IntegerField()
    group = pw.ForeignKeyField(LookGroup, on_delete="CASCADE")

    class Meta:
        table_name = "look_member"
        primary_key = pw.CompositeKey("user_id", "group")


def up(_migrator: Any, db: Any) -> None:
    with db.bind_ctx([LookGroup, LookMember]):
        db.create_tables([LookGroup, LookMember])
    db.execute_sql('CREATE INDEX "auditsubject_occurred" ON "audit_subject" ("occurred_ms", "seq")')
