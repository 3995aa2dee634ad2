"""The tables of dashboards and their tiles."""

from __future__ import annotations

from typing import Any

import peewee as pw


class Table(pw.Model):
    class Meta:
        legacy_table_names = False


class User(Table):
    id = pw.AutoField()


class Access(Table):
    id = pw.AutoField()


class Dashboard(Table):
    id = pw.AutoField()
    user = pw.ForeignKeyField(User, on_delete="CASCADE")
    name = pw.CharField(120)
    shared = pw.CharField(8, default="private")
    access = pw.ForeignKeyField(Access, null=True, on_delete="SET NULL")
    refresh_s = pw.IntegerField(default=60)
    kiosk_hash = pw.CharField(64, null=True)
    kiosk_ts = pw.BigIntegerField(null=True)
    created_ts = pw.BigIntegerField()
    version = pw.IntegerField(default=1)


class Tile(Table):
    id = pw.AutoField()
    dashboard = pw.ForeignKeyField(Dashboard, backref="tiles", on_delete="CASCADE")
    position = pw.IntegerField()
    width = pw.IntegerField()
    kind = pw.CharField(8)
    report = pw.CharField(40, default="")
    query = pw.TextField(default="")
    measure = pw.CharField(80, default="")
    warn = pw.CharField(5, default="")
    limit = pw.FloatField(null=True)
    title = pw.CharField(120, default="")
    text = pw.TextField(default="")
    version = pw.IntegerField(default=1)


def up(_migrator: Any, db: Any) -> None:
    made = [Dashboard, Tile]
    with db.bind_ctx([User, Access, *made]):
        db.create_tables(made)
