"""The tables of schedules: their recipients, their runs, and the mails of each run."""

from __future__ import annotations

from typing import Any

import peewee as pw


class Table(pw.Model):
    class Meta:
        legacy_table_names = False


class User(Table):
    id = pw.AutoField()


class Schedule(Table):
    id = pw.AutoField()
    user = pw.ForeignKeyField(User, on_delete="CASCADE")
    name = pw.CharField(120)
    report = pw.CharField(40)
    query = pw.TextField(default="")
    frequency = pw.CharField(8)
    weekdays = pw.JSONField(default=list)
    month_day = pw.IntegerField(default=1)
    at = pw.CharField(5)
    zone = pw.CharField(64)
    format = pw.CharField(5)
    subject = pw.CharField(200, default="")
    active = pw.BooleanField(default=True)
    next_ts = pw.BigIntegerField(null=True)
    created_ts = pw.BigIntegerField()
    version = pw.IntegerField(default=1)


Schedule.add_index(
    Schedule.index(Schedule.next_ts, name="schedule_due").where(Schedule.next_ts.is_null(False))
)


class ScheduleRecipient(Table):
    schedule = pw.ForeignKeyField(Schedule, backref="recipients", on_delete="CASCADE")
    user = pw.ForeignKeyField(User, on_delete="CASCADE")

    class Meta:
        primary_key = pw.CompositeKey("schedule", "user")


class ScheduleRun(Table):
    id = pw.BigAutoField()
    schedule = pw.ForeignKeyField(Schedule, backref="runs", on_delete="CASCADE")
    due_ts = pw.BigIntegerField()
    started_ms = pw.BigIntegerField()
    missed = pw.IntegerField(default=0)
    manual = pw.BooleanField(default=False)


ScheduleRun.add_index(
    ScheduleRun.index(ScheduleRun.schedule, ScheduleRun.due_ts, unique=True, name="schedule_run_once").where(
        ~ScheduleRun.manual
    )
)


class ScheduleMail(Table):
    id = pw.BigAutoField()
    run = pw.ForeignKeyField(ScheduleRun, backref="mails", on_delete="CASCADE")
    user = pw.ForeignKeyField(User, on_delete="CASCADE")
    state = pw.CharField(10, default="waiting")
    attempts = pw.IntegerField(default=0)
    due_ms = pw.BigIntegerField()
    lease_ms = pw.BigIntegerField(null=True)
    worker = pw.CharField(80, default="")
    begun_ms = pw.BigIntegerField(null=True)
    done_ms = pw.BigIntegerField(null=True)
    row_count = pw.IntegerField(null=True)
    error = pw.CharField(1000, default="")

    class Meta:
        indexes = ((("run", "user"), True), (("state", "due_ms"), False))


def up(_migrator: Any, db: Any) -> None:
    made = [Schedule, ScheduleRecipient, ScheduleRun, ScheduleMail]
    with db.bind_ctx([User, *made]):
        db.create_tables(made)
