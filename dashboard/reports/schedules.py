"""Schedules: what is due starts a run, with a mail to each recipient.

A due time starts one run, however many workers there are. Times that passed while none was running start one
run together, for the latest of them; the run says how many they were.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import time
from enum import StrEnum

from dashboard import clock
from dashboard.db import database, dialect
from dashboard.db.locks import Lock
from dashboard.db.prepared import Prepared, slot
from dashboard.models import Schedule, ScheduleMail, ScheduleRecipient, ScheduleRun
from dashboard.reports import timing
from dashboard.reports.timing import Frequency, Timing

AT_ONCE = 20  # schedules that one tick starts


class Format(StrEnum):
    """What a mail holds: a file of the report, or the address of its page."""

    PDF = "pdf"
    XLSX = "xlsx"
    CSV = "csv"
    LINK = "link"


_DUE = Prepared(
    lambda: (
        Schedule.select(Schedule.id)
        .where(Schedule.next_ts.is_null(False) & (Schedule.next_ts <= slot("now")))
        .order_by(Schedule.next_ts)
        .limit(AT_ONCE)
    )
)


def timing_of(row: Schedule) -> Timing:
    return Timing(
        Frequency(row.frequency),
        time.fromisoformat(row.at),
        row.zone,
        frozenset(row.weekdays),
        row.month_day,
    )


def next_of(row: Schedule, now_s: int) -> int:
    """Return the next instant after `now_s` at which a schedule is due."""
    return timing.upcoming(timing_of(row), now_s, 1)[0]


def start_due() -> int:
    """Start a run of each due schedule, and return how many; when none is due, costs a look at an index."""
    now = clock.now_s()
    return sum(_start(ident, now) for (ident,) in _DUE.rows(now=now))


def _start(ident: int, now: int) -> bool:
    with database.atomic():
        dialect.one_at_a_time(Lock.CLAIM_SCHEDULE)
        row = Schedule.get_or_none((Schedule.id == ident) & (Schedule.next_ts <= now))
        if row is None or row.next_ts is None:
            return False
        due = timing.due(timing_of(row), row.next_ts, now)
        Schedule.update(next_ts=due.following).where(Schedule.id == ident).execute()
        same = (ScheduleRun.schedule == ident) & (ScheduleRun.due_ts == due.at) & ~ScheduleRun.manual
        if ScheduleRun.select().where(same).exists():
            return False  # the machine's clock was set back
        recipients = ScheduleRecipient.select(ScheduleRecipient.user).where(
            ScheduleRecipient.schedule == ident
        )
        run = ScheduleRun.create(schedule=ident, due_ts=due.at, started_ms=clock.now_ms(), missed=due.missed)
        _post(run, (user for (user,) in recipients.tuples()))
    return True


def send_now(row: Schedule, user_id: int) -> bool:
    """Send a schedule's report to one user now; False while an earlier one to them is on its way."""
    with database.atomic():
        dialect.one_at_a_time(Lock.CLAIM_SCHEDULE)
        waiting = (
            ScheduleMail.select()
            .join(ScheduleRun)
            .where(
                (ScheduleRun.schedule == row.id)
                & ScheduleRun.manual
                & (ScheduleMail.user == user_id)
                & ScheduleMail.done_ms.is_null()
            )
        )
        if waiting.exists():
            return False
        run = ScheduleRun.create(
            schedule=row.id, due_ts=clock.now_s(), started_ms=clock.now_ms(), manual=True
        )
        _post(run, [user_id])
    return True


def _post(run: ScheduleRun, users: Iterable[int]) -> None:
    rows = [{"run": run.id, "user": user, "due_ms": run.started_ms} for user in users]
    if rows:
        ScheduleMail.insert_many(rows).execute()
