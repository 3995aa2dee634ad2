"""Tables of the monitoring policy and of whose data audit entries are about; the right to publish it."""

from __future__ import annotations

from typing import Any

import peewee as pw
from peewee import JSONField

from dashboard.db.granted import grant

ADDED, ROLE = "policy.edit", "Administrator"


class User(pw.Model):
    id = pw.AutoField()

    class Meta:
        table_name = "user"


class Policy(pw.Model):
    id = pw.AutoField()
    texts = JSONField(default=dict)
    created_ts = pw.BigIntegerField()
    created_by = pw.CharField(60, default="")
    version = pw.IntegerField(default=1)


class PolicyReading(pw.Model):
    user = pw.ForeignKeyField(User, on_delete="CASCADE")
    policy = pw.ForeignKeyField(Policy, on_delete="CASCADE")
    read_ts = pw.BigIntegerField()

    class Meta:
        table_name = "policy_reading"
        primary_key = pw.CompositeKey("user", "policy")


class AuditSubject(pw.Model):
    user_id = pw.IntegerField()
    occurred_ms = pw.BigIntegerField()
    seq = pw.BigIntegerField()
    start_ts = pw.BigIntegerField(null=True)
    end_ts = pw.BigIntegerField(null=True)

    class Meta:
        table_name = "audit_subject"
        primary_key = pw.CompositeKey("user_id", "occurred_ms", "seq")


def up(_migrator: Any, db: Any) -> None:
    with db.bind_ctx([User, Policy, PolicyReading, AuditSubject]):
        db.create_tables([Policy, PolicyReading, AuditSubject])
    grant(db, (ADDED,), (ROLE,))
