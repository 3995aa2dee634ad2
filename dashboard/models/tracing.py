"""The projection of events: activities, and the intervals of a user's day."""

from __future__ import annotations

import peewee as pw

from dashboard.db import Model


class Activity(Model):
    """One user's work on one interaction; `n` numbers repeated work. A rebuild keeps the id.

    `channel` is call, dialled (outbound without a queue), email, ticket or a chat channel.
    """

    id = pw.BigAutoField()
    interaction_id = pw.BigIntegerField()
    user_id = pw.IntegerField()
    n = pw.IntegerField(default=0)
    source_id = pw.IntegerField()
    channel = pw.CharField(20)
    direction = pw.CharField(10, default="")
    state = pw.CharField(20)  # a State
    queue_id = pw.IntegerField(null=True)
    contact_id = pw.IntegerField(null=True)
    title = pw.CharField(200, default="")
    start_ts = pw.BigIntegerField()
    end_ts = pw.BigIntegerField(null=True)
    closed_ts = pw.BigIntegerField(null=True)
    ringing_s = pw.IntegerField(default=0)
    handling_s = pw.IntegerField(default=0)
    talk_s = pw.IntegerField(default=0)
    hold_s = pw.IntegerField(default=0)
    inferred = pw.BooleanField(default=False)  # a start or end was inferred, not reported
    long = pw.BooleanField(default=False)  # open or longer than a day; queried separately, see Interval
    # An end that never came: the latest moment it can have had, why, and the seconds that are proved.
    # `expires_ts` is when time alone bounds it, if nothing happens before.
    end_bound = pw.BigIntegerField(null=True)
    end_reason = pw.CharField(20, null=True)  # an EndReason
    proved_s = pw.IntegerField(null=True)
    expires_ts = pw.BigIntegerField(null=True)

    class Meta:
        indexes = (
            (("interaction_id", "user_id", "n"), True),
            (("user_id", "start_ts", "id", "end_ts", "channel", "state", "queue_id", "inferred"), False),
            (("user_id", "closed_ts", "channel", "state", "interaction_id", "handling_s"), False),
            (("start_ts", "channel"), False),
        )


class Interval(Model):
    """An interval of a user's day: login, ready, pause, or a segment of an activity.

    Rows that are open or longer than a day have `long` set. The rows of a day are then those that start at
    most a day before it, plus the few long ones: both are index ranges.
    """

    id = pw.BigAutoField()
    user_id = pw.IntegerField()
    kind = pw.SmallIntegerField()  # a Kind
    channel = pw.CharField(20, default="")
    start_ts = pw.BigIntegerField()
    end_ts = pw.BigIntegerField(null=True)
    long = pw.BooleanField(default=False)
    activity_id = pw.BigIntegerField(null=True)
    queue_id = pw.IntegerField(null=True)
    source_id = pw.IntegerField()
    key = pw.CharField(120, default="")  # device of a login, queue of a ready or pause
    label = pw.CharField(200, default="")  # name of the pause at that time
    paid = pw.BooleanField(default=False)
    inferred = pw.BooleanField(default=False)
    reported_s = pw.IntegerField(null=True)  # duration reported by the source
    opened_ms = pw.BigIntegerField(default=0)  # time of the event that started the interval
    closed_ms = pw.BigIntegerField(null=True)  # time of the event that ended it
    # Up to where an open segment is proved; of a login, the end of its shift.
    proved_ts = pw.BigIntegerField(null=True)
    end_reason = pw.CharField(20, null=True)  # an EndReason, where the end or its bound was concluded
    expires_ts = pw.BigIntegerField(null=True)  # when time alone bounds it

    class Meta:
        indexes = (
            (
                (
                    "user_id",
                    "start_ts",
                    "end_ts",
                    "kind",
                    "channel",
                    "activity_id",
                    "queue_id",
                    "source_id",
                    "label",
                    "paid",
                    "inferred",
                    "reported_s",
                ),
                False,
            ),
            (("activity_id",), False),
        )


# For continuing the fold of presence: rows of a user that are open or ended since.
Interval.add_index(
    Interval.index(Interval.user_id, Interval.closed_ms, name="interval_presence").where(Interval.kind <= 3)
)
# Recorded rows in whose place corrections stand.
Interval.add_index(Interval.index(Interval.user_id, name="interval_original").where(Interval.kind >= 9))
# Rows that are open or longer than a day. The indexes above do not contain `long`: otherwise the planner
# would use them here too and scan the user's whole history.
Interval.add_index(
    Interval.index(Interval.user_id, Interval.start_ts, name="interval_long").where(Interval.long)
)
Activity.add_index(
    Activity.index(Activity.user_id, Activity.start_ts, name="activity_long").where(Activity.long)
)
# What time alone bounds, for the worker.
Activity.add_index(
    Activity.index(Activity.expires_ts, name="activity_expires").where(Activity.expires_ts.is_null(False))
)
Interval.add_index(
    Interval.index(Interval.expires_ts, name="interval_expires").where(Interval.expires_ts.is_null(False))
)
