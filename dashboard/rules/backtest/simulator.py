"""Simulates one rule over events as the live engine would evaluate it, without writing anything.

Counters, limits and recipients are those of the engine; state that the engine stores in tables is kept in
memory, starting empty. Other rules are not simulated, so an earlier rule's stop has no effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dashboard import clock
from dashboard.events import timeliness
from dashboard.rulelang import matcher, rate_limits
from dashboard.rulelang.fields import EventFacts
from dashboard.rulelang.matcher import Index, Outcome, State
from dashboard.rulelang.outcomes import RunOutcome
from dashboard.rulelang.rate_limits import By
from dashboard.rules import event_facts as facts_of
from dashboard.rules import runs, subject_state
from dashboard.rules.action_planner import ActionPlanner
from dashboard.rules.action_runner import ActionRunner
from dashboard.rules.active_rules import LiveRule, needs_subject
from dashboard.rules.backtest.summary import ACTED, DEPTH, ERROR, EXPIRED, LOOP, MUTED, THROTTLED, BacktestRun
from dashboard.rules.event_rows import EventRow
from dashboard.rules.limit_store import EVENT, LimitStore
from dashboard.rules.recipients import People, covers

_STOPPED = {Outcome.ERROR: ERROR, Outcome.LOOP_STOPPED: LOOP, Outcome.DEPTH_STOPPED: DEPTH}
_WEIGHED = {RunOutcome.THROTTLED: THROTTLED, RunOutcome.MUTED: MUTED}


class Simulator:
    """A rule and what it has counted so far. `paused_ms` is when the breaker would have paused it."""

    def __init__(self, rule: LiveRule) -> None:
        self.rule = replace(rule, state=State.ON, spec=replace(rule.spec, state=State.ON))
        self.paused_ms: int | None = None
        self._index = Index.build([self.rule.spec])
        self._people, self._limits = People(), LimitStore(stored=False)
        self._now_ms = clock.now_ms()
        self._folds = needs_subject(rule)

    def facts(self, rows: Sequence[EventRow]) -> list[EventFacts]:
        """Return the facts of events as this rule needs them, in the order of their ids."""
        return facts_of.of_events(rows, subject_state.seen_by(rows) if self._folds else {})

    def asks(self, facts: EventFacts) -> matcher.Evaluation | None:
        """Return the run that an event makes, before it is counted; None for none."""
        found = matcher.match(self._index, facts)
        return found[0] if found and self._covers(facts) else None

    def event(self, facts: EventFacts) -> BacktestRun | None:
        """Return what the rule does about an event; ask in the order of ids."""
        run = self.asks(facts)
        if run is None:
            return None
        episode = str(facts.get("episode", EVENT))
        times = self.rule.definition.times
        if run.outcome is Outcome.MATCHED and times is not None:
            crossing = self._limits.crossing(self.rule.id, times, facts)
            if crossing is None:
                return None
            episode = rate_limits.episode_key("count", crossing)
        late_s = facts_of.late_s(facts, facts["time"])
        return self._carry_out(run, str(facts["id"]), facts_of.at_ms(facts), episode, late_s)

    def fire(self, facts: EventFacts, firing: str, at_ms: int, late_s: int = 0) -> BacktestRun | None:
        """Return what the rule does about a deadline or a count; ask in the order in which they fall due.

        `late_s` is by how much the event that it hangs on came too late, see `timeliness.late_s`.
        """
        if not self._covers(facts):
            return None
        run = matcher.explain(self.rule.spec, facts)
        if run.outcome is Outcome.NOT_MATCHED:
            return None
        return self._carry_out(run, firing, at_ms, str(facts.get("episode", firing)), late_s)

    def _covers(self, facts: EventFacts) -> bool:
        return self.rule.owner is None or covers(self._people.scope(self.rule.owner), facts)

    def _carry_out(
        self, run: matcher.Evaluation, name: str, at_ms: int, episode: str, late_s: int
    ) -> BacktestRun:
        subject = rate_limits.limit_key(By.SUBJECT, self.rule.id, run.facts)
        if run.outcome is not Outcome.MATCHED:
            return BacktestRun(name, at_ms, subject, _STOPPED[run.outcome], 0, run.facts, run.explain)
        if late_s > timeliness.MAX_LATE_S:
            return BacktestRun(name, at_ms, subject, EXPIRED, 0, run.facts, run.explain)
        planner = ActionPlanner(self.rule, run.facts, self._people, self._now_ms)
        runner = ActionRunner(planner, self._limits, at_ms // 1000, episode)
        runner.dry_run()
        outcome = RunOutcome.MUTED if runner.muted and not runner.states else runs.outcome_of(runner.states)
        result = _WEIGHED.get(outcome, ACTED)
        if result == ACTED and self._limits.breaks(self.rule.id, run.facts, at_ms) and self.paused_ms is None:
            self.paused_ms = at_ms
        return BacktestRun(name, at_ms, subject, result, runner.held, run.facts, run.explain)
