"""Connectors: who may send webhooks, and how they are read."""

from __future__ import annotations

import peewee as pw
from peewee import JSONField

from dashboard.db import Model
from dashboard.db.sealed import SealedField
from dashboard.models.events import Source


class Connector(Model):
    """Takes the webhooks of another system at /connect/<name of the source>."""

    source_id: int
    id = pw.AutoField()
    source = pw.ForeignKeyField(Source, unique=True, on_delete="CASCADE")
    kind = pw.CharField(10)  # zammad, chatwoot, events, mapped
    secret = SealedField()  # signs each request or comes with it; shown once
    mapping = JSONField(default=dict)  # of a mapped one
    created_ts = pw.BigIntegerField()
    version = pw.IntegerField(default=1)

    @property
    def name(self) -> str:
        return str(self.source.name)
