"""Queries of the operations page; each is bounded in time or number of rows."""

from __future__ import annotations

from typing import Any, NamedTuple

from peewee import SQL, fn

from dashboard import clock
from dashboard.access.scope import Scope
from dashboard.jobs import heartbeat
from dashboard.models import Event, Job, Rule, RuleGroup, Run, Step, Timer
from dashboard.rulelang.matcher import State
from dashboard.rulelang.outcomes import StepState
from dashboard.rules import active_rules, permissions
from dashboard.rules.timing.timers import TimerState
from dashboard.web import forwarded
from dashboard.web.forwarded import Unbelieved

MINUTES = 60
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
COUNTED = 100_000  # maximum count of a kind of rows; shown as "more than" beyond
SLOWEST = 10
SHOWN = 100  # maximum number of automatically paused rules listed


class Rate(NamedTuple):
    """Number of events of each minute by event time, oldest first; `start_ts` is the first minute."""

    start_ts: int
    events: tuple[int, ...]

    @property
    def most(self) -> int:
        return max(self.events)


class Due(NamedTuple):
    """Pending rows: total, overdue, and the delay of the oldest."""

    waiting: int
    overdue: int
    late_s: int | None


class Jobs(NamedTuple):
    kind: str
    waiting: int
    running: int
    failed: int
    oldest_s: int | None  # age of the oldest unfinished job


class Slow(NamedTuple):
    rule_id: int
    name: str | None  # None if the rule is outside the viewer's scope
    runs: int
    mean_us: int
    most_us: int


class Held(NamedTuple):
    """A rule that was paused automatically."""

    id: int
    name: str | None
    reason: str


class Board(NamedTuple):
    as_of: int
    stopped: bool
    rate: Rate
    jobs: list[Jobs]
    timers: Due
    deliveries: dict[str, int]  # by state of the step, at most COUNTED + 1
    workers: list[tuple[str, int]]  # name, seconds since the last heartbeat
    slow: list[Slow]
    held: list[Held]
    groups: list[RuleGroup]
    forwarded: Unbelieved | None

    @property
    def alive(self) -> list[str]:
        return [name for name, since_s in self.workers if since_s <= heartbeat.ALIVE_S]

    @property
    def lag_s(self) -> int | None:
        """Return the age in seconds of the oldest event that has not been processed."""
        return next((each.oldest_s for each in self.jobs if each.kind == "digest"), None)


def board(scope: Scope) -> Board:
    now_ms = clock.now_ms()
    return Board(
        now_ms // 1000,
        active_rules.stopped(),
        rate(now_ms),
        jobs(now_ms),
        timers(now_ms),
        deliveries(),
        heartbeat.workers(now_ms),
        slowest(scope, now_ms),
        held(scope),
        list(RuleGroup.select().order_by(RuleGroup.name)),
        forwarded.latest(),
    )


def rate(now_ms: int) -> Rate:
    """Return the number of events per minute over the last hour, without the current minute."""
    end = now_ms - now_ms % MINUTE_MS
    start = end - MINUTES * MINUTE_MS
    minute = (Event.time_ms - start) / MINUTE_MS
    query = Event.select(minute.alias("minute"), fn.COUNT(Event.id)).where(
        (Event.time_ms >= start) & (Event.time_ms < end)
    )
    found = {int(each): count for each, count in query.group_by(SQL("minute")).tuples()}
    return Rate(start // 1000, tuple(found.get(each, 0) for each in range(MINUTES)))


def jobs(now_ms: int) -> list[Jobs]:
    """Return the unfinished and failed jobs of each kind."""
    query = (
        Job.select(Job.kind, Job.state, fn.COUNT(Job.id), fn.MIN(Job.created_ms))
        .where(Job.state.in_(["waiting", "running", "failed"]))
        .group_by(Job.kind, Job.state)
    )
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for kind, state, count, oldest in query.tuples():
        found.setdefault(kind, {})[state] = count, oldest
    return [_jobs(kind, states, now_ms) for kind, states in sorted(found.items())]


def _jobs(kind: str, states: dict[str, tuple[int, int]], now_ms: int) -> Jobs:
    counts = {state: states.get(state, (0, 0))[0] for state in ("waiting", "running", "failed")}
    open_since = [states[state][1] for state in ("waiting", "running") if state in states]
    oldest_s = max(0, now_ms - min(open_since)) // 1000 if open_since else None
    return Jobs(kind, counts["waiting"], counts["running"], counts["failed"], oldest_s)


def timers(now_ms: int) -> Due:
    overdue = (Timer.state == TimerState.WAITING) & (Timer.due_ms <= now_ms)
    due = Timer.select(Timer.id).where(overdue)
    first = Timer.select(fn.MIN(Timer.due_ms)).where(overdue).scalar()
    late_s = (now_ms - first) // 1000 if first is not None else None
    return Due(up_to(Timer.select(Timer.id)), up_to(due), late_s)


def deliveries() -> dict[str, int]:
    wanted = (StepState.WAITING, StepState.RUNNING, StepState.UNCERTAIN, StepState.FAILED, StepState.DEAD)
    return {str(state): up_to(Step.select(Step.id).where(Step.state == state)) for state in wanted}


def slowest(scope: Scope, now_ms: int) -> list[Slow]:
    """Return the rules with the longest mean evaluation time over the last 24 hours."""
    mean = fn.AVG(Run.took_us)
    query = (
        Run.select(Run.rule_id, fn.COUNT(Run.id), mean, fn.MAX(Run.took_us))
        .where((Run.made_ms > now_ms - 24 * HOUR_MS) & (Run.made_ms <= now_ms) & (Run.took_us > 0))
        .group_by(Run.rule_id)
        .order_by(mean.desc())
        .limit(SLOWEST)
    )
    found = list(query.tuples())
    names = _names(scope, [row[0] for row in found])
    return [Slow(ident, names.get(ident), runs, round(average), most) for ident, runs, average, most in found]


def held(scope: Scope) -> list[Held]:
    query = Rule.select().where(Rule.state == State.PAUSED).order_by(Rule.position, Rule.id).limit(SHOWN)
    return [
        Held(rule.id, rule.name if permissions.can_see(scope, rule.owner_id) else None, rule.paused_reason)
        for rule in query
    ]


def up_to(query: Any) -> int:
    """Count the rows of a query, at most COUNTED + 1."""
    return int(query.limit(COUNTED + 1).count())


def _names(scope: Scope, ids: list[int]) -> dict[int, str]:
    query = Rule.select(Rule.id, Rule.name, Rule.owner_id).where(Rule.id.in_(ids))
    return {ident: name for ident, name, owner in query.tuples() if permissions.can_see(scope, owner)}
