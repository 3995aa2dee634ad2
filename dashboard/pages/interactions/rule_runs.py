"""The rules that acted on an interaction, and whom they notified."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from flask_babel import gettext as _
from peewee import JOIN

from dashboard.access import masking
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.models import Channel, Event, Rule, Run, Step, User
from dashboard.rulelang import subjects
from dashboard.rulelang.outcomes import ACTED, RUN_LABELS, STEP_LABELS, RunOutcome, StepState
from dashboard.ruletext.run_scope import BADGES, covers, traced

MOST_RUNS = 20
NOTICES = ("notify", "email", "webhook", "chat")


class Notice(NamedTuple):
    """Who was notified; the name of somebody outside the viewer's scope is left out."""

    to: str
    state: str


class RuleRun(NamedTuple):
    id: int
    rule: str
    outcome: str
    badge: str
    at: int
    notices: tuple[Notice, ...]


def of_interaction(scope: Scope, source: str, external_id: str) -> list[RuleRun] | None:
    """Return the latest runs that acted, latest first; None for a viewer who sees no runs."""
    if not scope.permissions & {Permission.RULES_TRACES, Permission.RULES_OWN}:
        return None
    query = (
        Run.select(Run.id, Rule.name, Run.outcome, Run.made_ms)
        .join(Rule, on=(Rule.id == Run.rule_id))
        .switch(Run)
        .join(Event, JOIN.LEFT_OUTER, on=(Run.event_id == Event.id))
        .where(Run.subject == subjects.of_interaction(source, external_id))
        .where(Run.outcome.in_(ACTED) & covers(scope) & traced(scope))
        .order_by(Run.made_ms.desc(), Run.id.desc())
        .limit(MOST_RUNS)
    )
    found = list(query.tuples())
    notices = _notices(scope, [row[0] for row in found])
    return [
        RuleRun(
            ident,
            name,
            _(RUN_LABELS[RunOutcome(outcome)]),
            BADGES.get(outcome, ""),
            made_ms // 1000,
            tuple(notices.get(ident, ())),
        )
        for ident, name, outcome, made_ms in found
    ]


def _notices(scope: Scope, runs: Sequence[int]) -> dict[int, list[Notice]]:
    steps = list(Step.select().where(Step.run.in_(runs) & Step.action.in_(NOTICES)).order_by(Step.id))
    users = {user for step in steps if isinstance(user := step.payload.get("user"), int)}
    people = User.select(User.id, User.name).where(User.id.in_(sorted(users)) & scope.allows(User.id))
    names = dict(people.tuples())
    channels = dict(Channel.select(Channel.id, Channel.name).tuples()) if steps else {}
    full = scope.can(Permission.PII_UNMASK)
    found: dict[int, list[Notice]] = {}
    for step in steps:
        address = step.recipient if full or "@" not in step.recipient else masking.email(step.recipient)
        if isinstance(user := step.payload.get("user"), int):
            address = names.get(user, _("Another user"))
        to = channels.get(step.channel_id, address)
        found.setdefault(step.run_id, []).append(Notice(to, _(STEP_LABELS[StepState(step.state)])))
    return found
