"""What a rule did at work beside what a backtest finds, run for run."""

from __future__ import annotations

from typing import Any

from dashboard.models import Event, Rule, Run
from dashboard.rulelang.outcomes import RunOutcome
from dashboard.rules import active_rules
from dashboard.rules.backtest import replay
from dashboard.rules.backtest.replay import Period
from dashboard.rules.backtest.simulator import Simulator
from dashboard.rules.backtest.summary import BacktestRun
from tests.rules import engine

# Runs that tell of the engine's own day and not of the rule: examples, and what somebody ended.
ASIDE = (RunOutcome.NOT_MATCHED, RunOutcome.CANCELLED, RunOutcome.DISABLED, RunOutcome.TEST)
SAME = {"acted": "done"}  # the word of backtests for an outcome
EVER = Period(0, 4_102_444_800_000)


def live(rule: Rule) -> list[str]:
    """Return the names of the events and firings about which the rule ran, in order of time."""
    query = Run.select(Run.at_ms, Run.firing).where((Run.rule_id == rule.id) & Run.outcome.not_in(ASIDE))
    return [name for _at, name in sorted(query.tuples())]


def found(rule: Rule, period: Period | None = None) -> list[BacktestRun]:
    """Return what a backtest over all events, or over a period, finds, in order of time."""
    ready = active_rules.load(Rule.get_by_id(rule.id))
    assert ready is not None
    runs = [each for read in replay.walk(Simulator(ready), period or everything()) for each in read.found]
    return sorted(runs, key=lambda each: (each.at_ms, each.name))


def names(rule: Rule, period: Period | None = None) -> list[str]:
    return [each.name for each in found(rule, period)]


def everything() -> Period:
    """Return the period of all events and of what falls due up to the last one."""
    last = Event.select(Event.time_ms).order_by(Event.time_ms.desc()).limit(1).scalar()
    return Period(0, (last or 0) + 1)


def held(rule: Rule) -> dict[str, int]:
    """Return by name how many actions were held back at work; what came too late was not weighed."""
    aside = Run.outcome.in_((*ASIDE, RunOutcome.EXPIRED))
    query = Run.select(Run.firing, Run.held).where((Run.rule_id == rule.id) & ~aside)
    return dict(query.tuples())


def both(**definition: Any) -> tuple[Rule, Rule]:
    """Make a rule that is on and its twin in shadow."""
    return engine.rule(**definition), engine.rule(**definition, state="shadow")


def alike(at_work: Rule, shadow: Rule) -> list[str]:
    """Return the outcomes of a rule, which its shadow and its backtest have too."""
    outcomes = [outcome for _rule, outcome in engine.outcomes(at_work) if outcome != "not_matched"]
    dry = [outcome for _rule, outcome in engine.outcomes(shadow) if outcome != "not_matched"]
    assert [outcome == "expired" for outcome in dry] == [outcome == "expired" for outcome in outcomes]
    assert held(shadow) == held(at_work)
    tried = found(at_work, EVER)
    assert [each.name for each in tried] == live(at_work) == live(shadow)
    assert [SAME.get(each.outcome, each.outcome) for each in tried] == outcomes
    return outcomes
