"""Connectors: who may send webhooks, and how they are read; the manager interfaces of Asterisk."""

from __future__ import annotations

import peewee as pw
from peewee import JSONField

from dashboard.db import Model
from dashboard.db.sealed import SealedField
from dashboard.models.events import Source
from dashboard.models.notify import Channel


class Connector(Model):
    """Takes the webhooks of another system at /connect/<name of the source>."""

    source_id: int
    channel_id: int | None
    id = pw.AutoField()
    source = pw.ForeignKeyField(Source, unique=True, on_delete="CASCADE")
    kind = pw.CharField(10)  # zammad, chatwoot, events, mapped
    secret = SealedField()  # signs each request or comes with it; shown once
    mapping = JSONField(default=dict)  # of a mapped one
    channel = pw.ForeignKeyField(Channel, null=True, on_delete="SET NULL")  # the system's API, for changes
    created_ts = pw.BigIntegerField()
    version = pw.IntegerField(default=1)

    @property
    def name(self) -> str:
        return str(self.source.name)


class Manager(Model):
    """Where an Asterisk's manager interface listens, and the state of the connection to it.

    One process, the `owner`, connects; it lives while `seen_ms` is recent. `state` is new, live, lost or
    denied, since `since_ms`; `problem` says why as JSON, see `Message.as_json`.
    """

    source_id: int
    id = pw.AutoField()
    source = pw.ForeignKeyField(Source, unique=True, on_delete="CASCADE")
    host = pw.CharField(255)
    port = pw.IntegerField()
    username = pw.CharField(80)
    secret = SealedField()
    by_worker = pw.BooleanField(default=True)  # workers connect; otherwise `flask ami` does
    created_ts = pw.BigIntegerField()
    version = pw.IntegerField(default=1)
    state = pw.CharField(10, default="new")
    since_ms = pw.BigIntegerField(default=0)
    problem = pw.TextField(default="")
    owner = pw.CharField(60, default="")
    seen_ms = pw.BigIntegerField(default=0)

    @property
    def name(self) -> str:
        return str(self.source.name)


class ManagerMember(Model):
    """A member of a queue as of now, while the connection is live; see ingest.manager.board.Member."""

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


class ManagerWait(Model):
    """A call that waits in a queue now, by its unique id in Asterisk."""

    manager = pw.ForeignKeyField(Manager, on_delete="CASCADE")
    queue = pw.CharField(120)
    call = pw.CharField(120)
    since_ts = pw.BigIntegerField()

    class Meta:
        primary_key = pw.CompositeKey("manager", "queue", "call")
