"""What users are told about the monitoring of their work, and whose data an audit entry is about."""

from __future__ import annotations

import peewee as pw
from peewee import JSONField

from dashboard.db import Model
from dashboard.models.people import User


class Policy(Model):
    """A version of the monitoring policy; `id` is its number. Never changed: a change is a new version."""

    id = pw.AutoField()
    texts = JSONField(default=dict)  # language: text
    created_ts = pw.BigIntegerField()
    created_by = pw.CharField(60, default="")  # the user name of its author
    version = pw.IntegerField(default=1)


class PolicyReading(Model):
    """A user has read a version of the policy. It is an acknowledgement, not a consent."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE")
    policy = pw.ForeignKeyField(Policy, on_delete="CASCADE")
    read_ts = pw.BigIntegerField()

    class Meta:
        primary_key = pw.CompositeKey("user", "policy")


class LookGroup(Model):
    """Users whom an act showed together; each set is stored once, under a digest of their ids."""

    id = pw.AutoField()
    digest = pw.CharField(64, unique=True)


class LookMember(Model):
    """A user of a group."""

    user_id = pw.IntegerField()
    group = pw.ForeignKeyField(LookGroup, on_delete="CASCADE")

    class Meta:
        primary_key = pw.CompositeKey("user_id", "group")


class AuditRedaction(Model):
    """An audit entry from which the texts of an erased user were taken; insert-only, as the entries are."""

    entry_id = pw.BigIntegerField(primary_key=True)
    made_ms = pw.BigIntegerField()


class ErasedLogin(Model):
    """The user name of an erased user, as a digest: a later event that names it is of the same user."""

    digest = pw.CharField(64, primary_key=True)
    user_id = pw.IntegerField()


class AuditSubject(Model):
    """Whose data were looked at or exported: time and number of the audit entry, the period seen.

    `user_id` is 0 for everybody of that moment, and the negative id of a group for its members.
    """

    user_id = pw.IntegerField()
    occurred_ms = pw.BigIntegerField()
    seq = pw.BigIntegerField()
    start_ts = pw.BigIntegerField(null=True)
    end_ts = pw.BigIntegerField(null=True)

    class Meta:
        primary_key = pw.CompositeKey("user_id", "occurred_ms", "seq")
        indexes = ((("occurred_ms", "seq"), False),)
