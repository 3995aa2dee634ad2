"""The first tables: people, accesses, events, tracing, work, audit. Frozen copies of the models."""

from __future__ import annotations

from typing import Any

import peewee as pw


class Table(pw.Model):
    class Meta:
        legacy_table_names = False


class Access(Table):
    id = pw.AutoField()
    name = pw.CharField(120, unique=True)
    description = pw.CharField(500)
    is_system = pw.BooleanField()
    permissions = pw.JSONField()
    version = pw.IntegerField()


class AccessGrant(Table):
    id = pw.AutoField()
    access = pw.ForeignKeyField(Access, on_delete="CASCADE")
    kind = pw.CharField(20)
    ref_id = pw.IntegerField(null=True)


class User(Table):
    id = pw.AutoField()
    login = pw.CharField(120, unique=True)
    name = pw.CharField(200)
    email = pw.CharField(254)
    extension = pw.CharField(40)
    access = pw.ForeignKeyField(Access, null=True, on_delete="RESTRICT")
    password_hash = pw.CharField(null=True)
    locale = pw.CharField(8)
    timezone = pw.CharField(64)
    created_ts = pw.BigIntegerField()
    deactivated_ts = pw.BigIntegerField(null=True)
    last_sign_in_ts = pw.BigIntegerField(null=True)
    version = pw.IntegerField()


class Team(Table):
    id = pw.AutoField()
    name = pw.CharField(120, unique=True)
    version = pw.IntegerField()


class TeamMember(Table):
    team = pw.ForeignKeyField(Team, on_delete="CASCADE")
    user = pw.ForeignKeyField(User, on_delete="CASCADE")

    class Meta:
        primary_key = pw.CompositeKey("team", "user")


class TeamLead(Table):
    team = pw.ForeignKeyField(Team, on_delete="CASCADE")
    user = pw.ForeignKeyField(User, on_delete="CASCADE")

    class Meta:
        primary_key = pw.CompositeKey("team", "user")


class Queue(Table):
    id = pw.AutoField()
    name = pw.CharField(120, unique=True)
    label = pw.CharField(200)
    channel = pw.CharField(20)
    sla_seconds = pw.IntegerField()
    created_ts = pw.BigIntegerField()
    deactivated_ts = pw.BigIntegerField(null=True)
    version = pw.IntegerField()


class PauseType(Table):
    id = pw.AutoField()
    name = pw.CharField(120, unique=True)
    label = pw.CharField(200)
    paid = pw.BooleanField()
    max_seconds = pw.IntegerField(null=True)
    deactivated_ts = pw.BigIntegerField(null=True)
    version = pw.IntegerField()


class Session(Table):
    token_hash = pw.CharField(64, primary_key=True)
    user_id = pw.IntegerField(index=True)
    created_ts = pw.BigIntegerField()
    seen_ts = pw.BigIntegerField()
    ip = pw.CharField(64)


class SignInAttempt(Table):
    id = pw.AutoField()
    key = pw.CharField(200, index=True)
    at_ts = pw.BigIntegerField()


class Source(Table):
    id = pw.AutoField()
    name = pw.CharField(120, unique=True)
    is_file = pw.BooleanField()
    last_ms = pw.BigIntegerField(null=True)
    created_ts = pw.BigIntegerField()


class ApiKey(Table):
    id = pw.AutoField()
    name = pw.CharField(120)
    source_id = pw.IntegerField()
    allow = pw.CharField(10)
    makes = pw.BooleanField()
    prefix = pw.CharField(12)
    key_hash = pw.CharField(64, unique=True)
    created_ts = pw.BigIntegerField()
    last_used_ts = pw.BigIntegerField(null=True)
    revoked_ts = pw.BigIntegerField(null=True)


class Contact(Table):
    id = pw.AutoField()
    key = pw.CharField(300, unique=True)
    name = pw.CharField(200)
    phone = pw.CharField(60)
    email = pw.CharField(254)


class Interaction(Table):
    id = pw.BigAutoField()
    source = pw.ForeignKeyField(Source, on_delete="RESTRICT")
    external_id = pw.CharField(200)
    channel = pw.CharField(20)
    direction = pw.CharField(10)
    queue_id = pw.IntegerField(null=True)
    contact_id = pw.IntegerField(null=True)
    first_ms = pw.BigIntegerField(null=True)
    queued_ts = pw.BigIntegerField(null=True)
    answered_ts = pw.BigIntegerField(null=True)
    ended_ts = pw.BigIntegerField(null=True)
    wait_s = pw.IntegerField(null=True)
    talk_s = pw.IntegerField()
    outcome = pw.CharField(20)
    reason = pw.CharField(40)

    class Meta:
        indexes = (
            (("source", "external_id"), True),
            (("queue_id", "first_ms"), False),
            (("first_ms", "channel"), False),
        )


Interaction.add_index(
    Interaction.index(Interaction.queue_id, Interaction.queued_ts, name="interaction_waiting").where(
        Interaction.answered_ts.is_null() & Interaction.ended_ts.is_null()
    )
)


class Event(Table):
    id = pw.BigAutoField()
    source_id = pw.IntegerField()
    external_id = pw.CharField(200)
    type = pw.CharField(80)
    time_ms = pw.BigIntegerField()
    recorded_ms = pw.BigIntegerField()
    seq = pw.IntegerField()
    user_id = pw.IntegerField(null=True)
    queue_id = pw.IntegerField(null=True)
    interaction = pw.CharField(200, null=True)
    contact = pw.TextField(null=True)
    session = pw.CharField(200, null=True)
    data = pw.TextField()

    class Meta:
        indexes = (
            (("source_id", "external_id"), True),
            (("user_id", "time_ms", "type"), False),
            (("type", "time_ms"), False),
            (("time_ms",), False),
            (("source_id", "interaction"), False),
        )


class Activity(Table):
    id = pw.BigAutoField()
    interaction_id = pw.BigIntegerField()
    user_id = pw.IntegerField()
    n = pw.IntegerField()
    source_id = pw.IntegerField()
    channel = pw.CharField(20)
    direction = pw.CharField(10)
    state = pw.CharField(12)
    queue_id = pw.IntegerField(null=True)
    contact_id = pw.IntegerField(null=True)
    title = pw.CharField(200)
    start_ts = pw.BigIntegerField()
    end_ts = pw.BigIntegerField(null=True)
    closed_ts = pw.BigIntegerField(null=True)
    ringing_s = pw.IntegerField()
    handling_s = pw.IntegerField()
    talk_s = pw.IntegerField()
    hold_s = pw.IntegerField()
    inferred = pw.BooleanField()
    long = pw.BooleanField()

    class Meta:
        indexes = (
            (("interaction_id", "user_id", "n"), True),
            (("user_id", "start_ts", "id", "end_ts", "channel", "state", "queue_id", "inferred"), False),
            (("user_id", "closed_ts", "channel", "state", "interaction_id", "handling_s"), False),
            (("start_ts", "channel"), False),
        )


Activity.add_index(
    Activity.index(Activity.user_id, Activity.start_ts, name="activity_long").where(Activity.long)
)


class Interval(Table):
    id = pw.BigAutoField()
    user_id = pw.IntegerField()
    kind = pw.SmallIntegerField()
    channel = pw.CharField(20)
    start_ts = pw.BigIntegerField()
    end_ts = pw.BigIntegerField(null=True)
    long = pw.BooleanField()
    activity_id = pw.BigIntegerField(null=True)
    queue_id = pw.IntegerField(null=True)
    source_id = pw.IntegerField()
    key = pw.CharField(120)
    label = pw.CharField(200)
    paid = pw.BooleanField()
    inferred = pw.BooleanField()
    reported_s = pw.IntegerField(null=True)
    opened_ms = pw.BigIntegerField()
    closed_ms = pw.BigIntegerField(null=True)

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


Interval.add_index(
    Interval.index(Interval.user_id, Interval.closed_ms, name="interval_presence").where(Interval.kind <= 3)
)

Interval.add_index(
    Interval.index(Interval.user_id, Interval.start_ts, name="interval_long").where(Interval.long)
)


class Job(Table):
    id = pw.BigAutoField()
    kind = pw.CharField(40)
    key = pw.CharField(200, unique=True, null=True)
    args = pw.JSONField()
    state = pw.CharField(10)
    attempts = pw.IntegerField()
    due_ms = pw.BigIntegerField()
    lease_ms = pw.BigIntegerField(null=True)
    worker = pw.CharField(80)
    progress = pw.IntegerField()
    total = pw.IntegerField()
    error = pw.CharField(1000)
    created_ms = pw.BigIntegerField()
    finished_ms = pw.BigIntegerField(null=True)

    class Meta:
        indexes = ((("state", "due_ms"), False),)


class ExportFile(Table):
    id = pw.CharField(40, primary_key=True)
    user_id = pw.IntegerField(index=True)
    maker = pw.CharField(40)
    query = pw.JSONField()
    format = pw.CharField(4)
    locale = pw.CharField(8)
    name = pw.CharField(200)
    rows = pw.IntegerField()
    size = pw.BigIntegerField()
    sha256 = pw.CharField(64)
    job_id = pw.BigIntegerField(null=True)
    created_ts = pw.BigIntegerField()
    expires_ts = pw.BigIntegerField()


class ExportPart(Table):
    file = pw.ForeignKeyField(ExportFile, on_delete="CASCADE")
    n = pw.IntegerField()
    data = pw.BlobField()

    class Meta:
        primary_key = pw.CompositeKey("file", "n")


class AuditEntry(Table):
    id = pw.BigAutoField()
    occurred_ms = pw.BigIntegerField()
    actor_type = pw.CharField(12)
    actor_id = pw.IntegerField(null=True)
    actor_label = pw.CharField(200)
    action = pw.CharField(60)
    crud = pw.CharField(1)
    outcome = pw.CharField(8)
    target_type = pw.CharField(30)
    target_id = pw.CharField(60)
    target_label = pw.CharField(200)
    changes = pw.JSONField()
    details = pw.JSONField()
    ip = pw.CharField(64)
    user_agent = pw.CharField(300)
    request_id = pw.CharField(40)
    interface = pw.CharField(8)

    class Meta:
        indexes = (
            (("occurred_ms",), False),
            (("target_type", "target_id", "occurred_ms"), False),
        )


class Setting(Table):
    name = pw.CharField(60, primary_key=True)
    value = pw.TextField()


TABLES = [
    Access,
    AccessGrant,
    User,
    Team,
    TeamMember,
    TeamLead,
    Queue,
    PauseType,
    Session,
    SignInAttempt,
    Source,
    ApiKey,
    Contact,
    Interaction,
    Event,
    Activity,
    Interval,
    Job,
    ExportFile,
    ExportPart,
    AuditEntry,
    Setting,
]


def up(_migrator: Any, db: Any) -> None:
    with db.bind_ctx(TABLES):
        db.create_tables(TABLES)
