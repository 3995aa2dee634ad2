"""Asterisk's manager interfaces, and the members and waiting calls that they report."""

from __future__ import annotations

from typing import Any

import peewee as pw


class Table(pw.Model):
    class Meta:
        legacy_table_names = False


class Source(Table):
    id = pw.AutoField()


class Manager(Table):
    id = pw.AutoField()
    source = pw.ForeignKeyField(Source, unique=True, on_delete="CASCADE")
    host = pw.CharField(255)
    port = pw.IntegerField()
    username = pw.CharField(80)
    secret = pw.TextField()
    by_worker = pw.BooleanField(default=True)
    created_ts = pw.BigIntegerField()
    version = pw.IntegerField(default=1)
    state = pw.CharField(10, default="new")
    since_ms = pw.BigIntegerField(default=0)
    problem = pw.TextField(default="")
    owner = pw.CharField(60, default="")
    seen_ms = pw.BigIntegerField(default=0)


class ManagerMember(Table):
    manager = pw.ForeignKeyField(Manager, on_delete="CASCADE")
    queue = pw.CharField(120)
    interface = pw.CharField(120)
    user_id = pw.IntegerField(index=True)
    ready_ts = pw.BigIntegerField()
    paused_ts = pw.BigIntegerField(null=True)
    reason = pw.CharField(120, default="")
    status = pw.SmallIntegerField(default=0)
    ringing_ts = pw.BigIntegerField(null=True)

    class Meta:
        primary_key = pw.CompositeKey("manager", "queue", "interface")


class ManagerWait(Table):
    manager = pw.ForeignKeyField(Manager, on_delete="CASCADE")
    queue = pw.CharField(120)
    call = pw.CharField(120)
    since_ts = pw.BigIntegerField()

    class Meta:
        primary_key = pw.CompositeKey("manager", "queue", "call")


def up(_migrator: Any, db: Any) -> None:
    tables = [Manager, ManagerMember, ManagerWait]
    with db.bind_ctx([Source, *tables]):
        db.create_tables(tables)
