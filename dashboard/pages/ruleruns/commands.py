"""Commands: send a test to the viewer only, queue a backtest."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import current_app

from dashboard import clock
from dashboard.access.scope import Scope
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.models import Run, Step
from dashboard.pages.ruleruns.try_rule import Candidate
from dashboard.rulelang import matcher
from dashboard.rulelang.actions import ACTIONS, ActionConfig
from dashboard.rulelang.fields import EventFacts
from dashboard.rulelang.outcomes import RunOutcome, StepState
from dashboard.rulelang.rate_limits import By, limit_key
from dashboard.rules import internal_actions
from dashboard.rules.action_planner import ActionPlanner, DeliveryPlan
from dashboard.rules.active_rules import LiveRule
from dashboard.rules.backtest import job
from dashboard.rules.internal_actions import Impossible
from dashboard.rules.recipients import People, Reader
from dashboard.settings import Settings

SENT = ("notify", "email")


class OnlyMe(People):
    """Replaces all recipients by the viewer and ignores mutes."""

    def __init__(self, viewer: int) -> None:
        super().__init__()
        self._viewer = viewer

    def resolve(self, to: Mapping[str, Any], owner: int | None, facts: EventFacts) -> list[Reader]:
        found = self.reader(self._viewer)
        return [found] if found is not None else []

    def muted(self, rule_id: int) -> frozenset[int]:
        return frozenset()


def send_to_me(scope: Scope, rule: LiveRule, facts: EventFacts) -> tuple[int, int]:
    """Send the notifications and emails of the rule to the viewer only.

    Returns how many were sent, and how many emails were not because no mail server is configured. A run of
    outcome "test" with its steps tells of it. Raises Impossible where one cannot be made.
    """
    planner = ActionPlanner(rule, facts, OnlyMe(scope.viewer_id), clock.now_ms())
    parts = [
        (n, part)
        for n, doing in enumerate(rule.definition.then)
        if doing.do in SENT
        for part in planner.plan(_to_me(doing)).parts
    ]
    settings: Settings = current_app.config["STOPA"]
    sendable = [(n, part) for n, part in parts if part.action != "email" or settings.smtp_url]
    unsent = len(parts) - len(sendable)
    if not sendable:
        return 0, unsent
    with database.atomic():
        run = _run(rule, facts)
        for n, part in sendable:
            _step(run, n, part)
        audit.record("rule.tested", "c", ("rule", rule.id, rule.name), details={"run": run.id})
    return len(sendable), unsent


def _to_me(doing: ActionConfig) -> ActionConfig:
    """Return the action without its recipients and repetition; the planner adds the viewer."""
    params = {name: value for name, value in doing.params.items() if name not in ("addresses", "again", "to")}
    return replace(doing, params=params)


def _run(rule: LiveRule, facts: EventFacts) -> Run:
    event, moment = facts["id"], clock.now_ms()
    made: Run = Run.create(
        firing=f"test:{secrets.token_hex(16)}",
        rule_id=rule.id,
        version=rule.version,
        event_id=event if isinstance(event, int) else None,
        subject=limit_key(By.SUBJECT, rule.id, facts),
        outcome=RunOutcome.TEST.value,
        at_ms=facts["time"],
        made_ms=moment,
        chain=list(facts["chain"]),
        depth=len(facts["chain"]),
        trace=matcher.explain(rule.spec, facts).trace.as_json(),
    )
    return made


def _step(run: Run, n: int, part: DeliveryPlan) -> None:
    """Add a step: internal actions are done at once, deliveries are due now regardless of quiet hours."""
    at_once = ACTIONS[part.action].inside
    moment = clock.now_ms()
    number = Step.select().where((Step.run == run) & (Step.n == n)).count()
    step: Step = Step.create(
        run=run,
        rule_id=run.rule_id,
        n=n,
        part=number,
        action=part.action,
        channel_id=part.channel_id,
        recipient=part.recipient,
        key=secrets.token_hex(16),
        payload=part.payload,
        state=(StepState.DONE if at_once else StepState.WAITING).value,
        made_ms=moment,
        done_ms=moment if at_once else None,
        due_ms=None if at_once else moment,
    )
    if at_once:
        internal_actions.do(step)


def order_backtest(scope: Scope, tried: Candidate, days: int) -> int:
    """Queue a backtest for the viewer and return its id."""
    if tried.live is None:
        raise Impossible("")
    with database.atomic():
        ident = job.order(scope.viewer_id, tried.live, tried.raw, days)
        details = {"days": days, "version": tried.live.version}
        audit.record("rule.backtested", "r", ("rule", tried.ident, tried.name), details=details)
    return ident
