"""Fires due timers, or moves them to the time that follows from the event log.

Rows are found by the index on their due time and handled a few per transaction, under the projection lock;
while nothing is due, a check reads one row. What fires depends on the log and on the time the rules were
armed, not on the time of the check: `deadlines.firings` gives the same result. Source: semantics 9.6.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

from dashboard import clock
from dashboard.db import database, failure
from dashboard.db.locks import Lock
from dashboard.events import timeliness
from dashboard.jobs import worker
from dashboard.jobs.queue import DIED
from dashboard.jobs.work import Work, pause_ms
from dashboard.models import Rule, Timer
from dashboard.rulelang.fields import EventFacts
from dashboard.rulelang.fields import facts as of_values
from dashboard.rulelang.outcomes import RunOutcome
from dashboard.rulelang.triggers import SCHEDULE
from dashboard.rules import active_rules, event_facts, runs, subject_history
from dashboard.rules.active_rules import LiveRule
from dashboard.rules.engine import EvaluationPass
from dashboard.rules.event_rows import EventRow
from dashboard.rules.subject_history import History
from dashboard.rules.timing import deadline_index, deadlines, state_periods, timer_sync, timers
from dashboard.rules.timing.deadline_index import DeadlineGroup, DeadlineIndex
from dashboard.rules.timing.state_periods import StatePeriod
from dashboard.rules.timing.timers import TimerKind, TimerState

log = logging.getLogger("stopa.rules")
AT_ONCE = 50  # rows of one transaction
RETRIES_S = (5, 30, 120, 600, 3600)  # the last repeats: a deadline is never given up
# Claimed and processed in one transaction: if the worker is killed, they stay due.
WORK: Work[Timer] = Work(Timer, Lock.PROJECTION, RETRIES_S, lambda row: _again(row, DIED), error_max=500)


def run_due() -> int:
    """Process due timers and return how many there were; for the worker's engine lane."""
    made = timer_sync.sync_timers()
    if not WORK.any_due() or active_rules.stopped():
        return made
    with database.atomic():
        due = WORK.claim(worker.name(), batch=lambda _row: (None, AT_ONCE))
        deadline_worker = DeadlineWorker(deadline_index.current(), clock.now_ms())
        deadline_worker.read_subjects(due)
        for row in due:
            deadline_worker.safely(row)
        deadline_worker.work.end()
    return made + len(due)


PeriodMoment = tuple[StatePeriod, int]  # an instant of a period


class DueDeadline(NamedTuple):
    """A deadline of a period that is due, with its rules."""

    at_ms: int
    period: StatePeriod
    group: DeadlineGroup

    @property
    def moment(self) -> PeriodMoment:
        return self.period, self.at_ms


NextDeadline = tuple[int, StatePeriod]  # when, and of which period


class SubjectDeadlines(NamedTuple):
    """The deadlines of a subject: those that are due with their facts, and the next one."""

    history: History
    due: list[DueDeadline]
    coming: NextDeadline | None
    facts: dict[PeriodMoment, EventFacts]


class DeadlineWorker:
    """Processes due timers with the active rules, in one pass of the engine."""

    def __init__(self, plan: DeadlineIndex, now_ms: int) -> None:
        self.plan, self.now_ms, self.work = plan, now_ms, EvaluationPass(plan.live)
        self._seen: dict[int, SubjectDeadlines] = {}
        self._failed: set[int] = set()

    def safely(self, row: Timer) -> None:
        """Process a row; one that fails is retried by RETRIES_S, with the error stored."""
        if row.id in self._failed:
            return
        try:
            with database.atomic():
                self._deal(row)
        except failure.AWAY:
            raise
        except Exception as error:
            self._fail(row, error)

    def _fail(self, row: Timer, error: Exception) -> None:
        log.error("timer %s failed", row.id, exc_info=error)
        self._failed.add(row.id)
        _again(row, f"{type(error).__name__}: {error}")

    def _deal(self, row: Timer) -> None:
        if row.rule_id is None:
            self._shared(row)
            return
        rule = self.plan.rule(row.rule_id)
        if rule is None:
            _close(row)
        elif rule.id in self.plan.held:
            _set(row, TimerState.HELD)
        elif row.kind == TimerKind.SCHEDULE:
            self._scheduled(row, rule)
        elif row.kind == TimerKind.DEFERRED:
            self._resumed(row, rule)
        else:
            self._waited(row, rule)

    def read_subjects(self, rows: Sequence[Timer]) -> None:
        """Read the subjects of the rows and all facts at once; a row that fails is marked."""
        reached: list[tuple[EventRow, dict[PeriodMoment, EventFacts], PeriodMoment]] = []
        for row in rows:
            try:
                if row.rule_id is None:
                    self._seen[row.id] = seen = self._read(row)
                    moments = dict.fromkeys(due.moment for due in seen.due)
                    reached += [(seen.history.row(row.type, *each), seen.facts, each) for each in moments]
            except failure.AWAY:
                raise
            except Exception as error:
                self._fail(row, error)
        reached.sort(key=lambda each: each[0])
        made = event_facts.of_events([line for line, _facts, _moment in reached], {})
        for (_line, found, moment), each in zip(reached, made, strict=True):
            found[moment] = each

    def _read(self, row: Timer) -> SubjectDeadlines:
        history = subject_history.read(row.type, row.source_id, row.interaction, row.user_id, row.base_ms)
        since = row.base_ms if row.error else row.due_ms
        return SubjectDeadlines(history, *self._parted(row.type, history, since), {})

    def _shared(self, row: Timer) -> None:
        """Fire every rule whose deadline on this subject is due, and set the row to the next one.

        What lay before the row's due time was dealt with before, unless it crashed then.
        """
        seen = self._seen[row.id]
        for due in seen.due:
            self._fire_group(row, seen, due)
        self._next(row, seen.history, seen.coming)

    def _parted(
        self, type_: str, history: History, since: int
    ) -> tuple[list[DueDeadline], NextDeadline | None]:
        """Return the deadlines from `since` up to now, rising, and the first that is still to come."""
        due: list[DueDeadline] = []
        coming: list[NextDeadline] = []
        groups = self.plan.groups.get(type_)
        for period in history.periods if groups else ():
            if period.end_ms is not None and period.end_ms <= since:
                continue
            for group in groups.since(period, since) if groups else ():
                at = deadlines.due_ms(period, group.after, self.plan.calendars)
                if at is None or at < since or not deadlines.holds(period, at) or not group.armed(period):
                    continue
                if at <= self.now_ms:
                    due.append(DueDeadline(at, period, group))
                    continue
                coming.append((at, period))
                if not group.after.calendar:
                    break  # the rest of the groups comes later still
        return sorted(due, key=lambda each: each.at_ms), min(coming, default=None)

    def _fire_group(self, row: Timer, seen: SubjectDeadlines, due: DueDeadline) -> None:
        cause = subject_history.cause(row.type, seen.history, due.period, row.user_id)
        late_s = self._late(due.at_ms, cause)
        for rule in due.group.armed(due.period):
            if rule.id in self.plan.held:
                timers.defer(row, rule, due.period, due.at_ms)
            else:
                self.fire(rule, seen.facts[due.moment], due.period.episode, due.at_ms, late_s)

    def _next(self, row: Timer, history: History, coming: NextDeadline | None) -> None:
        if coming is not None:
            at, period = coming
            event = period.event_id or row.event_id
            _set(row, due_ms=at, base_ms=period.begun_ms, event_id=event, error="")
            return
        now = state_periods.kept_ms(row.type, self.now_ms)
        again = self.plan.earliest(row.type, now) if history.goes_on else None
        if again is None:
            row.delete_instance()
        else:  # an agent at work is idle again at the soonest as if the work ended now
            _set(row, due_ms=again, base_ms=now, error="")

    def _resumed(self, row: Timer, rule: LiveRule) -> None:
        """Fire what fell due while the rule's group was paused."""
        row.delete_instance()
        begun_ms = row.begun_ms or 0
        history = subject_history.read(row.type, row.source_id, row.interaction, row.user_id, begun_ms)
        for period in history.periods:
            if period.begun_ms == begun_ms and deadlines.holds(period, row.base_ms):
                cause = subject_history.cause(row.type, history, period, row.user_id)
                seen = history.facts(row.type, period, row.base_ms)
                self.fire(rule, seen, period.episode, row.base_ms, self._late(row.base_ms, cause))

    def _waited(self, row: Timer, rule: LiveRule) -> None:
        """Fire after a wait unless an event cancelled it."""
        row.delete_instance()
        event, wait = row.event_id or 0, rule.definition.wait
        after, seen = subject_history.event(event), event_facts.of_event(event)
        if after is None or seen is None or wait is None:
            return
        due = deadlines.later(after.time_ms, wait.seconds, wait.calendar, self.plan.calendars) or row.due_ms
        if row.version != rule.version and not row.error:  # kept by an edit
            due = row.due_ms
        if due > self.now_ms:  # its calendar has changed
            timers.wait(rule, seen)
            return
        others = subject_history.others(after, wait.unless, due)
        if deadlines.called_off(after, wait.unless, others, due) is not None:
            runs.begin(timers.firing_of(row), rule, seen, RunOutcome.CANCELLED, due)
            return
        self.fire(rule, seen, timers.firing_of(row), due, self._late(due, after))

    def _scheduled(self, row: Timer, rule: LiveRule) -> None:
        """Run a scheduled rule; the next run is computed from the planned time, not from now."""
        planned = row.base_ms
        seen = of_values(f"{SCHEDULE}:{planned}", SCHEDULE, planned, {"name": rule.name})
        self.fire(rule, seen, f"schedule:{planned}", planned, self._late(planned, None))
        following = self.plan.next_run(rule, planned)
        if following is None:
            row.delete_instance()
        else:
            _set(row, due_ms=following, base_ms=following, error="")

    def fire(self, rule: LiveRule, seen: EventFacts, episode: str, at_ms: int, late_s: int) -> None:
        """Evaluate a rule for what fell due, once per `episode`, the name of the period."""
        seen["episode"] = episode
        self.work.fire(rule, seen, episode, at_ms, late_s)

    def _late(self, due_ms: int, cause: EventRow | None) -> int:
        """Return by how many seconds a deadline comes late: since it was due, or since the event that it
        hangs on was recorded. An event that was too old by then makes it as late as the event."""
        if cause is None:
            return max(0, self.now_ms - due_ms) // 1000
        late_s = max(0, self.now_ms - max(due_ms, cause.recorded_ms)) // 1000
        return max(late_s, timeliness.late_s(cause.source_id, cause.time_ms, cause.recorded_ms, due_ms))


def _close(row: Timer) -> None:
    """End a timer whose rule is disabled, deleted or changed; one that waited records the reason."""
    row.delete_instance()
    known = Rule.get_or_none(Rule.id == row.rule_id)
    seen = event_facts.of_event(row.event_id) if known is not None and row.event_id else None
    if known is not None and seen is not None:
        rule = Rule(id=known.id, version=row.version)
        runs.begin(timers.firing_of(row), rule, seen, RunOutcome.DISABLED, row.due_ms)


def _again(row: Timer, error: str) -> None:
    pause = pause_ms(RETRIES_S, min(row.attempts, len(RETRIES_S))) or 0
    WORK.retry(row, pause, error=error)


def _set(row: Timer, state: TimerState = TimerState.WAITING, **values: Any) -> None:
    """Let a claimed row wait for a later deadline, or be held."""
    Timer.update(state=state, attempts=0, lease_ms=None, **values).where(Timer.id == row.id).execute()
