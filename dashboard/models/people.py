"""Users, teams, queues and pause types."""

from __future__ import annotations

import peewee as pw

from dashboard.db import Model
from dashboard.models.access import Access
from dashboard.models.versions import Versioned


class User(Versioned):
    """A person who appears in events or signs in.

    Created by an administrator, or by the first event that mentions the login (without password and role:
    such a user is traced but cannot sign in). Deactivated users keep their history.
    """

    access_id: int | None
    id = pw.AutoField()
    login = pw.CharField(120, unique=True)
    name = pw.CharField(200)
    title = pw.CharField(120, default="")
    email = pw.CharField(254, default="")
    phone = pw.CharField(60, default="")
    extension = pw.CharField(40, default="")
    access = pw.ForeignKeyField(Access, null=True, backref="users", on_delete="RESTRICT")
    password_hash = pw.CharField(255, null=True)
    locale = pw.CharField(8, default="")  # "" = STOPA_LOCALE
    timezone = pw.CharField(64, default="")  # "" = STOPA_TIMEZONE
    created_ts = pw.BigIntegerField()
    deactivated_ts = pw.BigIntegerField(null=True)
    last_sign_in_ts = pw.BigIntegerField(null=True)
    version = pw.IntegerField(default=1)  # detects concurrent edits
    read = frozenset({"access", "deactivated_ts"})
    inserts = False  # nobody has rules, a team or a right before there is a row


class UserIdentity(Model):
    """A user at an OpenID Connect provider: the provider's name and its stable key of the user."""

    user_id: int
    id = pw.AutoField()
    issuer = pw.CharField(500)
    subject = pw.CharField(255)
    user = pw.ForeignKeyField(User, on_delete="CASCADE")
    created_ts = pw.BigIntegerField()

    class Meta:
        indexes = ((("issuer", "subject"), True), (("user", "issuer"), True))


class Team(Versioned):
    id = pw.AutoField()
    name = pw.CharField(120, unique=True)
    version = pw.IntegerField(default=1)


class TeamMember(Versioned):
    team = pw.ForeignKeyField(Team, backref="members", on_delete="CASCADE")
    user = pw.ForeignKeyField(User, backref="teams", on_delete="CASCADE")

    class Meta:
        primary_key = pw.CompositeKey("team", "user")


class TeamLead(Versioned):
    team = pw.ForeignKeyField(Team, backref="leads", on_delete="CASCADE")
    user = pw.ForeignKeyField(User, backref="led_teams", on_delete="CASCADE")

    class Meta:
        primary_key = pw.CompositeKey("team", "user")


class Queue(Model):
    """A queue in which contacts wait. `name` is its name in events, `label` its name on pages."""

    id = pw.AutoField()
    name = pw.CharField(120, unique=True)
    label = pw.CharField(200)
    channel = pw.CharField(20, default="call")
    sla_seconds = pw.IntegerField(default=20)  # contacts answered within this time meet the service level
    weight = pw.IntegerField(default=0)  # what matters more has more; reports sort and group by it
    created_ts = pw.BigIntegerField()
    deactivated_ts = pw.BigIntegerField(null=True)
    version = pw.IntegerField(default=1)


class PauseType(Model):
    """A reason for a pause. `name` is its name in events, `label` its name on pages."""

    id = pw.AutoField()
    name = pw.CharField(120, unique=True)
    label = pw.CharField(200)
    paid = pw.BooleanField(default=False)
    max_seconds = pw.IntegerField(null=True)  # None = no limit
    deactivated_ts = pw.BigIntegerField(null=True)
    version = pw.IntegerField(default=1)
