"""Permissions and scope, sign-in sessions and attempts, second factors, API keys."""

from __future__ import annotations

import peewee as pw
from peewee import JSONField

from dashboard.db import Model
from dashboard.db.sealed import SealedField
from dashboard.models.versions import Versioned


class Access(Versioned):
    """A role: a named set of permissions with a scope. Every user who can sign in has exactly one."""

    id = pw.AutoField()
    name = pw.CharField(120, unique=True)
    description = pw.CharField(500, default="")
    is_system = pw.BooleanField(default=False)  # built-in; can be edited, not deleted
    permissions = JSONField(default=list)  # values of Permission, sorted
    two_factor = pw.BooleanField(default=False)  # users with the role must have a second factor
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
    agent = pw.CharField(200, default="")  # what the browser says of itself
    method = pw.CharField(20, default="")  # how the user proved who they are; "" before this was kept
    id_token = SealedField(default="")  # that of a provider, which it wants back at the sign-out


class SignInAttempt(Model):
    """An attempt to sign in that has not succeeded, counted across all processes; see access.throttle."""

    id = pw.AutoField()
    key = pw.CharField(200, index=True)  # what is limited: "login:jana" or "ip:203.0.113.7"
    at_ts = pw.BigIntegerField()


class PendingSignIn(Model):
    """A sign-in whose password was right and whose second factor is due; see access.pending_sign_ins.

    Only the SHA-256 of the token in the browser's cookie is stored.
    """

    token_hash = pw.CharField(64, primary_key=True)
    user_id = pw.IntegerField(index=True)
    created_ts = pw.BigIntegerField()
    stamp = pw.CharField(64)  # of the password that was right; another password ends the sign-in
    method = pw.CharField(20)


class TwoFactor(Model):
    """The secret of a user's authenticator app; until `confirmed_ts` is set, it is not asked for."""

    user_id = pw.IntegerField(primary_key=True)
    secret = SealedField()
    confirmed_ts = pw.BigIntegerField(null=True)
    last_step = pw.BigIntegerField(default=0)  # the time step of the last code taken; no earlier one counts


class RecoveryCode(Model):
    """A code of 80 random bits that stands in once for a lost device, stored as SHA-256."""

    id = pw.AutoField()
    user_id = pw.IntegerField(index=True)
    code_hash = pw.CharField(64)


class PasswordLink(Model):
    """A link by which a user chooses a password; without a token before it is sent."""

    user_id = pw.IntegerField(primary_key=True)
    token_hash = pw.CharField(64, default="", index=True)
    stamp = pw.CharField(64, default="")  # of the password and address that it was made for
    created_ts = pw.BigIntegerField()
    expires_ts = pw.BigIntegerField(null=True)
    problem = pw.TextField(default="")  # why the mail was not sent, a marked sentence


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
    expires_ts = pw.BigIntegerField(null=True)  # from then on it is refused; None: never
