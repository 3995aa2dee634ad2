"""Synchronises timer rows with the active rules after a change: schedules, timers of paused groups, backfill.

The worker does it at its first check after a change, so that the change itself costs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from weakref import WeakKeyDictionary

import peewee

from dashboard import clock
from dashboard.db import database, dialect
from dashboard.db.locks import Lock
from dashboard.jobs import queue as jobs
from dashboard.models import Rule, Setting, Timer
from dashboard.rulelang import schema as definitions
from dashboard.rulelang.schema import Definition
from dashboard.rulelang.subjects import SubjectKind, SubjectName
from dashboard.rulelang.triggers import SCHEDULE
from dashboard.rules import active_rules
from dashboard.rules.active_rules import LiveRule
from dashboard.rules.timing import deadline_index, deadlines
from dashboard.rules.timing.deadline_index import DeadlineIndex
from dashboard.rules.timing.timers import New, TimerKind, TimerState, add

ARM = "arm_timers"  # the job, see rules.backfill
OPEN, NEW, PENDING = "open", "new", "pending"
COUNT = "count_subjects"  # likewise
COUNTED = "rules.counted"  # the setting: the kinds of subjects that each pass keeps up with
WAITING = "rules.waiting"  # the setting: ids of rules that do not watch now though they are on
_SEEN: WeakKeyDictionary[peewee.Database, str] = WeakKeyDictionary()


def sync_timers() -> int:
    """Synchronise timers with the active rules, and return how many jobs were enqueued.

    It costs one row while nothing has changed.
    """
    version = active_rules.live().version
    if _SEEN.get(database.obj) == version:
        return 0
    with database.atomic():
        dialect.one_at_a_time(Lock.PROJECTION)
        plan = deadline_index.current()
        _plan_runs(plan)
        _release(plan)
        made = _catch_up(plan) + _count(plan)
    _SEEN[database.obj] = version
    return made


def _plan_runs(plan: DeadlineIndex) -> None:
    """Schedule the next run of every rule with a schedule, and of no other rule.

    A run that is overdue stays, unless the rule was changed or switched on since it was planned.
    """
    known = {row.rule_id: row for row in Timer.select().where(Timer.kind == TimerKind.SCHEDULE)}
    gone = [row.id for row in known.values() if row.rule_id not in plan.scheduled]
    Timer.delete().where(Timer.id.in_(gone)).execute()
    now_ms = clock.now_ms()
    for rule in plan.scheduled.values():
        row = known.get(rule.id)
        if row is not None and row.version == rule.version and rule.armed_ms <= row.base_ms <= now_ms:
            continue
        following = plan.next_run(rule, now_ms)
        if row is not None:
            row.delete_instance()
        if following is not None:
            add(_run(rule, following))


def _run(rule: LiveRule, at_ms: int) -> New:
    subject = str(SubjectName(SubjectKind.RULE, str(rule.id)))
    kind = TimerKind.SCHEDULE.value
    return New(SCHEDULE, subject, None, None, None, None, at_ms, at_ms, kind, rule.id, rule.version)


def _release(plan: DeadlineIndex) -> None:
    """Release held timers of rules whose group resumed, or that are disabled."""
    gone = (Timer.state == TimerState.HELD) & Timer.rule.not_in(sorted(plan.held))
    Timer.update(state=TimerState.WAITING).where(gone).execute()


def _catch_up(plan: DeadlineIndex) -> int:
    """Enqueue a backfill for the rules that were resumed after a stop or a pause of their group."""
    row = Setting.get_or_none(Setting.name == WAITING)
    before: set[int] = set(json.loads(row.value)) if row is not None else set()
    known = {rule.id for groups in plan.groups.values() for rule in groups.rules()}
    now = known if active_rules.stopped() else known & set(plan.held)
    if before != now:
        _note(WAITING, sorted(now))
        enqueue_backfill((before & known) - now)
    return len((before & known) - now)


def _count(plan: DeadlineIndex) -> int:
    """Enqueue a count of existing subjects for the first rule that counts them; later passes update it."""
    row = Setting.get_or_none(Setting.name == COUNTED)
    before: set[str] = set(json.loads(row.value)) if row is not None else set()
    types = (type_ for rule in plan.live.rules.values() for type_ in rule.definition.types)
    now = set() if active_rules.stopped() else set(deadlines.counted_kinds(types))
    if before != now:
        _note(COUNTED, sorted(now))
        for kind in sorted(now - before):
            jobs.enqueue(COUNT, {"kind": kind}, key=f"{COUNT}:{kind}")
    return len(now - before)


def _note(name: str, value: list[int] | list[str]) -> None:
    Setting.put(name, json.dumps(value))


def enqueue_backfill(rules: Iterable[int], how: str = OPEN) -> None:
    """Arm the deadlines of what exists for these rules, by a job in the caller's transaction.

    `how` is OPEN for all that is open, NEW the same for a rule that was never evaluated before, PENDING for
    what has a timer; see rules.backfill.
    """
    for rule in sorted(rules):
        jobs.enqueue(ARM, {"rule": rule, "how": how}, key=f"{ARM}:{rule}:{how}")


def calendar_changed(name: str) -> None:
    """Enqueue a recomputation of the pending deadlines of rules that use a calendar, in its transaction."""
    enqueue_backfill((rule.id for rule in using(name)), PENDING)


def using(name: str) -> list[Rule]:
    """Return the rules of any state that name a calendar, in a part about time or in a condition."""
    found, needle = [], json.dumps(name, ensure_ascii=False)
    for rule in Rule.select().order_by(Rule.name, Rule.id):
        if needle not in json.dumps(rule.definition, ensure_ascii=False):
            continue  # reading a definition costs fifty times as much
        read = definitions.load(rule.definition)
        if isinstance(read, Definition) and name in definitions.refers_to(read)["calendar"]:
            found.append(rule)
    return found
