"""Backfill: when a rule is enabled, creates timers for existing subjects in a background job.

The subjects are counted first. They are read from the event log in batches, so that no other table has to
keep them. Source: semantics 9.6.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from peewee import Case, fn

from dashboard import catalog, clock
from dashboard.catalog import effects
from dashboard.db import database, dialect
from dashboard.db.locks import Lock
from dashboard.db.prepared import plain
from dashboard.events import timeliness
from dashboard.jobs import queue as jobs
from dashboard.models import Event, Interval, Job, Rule, Run, Subject, Timer
from dashboard.rulelang import subjects
from dashboard.rulelang.schema import Definition
from dashboard.rules import subject_history, subject_state
from dashboard.rules.active_rules import LiveRule
from dashboard.rules.subject_history import PAUSE, READY, History
from dashboard.rules.timing import deadline_index, deadlines, state_periods, timer_sync, timers
from dashboard.rules.timing.deadline_worker import DeadlineWorker
from dashboard.rules.timing.state_periods import AGENT_IDLE, OF_AGENTS
from dashboard.rules.timing.timers import New, TimerKind

AT_ONCE = 500  # subjects of one transaction


class Existing(NamedTuple):
    """Something that a deadline may be about: an interaction of a source, or a user."""

    source_id: int | None
    interaction: str | None
    user_id: int | None


def count_existing(*definitions: Definition) -> int:
    """Return how many subjects the timers of rules would find: the open ones of their types' kinds."""
    timed = (type_ for each in definitions if each.after is not None for type_ in each.types)
    kinds = {state_periods.kind_of(type_): type_ for type_ in timed}
    return sum(len(existing(type_)) for type_ in kinds.values())


def arm_existing(rule_id: int) -> None:
    """Let a rule find what already exists, in the caller's transaction; a job does the work.

    What has been due for long fires once, now, and does not count as late: the rule is new.
    """
    Rule.update(armed_ms=0).where(Rule.id == rule_id).execute()
    timer_sync.enqueue_backfill([rule_id], timer_sync.NEW)


def existing(type_: str, since_ms: int = 0) -> list[Existing]:
    """Return the open subjects of a deadline type of which there are events since an instant."""
    if type_ in OF_AGENTS:
        lasts = (Interval.kind == (READY if type_ == AGENT_IDLE else PAUSE)) & Interval.end_ts.is_null()
        users = plain(Interval.select(Interval.user_id).where(lasts).distinct())
        return [Existing(None, None, user) for (user,) in users]
    e, kind = Event, state_periods.kind_of(type_)
    types = [name for name in catalog.CATALOG if state_periods.kind_of(name) == kind]
    always = fn.MAX(_time_of([name for name in types if effects.ends_always(name)]))
    perhaps = fn.MAX(_time_of([name for name in types if effects.may_end(name)]))
    opened = fn.MAX(_time_of([name for name in types if effects.opens(name)]))
    query = (
        e.select(e.source_id, e.interaction, perhaps.is_null() | (opened > perhaps))
        .where((e.type >= f"{kind}.") & (e.type < f"{kind}/") & e.interaction.is_null(False))
        .where(~timeliness.clock_ahead())
        .group_by(e.source_id, e.interaction)
        .having((always.is_null() | (opened >= always)) & (fn.MAX(e.time_ms) >= since_ms))
        .order_by(e.source_id, e.interaction)
    )
    found = [((source, name), bool(surely)) for source, name, surely in plain(query)]
    open_ones = subject_state.open_among([name for name, surely in found if not surely])
    return [Existing(*name, None) for name, surely in found if surely or name in open_ones]


def backfill_job(found: list[Job]) -> None:
    """Arm the deadlines of what exists for the rules that the jobs name."""
    for job in found:
        rule = deadline_index.current().rule(job.args["rule"])
        if rule is not None and rule.definition.after is not None:
            for type_ in rule.definition.types:
                _backfill(job, rule, type_, str(job.args["how"]))
        elif rule is not None:
            _waits(rule)


def count_job(found: list[Job]) -> None:
    """Bring the subjects of a kind up to date with the log: those open in it, and those kept as open."""
    for job in found:
        kind = str(job.args["kind"])
        kept = Subject.select(Subject.source_id, Subject.interaction).where(
            (Subject.kind == kind) & Subject.ended_ms.is_null()
        )
        names = {(one.source_id or 0, one.interaction or "") for one in existing(f"{kind}.")} | set(
            plain(kept)
        )
        todo = sorted(names)
        for start in range(0, len(todo), AT_ONCE):
            part = todo[start : start + AT_ONCE]
            with database.atomic():
                dialect.one_at_a_time(Lock.PROJECTION)
                for source in sorted({source for source, _name in part}):
                    subject_state.refresh(source, [name for each, name in part if each == source])
            jobs.progress(job.id, start + len(part), len(todo))


def _backfill(job: Job, rule: LiveRule, type_: str, how: str) -> None:
    todo = _pending(type_) if how == timer_sync.PENDING else existing(type_, rule.armed_ms)
    for start in range(0, len(todo), AT_ONCE):
        with database.atomic():
            dialect.one_at_a_time(Lock.PROJECTION)
            deadline_worker = DeadlineWorker(deadline_index.current(), clock.now_ms())
            part = todo[start : start + AT_ONCE]
            new = how == timer_sync.NEW
            made = [
                _row(deadline_worker, rule, type_, one, past, new) for one, past in _histories(type_, part)
            ]
            timers.put([row for row in made if row is not None])
            deadline_worker.work.end()
        jobs.progress(job.id, start + len(part), len(todo))


def _pending(type_: str) -> list[Existing]:
    t = Timer
    shared = (t.type == type_) & t.rule.is_null()
    return [Existing(*row) for row in plain(t.select(t.source_id, t.interaction, t.user_id).where(shared))]


def _waits(rule: LiveRule) -> None:
    """Compute the pending waits of a rule anew."""
    wait, calendars = rule.definition.wait, deadline_index.current().calendars
    with database.atomic():
        dialect.one_at_a_time(Lock.PROJECTION)
        mine = (Timer.rule == rule.id) & (Timer.kind == TimerKind.WAIT)
        for row in Timer.select().where(mine):
            due = deadlines.later(row.base_ms, wait.seconds, wait.calendar, calendars) if wait else None
            if due is not None:
                Timer.update(due_ms=due).where(Timer.id == row.id).execute()


def _histories(type_: str, part: Sequence[Existing]) -> Iterator[tuple[Existing, History]]:
    if type_ in OF_AGENTS:
        for one in part:
            yield one, subject_history.read(type_, None, None, one.user_id, clock.now_ms())
        return
    for source in sorted({one.source_id or 0 for one in part}):
        names = [one.interaction or "" for one in part if one.source_id == source]
        for name, past in subject_history.of_interactions(type_, source, names).items():
            yield Existing(source, name, None), past


def _row(
    deadline_worker: DeadlineWorker, rule: LiveRule, type_: str, one: Existing, past: History, new: bool
) -> New | None:
    """Return the timer of the present period of a subject; None where it has none, or it has just fired."""
    period = past.periods[-1] if past.periods else None
    after = rule.definition.after
    if period is None or after is None or period.begun_ms < rule.armed_ms:
        return None
    at = deadlines.due_ms(period, after, deadline_worker.plan.calendars)
    if at is None or not deadlines.holds(period, at):
        return None
    if at <= deadline_worker.now_ms:
        too_late = not new and at < deadline_worker.now_ms - timeliness.MAX_LATE_S * 1000
        if too_late or _ran_before(rule, period.episode):
            return None
    if at <= deadline_worker.now_ms and new:
        if rule.id not in deadline_worker.plan.held:
            deadline_worker.fire(rule, past.facts(type_, period, at), period.episode, at, 0)
        return None
    subject = subjects.of_user(one.user_id or 0)
    if one.interaction is not None:
        subject = subjects.of_interaction(one.source_id or 0, one.interaction)
    return New(
        type_,
        subject,
        one.source_id,
        one.interaction,
        one.user_id,
        period.event_id or None,
        period.begun_ms,
        at,
    )


def _ran_before(rule: LiveRule, episode: str) -> bool:
    """Say whether an earlier version of the rule has run for this period: an edit does not repeat it."""
    earlier = (Run.rule_id == rule.id) & (Run.firing == episode) & (Run.version < rule.version)
    return bool(Run.select(Run.id).where(earlier).exists())


def _time_of(types: Sequence[str]) -> Any:
    return Case(None, [(Event.type.in_(list(types)), Event.time_ms)], None)
