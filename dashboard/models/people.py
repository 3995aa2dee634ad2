"""Who works where: users, teams, queues, pause types."""

from __future__ import annotations

import peewee as pw

from dashboard.db import Model
from dashboard.models.access import Access


class User(Model):
    """A person that events name or that signs in.

    Made by hand or on first sight of an event (then without password and access: such a
    user is traced but cannot sign in). A deactivated user keeps all history.
    """

    access_id: int | None
    id = pw.AutoField()
    login = pw.CharField(120, unique=True)
    name = pw.CharField(200)
    email = pw.CharField(254, default="")
    extension = pw.CharField(40, default="")
    access = pw.ForeignKeyField(Access, null=True, backref="users", on_delete="RESTRICT")
    password_hash = pw.CharField(255, null=True)
    locale = pw.CharField(8, default="")  # "" = the instance's
    timezone = pw.CharField(64, default="")  # "" = the instance's
    created_ts = pw.BigIntegerField()
    deactivated_ts = pw.BigIntegerField(null=True)
    last_sign_in_ts = pw.BigIntegerField(null=True)
    version = pw.IntegerField(default=1)  # two editors do not overwrite each other silently


class Team(Model):
    id = pw.AutoField()
    name = pw.CharField(120, unique=True)
    version = pw.IntegerField(default=1)


class TeamMember(Model):
    team = pw.ForeignKeyField(Team, backref="members", on_delete="CASCADE")
    user = pw.ForeignKeyField(User, backref="teams", on_delete="CASCADE")

    class Meta:
        primary_key = pw.CompositeKey("team", "user")


class TeamLead(Model):
    team = pw.ForeignKeyField(Team, backref="leads", on_delete="CASCADE")
    user = pw.ForeignKeyField(User, backref="led_teams", on_delete="CASCADE")

    class Meta:
        primary_key = pw.CompositeKey("team", "user")


class Queue(Model):
    """A queue contacts wait in; `name` is what events call it, `label` what pages show."""

    id = pw.AutoField()
    name = pw.CharField(120, unique=True)
    label = pw.CharField(200)
    channel = pw.CharField(20, default="call")
    sla_seconds = pw.IntegerField(default=20)  # answered within this many seconds is in level
    created_ts = pw.BigIntegerField()
    deactivated_ts = pw.BigIntegerField(null=True)
    version = pw.IntegerField(default=1)


class PauseType(Model):
    """A reason for a pause; `name` is what events call it."""

    id = pw.AutoField()
    name = pw.CharField(120, unique=True)
    label = pw.CharField(200)
    paid = pw.BooleanField(default=False)
    max_seconds = pw.IntegerField(null=True)  # None = no limit
    deactivated_ts = pw.BigIntegerField(null=True)
    version = pw.IntegerField(default=1)
