"""What one may do and about whom, and the proofs of who asks."""

from __future__ import annotations

import peewee as pw
from peewee import JSONField

from dashboard.db import Model


class Access(Model):
    """A named set of permissions with a scope; every user who signs in has exactly one."""

    id = pw.AutoField()
    name = pw.CharField(120, unique=True)
    description = pw.CharField(500, default="")
    is_system = pw.BooleanField(default=False)  # presets; may be edited, not deleted
    permissions = JSONField(default=list)  # values of Permission, sorted
    version = pw.IntegerField(default=1)


class AccessGrant(Model):
    """One part of an access's scope: whom (team leads, users, all) or which queues' content.

    `kind` is one of led_teams, users, queues, all_users, all_queues; `ref_id` names the user
    or queue for users and queues. No row at all means: oneself only.
    """

    id = pw.AutoField()
    access = pw.ForeignKeyField(Access, backref="grants", on_delete="CASCADE")
    kind = pw.CharField(20)
    ref_id = pw.IntegerField(null=True)


class Session(Model):
    """A signed-in browser. Only the SHA-256 of its token is kept: a copy of the table opens no door."""

    token_hash = pw.CharField(64, primary_key=True)
    user_id = pw.IntegerField(index=True)
    created_ts = pw.BigIntegerField()
    seen_ts = pw.BigIntegerField()
    ip = pw.CharField(64, default="")


class SignInAttempt(Model):
    """A failed sign-in; counted by account and by address over all processes."""

    id = pw.AutoField()
    key = pw.CharField(200, index=True)  # "login:jana" or "ip:203.0.113.7"
    at_ts = pw.BigIntegerField()


class ApiKey(Model):
    """A client's key, stored as SHA-256 and shown once; it fixes the source of what it sends."""

    id = pw.AutoField()
    name = pw.CharField(120)
    source_id = pw.IntegerField()
    allow = pw.CharField(10)  # ingest or read
    makes = pw.BooleanField(default=True)  # may make users, queues, contacts on first sight
    prefix = pw.CharField(12)
    key_hash = pw.CharField(64, unique=True)
    created_ts = pw.BigIntegerField()
    last_used_ts = pw.BigIntegerField(null=True)
    revoked_ts = pw.BigIntegerField(null=True)
