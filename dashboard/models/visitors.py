"""Portal sites, the visits that browsers make there, and the invitations that visitors are shown."""

from __future__ import annotations

import peewee as pw
from peewee import JSONField

from dashboard.db import Model
from dashboard.db.sealed import SealedField
from dashboard.models.events import Source


class Site(Model):
    """A web site that loads /visitor.js with its public `key`; its events come from `source`.

    Only pages of `origins` are heard. The values of the form fields in `elements` may be kept. `secret` signs
    the ids of known visitors. `chat` says where an accepted invitation leads: nowhere (""), to `chat_url`
    (url), or to the Chatwoot widget of the page (chatwoot).
    """

    source_id: int
    id = pw.AutoField()
    source = pw.ForeignKeyField(Source, unique=True, on_delete="CASCADE")
    key = pw.CharField(32, unique=True)
    enabled = pw.BooleanField(default=False)
    origins = JSONField(default=list)
    elements = JSONField(default=list)
    secret = SealedField()
    queue_id = pw.IntegerField(null=True)  # of its chats; who may see the queue sees the visits
    idle_s = pw.IntegerField(default=120)  # without activity, after which a visitor is idle
    chat = pw.CharField(10, default="")
    chat_url = pw.TextField(default="")
    privacy_url = pw.TextField(default="")
    keep_days = pw.IntegerField(default=30)
    created_ts = pw.BigIntegerField()
    version = pw.IntegerField(default=1)

    @property
    def name(self) -> str:
        return str(self.source.name)


class Visit(Model):
    """One browser's stay on a site until it is idle for half an hour, over all its tabs.

    `token` and `browser` are ids made in the browser; `token` is the session of the visit's events. `due_ms`
    is the next moment at which the worker has to look at it. `invitation` is the state of the last one.
    `contact_key` is the key of the contact as whom the site has identified the visitor; the contact is made
    when the event of it is folded.
    """

    site_id: int
    id = pw.BigAutoField()
    site = pw.ForeignKeyField(Site, on_delete="CASCADE")
    token = pw.CharField(40)
    browser = pw.CharField(40)
    number = pw.IntegerField(default=1)  # which visit of this browser
    contact_id = pw.IntegerField(null=True)
    contact_key = pw.CharField(300, default="")
    started_ms = pw.BigIntegerField()
    active_ms = pw.BigIntegerField()  # the last sign of the visitor
    away_ms = pw.BigIntegerField(null=True)  # since when no page is open
    idle_ms = pw.BigIntegerField(null=True)  # since when the visitor counts as idle
    inactive_ms = pw.BigIntegerField(null=True)  # since when the session counts as inactive
    closed_ms = pw.BigIntegerField(null=True)  # since when the session counts as closed
    ended_ms = pw.BigIntegerField(null=True)
    due_ms = pw.BigIntegerField(null=True)
    pages = pw.IntegerField(default=0)
    first_ms = pw.BigIntegerField(null=True)  # of the page in first_url
    first_url = pw.TextField(default="")
    page_ms = pw.BigIntegerField(null=True)  # of the page in url
    url = pw.TextField(default="")
    title = pw.CharField(200, default="")
    referrer = pw.TextField(default="")
    language = pw.CharField(20, default="")
    country = pw.CharField(2, default="")
    browser_name = pw.CharField(40, default="")
    os = pw.CharField(40, default="")
    ip = pw.CharField(45, default="")  # shortened
    invited_ms = pw.BigIntegerField(null=True)
    invitation = pw.CharField(10, default="")

    class Meta:
        indexes = (
            (("site", "token"), True),
            (("site", "browser"), False),
            (("started_ms",), False),
            (("contact_id",), False),
        )


class Invitation(Model):
    """An invitation to a chat in a box on the page, by a rule or by a user.

    `state` is waiting (for the page to ask), shown, accepted, rejected, ignored (nothing was chosen until
    `until_ms`) or lapsed (never shown).
    """

    visit_id: int
    id = pw.BigAutoField()
    visit = pw.ForeignKeyField(Visit, on_delete="CASCADE")
    rule_id = pw.IntegerField(null=True)
    user_id = pw.IntegerField(null=True)  # who invited by hand
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
