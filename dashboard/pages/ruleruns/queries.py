"""Queries of one run: the run, its steps, the runs that followed from it, its version of the rule."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from peewee import JOIN

from dashboard import clock
from dashboard.access.scope import Scope
from dashboard.models import Event, Run, Step
from dashboard.models.rules import RuleVersion
from dashboard.ruletext.run_scope import covers
from dashboard.web.listing import Parameters

FOLLOWED = 50  # events of a run whose runs are shown
WITHIN_S = 3600


def one(scope: Scope, ident: int) -> Run | None:
    """Return the run, None outside the scope; the caller checks the permissions for the rule."""
    query = Run.select().join(Event, JOIN.LEFT_OUTER, on=(Run.event_id == Event.id))
    found: Run | None = query.where((Run.id == ident) & covers(scope)).first()
    return found


def steps(run_id: int) -> list[Step]:
    return list(Step.select().where(Step.run == run_id).order_by(Step.n, Step.repetition, Step.part))


def followed(run: Run, steps: Iterable[Step], zone: str) -> Parameters:
    """Return the query of the runs about events that this run's actions recorded; {} without any.

    They come within the next hour.
    """
    events = [str(step.receipt["event"]) for step in steps if step.receipt.get("event")][:FOLLOWED]
    if not events:
        return {}
    made_s = run.made_ms // 1000
    period = {"from": [clock.iso(made_s, zone)], "to": [clock.iso(made_s + WITHIN_S, zone)]}
    return {"event": events, "sort": ["started"], **period}


def definition(rule_id: int, version: int) -> dict[str, Any] | None:
    """Return a version of a rule as it was saved, None when it is not kept."""
    found = RuleVersion.get_or_none((RuleVersion.rule == rule_id) & (RuleVersion.version == version))
    return None if found is None else found.definition
