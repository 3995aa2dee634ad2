"""Notification channels, notifications, notification profiles, and working-time calendars."""

from __future__ import annotations

import peewee as pw
from peewee import JSONField

from dashboard import clock
from dashboard.db import Model
from dashboard.db.sealed import LOST, SealedField, SealedJSONField
from dashboard.models.versions import Versioned


class Channel(Versioned):
    """An outgoing channel: a webhook or a chat. `address`, `secret` and the values of `headers` are never
    shown."""

    id = pw.AutoField()
    name = pw.CharField(120, unique=True)
    kind = pw.CharField(10)  # webhook or chat
    address = SealedField()
    secret = SealedField(default="")  # signs a webhook
    headers = SealedJSONField(default=dict)
    ordered = pw.BooleanField(default=False)  # one delivery at a time, in order
    active = pw.BooleanField(default=True)
    disabled_reason = pw.CharField(500, default="")  # a translatable message, or the receiver's answer
    failures = pw.IntegerField(default=0)  # consecutive
    last_ok_ms = pw.BigIntegerField(null=True)
    created_ts = pw.BigIntegerField()
    version = pw.IntegerField(default=1)
    read = frozenset({"name", "kind", "active"})

    @property
    def lost(self) -> bool:
        """Were address, secret or headers sealed with another secret key?"""
        return any(value is LOST for value in (self.address, self.secret, self.headers))


class ChannelCheck(Model):
    """The latest check of a channel that calls out: a test message, or a look-up of its host."""

    channel = pw.ForeignKeyField(Channel, primary_key=True, on_delete="CASCADE")
    key = pw.CharField(40, unique=True)  # of this check, and the id of its message
    sends = pw.BooleanField()
    made_ms = pw.BigIntegerField()
    done_ms = pw.BigIntegerField(null=True)  # none: waits for the worker
    ok = pw.BooleanField(default=False)
    status = pw.IntegerField(default=0)  # of HTTP
    why = pw.CharField(500, default="")  # a translatable message
    note = pw.CharField(500, default="")  # the receiver's answer


class Notification(Model):
    """A notification in a user's inbox."""

    id = pw.BigAutoField()
    user_id = pw.IntegerField()
    rule_id = pw.IntegerField(null=True)
    run_id = pw.BigIntegerField(null=True)
    step_id = pw.BigIntegerField(null=True, unique=True)
    title = pw.CharField(300)
    body = pw.TextField(default="")
    url = pw.CharField(500, default="")
    urgent = pw.BooleanField(default=False)
    made_ms = pw.BigIntegerField()
    at_ms = pw.BigIntegerField(default=clock.now_ms)  # time of what it is about
    read_ms = pw.BigIntegerField(null=True)
    snoozed_ms = pw.BigIntegerField(null=True)  # until then it counts as read and is listed separately

    class Meta:
        indexes = ((("user_id", "id"), False), (("user_id", "at_ms"), False))


Notification.add_index(
    Notification.index(Notification.user_id, Notification.snoozed_ms, name="notification_unread").where(
        Notification.read_ms.is_null()
    )
)


class Profile(Model):
    """How a user is notified. Without a profile it is on screen and by email.

    Notifications always appear in the inbox. During quiet hours, email and channel deliveries that are not
    urgent are postponed to their end. If email and channel fail permanently, the default profile of
    `fallback_id` is used.
    """

    channel_id: int | None
    id = pw.AutoField()
    user_id = pw.IntegerField(index=True)
    name = pw.CharField(120)
    is_default = pw.BooleanField(default=False)
    screen = pw.BooleanField(default=True)  # the number of new ones stands in the menu
    email = pw.BooleanField(default=False)
    channel = pw.ForeignKeyField(Channel, null=True, on_delete="SET NULL")
    quiet_from = pw.CharField(5, default="")  # local time "20:00"; "" = none
    quiet_to = pw.CharField(5, default="")
    quiet_days = JSONField(default=list)  # weekdays that are quiet all day, 1 (Monday) to 7
    fallback_id = pw.IntegerField(null=True)  # id of a user
    version = pw.IntegerField(default=1)


class Calendar(Versioned):
    """Working time: `hours` maps weekdays "1" (Monday) to "7" to lists of [start, end] in local time."""

    id = pw.AutoField()
    name = pw.CharField(120, unique=True)
    zone = pw.CharField(64)
    hours = JSONField(default=dict)
    version = pw.IntegerField(default=1)


class CalendarDay(Versioned):
    """An exception to the weekly hours: a holiday (no `hours`), or a day with other `hours`."""

    id = pw.AutoField()
    calendar = pw.ForeignKeyField(Calendar, backref="days", on_delete="CASCADE")
    on = pw.CharField(10)  # 2026-12-24
    name = pw.CharField(200, default="")
    hours = JSONField(default=list)

    class Meta:
        indexes = ((("calendar", "on"), True),)
