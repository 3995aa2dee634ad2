"""Schedules of the demo data."""

from __future__ import annotations

from flask import current_app

from dashboard import clock
from dashboard.db import database
from dashboard.models import Schedule, ScheduleRecipient, User
from dashboard.reports import schedules


def make(owner: User) -> None:
    """Add a schedule at the first run; does nothing if there are any."""
    if Schedule.select().exists():
        return
    with database.atomic():
        row = Schedule(
            user=owner,
            name="Calls by queue, last week",
            report="calls-by-queue",
            query="period=last_week",
            frequency="weekly",
            weekdays=[1],
            at="07:00",
            zone=current_app.config["STOPA"].timezone,
            format="pdf",
            created_ts=clock.now_s(),
        )
        row.next_ts = schedules.next_of(row, clock.now_s())
        row.save(force_insert=True)
        for login in ("admin", "lead"):
            ScheduleRecipient.create(schedule=row, user=User.get(User.login == login))
