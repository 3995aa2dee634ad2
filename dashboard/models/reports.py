"""Saved queries: reports, and views of list pages."""

from __future__ import annotations

import peewee as pw

from dashboard.db import Model
from dashboard.models.access import Access
from dashboard.models.people import User


class SavedQuery(Model):
    """A named query of a user; whoever it is shared with runs it with their own rights."""

    user_id: int
    access_id: int | None
    id = pw.AutoField()
    user = pw.ForeignKeyField(User, on_delete="CASCADE")
    name = pw.CharField(120)
    description = pw.CharField(500, default="")
    source = pw.CharField(40)  # name of the data source
    query = pw.TextField()  # as `reports.library.canonical` writes it
    chart = pw.CharField(12, default="")
    on_list = pw.BooleanField(default=False)  # a view of a list page, else a report
    shared = pw.CharField(8, default="private")  # private, access, all
    access = pw.ForeignKeyField(Access, null=True, on_delete="SET NULL")  # the role it is shared with
    created_ts = pw.BigIntegerField()
    updated_ts = pw.BigIntegerField()
    version = pw.IntegerField(default=1)
