"""The projection of co-browsing: sessions, their steps, and the agents in each."""

from __future__ import annotations

import peewee as pw

from dashboard.db import Model
from dashboard.models.events import Source
from dashboard.models.visitors import Visit


class CobrowseSession(Model):
    """What a customer and agents did together on a site: the events of one source with one session.

    `page` is the first address that a step names, `joined` says whether an agent took part.
    """

    source_id: int
    visit_id: int | None
    id = pw.BigAutoField()
    source = pw.ForeignKeyField(Source, on_delete="CASCADE", index=False)
    external_id = pw.CharField(200)
    visit = pw.ForeignKeyField(Visit, null=True, on_delete="SET NULL")
    contact_id = pw.IntegerField(null=True)
    interaction = pw.CharField(200, null=True)  # external id
    first_ms = pw.BigIntegerField()
    last_ms = pw.BigIntegerField()
    steps = pw.IntegerField(default=0)
    joined = pw.BooleanField(default=False)
    page = pw.TextField(default="")

    class Meta:
        indexes = ((("source", "external_id"), True), (("first_ms",), False), (("contact_id",), False))


class CobrowseStep(Model):
    """An event of a session, without what was typed. `page` has no query; `element` also names forms and
    custom events; `length` counts the characters typed or selected."""

    session_id: int
    event_id = pw.BigIntegerField(primary_key=True)
    session = pw.ForeignKeyField(CobrowseSession, on_delete="CASCADE", index=False)
    time_ms = pw.BigIntegerField()
    kind = pw.CharField(10)  # see catalog.visitors.STEPS
    by_agent = pw.BooleanField()
    user_id = pw.IntegerField(null=True)
    page = pw.TextField(default="")
    element = pw.CharField(200, default="")
    length = pw.IntegerField(null=True)

    class Meta:
        indexes = ((("session", "time_ms", "event_id"), False), (("time_ms",), False))


class CobrowseAgent(Model):
    """A user whom an event of a session names."""

    session = pw.ForeignKeyField(CobrowseSession, on_delete="CASCADE", index=False)
    user_id = pw.IntegerField()

    class Meta:
        primary_key = pw.CompositeKey("session", "user_id")
        indexes = ((("user_id", "session"), False),)
