"""What schedules sent: runs with their mails."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from peewee import fn

from dashboard.models import ScheduleMail, ScheduleRun, User
from dashboard.rulelang.outcomes import StepState

SHOWN = 10  # latest runs of a schedule
LATE_S = 900  # a run that began that much after it was due was caught up
UNSENT = (StepState.FAILED, StepState.DEAD, StepState.UNCERTAIN, StepState.CANCELLED)


class MailRow(NamedTuple):
    """A mail of a run; `error` is a marked message or what a mail server answered."""

    run_id: int
    name: str
    state: StepState
    attempts: int
    done_ms: int | None
    error: str


@dataclass(frozen=True)
class RunRow:
    """A run: when it was due and began, how many earlier times were missed, and its mails by name."""

    id: int
    due_ts: int
    started_ms: int
    missed: int
    manual: bool
    mails: tuple[MailRow, ...]

    @property
    def late(self) -> bool:
        return self.started_ms // 1000 - self.due_ts > LATE_S

    @property
    def sent(self) -> int:
        return sum(mail.state is StepState.DONE for mail in self.mails)

    @property
    def unsent(self) -> int:
        return sum(mail.state in UNSENT for mail in self.mails)

    @property
    def retried(self) -> bool:
        return any(mail.state is StepState.DONE and mail.attempts > 1 for mail in self.mails)


def runs(schedule_id: int) -> list[RunRow]:
    """Return the latest runs of a schedule, newest first."""
    r = ScheduleRun
    query = r.select().where(r.schedule == schedule_id).order_by(r.id.desc()).limit(SHOWN)
    return _with_mails(list(query))


def latest(schedule_ids: Collection[int]) -> dict[int, RunRow]:
    """Return the latest run by the clock of each schedule that has one."""
    r = ScheduleRun
    newest = (
        r.select(fn.MAX(r.id)).where(r.schedule.in_(sorted(schedule_ids)) & ~r.manual).group_by(r.schedule)
    )
    found = list(r.select().where(r.id.in_([ident for (ident,) in newest.tuples()])))
    return dict(zip((each.schedule_id for each in found), _with_mails(found), strict=True))


def _with_mails(found: list[ScheduleRun]) -> list[RunRow]:
    m = ScheduleMail
    query = (
        m.select(m.run, User.name, m.state, m.attempts, m.done_ms, m.error)
        .join(User, on=(m.user == User.id))
        .where(m.run.in_([each.id for each in found]))
        .order_by(User.name, m.id)
    )
    by_run: dict[int, list[MailRow]] = {}
    for run_id, name, state, *rest in query.tuples():
        by_run.setdefault(run_id, []).append(MailRow(run_id, name, StepState(state), *rest))
    mails = {ident: tuple(rows) for ident, rows in by_run.items()}
    return [RunRow(r.id, r.due_ts, r.started_ms, r.missed, r.manual, mails.get(r.id, ())) for r in found]
