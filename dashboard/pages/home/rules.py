"""Rules on the home page: rules that ran today and rules that need attention, in the viewer's scope."""

from __future__ import annotations

from typing import NamedTuple

import peewee

from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.db import rows
from dashboard.models import Rule, Run, Step
from dashboard.rulelang.matcher import State
from dashboard.rulelang.outcomes import ACTED, StepState
from dashboard.rules.permissions import visible

MOST = 6
SEEING = (Permission.RULES_VIEW, Permission.RULES_OWN, Permission.RULES_OVERSEE)


class Fired(NamedTuple):
    """A rule that ran today."""

    id: int
    name: str
    runs: int
    last_ms: int


class Paused(NamedTuple):
    """A rule that was paused automatically; `reason` is a translatable message."""

    id: int
    name: str
    reason: str


def may_see(scope: Scope) -> bool:
    return any(scope.can(permission) for permission in SEEING)


def fired(scope: Scope, since: int) -> list[Fired]:
    """Return up to MOST rules that ran since `since` (UTC epoch seconds), the latest first."""
    latest = peewee.fn.MAX(Run.made_ms)
    query = (
        Run.select(Rule.id, Rule.name, peewee.fn.COUNT(Run.id), latest)
        .join(Rule, on=(Rule.id == Run.rule_id))
        .where((Run.made_ms >= since * 1000) & Run.outcome.in_(ACTED) & visible(scope))
        .group_by(Rule.id, Rule.name)
        .order_by(latest.desc())
        .limit(MOST)
    )
    return rows(query, Fired)


def paused(scope: Scope) -> list[Paused]:
    """Return the paused rules by age."""
    if not may_see(scope):
        return []
    query = Rule.select(Rule.id, Rule.name, Rule.paused_reason)
    return rows(query.where((Rule.state == State.PAUSED.value) & visible(scope)).order_by(Rule.id), Paused)


def given_up(scope: Scope) -> int:
    """Count undeliverable messages, for viewers who can manage channels or rules."""
    if not (scope.can(Permission.CHANNELS_VIEW) or scope.can(Permission.RULES_OPERATE)):
        return 0
    return int(Step.select().where(Step.state == StepState.DEAD.value).count())
