"""The steps that are due to be carried out: claimed under a lease, ended, tried again, replayed by hand.

A step that is claimed is changed from waiting by one worker alone; each destination has at most one under
way, so that a slow one holds up nobody else, and destinations that fail never take all threads. When the
worker dies, HTTP and chat wait again with the same key, for the receiver can drop a repeat; a mail whose
sending had begun becomes uncertain and is left to a person. Source: semantics 9.8 and 9.9.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import peewee

from dashboard import clock
from dashboard.db import database, dialect
from dashboard.db.locks import Lock
from dashboard.i18n.message import N_
from dashboard.models import Channel, Run, Step
from dashboard.notify import result
from dashboard.rulelang.actions import ACTIONS
from dashboard.rules import active_rules, runs
from dashboard.rules.runs import StepState

LEASE_MS = 60_000  # above what any delivery takes, see guard.TOTAL_S
THREADS = 6
HOLD_MS, HOLD_MAX_MS = 5_000, 60_000  # for each failure in a row of a destination, and at most
FOR_HEALTHY = 2  # threads that destinations which failed last time leave free
ERROR_MAX = 1000

DIED = N_("The worker ended without a word at every try.")
UNSURE = N_("The worker ended while sending. The mail may have been sent, so it is not sent again by itself.")
CANCELLED = N_("Cancelled by hand.")
BY_HAND = "by_hand"  # in the receipt of a step that a person sent again

REPLAYED = (StepState.FAILED, StepState.DEAD, StepState.UNCERTAIN, StepState.HELD)


def claim(worker: str) -> Step | None:
    """Take the step that has been due longest among those whose destination is free; None when none is.

    While all rules are stopped nothing is taken.
    """
    moment = clock.now_ms()
    due = (Step.state == StepState.WAITING) & (Step.due_ms <= moment)
    lost = (Step.state == StepState.RUNNING) & (Step.lease_ms < moment)
    if not Step.select(Step.id).where(due | lost).exists() or active_rules.stopped():
        return None  # looking costs no write transaction
    with database.atomic():
        dialect.one_at_a_time(Lock.CLAIM_DELIVERY)
        _take_back(lost)
        found: Step | None = _free(due).order_by(Step.due_ms, Step.id).first()
        if found is None:
            return None
        found.state, found.attempts, found.worker = StepState.RUNNING, found.attempts + 1, worker
        Step.update(
            state=found.state, attempts=found.attempts, worker=worker, lease_ms=moment + LEASE_MS
        ).where(Step.id == found.id).execute()
    return found


def _free(due: Any) -> Any:
    """Return the due steps whose destination nobody is sending to."""
    running = list(Step.select(Step.channel_id, Step.action).where(Step.state == StepState.RUNNING).tuples())
    busy = {channel for channel, _action in running if channel is not None}
    failing = {row[0] for row in Channel.select(Channel.id).where(Channel.failures > 0).tuples()}
    if len(busy & failing) >= THREADS - FOR_HEALTHY:
        busy |= failing
    query = Step.select().where(due)
    if busy:
        query = query.where(Step.channel_id.is_null() | Step.channel_id.not_in(sorted(busy)))
    if any(action == "email" for _channel, action in running):
        query = query.where(Step.action != "email")
    return query


def _take_back(lost: Any) -> None:
    """Free what dead workers had in hand."""
    for step in list(Step.select().where(lost)):
        if step.action == "email" and "begun_ms" in step.receipt:
            end(step, StepState.UNCERTAIN, UNSURE)
        elif step.attempts > len(result.RETRIES_S):
            end(step, StepState.DEAD, DIED)
        else:
            Step.update(state=StepState.WAITING, lease_ms=None).where(as_claimed(step)).execute()


def as_claimed(step: Step) -> Any:
    """Return the condition that the step is still ours: its lease may have run out meanwhile."""
    return (Step.id == step.id) & (Step.attempts == step.attempts) & (Step.state == StepState.RUNNING)


def begin(step: Step) -> bool:
    """Say that sending begins now, in a transaction of its own; False when the step is ours no more."""
    receipt = {**step.receipt, "begun_ms": clock.now_ms()}
    return bool(Step.update(receipt=receipt).where(as_claimed(step)).execute())


def end(step: Step, state: StepState, error: str = "", receipt: dict[str, Any] | None = None) -> bool:
    """End a claimed step and settle its run, in the caller's transaction; False when it is ours no more."""
    kept = {name: value for name, value in {**step.receipt, **(receipt or {})}.items() if name != "begun_ms"}
    change = Step.update(
        state=state, error=error[:ERROR_MAX], receipt=kept, lease_ms=None, done_ms=clock.now_ms()
    )
    if not change.where(as_claimed(step)).execute():
        return False
    runs.settle(step.run_id)
    return True


def again(step: Step, wait_ms: int, error: str, receipt: dict[str, Any]) -> bool:
    """Let a claimed step wait for its next try; False when it is ours no more."""
    kept = {name: value for name, value in {**step.receipt, **receipt}.items() if name != "begun_ms"}
    change = Step.update(
        state=StepState.WAITING,
        due_ms=clock.now_ms() + wait_ms,
        error=error[:ERROR_MAX],
        receipt=kept,
        lease_ms=None,
    )
    return bool(change.where(as_claimed(step)).execute())


def hold(step: Step, wait_ms: int) -> None:
    """Let what else is due for the same destination wait as well: it would fare no better now."""
    until = clock.now_ms() + wait_ms
    mail = step.action == "email"
    same = (Step.action == "email") if mail else (Step.channel_id == step.channel_id)
    Step.update(due_ms=until).where(
        same & (Step.state == StepState.WAITING) & (Step.due_ms < until)
    ).execute()


def release(step: Step) -> None:
    """Give a claimed step back untried: the database was away."""
    Step.update(state=StepState.WAITING, attempts=step.attempts - 1, lease_ms=None).where(
        as_claimed(step)
    ).execute()


def replay(ids: Collection[int]) -> int:
    """Let ended steps wait for a new round of tries, with the same key, and return how many did.

    Only what was tried and failed, was given up, held back by a cap or is uncertain can be sent again.
    """
    tried = Step.state.in_(REPLAYED) & (Step.attempts > 0) & Step.action.in_(outward())
    mine = Step.id.in_(sorted(ids)) & tried
    return _reset(
        mine,
        state=StepState.WAITING,
        attempts=0,
        due_ms=clock.now_ms(),
        done_ms=None,
        error="",
        receipt={BY_HAND: True},
    )


def cancel(ids: Collection[int]) -> int:
    """Let waiting steps never be carried out, and return how many were still waiting."""
    mine = Step.id.in_(sorted(ids)) & (Step.state == StepState.WAITING)
    return _reset(mine, state=StepState.CANCELLED, done_ms=clock.now_ms(), error=CANCELLED)


def _reset(mine: Any, **values: Any) -> int:
    with database.atomic():
        dialect.one_at_a_time(Lock.CLAIM_DELIVERY)  # nobody claims one of them between the two statements
        touched = {row[0] for row in Step.select(Step.run).where(mine).tuples()}
        changed = int(Step.update(**values).where(mine).execute())
        for run_id in sorted(touched):
            runs.settle(run_id)
    return changed


def outward() -> list[str]:
    """Return the names of the actions that leave the house."""
    return [name for name, action in ACTIONS.items() if not action.inside]


def mails_to(names: Collection[str], since_ms: int, most: int) -> list[tuple[int, str]]:
    """Return when a recipient, known by these names, was sent mail since then, and about which subject;
    the latest `most`."""
    query = (
        Step.select(Step.done_ms, Run.subject)
        .join(Run)
        .where(
            (Step.action == "email")
            & Step.recipient.in_(sorted(names))
            & (Step.done_ms > since_ms)
            & (Step.state == StepState.DONE)
        )
        .order_by(Step.done_ms.desc())
        .limit(most)
    )
    return list(query.tuples())


def waiting() -> int:
    """Count the steps that are due or under way."""
    moment = clock.now_ms()
    due = (Step.state == StepState.RUNNING) | ((Step.state == StepState.WAITING) & (Step.due_ms <= moment))
    return int(Step.select(peewee.fn.COUNT(Step.id)).where(due).scalar() or 0)
