"""The rule engine: evaluates the active rules for new events and due deadlines, in one transaction.

The caller holds the projection lock and the transaction, so that events are evaluated in the order in which
they were recorded and no other process counts at the same time. `evaluate_safely` isolates failures: if
evaluation raises, event processing still commits and a retry job is queued.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from dashboard import clock
from dashboard.db import database, dialect
from dashboard.db.failure import AWAY
from dashboard.db.locks import Lock
from dashboard.db.prepared import Prepared, slot, update_row
from dashboard.events import internal, timeliness
from dashboard.jobs import queue as jobs
from dashboard.models import Event, Job, Rule, Run
from dashboard.rulelang import matcher, rate_limits
from dashboard.rulelang.fields import TAGS, EventFacts
from dashboard.rulelang.matcher import Outcome
from dashboard.rulelang.outcomes import RunOutcome
from dashboard.rules import (
    active_rules,
    event_facts,
    event_rows,
    loop_guard,
    open_counts,
    runs,
    subject_state,
)
from dashboard.rules.action_planner import ActionPlanner
from dashboard.rules.action_runner import ActionRunner
from dashboard.rules.active_rules import Live, LiveRule
from dashboard.rules.event_facts import of_events, tags_of
from dashboard.rules.event_rows import EventRow
from dashboard.rules.limit_store import EVENT, LimitStore
from dashboard.rules.recipients import People, covers
from dashboard.rules.timing import timers

logger = logging.getLogger("stopa.rules")
AT_ONCE = 500  # events whose facts are in memory together
SAMPLES = 50  # of runs that did not match, in one pass; and one per rule and minute
SAMPLED_EVERY_MS = 60_000
# Nothing was done: no matter how often.
STILL = (RunOutcome.THROTTLED, RunOutcome.MUTED, RunOutcome.CANCELLED)
TAGGING = frozenset({"tag", "untag"})  # actions that change what later rules see
ERROR_MAX = 500

_NEW = Prepared(
    lambda: (
        event_rows.columns().where((Event.id > slot("after")) & (Event.id <= slot("to"))).order_by(Event.id)
    )
)

# By source id (None: any source) the ranges of event ids that rules evaluate: after < id <= to.
Ranges = Mapping[int | None, Sequence[tuple[int, int]]]
_STOPPED = {
    Outcome.ERROR: RunOutcome.ERROR,
    Outcome.LOOP_STOPPED: RunOutcome.LOOP_STOPPED,
    Outcome.DEPTH_STOPPED: RunOutcome.DEPTH_STOPPED,
}


def evaluate(after: int, to: int, ranges: Ranges | None = None, types: Collection[str] | None = None) -> None:
    """Evaluate the rules for the events with `after` < id <= `to`, in the digest's transaction.

    `ranges` narrows this to the events that rules may evaluate: an import is quiet. Where no rule in
    force concerns any type, or none of `types` where the caller knows them, this costs one lookup. Events
    that were evaluated before make no second run.
    """
    live = active_rules.live()
    if not live.types or (types is not None and live.types.isdisjoint(types)) or active_rules.stopped():
        return
    rows = map(EventRow._make, _NEW.rows(after=after, to=to))
    found = [
        row
        for row in rows
        if row.type in live.types and (ranges is None or is_within(ranges, row.source_id, row.id))
    ]
    if found:
        work = EvaluationPass(live)
        work.events(found)
        work.end()


def is_within(by_source: Ranges, source_id: int, event_id: int) -> bool:
    return any(
        after < event_id <= to for source in (source_id, None) for after, to in by_source.get(source, ())
    )


class EvaluationPass:
    """One pass of the engine: a cache of what it has read, and what it writes at the end."""

    def __init__(self, live: Live) -> None:
        self.live, self.people, self.limits = live, People(), LimitStore()
        self.now_ms = clock.now_ms()
        self._paused: set[int] = set()
        self._ran: dict[int, int] = {}
        self._errors = dict(Rule.select(Rule.id, Rule.errors).where(Rule.errors > 0).tuples())
        self._errors_before = dict(self._errors)
        self._latest: dict[str, tuple[EventFacts, set[int]]] = {}
        self._samples: dict[int, tuple[LiveRule, matcher.Evaluation, str]] = {}

    def events(self, rows: Sequence[EventRow]) -> None:
        """Evaluate the rules for events in the order of their ids, counts after each event."""
        buckets = self.live.index.buckets
        folding = [row for row in rows if row.type in self.live.folded]
        folded = subject_state.fold_batch(folding)
        crossings = open_counts.crossings(self.live, folding, folded)
        folded.save()
        matching = [row for row in rows if row.type in buckets]
        for start in range(0, len(matching), AT_ONCE):
            for facts in of_events(matching[start : start + AT_ONCE], folded.seen, tags=False):
                self.event(facts)
        timers.arm(self.live, [row for row in rows if row.type in self.live.waking])
        for crossing in crossings:
            self.fire(*crossing, late_s=event_facts.late_s(crossing.facts, crossing.at_ms))

    def event(self, facts: EventFacts) -> None:
        """Evaluate the rules for one event; tags added by one rule are visible to those after it."""
        if self.live.tagged:
            facts[TAGS] = tags_of(facts)
        found = matcher.match(self.live.index, facts)
        done: list[matcher.Evaluation] = []
        while found:
            run = found.pop(0)
            done.append(run)
            rule = self.live.rules[run.rule.id]
            if rule.id not in self._paused and self._covers(rule, facts):
                self._matched(rule, run)
                if self.live.tagged and any(action.do in TAGGING for action in rule.definition.then):
                    facts = EventFacts({**facts, TAGS: tags_of(facts)})
                    again = matcher.match(self.live.index, facts)
                    found = [each for each in again if each.rule.order > run.rule.order]
        self._note_unmatched(facts, done)

    def fire(
        self, rule: LiveRule, facts: EventFacts, firing: str, at_ms: int, late_s: int = 0
    ) -> RunOutcome | None:
        """Evaluate one rule for a deadline or a count that was reached.

        `firing` names it once and for all: the rule's version and it make one run. `at_ms` is when it was
        due, `late_s` how much later this is; over a day late the run is recorded as expired and does
        nothing. None where there is no run: it did not match, ran before, or is not the owner's to see.
        """
        if rule.id in self._paused or not self._covers(rule, facts):
            return None
        run = matcher.explain(rule.spec, facts, self.live.index.max_depth)
        if run.outcome is Outcome.NOT_MATCHED:
            if len(self._samples) < SAMPLES:
                self._samples.setdefault(rule.id, (rule, run, firing))
            return None
        episode = str(facts.get("episode", firing))
        return self._carry_out(rule, run, firing, at_ms, episode, late_s)

    def end(self) -> None:
        """Write the limits, counts and traces of the pass."""
        self.limits.flush()
        for rule_id, at_ms in self._ran.items():
            Rule.update(last_run_ms=at_ms).where(Rule.id == rule_id).execute()
        for rule_id, errors in self._errors.items():
            if errors != self._errors_before.get(rule_id, 0):
                Rule.update(errors=errors).where(Rule.id == rule_id).execute()
        self._write_samples()
        runs.plan_pruning()

    def _covers(self, rule: LiveRule, facts: EventFacts) -> bool:
        """Personal rules are evaluated for events that their owner may see at this moment."""
        return rule.owner is None or covers(self.people.scope(rule.owner), facts)

    def _matched(self, rule: LiveRule, run: matcher.Evaluation) -> None:
        episode, at_ms = str(run.facts.get("episode", EVENT)), event_facts.at_ms(run.facts)
        if run.outcome is Outcome.MATCHED and rule.definition.times is not None:
            crossing = self.limits.crossing(rule.id, rule.definition.times, run.facts)
            if crossing is None:
                return
            episode = rate_limits.episode_key("count", crossing)
        if run.outcome is Outcome.MATCHED and rule.definition.wait is not None:
            timers.wait(rule, run.facts)
            return
        late_s = event_facts.late_s(run.facts, run.facts["time"])
        self._carry_out(rule, run, run.firing, at_ms, episode, late_s)

    def _carry_out(
        self, rule: LiveRule, run: matcher.Evaluation, firing: str, at_ms: int, episode: str, late_s: int = 0
    ) -> RunOutcome | None:
        """Create the run once and execute its actions; an error inside fails this run only."""
        begun_ns = time.perf_counter_ns()
        try:
            with database.atomic():
                row = runs.begin(firing, rule, run.facts, RunOutcome.WAITING, at_ms, late_s)
                if row is None:
                    return None
                outcome, held, error = self._do(rule, run, row, at_ms, episode, late_s)
        except AWAY:
            raise
        except Exception as accident:
            logger.exception("rule %s failed", rule.id)
            row = runs.begin(firing, rule, run.facts, RunOutcome.ERROR, at_ms, late_s)
            outcome, held, error = RunOutcome.ERROR, 0, f"{type(accident).__name__}: {accident}"
        self._count_errors(rule, run.facts, outcome)
        if row is not None:
            self._ran[rule.id] = max(row.made_ms, self._ran.get(rule.id, 0))
            took = (time.perf_counter_ns() - begun_ns) // 1000
            update_row(
                Run,
                row.id,
                outcome=outcome.value,
                held=held,
                error=error[:ERROR_MAX],
                trace=_trace(run),
                took_us=min(took, 2**31 - 1),
            )
            if outcome is RunOutcome.FAILED:
                runs.notify_failed(row)
        return outcome

    def _do(
        self, rule: LiveRule, run: matcher.Evaluation, row: Run, at_ms: int, episode: str, late_s: int
    ) -> tuple[RunOutcome, int, str]:
        if run.outcome is not Outcome.MATCHED:
            return _STOPPED[run.outcome], 0, ""
        if late_s > timeliness.MAX_LATE_S:
            return RunOutcome.EXPIRED, 0, ""
        planner = ActionPlanner(rule, run.facts, self.people, self.now_ms, row.id)
        runner = ActionRunner(planner, self.limits, at_ms // 1000, episode, rule.shadow)
        if rule.shadow:
            return (*runner.dry_run(), "")
        acted = runner.execute(row)
        if runner.hit:
            data = {"rule": rule.name, "run_outcome": acted.outcome.value}
            internal.append("rule.limit_hit", data, chain=(*run.facts["chain"], rule.id))
        if acted.outcome not in STILL and self.limits.breaks(rule.id, run.facts, at_ms):
            self._pause(rule, loop_guard.TOO_OFTEN, run.facts)
        return (*acted, "")

    def _count_errors(self, rule: LiveRule, facts: EventFacts, outcome: RunOutcome) -> None:
        if outcome is not RunOutcome.ERROR:
            if self._errors.get(rule.id):
                self._errors[rule.id] = 0
            return
        self._errors[rule.id] = self._errors.get(rule.id, 0) + 1
        if self._errors[rule.id] >= loop_guard.MAX_ERRORS:
            self._pause(rule, loop_guard.FAILING, facts)

    def _pause(self, rule: LiveRule, reason: str, facts: EventFacts) -> None:
        self._paused.add(rule.id)
        loop_guard.pause(rule, reason, self.people, facts["chain"])

    def _note_unmatched(self, facts: EventFacts, found: Sequence[matcher.Evaluation]) -> None:
        """Note which rules did not match an event; the newest event of a type stands for the others."""
        listed = {run.rule.id for run in found}
        self._latest[facts["type"]] = (facts, listed)
        if self._errors:
            for spec in self.live.index.concerning(facts["type"]):
                if spec.id in self._errors and spec.id not in listed:
                    self._errors[spec.id] = 0

    def _write_samples(self) -> None:
        """Store traces of events that did not match, at most one a minute for each rule."""
        for type_, (facts, listed) in self._latest.items():
            for spec in self.live.index.concerning(type_):
                if spec.id not in listed and len(self._samples) < SAMPLES:
                    run = matcher.explain(spec, facts, self.live.index.max_depth)
                    self._samples.setdefault(spec.id, (self.live.rules[spec.id], run, run.firing))
        if not self._samples:
            return
        since = self.now_ms - SAMPLED_EVERY_MS
        recent = Run.select(Run.rule_id).where(
            (Run.made_ms > since) & (Run.outcome == RunOutcome.NOT_MATCHED.value)
        )
        known = {row[0] for row in recent.tuples()}
        for rule, run, firing in self._samples.values():
            if run.outcome is Outcome.NOT_MATCHED and rule.id not in known and self._covers(rule, run.facts):
                row = runs.begin(firing, rule, run.facts, RunOutcome.NOT_MATCHED, run.facts["time"])
                if row is not None:
                    update_row(Run, row.id, trace=_trace(run))


def _trace(run: matcher.Evaluation) -> dict[str, Any]:
    return run.trace.as_json()


AGAIN = "ask_rules"


def evaluate_safely(after: int, to: int, ranges: Ranges, types: Collection[str]) -> None:
    """Evaluate the rules for the events with `after` < id <= `to`, which are of these types, in the digest's
    transaction; see react().

    Where that fails nothing of it stands, the trail is folded all the same, and a job asks again.
    """
    try:
        with database.atomic():
            evaluate(after, to, ranges, types)
    except AWAY:
        raise
    except Exception:
        logger.exception("rules could not be evaluated for events %s to %s", after + 1, to)
        stored_ranges = [[source, *part] for source, parts in ranges.items() for part in parts]
        jobs.enqueue(AGAIN, {"after": after, "to": to, "asked": stored_ranges})


def retry_evaluation(waiting: list[Job]) -> None:
    """Evaluate the rules again; runs that exist for these events are not repeated."""
    args = waiting[0].args
    ranges: dict[int | None, list[tuple[int, int]]] = {}
    for source, after, to in args["asked"]:
        ranges.setdefault(source, []).append((after, to))
    with database.atomic():
        dialect.one_at_a_time(Lock.PROJECTION)
        evaluate(args["after"], args["to"], ranges)
