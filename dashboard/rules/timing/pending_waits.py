"""The pending waits of a rule that is edited: they are kept, recomputed or cancelled.

A wait keeps the version of the rule that started it. Where that is not the present one, the wait was kept by
an edit and ends when it was due; a wait of the present version follows its calendar.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from dashboard.db import database, dialect
from dashboard.db.locks import Lock
from dashboard.i18n.message import N_
from dashboard.jobs import queue as jobs
from dashboard.models import Job, Rule, Run, Timer
from dashboard.rulelang import schema as definitions
from dashboard.rulelang.outcomes import RunOutcome
from dashboard.rulelang.schema import Definition
from dashboard.rules import event_facts, runs
from dashboard.rules.timing import timer_sync, timers
from dashboard.rules.timing.timers import TimerKind, TimerState

CANCEL = "cancel_waits"  # the job
AT_ONCE = 200  # waits of one transaction
PARTS = ("types", "if", "times", "wait", "zone")  # of a definition: when it runs, and under which conditions


class Pending(StrEnum):
    """What an edit does with the waits that are pending."""

    KEEP = "keep"
    RECOMPUTE = "recompute"
    CANCEL = "cancel"


CHOICES = {
    Pending.KEEP: N_("Keep them. They end when they were due."),
    Pending.RECOMPUTE: N_("Recompute them with the new waiting time."),
    Pending.CANCEL: N_("Cancel them."),
}


def count(rule_id: int) -> int:
    """Return how many waits of a rule are pending."""
    return int(Timer.select().where(_pending(rule_id)).count())


def affected(stored: Mapping[str, Any], after: Definition) -> bool:
    """Return whether an edit changes when a rule runs or under which conditions; texts and actions do not."""
    before = definitions.load(stored)
    if not isinstance(before, Definition):
        return True
    old, new = definitions.dump(before), definitions.dump(after)
    return any(old.get(part) != new.get(part) for part in PARTS)


def settle(rule: Rule, choice: Pending) -> None:
    """Do with the pending waits of an edited rule what was chosen, in the caller's transaction.

    A rule that no longer waits cancels them.
    """
    if "wait" not in rule.definition:
        choice = Pending.CANCEL
    if choice is Pending.RECOMPUTE:
        Timer.update(version=rule.version).where(_pending(rule.id)).execute()
        timer_sync.enqueue_backfill([rule.id], timer_sync.PENDING)
    elif (
        choice is Pending.CANCEL
        and Timer.update(state=TimerState.CANCELLED).where(_pending(rule.id)).execute()
    ):
        jobs.enqueue(CANCEL, {"rule": rule.id}, key=f"{CANCEL}:{rule.id}:{rule.version}")


def cancel_job(found: list[Job]) -> None:
    """Remove the cancelled waits of the rules that the jobs name, each with a run that names the edit."""
    for job in found:
        mine = (Timer.rule == job.args["rule"]) & (Timer.state == TimerState.CANCELLED)
        while rows := list(Timer.select().where(mine).order_by(Timer.id).limit(AT_ONCE)):
            with database.atomic():
                dialect.one_at_a_time(Lock.PROJECTION)
                for row in rows:
                    _cancel(row)


def _cancel(row: Timer) -> None:
    row.delete_instance()
    facts = event_facts.of_event(row.event_id) if row.event_id else None
    if facts is None:
        return
    rule = Rule(id=row.rule_id, version=row.version)
    made = runs.begin(timers.firing_of(row), rule, facts, RunOutcome.CANCELLED, row.due_ms)
    if made is not None:
        Run.update(error=runs.EDITED).where(Run.id == made.id).execute()


def _pending(rule_id: int) -> Any:
    pending = Timer.state.in_((TimerState.WAITING, TimerState.HELD))
    return (Timer.rule == rule_id) & (Timer.kind == TimerKind.WAIT) & pending
