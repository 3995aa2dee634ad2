"""Queries of runs: of a rule, of a subject, one by id. Runs outside the viewer's scope are not found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from peewee import JOIN

from dashboard.access.scope import Scope
from dashboard.db import keyset, rows
from dashboard.models import Event, Rule, Run, Step
from dashboard.models.rules import RuleVersion
from dashboard.pages.ruleruns.forms import RunQuery
from dashboard.rulelang.outcomes import StepState
from dashboard.rules import permissions
from dashboard.ruletext.run_scope import covers

PAGE = 50
CHUNK = 500


class Line(NamedTuple):
    """A run in a list; `done`, `failed` and `waiting` count its actions, `held` those not begun."""

    id: int
    rule_id: int
    version: int
    event_id: int | None
    subject: str
    outcome: str
    at_ms: int
    late_s: int
    held: int
    error: str
    type: str | None
    done: int = 0
    failed: int = 0
    waiting: int = 0


class Page(NamedTuple):
    """A page of a list, newest first, with the ids where the neighbouring pages start, if any."""

    lines: list[Line]
    newer: int | None
    older: int | None


def page(scope: Scope, asked: RunQuery, rule_ids: Sequence[int]) -> Page:
    """Return the runs of these rules that match, PAGE at most, fewer where filters leave few."""
    backward = asked.before is None and asked.after is not None
    ranged, others = _conditions(scope, asked, rule_ids)
    found, on = keyset.page(
        _columns().where(*others),
        Run.id,
        [ranged],
        PAGE,
        above=(asked.after or 0) if backward else 0,
        below=asked.before,
        descending=not backward,
    )
    lines = counted([Line(*row) for row in (reversed(found) if backward else found)])
    if backward:
        return Page(lines, on, lines[-1].id if lines else (asked.after or 0) + 1)
    return Page(lines, asked.before and (lines[0].id if lines else asked.before - 1), on)


def portions(scope: Scope, asked: RunQuery, rule_ids: Sequence[int]) -> Iterator[list[Line]]:
    """Yield all runs that match in portions, newest first."""
    found, before = _listed(scope, asked, rule_ids).order_by(Run.id.desc()).limit(CHUNK), None
    while part := counted(rows(found if before is None else found.where(Run.id < before), Line)):
        yield part
        before = part[-1].id


def count(scope: Scope, asked: RunQuery, rule_ids: Sequence[int], most: int) -> int:
    """Return how many runs match, `most` at most."""
    return int(_listed(scope, asked, rule_ids).limit(most).count())


def rules(scope: Scope) -> dict[int, str]:
    """Return the names of the rules whose runs the viewer may see."""
    query = Rule.select(Rule.id, Rule.name, Rule.owner_id).where(permissions.visible(scope))
    return {ident: name for ident, name, owner in query.tuples() if permissions.can_see_traces(scope, owner)}


def one(scope: Scope, ident: int) -> Run | None:
    """Return the run, None outside the scope; the caller checks the permissions for the rule."""
    query = Run.select().join(Event, JOIN.LEFT_OUTER, on=(Run.event_id == Event.id))
    found: Run | None = query.where((Run.id == ident) & covers(scope)).first()
    return found


def steps(run_id: int) -> list[Step]:
    return list(Step.select().where(Step.run == run_id).order_by(Step.n, Step.repetition, Step.part))


def children(scope: Scope, run: Run, steps: Iterable[Step]) -> list[Line]:
    """Return the runs about events that this run's actions recorded; they come within the next hour."""
    events = [step.receipt["event"] for step in steps if step.receipt.get("event")]
    if not events:
        return []
    near = Run.made_ms.between(run.made_ms, run.made_ms + 3_600_000)
    query = _columns().where(near & Run.event_id.in_(events) & covers(scope)).order_by(Run.id).limit(PAGE)
    return counted(rows(query, Line))


def definition(rule_id: int, version: int) -> dict[str, Any] | None:
    """Return a version of a rule as it was saved, None when it is not kept."""
    found = RuleVersion.get_or_none((RuleVersion.rule == rule_id) & (RuleVersion.version == version))
    return None if found is None else found.definition


def counted(lines: Sequence[Line]) -> list[Line]:
    """Return the lines with the numbers of their actions by state."""
    by_run: dict[int, Counter[str]] = {line.id: Counter() for line in lines}
    query = Step.select(Step.run, Step.state).where(Step.run.in_(list(by_run)))
    for run_id, state in query.tuples() if lines else ():
        by_run[run_id][_SORT.get(state, "failed")] += 1
    return [
        line._replace(done=found["done"], failed=found["failed"], waiting=found["waiting"])
        for line, found in ((line, by_run[line.id]) for line in lines)
    ]


_SORT = {
    StepState.DONE: "done",
    StepState.WAITING: "waiting",
    StepState.RUNNING: "waiting",
    StepState.HELD: "held",
    StepState.CANCELLED: "held",
}


def _columns() -> Any:
    return Run.select(
        Run.id,
        Run.rule_id,
        Run.version,
        Run.event_id,
        Run.subject,
        Run.outcome,
        Run.at_ms,
        Run.late_s,
        Run.held,
        Run.error,
        Event.type,
    ).join(Event, JOIN.LEFT_OUTER, on=(Run.event_id == Event.id))


def _listed(scope: Scope, asked: RunQuery, rule_ids: Sequence[int]) -> Any:
    ranged, others = _conditions(scope, asked, rule_ids)
    return _columns().where(ranged, *others)


def _conditions(scope: Scope, asked: RunQuery, rule_ids: Sequence[int]) -> tuple[Any, list[Any]]:
    """Return the condition that an index holds in the order of ids, and the others."""
    others = [covers(scope)]
    outcomes = asked.outcomes
    if asked.subject:
        ranged = Run.subject == asked.subject
        others.append(keyset.unindexed(Run.rule_id).in_(rule_ids))
    else:
        ranged = Run.rule_id == rule_ids[0] if len(rule_ids) == 1 else Run.rule_id.in_(rule_ids)
        if len(outcomes) == 1:
            ranged &= Run.outcome == outcomes[0]
            outcomes = ()
    if outcomes:
        others.append(keyset.unindexed(Run.outcome).in_(outcomes))
    if asked.start_ms is not None:
        others.append(Run.at_ms >= asked.start_ms)
    if asked.end_ms is not None:
        others.append(Run.at_ms < asked.end_ms)
    if asked.q:
        others.append(Run.subject.contains(asked.q) | Run.error.contains(asked.q))
    return ranged, others
