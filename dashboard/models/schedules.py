"""Schedules of reports, their runs, and the mails of each run."""

from __future__ import annotations

import peewee as pw
from peewee import JSONField

from dashboard.db import Model
from dashboard.models.people import User


class Schedule(Model):
    """A report that is sent at times of a zone's clock. Each recipient gets what their own rights show."""

    user_id: int
    id = pw.AutoField()
    user = pw.ForeignKeyField(User, on_delete="CASCADE")  # the owner
    name = pw.CharField(120)
    report = pw.CharField(40)  # id of a saved query, or key of a ready-made report
    query = pw.TextField(default="")  # parameters that replace the report's own, as in an address
    frequency = pw.CharField(8)  # daily, weekly, monthly
    weekdays = JSONField(default=list)  # 1 (Monday) to 7, of a weekly one
    month_day = pw.IntegerField(default=1)  # of a monthly one; 31 is the last day of any month
    at = pw.CharField(5)  # local time "07:00"
    zone = pw.CharField(64)
    format = pw.CharField(5)  # pdf, xlsx, csv, link
    subject = pw.CharField(200, default="")  # of the mail; "" = name and period of the report
    active = pw.BooleanField(default=True)
    next_ts = pw.BigIntegerField(null=True)  # null while paused
    created_ts = pw.BigIntegerField()
    version = pw.IntegerField(default=1)


Schedule.add_index(
    Schedule.index(Schedule.next_ts, name="schedule_due").where(Schedule.next_ts.is_null(False))
)


class ScheduleRecipient(Model):
    user_id: int
    schedule = pw.ForeignKeyField(Schedule, backref="recipients", on_delete="CASCADE")
    user = pw.ForeignKeyField(User, on_delete="CASCADE")

    class Meta:
        primary_key = pw.CompositeKey("schedule", "user")


class ScheduleRun(Model):
    """One sending of a schedule: at most one for each instant at which it is due."""

    schedule_id: int
    id = pw.BigAutoField()
    schedule = pw.ForeignKeyField(Schedule, backref="runs", on_delete="CASCADE")
    due_ts = pw.BigIntegerField()  # the report is of this instant, whenever it is sent
    started_ms = pw.BigIntegerField()
    missed = pw.IntegerField(default=0)  # earlier due times that passed while nothing ran
    manual = pw.BooleanField(default=False)  # sent to one user who asked for it


ScheduleRun.add_index(
    ScheduleRun.index(ScheduleRun.schedule, ScheduleRun.due_ts, unique=True, name="schedule_run_once").where(
        ~ScheduleRun.manual
    )
)


class ScheduleMail(Model):
    """The mail of a run to one recipient, as durable work; see `jobs.work`."""

    run_id: int
    user_id: int
    id = pw.BigAutoField()
    run = pw.ForeignKeyField(ScheduleRun, backref="mails", on_delete="CASCADE")
    user = pw.ForeignKeyField(User, on_delete="CASCADE")
    state = pw.CharField(10, default="waiting")  # see rules.runs.StepState
    attempts = pw.IntegerField(default=0)
    due_ms = pw.BigIntegerField()
    lease_ms = pw.BigIntegerField(null=True)
    worker = pw.CharField(80, default="")
    begun_ms = pw.BigIntegerField(null=True)  # set just before the mail server is called
    done_ms = pw.BigIntegerField(null=True)
    row_count = pw.IntegerField(null=True)  # of the report
    error = pw.CharField(1000, default="")  # a translatable message, or what raised

    class Meta:
        indexes = ((("run", "user"), True), (("state", "due_ms"), False))
