"""Jobs, exported files, the audit log, and internal settings."""

from __future__ import annotations

import json
from typing import Any

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
    scope = JSONField(default=dict)  # users, queues and permissions with which it was made; {} before
    format = pw.CharField(4)  # pdf, xlsx, csv, zip
    locale = pw.CharField(8)
    name = pw.CharField(200)
    page = pw.TextField(default="")  # address from which it was requested; "" before it was kept
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


class JSONTextField(pw.TextField):
    """A JSON object kept as the text that was written, which JSONB does not do."""

    def db_value(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    def python_value(self, value: str) -> Any:
        return json.loads(value)


class AuditEntry(Model):
    """One action in Stopa, including reads and exports. Append-only: triggers refuse changes.

    `seq` counts from 1 without gaps and `hash` covers the entry and the `prev_hash`; see audit.chain. Both
    are missing in entries of versions before the chain.
    """

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
    changes = JSONTextField(default=dict)  # field: [old, new], secrets masked
    details = JSONTextField(default=dict)
    ip = pw.CharField(64, default="")
    user_agent = pw.CharField(300, default="")
    request_id = pw.CharField(40, default="")
    interface = pw.CharField(8)  # web, api, cli, job
    seq = pw.BigIntegerField(null=True, unique=True)
    prev_hash = pw.CharField(64, default="")
    hash = pw.CharField(64, default="")

    class Meta:
        indexes = (
            (("occurred_ms",), False),
            (("target_type", "target_id", "occurred_ms"), False),
            (("request_id",), False),
        )


class AuditCheckpoint(Model):
    """The end of what retention has deleted of the audit log: the chain continues after it."""

    id = pw.BigAutoField()
    to_seq = pw.BigIntegerField()  # the last entry deleted, 0 while none of the chain is
    last_hash = pw.CharField(64)  # its hash
    to_id = pw.BigIntegerField()  # the last entry of before the chain deleted, 0 for none
    made_ms = pw.BigIntegerField()


class Setting(Model):
    """An internal value of the instance, such as the hash of the one-time setup code."""

    name = pw.CharField(60, primary_key=True)
    value = pw.TextField()

    @classmethod
    def put(cls, name: str, value: str) -> None:
        """Set the value of `name`, in the caller's transaction."""
        cls.insert(name=name, value=value).on_conflict(
            conflict_target=[cls.name], update={cls.value: value}
        ).execute()


class Counter(Model):
    """A number that grows, summed over all processes; see jobs.counters."""

    name = pw.CharField(40)
    labels = pw.CharField(300)  # JSON object with sorted keys
    number = pw.BigIntegerField()

    class Meta:
        primary_key = pw.CompositeKey("name", "labels")
