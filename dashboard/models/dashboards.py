"""Dashboards and their tiles."""

from __future__ import annotations

import peewee as pw

from dashboard.db import Model
from dashboard.models.access import Access
from dashboard.models.people import User


class Dashboard(Model):
    """Tiles of reports; whoever it is shared with sees them with their own rights."""

    user_id: int
    access_id: int | None
    id = pw.AutoField()
    user = pw.ForeignKeyField(User, on_delete="CASCADE")  # the owner
    name = pw.CharField(120)
    shared = pw.CharField(8, default="private")  # private, access, all
    access = pw.ForeignKeyField(Access, null=True, on_delete="SET NULL")  # the role it is shared with
    refresh_s = pw.IntegerField(default=60)
    kiosk_hash = pw.CharField(64, null=True)  # of the key of its wall screens
    kiosk_ts = pw.BigIntegerField(null=True)  # when that key was made
    created_ts = pw.BigIntegerField()
    version = pw.IntegerField(default=1)


class Tile(Model):
    """A tile of a dashboard: a figure, chart or table of a report, what needs attention now, or a text."""

    dashboard_id: int
    id = pw.AutoField()
    dashboard = pw.ForeignKeyField(Dashboard, backref="tiles", on_delete="CASCADE")
    position = pw.IntegerField()
    width = pw.IntegerField()  # twelfths of the page: 3, 4, 6, 8 or 12
    kind = pw.CharField(8)  # figure, chart, table, alarms, text
    report = pw.CharField(40, default="")  # id of a saved query, or key of a ready-made report
    query = pw.TextField(default="")  # parameters that replace the report's own, as in an address
    measure = pw.CharField(80, default="")  # of a figure; "" = the first of the report
    warn = pw.CharField(5, default="")  # of a figure: below or above its limit
    limit = pw.FloatField(null=True)  # seconds, number, or share of 1
    title = pw.CharField(120, default="")  # "" = name of the report
    text = pw.TextField(default="")
    version = pw.IntegerField(default=1)
