"""Co-browsing sessions. Those of the log before are made with their next event, or by a rebuild."""

from __future__ import annotations

from typing import Any

import peewee as pw


class Table(pw.Model):
    class Meta:
        legacy_table_names = False


class Source(Table):
    id = pw.AutoField()


class Visit(Table):
    id = pw.BigAutoField()


class CobrowseSession(Table):
    id = pw.BigAutoField()
    source = pw.ForeignKeyField(Source, on_delete="CASCADE", index=False)
    external_id = pw.CharField(200)
    visit = pw.ForeignKeyField(Visit, null=True, on_delete="SET NULL")
    contact_id = pw.IntegerField(null=True)
    interaction = pw.CharField(200, null=True)
    first_ms = pw.BigIntegerField()
    last_ms = pw.BigIntegerField()
    steps = pw.IntegerField(default=0)
    joined = pw.BooleanField(default=False)
    page = pw.TextField(default="")

    class Meta:
        indexes = ((("source", "external_id"), True), (("first_ms",), False), (("contact_id",), False))


class CobrowseStep(Table):
    event_id = pw.BigIntegerField(primary_key=True)
    session = pw.ForeignKeyField(CobrowseSession, on_delete="CASCADE", index=False)
    time_ms = pw.BigIntegerField()
    kind = pw.CharField(10)
    by_agent = pw.BooleanField()
    user_id = pw.IntegerField(null=True)
    page = pw.TextField(default="")
    element = pw.CharField(200, default="")
    length = pw.IntegerField(null=True)

    class Meta:
        indexes = ((("session", "time_ms", "event_id"), False), (("time_ms",), False))


class CobrowseAgent(Table):
    session = pw.ForeignKeyField(CobrowseSession, on_delete="CASCADE", index=False)
    user_id = pw.IntegerField()

    class Meta:
        primary_key = pw.CompositeKey("session", "user_id")
        indexes = ((("user_id", "session"), False),)


TABLES = [CobrowseSession, CobrowseStep, CobrowseAgent]


def up(_migrator: Any, db: Any) -> None:
    with db.bind_ctx([Source, Visit, *TABLES]):
        db.create_tables(TABLES)
