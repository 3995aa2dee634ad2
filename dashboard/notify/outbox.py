"""Deliveries: the steps that are due, claimed, ended, retried and replayed by hand.

Claim, lease and retry are those of jobs.work: a delivery arrives at least once, always with the same key, by
which a receiver drops a repeat. A destination takes AT_ONCE deliveries at a time, or one, and destinations
that fail never take all threads. A mail whose sending had begun when its worker died becomes uncertain and is
left to a person. Source: semantics 9.8 and 9.9.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import peewee

from dashboard import clock
from dashboard.db import database, dialect
from dashboard.db.locks import Lock
from dashboard.db.prepared import Prepared
from dashboard.i18n.message import N_
from dashboard.jobs import counters
from dashboard.jobs.work import Bounds, Work
from dashboard.models import Channel, Run, Step
from dashboard.notify import result
from dashboard.rulelang.actions import ACTIONS
from dashboard.rulelang.outcomes import StepState
from dashboard.rules import active_rules, runs

THREADS = 12
AT_ONCE = 8  # deliveries to one destination
MAIL = 0  # the destination of all mail; others are ids of channels
HOLD_MS, HOLD_MAX_MS = 5_000, 60_000  # for each failure in a row of a destination, and at most
FOR_HEALTHY = 4  # threads that destinations which failed last time leave free

_SINGLE = Prepared(
    lambda: Channel.select(Channel.id, Channel.failures).where((Channel.failures > 0) | Channel.ordered)
)
DIED = N_("The worker stopped unexpectedly on every attempt.")
UNSURE = N_(
    "The worker stopped while sending. The email may have been sent, so it won't be resent automatically."
)
CANCELLED = N_("Cancelled manually.")

REPLAYED = (StepState.FAILED, StepState.DEAD, StepState.UNCERTAIN, StepState.HELD)


def claim(worker: str, most: int = 1) -> list[Step]:
    """Take up to `most` steps that are due, longest first, among those whose destination is free.

    While all rules are stopped nothing is taken.
    """
    return [] if active_rules.stopped() else WORK.claim_grouped(worker, _bounds, most)


def _bounds() -> Bounds:
    """Return how many deliveries each destination takes at a time.

    One for a channel that asks for order, for one that failed last time, and for mail, whose caps count
    what was sent before.
    """
    single = dict(_SINGLE.rows())
    failing = {channel for channel, failures in single.items() if failures}
    return Bounds(AT_ONCE, dict.fromkeys([MAIL, *single], 1), failing, THREADS - FOR_HEALTHY)


def _lost(step: Step) -> bool:
    """Leave a mail whose sending had begun to a person: it may have been sent."""
    return step.action == "email" and step.begun_ms is not None and end(step, StepState.UNCERTAIN, UNSURE)


def begin(step: Step) -> bool:
    """Say that sending begins now, in a transaction of its own; False when the step is ours no more."""
    return bool(Step.update(begun_ms=clock.now_ms()).where(WORK.as_claimed([step])).execute())


def end(step: Step, state: StepState, error: str = "", receipt: dict[str, Any] | None = None) -> bool:
    """End a claimed step and settle its run, in the caller's transaction; False when it is ours no more."""
    kept = {**step.receipt, **(receipt or {})}
    if not WORK.end([step], state, error=error, receipt=kept, begun_ms=None, done_ms=clock.now_ms()):
        return False
    counters.add("deliveries", action=step.action, result=state)
    runs.settle(step.run_id)
    return True


def again(step: Step, wait_ms: int, error: str, receipt: dict[str, Any]) -> bool:
    """Release a claimed step for its next try; False if the lease was lost."""
    return WORK.retry(step, wait_ms, error=error, begun_ms=None, receipt={**step.receipt, **receipt})


def hold(step: Step, until: int) -> None:
    """Postpone other due deliveries to the same destination until then."""
    mail = step.action == "email"
    same = (Step.action == "email") if mail else (Step.channel_id == step.channel_id)
    Step.update(due_ms=until).where(
        same & (Step.state == StepState.WAITING) & (Step.due_ms < until)
    ).execute()


def replay(ids: Collection[int]) -> int:
    """Replay ended steps with the same key, and return how many.

    Only deliveries that failed, were given up, held back by a cap or are uncertain can be sent again.
    """
    failed = Step.state.in_(REPLAYED) & (Step.attempts > 0) & Step.action.in_(outward())
    mine = Step.id.in_(sorted(ids)) & failed
    return _reset(
        mine,
        state=StepState.WAITING,
        attempts=0,
        due_ms=clock.now_ms(),
        done_ms=None,
        error="",
        manual=True,
        begun_ms=None,
        receipt={},
    )


def cancel(ids: Collection[int]) -> int:
    """Cancel waiting steps, and return how many were still waiting."""
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


WORK: Work[Step] = Work(
    Step,
    Lock.CLAIM_DELIVERY,
    result.RETRIES_S,
    give_up=lambda step: end(step, StepState.DEAD, DIED),
    lost=_lost,
    group=peewee.Case(None, [(Step.action == "email", MAIL)], Step.channel_id),
)


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
