"""Portal sites, visits and invitations, and the rights to them."""

from __future__ import annotations

from typing import Any

import peewee as pw

from dashboard.db.granted import grant


class Table(pw.Model):
    class Meta:
        legacy_table_names = False


class Source(Table):
    id = pw.AutoField()


class Site(Table):
    id = pw.AutoField()
    source = pw.ForeignKeyField(Source, unique=True, on_delete="CASCADE")
    key = pw.CharField(32, unique=True)
    enabled = pw.BooleanField(default=False)
    origins = pw.JSONField(default=list)
    elements = pw.JSONField(default=list)
    secret = pw.TextField()
    queue_id = pw.IntegerField(null=True)
    idle_s = pw.IntegerField(default=120)
    chat = pw.CharField(10, default="")
    chat_url = pw.TextField(default="")
    privacy_url = pw.TextField(default="")
    keep_days = pw.IntegerField(default=30)
    created_ts = pw.BigIntegerField()
    version = pw.IntegerField(default=1)


class Visit(Table):
    id = pw.BigAutoField()
    site = pw.ForeignKeyField(Site, on_delete="CASCADE")
    token = pw.CharField(40)
    browser = pw.CharField(40)
    number = pw.IntegerField(default=1)
    contact_id = pw.IntegerField(null=True)
    started_ms = pw.BigIntegerField()
    active_ms = pw.BigIntegerField()
    away_ms = pw.BigIntegerField(null=True)
    idle_ms = pw.BigIntegerField(null=True)
    inactive_ms = pw.BigIntegerField(null=True)
    ended_ms = pw.BigIntegerField(null=True)
    due_ms = pw.BigIntegerField(null=True)
    pages = pw.IntegerField(default=0)
    first_url = pw.TextField(default="")
    url = pw.TextField(default="")
    title = pw.CharField(200, default="")
    referrer = pw.TextField(default="")
    language = pw.CharField(20, default="")
    country = pw.CharField(2, default="")
    browser_name = pw.CharField(40, default="")
    os = pw.CharField(40, default="")
    ip = pw.CharField(45, default="")
    invited_ms = pw.BigIntegerField(null=True)
    invitation = pw.CharField(10, default="")

    class Meta:
        indexes = (
            (("site", "token"), True),
            (("site", "browser"), False),
            (("started_ms",), False),
            (("contact_id",), False),
        )


class Invitation(Table):
    id = pw.BigAutoField()
    visit = pw.ForeignKeyField(Visit, on_delete="CASCADE")
    rule_id = pw.IntegerField(null=True)
    user_id = pw.IntegerField(null=True)
    text = pw.TextField()
    language = pw.CharField(20, default="")
    state = pw.CharField(10, default="waiting")
    created_ms = pw.BigIntegerField()
    shown_ms = pw.BigIntegerField(null=True)
    until_ms = pw.BigIntegerField()
    answered_ms = pw.BigIntegerField(null=True)

    class Meta:
        indexes = ((("created_ms",), False),)


Visit.add_index(Visit.index(Visit.due_ms, name="visit_due").where(Visit.due_ms.is_null(False)))
Visit.add_index(Visit.index(Visit.active_ms, name="visit_open").where(Visit.ended_ms.is_null()))


TABLES = [Site, Visit, Invitation]
VISITS = ("sessions.view", "visitors.invite", "visitors.view")


def up(_migrator: Any, db: Any) -> None:
    with db.bind_ctx([Source, *TABLES]):
        db.create_tables(TABLES)
    grant(db, VISITS, ("Administrator", "Team lead"))
    mark = db.param
    told = f'UPDATE "access" SET "description" = {mark} WHERE "is_system" AND "description" = {mark}'  # noqa: S608
    before = "Everything except full contact details."
    db.execute_sql(told, (before.replace(".", " and typed values."), before))
