"""Permissions and scope, sign-in sessions, sign-in attempts, API keys."""

from __future__ import annotations

import peewee as pw
from peewee import JSONField

from dashboard.db import Model
from dashboard.models.versions import Versioned


class Access(Versioned):
    """A role: a named set of permissions with a scope. Every user who can sign in has exactly one."""

    id = pw.AutoField()
    name = pw.CharField(120, unique=True)
    description = pw.CharField(500, default="")
    is_system = pw.BooleanField(default=False)  # built-in; can be edited, not deleted
    permissions = JSONField(default=list)  # values of Permission, sorted
    version = pw.IntegerField(default=1)
    read = frozenset({"permissions"})


class AccessGrant(Versioned):
    """One part of a role's scope: users (of led teams, chosen, all) or queues whose content is visible.

    `kind` is one of led_teams, users, queues, all_users, all_queues. `ref_id` is the id of the user or queue
    if `kind` is users or queues. Without any row the scope is the user's own data.
    """

    id = pw.AutoField()
    access = pw.ForeignKeyField(Access, backref="grants", on_delete="CASCADE")
    kind = pw.CharField(20)
    ref_id = pw.IntegerField(null=True)


class Session(Model):
    """A sign-in session. Only the SHA-256 of its token is stored, so a copy of the table grants no access."""

    token_hash = pw.CharField(64, primary_key=True)
    user_id = pw.IntegerField(index=True)
    created_ts = pw.BigIntegerField()
    seen_ts = pw.BigIntegerField()
    ip = pw.CharField(64, default="")


class SignInAttempt(Model):
    """An attempt to sign in that has not succeeded, counted across all processes; see access.throttle."""

    id = pw.AutoField()
    key = pw.CharField(200, index=True)  # what is limited: "login:jana" or "ip:203.0.113.7"
    at_ts = pw.BigIntegerField()


class ApiKey(Model):
    """An API key, stored as SHA-256 and shown once. It determines the source of the events sent with it.

    `maker_id` is the user whose rights limit what a read key shows; None: made on the command line.
    """

    id = pw.AutoField()
    name = pw.CharField(120)
    source_id = pw.IntegerField()
    allow = pw.CharField(10)  # ingest or read
    makes = pw.BooleanField(default=True)  # creates unknown users, queues and contacts
    prefix = pw.CharField(12)
    key_hash = pw.CharField(64, unique=True)
    maker_id = pw.IntegerField(null=True)
    created_ts = pw.BigIntegerField()
    last_used_ts = pw.BigIntegerField(null=True)
    revoked_ts = pw.BigIntegerField(null=True)
