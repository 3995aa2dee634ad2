"""Jobs, exported files, the audit log, and internal settings."""

from __future__ import annotations

import peewee as pw
from peewee import JSONField

from dashboard.db import Model


class Job(Model):
    """Durable work: committed together with its cause, claimed by a conditional update with a lease."""

    id = pw.BigAutoField()
    kind = pw.CharField(40)
    key = pw.CharField(200, null=True, unique=True)  # at most one waiting job per key
    args = JSONField(default=dict)
    state = pw.CharField(10, default="waiting")  # waiting, running, done, failed
    attempts = pw.IntegerField(default=0)
    due_ms = pw.BigIntegerField()
    lease_ms = pw.BigIntegerField(null=True)
    worker = pw.CharField(80, default="")
    progress = pw.IntegerField(default=0)
    total = pw.IntegerField(default=0)
    error = pw.CharField(1000, default="")
    created_ms = pw.BigIntegerField()
    finished_ms = pw.BigIntegerField(null=True)

    class Meta:
        indexes = ((("state", "due_ms"), False),)


class ExportFile(Model):
    """A file exported in the background. The permission is checked again at download."""

    id = pw.CharField(40, primary_key=True)
    user_id = pw.IntegerField(index=True)
    maker = pw.CharField(40)  # name of the registered export, which knows the required permission
    query = JSONField(default=dict)
    format = pw.CharField(4)  # pdf, xlsx, csv
    locale = pw.CharField(8)
    name = pw.CharField(200)
    rows = pw.IntegerField(default=0)
    size = pw.BigIntegerField(default=0)
    sha256 = pw.CharField(64, default="")
    job_id = pw.BigIntegerField(null=True)
    created_ts = pw.BigIntegerField()
    expires_ts = pw.BigIntegerField()


class ExportPart(Model):
    """A chunk of an exported file, stored in the database so that any machine can serve it."""

    file = pw.ForeignKeyField(ExportFile, backref="parts", on_delete="CASCADE")
    n = pw.IntegerField()
    data = pw.BlobField()

    class Meta:
        primary_key = pw.CompositeKey("file", "n")


class AuditEntry(Model):
    """One action in Stopa, including reads and exports. Append-only."""

    id = pw.BigAutoField()
    occurred_ms = pw.BigIntegerField()
    actor_type = pw.CharField(12)  # user, key, cli, system, anonymous
    actor_id = pw.IntegerField(null=True)
    actor_label = pw.CharField(200)
    action = pw.CharField(60)  # dotted, never renamed
    crud = pw.CharField(1)
    outcome = pw.CharField(8)  # success, failure, denied
    target_type = pw.CharField(30, default="")
    target_id = pw.CharField(60, default="")
    target_label = pw.CharField(200, default="")
    changes = JSONField(default=dict)  # field: [old, new], secrets masked
    details = JSONField(default=dict)
    ip = pw.CharField(64, default="")
    user_agent = pw.CharField(300, default="")
    request_id = pw.CharField(40, default="")
    interface = pw.CharField(8)  # web, api, cli, job

    class Meta:
        indexes = ((("occurred_ms",), False), (("target_type", "target_id", "occurred_ms"), False))


class Setting(Model):
    """An internal value of the instance, such as the hash of the one-time setup code."""

    name = pw.CharField(60, primary_key=True)
    value = pw.TextField()
