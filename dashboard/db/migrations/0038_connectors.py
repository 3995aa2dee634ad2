"""Connectors, which take the webhooks of other systems."""

from __future__ import annotations

from typing import Any

import peewee as pw


class Table(pw.Model):
    class Meta:
        legacy_table_names = False


class Source(Table):
    id = pw.AutoField()


class Connector(Table):
    id = pw.AutoField()
    source = pw.ForeignKeyField(Source, unique=True, on_delete="CASCADE")
    kind = pw.CharField(10)
    secret = pw.TextField()
    mapping = pw.JSONField(default=dict)
    created_ts = pw.BigIntegerField()
    version = pw.IntegerField(default=1)


def up(_migrator: Any, db: Any) -> None:
    with db.bind_ctx([Source, Connector]):
        db.create_tables([Connector])
