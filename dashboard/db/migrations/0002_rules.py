"""Rules, their runs, and who is told. Frozen copies of the models."""

from __future__ import annotations

from typing import Any

import peewee as pw


class Table(pw.Model):
    class Meta:
        legacy_table_names = False


class RuleGroup(Table):
    id = pw.AutoField()
    name = pw.CharField(120, unique=True)
    paused = pw.BooleanField()
    version = pw.IntegerField()


class Rule(Table):
    id = pw.AutoField()
    name = pw.CharField(120)
    description = pw.CharField(500)
    owner_id = pw.IntegerField(null=True, index=True)
    group = pw.ForeignKeyField(RuleGroup, null=True, on_delete="SET NULL")
    position = pw.IntegerField()
    state = pw.CharField(10)
    paused_reason = pw.CharField(200)
    definition = pw.JSONField()
    version = pw.IntegerField()
    created_ts = pw.BigIntegerField()
    updated_ts = pw.BigIntegerField()
    updated_by = pw.IntegerField(null=True)
    armed_ms = pw.BigIntegerField()
    errors = pw.IntegerField()
    last_run_ms = pw.BigIntegerField(null=True)


class RuleVersion(Table):
    rule = pw.ForeignKeyField(Rule, on_delete="CASCADE")
    version = pw.IntegerField()
    name = pw.CharField(120)
    definition = pw.JSONField()
    made_by = pw.IntegerField(null=True)
    made_ts = pw.BigIntegerField()

    class Meta:
        primary_key = pw.CompositeKey("rule", "version")


class RuleDraft(Table):
    user_id = pw.IntegerField()
    rule_id = pw.IntegerField()
    base_version = pw.IntegerField()
    form = pw.JSONField()
    previous = pw.JSONField(null=True)
    updated_ms = pw.BigIntegerField()

    class Meta:
        primary_key = pw.CompositeKey("user_id", "rule_id")


class RuleMute(Table):
    rule = pw.ForeignKeyField(Rule, on_delete="CASCADE")
    user_id = pw.IntegerField()

    class Meta:
        primary_key = pw.CompositeKey("rule", "user_id")


class Run(Table):
    id = pw.BigAutoField()
    key = pw.CharField(300, unique=True)
    rule_id = pw.IntegerField()
    version = pw.IntegerField()
    event_id = pw.BigIntegerField(null=True)
    subject = pw.CharField(300)
    outcome = pw.CharField(16)
    at_ms = pw.BigIntegerField()
    made_ms = pw.BigIntegerField()
    late_s = pw.IntegerField()
    took_us = pw.IntegerField()
    depth = pw.IntegerField()
    chain = pw.JSONField()
    trace = pw.JSONField(null=True)
    held = pw.IntegerField()
    error = pw.CharField(500)

    class Meta:
        indexes = (
            (("rule_id", "outcome", "id"), False),
            (("rule_id", "id"), False),
            (("subject", "id"), False),
            (("made_ms",), False),
        )


class Step(Table):
    id = pw.BigAutoField()
    run = pw.ForeignKeyField(Run, on_delete="CASCADE")
    rule_id = pw.IntegerField()
    n = pw.IntegerField()
    part = pw.IntegerField()
    action = pw.CharField(20)
    channel_id = pw.IntegerField(null=True)
    recipient = pw.CharField(300)
    key = pw.CharField(40, unique=True)
    payload = pw.JSONField()
    state = pw.CharField(10)
    attempts = pw.IntegerField()
    due_ms = pw.BigIntegerField(null=True)
    lease_ms = pw.BigIntegerField(null=True)
    worker = pw.CharField(80)
    made_ms = pw.BigIntegerField()
    done_ms = pw.BigIntegerField(null=True)
    receipt = pw.JSONField()
    error = pw.CharField(1000)

    class Meta:
        indexes = (
            (("run", "n", "part"), True),
            (("state", "due_ms"), False),
            (("channel_id", "state"), False),
        )


Step.add_index(Step.index(Step.recipient, Step.done_ms, name="step_mailed").where(pw.SQL("action = 'email'")))


class RuleLimit(Table):
    rule_id = pw.IntegerField()
    n = pw.IntegerField()
    key = pw.CharField(300)
    shadow = pw.BooleanField()
    next_ts = pw.BigIntegerField(null=True)
    episode = pw.CharField(200)
    suppressed = pw.IntegerField()
    since_ts = pw.BigIntegerField(null=True)

    class Meta:
        primary_key = pw.CompositeKey("rule_id", "n", "key", "shadow")


class RuleCount(Table):
    rule_id = pw.IntegerField()
    kind = pw.CharField(10)
    key = pw.CharField(300)
    seen = pw.JSONField()
    over = pw.BooleanField()
    crossing = pw.IntegerField()

    class Meta:
        primary_key = pw.CompositeKey("rule_id", "kind", "key")


class Timer(Table):
    id = pw.BigAutoField()
    rule_id = pw.IntegerField()
    version = pw.IntegerField()
    kind = pw.CharField(60)
    subject = pw.CharField(300)
    source_id = pw.IntegerField(null=True)
    interaction = pw.CharField(200, null=True)
    user_id = pw.IntegerField(null=True)
    event_id = pw.BigIntegerField(null=True)
    base_ms = pw.BigIntegerField()
    due_ms = pw.BigIntegerField(index=True)
    error = pw.CharField(500)

    class Meta:
        indexes = ((("kind", "subject", "rule_id"), True),)


class Subject(Table):
    id = pw.BigAutoField()
    source_id = pw.IntegerField()
    interaction = pw.CharField(200)
    kind = pw.CharField(40)
    user_id = pw.IntegerField(null=True)
    queue_id = pw.IntegerField(null=True)
    opened_ms = pw.BigIntegerField()
    last_ms = pw.BigIntegerField()
    event_id = pw.BigIntegerField()
    ended_ms = pw.BigIntegerField(null=True)
    values = pw.JSONField()

    class Meta:
        indexes = ((("source_id", "interaction"), True),)


Subject.add_index(
    Subject.index(Subject.kind, Subject.user_id, Subject.id, name="subject_open").where(
        Subject.ended_ms.is_null()
    )
)


class Mark(Table):
    id = pw.BigAutoField()
    subject = pw.CharField(300)
    kind = pw.CharField(4)
    text = pw.CharField(2000)
    rule_id = pw.IntegerField()
    run_id = pw.BigIntegerField()
    made_ms = pw.BigIntegerField()

    class Meta:
        indexes = ((("subject", "kind"), False),)


class EventCause(Table):
    event_id = pw.BigIntegerField(primary_key=True)
    chain = pw.JSONField()


class Backtest(Table):
    id = pw.AutoField()
    user_id = pw.IntegerField(index=True)
    rule_id = pw.IntegerField()
    version = pw.IntegerField()
    owner_id = pw.IntegerField(null=True)
    name = pw.CharField(120)
    definition = pw.JSONField()
    against = pw.JSONField(null=True)
    against_version = pw.IntegerField()
    days = pw.IntegerField()
    start_ms = pw.BigIntegerField()
    end_ms = pw.BigIntegerField()
    created_ts = pw.BigIntegerField()
    state = pw.CharField(10)
    done = pw.IntegerField()
    total = pw.IntegerField()
    result = pw.JSONField()


class TypeSwitch(Table):
    type = pw.CharField(80, primary_key=True)
    recorded = pw.BooleanField()
    in_rules = pw.BooleanField()


class Channel(Table):
    id = pw.AutoField()
    name = pw.CharField(120, unique=True)
    kind = pw.CharField(10)
    address = pw.CharField(2000)
    secret = pw.CharField(200)
    headers = pw.JSONField()
    active = pw.BooleanField()
    disabled_reason = pw.CharField(500)
    failures = pw.IntegerField()
    last_ok_ms = pw.BigIntegerField(null=True)
    created_ts = pw.BigIntegerField()
    version = pw.IntegerField()


class Notification(Table):
    id = pw.BigAutoField()
    user_id = pw.IntegerField()
    rule_id = pw.IntegerField(null=True)
    run_id = pw.BigIntegerField(null=True)
    step_id = pw.BigIntegerField(null=True, unique=True)
    title = pw.CharField(300)
    body = pw.TextField()
    url = pw.CharField(500)
    urgent = pw.BooleanField()
    made_ms = pw.BigIntegerField()
    read_ms = pw.BigIntegerField(null=True)
    snoozed_ms = pw.BigIntegerField(null=True)

    class Meta:
        indexes = ((("user_id", "id"), False),)


Notification.add_index(
    Notification.index(Notification.user_id, Notification.snoozed_ms, name="notification_unread").where(
        Notification.read_ms.is_null()
    )
)


class Profile(Table):
    id = pw.AutoField()
    user_id = pw.IntegerField(index=True)
    name = pw.CharField(120)
    is_default = pw.BooleanField()
    email = pw.BooleanField()
    channel = pw.ForeignKeyField(Channel, null=True, on_delete="SET NULL")
    quiet_from = pw.CharField(5)
    quiet_to = pw.CharField(5)
    quiet_days = pw.JSONField()
    fallback_id = pw.IntegerField(null=True)
    version = pw.IntegerField()


class Calendar(Table):
    id = pw.AutoField()
    name = pw.CharField(120, unique=True)
    zone = pw.CharField(64)
    hours = pw.JSONField()
    version = pw.IntegerField()


class CalendarDay(Table):
    id = pw.AutoField()
    calendar = pw.ForeignKeyField(Calendar, on_delete="CASCADE")
    on = pw.CharField(10)
    name = pw.CharField(200)
    hours = pw.JSONField()

    class Meta:
        indexes = ((("calendar", "on"), True),)


TABLES = [
    RuleGroup,
    Rule,
    RuleVersion,
    RuleDraft,
    RuleMute,
    Run,
    Step,
    RuleLimit,
    RuleCount,
    Timer,
    Subject,
    Mark,
    EventCause,
    Backtest,
    TypeSwitch,
    Channel,
    Notification,
    Profile,
    Calendar,
    CalendarDay,
]

# What came with rules: an administrator could not grant himself what he lacks.
ADDED = (
    "calendars.edit",
    "calendars.view",
    "channels.edit",
    "channels.view",
    "rules.backtest",
    "rules.edit",
    "rules.operate",
    "rules.outward",
    "rules.oversee",
    "rules.own",
    "rules.switch",
    "rules.traces",
    "rules.view",
    "system_events.edit",
    "system_events.view",
)


class Access(Table):
    id = pw.AutoField()
    name = pw.CharField(120, unique=True)
    permissions = pw.JSONField()


def up(_migrator: Any, db: Any) -> None:
    with db.bind_ctx([*TABLES, Access]):
        db.create_tables(TABLES)
        for access in Access.select().where(Access.name == "Administrator"):
            held = sorted({*access.permissions, *ADDED})
            Access.update(permissions=held).where(Access.id == access.id).execute()
