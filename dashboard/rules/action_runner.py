"""Executes the actions of a run in order, subject to rate limits; every action writes its steps.

Internal actions run immediately in the caller's transaction; outward actions become steps for delivery.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from dashboard.db import database
from dashboard.db.prepared import insert_row
from dashboard.i18n.message import N_
from dashboard.models import Run, Step
from dashboard.rulelang import rate_limits
from dashboard.rulelang.actions import ActionConfig
from dashboard.rulelang.outcomes import RunOutcome, StepState
from dashboard.rulelang.rate_limits import By, Limit, Often
from dashboard.rules import internal_actions, runs
from dashboard.rules.action_planner import ActionPlanner, DeliveryPlan, PlannedAction
from dashboard.rules.internal_actions import Impossible, Unneeded
from dashboard.rules.limit_store import EVENT, LimitStore

STOPPED = N_("Not done because an earlier action failed.")
UNDONE = N_("Rolled back because a later action failed.")


class ActionResult(NamedTuple):
    """The outcome of a run, and how many of its actions were held back by limits."""

    outcome: RunOutcome
    held: int


class _Rollback(Exception):  # noqa: N818  an order, not an error
    """Rolls back what a run has done so far; raised with the index of the failed action."""

    def __init__(self, n: int, why: str) -> None:
        super().__init__(why)
        self.n, self.why = n, why


@dataclass
class ActionRunner:
    """A run that is being executed. `at_ts` is the time for its limits, `episode` names its period."""

    planner: ActionPlanner
    limits: LimitStore
    at_ts: int
    episode: str = EVENT
    shadow: bool = False
    held: int = 0
    hit: bool = False  # a limit holds back for the first time since it last allowed
    muted: int = 0
    states: list[str] = field(default_factory=list)

    def dry_run(self) -> ActionResult:
        """Return what would be held back; writes nothing but the limits of shadow runs.

        `states` has then what the steps would come to, were they done without fault.
        """
        for n, action in enumerate(self.planner.rule.definition.then):
            try:
                planned = self.planner.plan(action)
            except Impossible:
                self.states.append(StepState.FAILED)
                continue
            except Unneeded:
                self.states.append(StepState.CANCELLED)
                continue
            self.muted += planned.muted
            parts = self._allowed(n, _once_per_visit(action), planned)
            self.states += (
                StepState.FAILED if part.problem else StepState.DONE if allowed else StepState.HELD
                for part, allowed in parts
            )
        return ActionResult(RunOutcome.SHADOW, self.held)

    def execute(self, run: Run) -> ActionResult:
        """Execute the actions of `run` in the caller's transaction."""
        actions = self.planner.rule.definition.then
        try:
            with database.atomic():
                self._all(run, actions)
        except _Rollback as undo:
            self.states = []
            for n, action in enumerate(actions):
                state, why = StepState.CANCELLED, UNDONE if n < undo.n else STOPPED
                if n == undo.n:
                    state, why = StepState.FAILED, undo.why
                self._write(run, n, 0, DeliveryPlan(action.do, {}), state, why)
        if self.muted and not self.states:
            return ActionResult(RunOutcome.MUTED, self.held)
        return ActionResult(runs.outcome_of(self.states), self.held)

    def _all(self, run: Run, actions: tuple[ActionConfig, ...]) -> None:
        stopped = False
        for n, action in enumerate(actions):
            if stopped:
                self._write(run, n, 0, DeliveryPlan(action.do, {}), StepState.CANCELLED, STOPPED)
                continue
            why = self._one(run, n, action)
            if why and action.on_error == "undo":
                raise _Rollback(n, why)
            stopped = bool(why) and action.on_error == "stop"

    def _one(self, run: Run, n: int, action: ActionConfig) -> str:
        """Execute one action or enqueue its deliveries; return why it failed, "" on success."""
        try:
            planned = self.planner.plan(action)
        except Impossible as error:
            self._write(run, n, 0, DeliveryPlan(action.do, {}), StepState.FAILED, str(error))
            return str(error)
        except Unneeded as error:
            self._write(run, n, 0, DeliveryPlan(action.do, {}), StepState.CANCELLED, str(error))
            return ""
        self.muted += planned.muted
        parts, failed = self._allowed(n, action, planned), ""
        for number, (part, allowed) in enumerate(parts):
            if not allowed:
                self._write(run, n, number, part, StepState.HELD)
            elif part.problem:
                self._write(run, n, number, part, StepState.FAILED, part.problem)
                failed = part.problem
            elif internal_actions.is_inside(part.action, part.payload) and not action.delay_s:
                failed = self._inside(run, n, number, part) or failed
            else:
                due = max(part.due_ms or 0, self.planner.now_ms + action.delay_s * 1000)
                self._write(run, n, number, part, StepState.WAITING, due_ms=due)
        return failed

    def _allowed(
        self, n: int, action: ActionConfig, planned: PlannedAction
    ) -> list[tuple[DeliveryPlan, bool]]:
        """Return the parts that may be done now, and one for each that is held back."""
        if action.limit.often is Often.ALWAYS or not planned.parts:
            return [(part, True) for part in planned.parts]
        if action.limit.by is not By.RECIPIENT:
            allowed = self._take(n, action, "")
            return [(part, allowed) for part in (planned.parts if allowed else planned.parts[:1])]
        decided: dict[str, bool] = {}
        found = []
        for part in planned.parts:
            if part.problem:
                found.append((part, True))
                continue
            if part.recipient not in decided:
                decided[part.recipient] = self._take(n, action, part.recipient)
            if decided[part.recipient] or not part.beside:
                found.append((part, decided[part.recipient]))
        return found

    def _take(self, n: int, action: ActionConfig, recipient: str) -> bool:
        rule, facts = self.planner.rule, self.planner.facts
        key = rate_limits.limit_key(action.limit.by, rule.id, facts, recipient)
        decision = self.limits.take(rule.id, n, action.limit, key, self.at_ts, self.episode, self.shadow)
        self.held += not decision.allowed
        self.hit |= not decision.allowed and decision.after is not None and decision.after.suppressed == 1
        return decision.allowed

    def _inside(self, run: Run, n: int, number: int, part: DeliveryPlan) -> str:
        try:
            with database.atomic():
                internal_actions.do(self._write(run, n, number, part, StepState.DONE))
            if internal_actions.left(part.payload):
                self.states.append(StepState.WAITING)
        except Impossible as error:
            self.states.pop()
            self._write(run, n, number, part, StepState.FAILED, str(error))
            return str(error)
        except Unneeded as error:
            self.states.pop()
            self._write(run, n, number, part, StepState.CANCELLED, str(error))
        return ""

    def _write(
        self,
        run: Run,
        n: int,
        number: int,
        part: DeliveryPlan,
        state: StepState,
        error: str = "",
        due_ms: int | None = None,
    ) -> Step:
        """Add a step; its id is the id of the delivery."""
        moment = self.planner.now_ms
        self.states.append(state)
        values = {
            "run_id": run.id,
            "rule_id": run.rule_id,
            "n": n,
            "part": number,
            "action": part.action,
            "channel_id": part.channel_id,
            "recipient": part.recipient,
            "key": secrets.token_hex(16),
            "payload": part.payload,
            "state": state.value,
            "due_ms": due_ms,
            "made_ms": moment,
            "done_ms": None if state is StepState.WAITING else moment,
            "error": error,
        }
        step = Step(id=insert_row(Step, **values), **values)
        step.run = run
        return step


def _once_per_visit(action: ActionConfig) -> ActionConfig:
    """Return an invitation in the box with the limit that the visit itself sets when it is executed."""
    if action.in_box and not action.params["repeat"] and action.limit.often is Often.ALWAYS:
        return replace(action, limit=Limit(Often.ONCE, By.SUBJECT))
    return action
