"""Runs of rules: started once per key, ended by their steps, pruned after a while."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from dashboard import clock
from dashboard.db import dialect, pieces
from dashboard.db.prepared import Prepared, insert_row, slot, update_row
from dashboard.events import internal, kept
from dashboard.events.kept import Kept
from dashboard.i18n.message import N_
from dashboard.jobs import queue as jobs
from dashboard.models import Event, Job, Rule, Run, Step, User
from dashboard.rulelang import rate_limits
from dashboard.rulelang.fields import EventFacts
from dashboard.rulelang.matcher import State
from dashboard.rulelang.outcomes import RunOutcome, StepState
from dashboard.rulelang.rate_limits import By
from dashboard.rules import subject_state
from dashboard.rules.event_rows import columns, rows

KEPT_EACH = 50  # at least, per rule and outcome
KEPT_IDLE = 20  # at most, per rule, of what did not match or was called off: most waits are
PRUNE = "prune_runs"
PRUNED_EVERY_MS = 3_600_000
_MADE = Prepared(
    lambda: Run.select(Run.id).where(
        (Run.rule_id == slot("rule")) & (Run.firing == slot("firing")) & (Run.version == slot("version"))
    )
)
_OUTCOME = Prepared(lambda: dialect.held(Run.select(Run.outcome).where(Run.id == slot("run"))))
_STATES = Prepared(lambda: Step.select(Step.state).where(Step.run == slot("run")))
_PLANNED = Prepared(lambda: Job.select(Job.id).where(Job.key == PRUNE))
LOST_RULE = N_("The rule was deleted in the meantime.")
NO_LONGER_ON = N_("The rule was no longer on.")
EDITED = N_("The rule was edited during the wait.")
SUBJECT_ENDED = N_("The item was closed in the meantime.")


def begin(
    firing: str, rule: Any, facts: EventFacts, outcome: RunOutcome, at_ms: int, late_s: int = 0
) -> Run | None:
    """Make the run of a rule's version for a firing and return it; None when there is one already.

    `rule` is an active_rules.LiveRule or a row. The caller holds the projection lock.
    """
    if _MADE.rows(rule=rule.id, firing=firing, version=rule.version):
        return None
    event = facts["id"]
    values = {
        "firing": firing,
        "rule_id": rule.id,
        "version": rule.version,
        "at_ms": at_ms,
        "late_s": late_s,
        "event_id": event if isinstance(event, int) else None,
        "outcome": outcome.value,
        "subject": rate_limits.limit_key(By.SUBJECT, rule.id, facts),
        "made_ms": clock.now_ms(),
        "depth": len(facts["chain"]),
        "chain": list(facts["chain"]),
    }
    return Run(id=insert_row(Run, **values), **values)


def settle(run_id: int) -> None:
    """Set a run's outcome from its steps, in the caller's transaction; a failed one makes an event.

    Two steps that end at the same time wait for each other, so that the later one sees both.
    """
    found = _OUTCOME.rows(run=run_id)
    if not found or found[0][0] in (RunOutcome.SHADOW, RunOutcome.TEST):
        return
    outcome = outcome_of(state for (state,) in _STATES.rows(run=run_id))
    if outcome == found[0][0]:
        return
    update_row(Run, run_id, outcome=outcome.value)
    if outcome is RunOutcome.FAILED:
        notify_failed(Run.get_by_id(run_id))


def outcome_of(states: Iterable[str]) -> RunOutcome:
    """Return what the states of a run's steps come to; done for a run without any."""
    found = set(states)
    if found & {StepState.WAITING, StepState.RUNNING}:
        return RunOutcome.WAITING
    attempted = found - {StepState.HELD, StepState.CANCELLED}
    if not attempted:
        held = RunOutcome.THROTTLED if StepState.HELD in found else RunOutcome.CANCELLED
        return held if found else RunOutcome.DONE
    if attempted == {StepState.DONE}:
        return RunOutcome.DONE
    return RunOutcome.PARTLY if attempted & {StepState.DONE, StepState.UNCERTAIN} else RunOutcome.FAILED


def notify_failed(run: Run) -> None:
    """Record the event of a failed run, caused by its rule."""
    rule = Rule.get_or_none(Rule.id == run.rule_id)
    query = Step.select(Step.error).where((Step.run == run.id) & (Step.error != "")).order_by(Step.id)
    errors = [row[0] for row in query.tuples()]
    data = {"rule": rule.name if rule else str(run.rule_id), "run_outcome": RunOutcome.FAILED.value}
    if errors:
        data["error"] = errors[0]
    internal.append("rule.run_failed", data, chain=(*run.chain, run.rule_id))


def cancelled(step: Step) -> str:
    """Return why a step that waited must not be done any more, as a marked text; "" when it may.

    The rule must still be there and on, its owner active, and what it is about must not have ended since
    the event.
    """
    run: Run = step.run
    if run.outcome == RunOutcome.TEST:  # also of a rule that was never saved
        return ""
    rule = Rule.get_or_none(Rule.id == step.rule_id)
    if rule is None:
        return LOST_RULE
    if rule.state != State.ON or not _has_owner(rule):
        return NO_LONGER_ON
    return SUBJECT_ENDED if run.event_id is not None and _ended_since(run.event_id) else ""


def _has_owner(rule: Rule) -> bool:
    active = (User.id == rule.owner_id) & User.deactivated_ts.is_null()
    return rule.owner_id is None or User.select().where(active).exists()


def _ended_since(event_id: int) -> bool:
    found = rows(columns().where(Event.id == event_id))
    if not found or found[0].interaction is None:
        return False
    then = subject_state.state_at(found[0].source_id, found[0].interaction, event_id)
    now = subject_state.state_at(found[0].source_id, found[0].interaction)
    return now is not None and now.ended_ms is not None and (then is None or then.ended_ms is None)


def prune(_jobs: Collection[Job] = ()) -> None:
    """Delete the runs that are kept no longer; see `expired`."""
    for _number in delete_expired(kept.first_ms(kept.days(Kept.RUNS) or 0)):
        pass


def expired(before_ms: int) -> Iterator[Any]:
    """Yield conditions of the runs that are kept no longer.

    Those are made before `before_ms` and not among the newest KEPT_EACH of their rule and outcome, or made
    before it by a rule that is gone, or idle and not among the newest KEPT_IDLE.
    """
    known = {row[0] for row in Rule.select(Rule.id).tuples()}
    for rule_id, outcome in list(Run.select(Run.rule_id, Run.outcome).distinct().tuples()):
        idle = outcome in (RunOutcome.NOT_MATCHED, RunOutcome.CANCELLED)
        most = KEPT_IDLE if idle else KEPT_EACH
        mine = (Run.rule_id == rule_id) & (Run.outcome == outcome)
        if rule_id not in known:
            yield mine & (Run.made_ms < before_ms)
            continue
        last = Run.select(Run.id).where(mine).order_by(Run.id.desc()).offset(most - 1).limit(1).scalar()
        if last is not None:
            gone = mine & (Run.id < last)
            yield gone if idle else gone & (Run.made_ms < before_ms)


def delete_expired(before_ms: int) -> Iterator[int]:
    """Delete the runs of `expired` with their steps, in pieces; yield the number of runs of each."""
    for gone in expired(before_ms):
        yield from pieces.delete(Run, gone)


def plan_pruning() -> None:
    """See to it that old runs go within the hour; costs nothing where that is planned already."""
    if not _PLANNED.rows():
        jobs.enqueue(PRUNE, {}, key=PRUNE, due_ms=clock.now_ms() + PRUNED_EVERY_MS)
