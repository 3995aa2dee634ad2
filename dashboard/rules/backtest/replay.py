"""Replays stored events for a backtest: in recorded order, with deadlines at the time they fall due.

The result is what the live engine did or would have done. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import NamedTuple

from peewee import fn

from dashboard import catalog
from dashboard.clock import DAY_MS
from dashboard.events import timeliness
from dashboard.models import Event, Source
from dashboard.rulelang import rate_limits, working_time
from dashboard.rulelang.fields import EventFacts
from dashboard.rulelang.fields import facts as of_values
from dashboard.rulelang.matcher import Outcome
from dashboard.rulelang.rate_limits import Level, episode_key
from dashboard.rulelang.schema import Definition
from dashboard.rulelang.triggers import SCHEDULE, After, Count, Schedule, Wait
from dashboard.rules import active_rules, event_facts, event_rows, open_counts, subject_history
from dashboard.rules.backtest.simulator import Simulator
from dashboard.rules.backtest.summary import BacktestRun
from dashboard.rules.event_rows import EventRow
from dashboard.rules.open_counts import Holder, OpenCounts
from dashboard.rules.subject_fold import Fold
from dashboard.rules.subject_history import History
from dashboard.rules.subject_state import Holding, holding
from dashboard.rules.timing import deadlines, state_periods
from dashboard.rules.timing.deadlines import Calendars, counted_kinds
from dashboard.rules.timing.state_periods import OF_AGENTS

STEP = 2000  # ids of events in one read
SUBJECTS = 200  # interactions in one read


class Period(NamedTuple):
    """Which events are evaluated: those with `start_ms` <= time < `end_ms`, and deadlines due then."""

    start_ms: int
    end_ms: int


class ReplayBatch(NamedTuple):
    """How far the backtest is: `done` of `total` steps; `asked` is how many events or deadlines were put to
    the rule, `found` what it made of them."""

    done: int
    total: int
    asked: int
    found: list[BacktestRun]


def walk(simulator: Simulator, period: Period) -> Iterator[ReplayBatch]:
    """Try a rule that may have counted before; see `over`."""
    definition = simulator.rule.definition
    if definition.schedule is not None:
        return _schedule(simulator, definition.schedule, period)
    if definition.after is not None:
        return _deadlines(simulator, definition.after, period)
    if definition.count is not None:
        return _counts(simulator, definition.count, period)
    return (
        _events(simulator, period) if definition.wait is None else _waits(simulator, definition.wait, period)
    )


def batches(types: Sequence[str], period: Period) -> Iterator[tuple[int, int, list[EventRow]]]:
    """Yield (done, total, events of these types in the order of their ids) for ranges of ids."""
    inside = (Event.time_ms >= period.start_ms) & (Event.time_ms < period.end_ms)
    first, last = Event.select(fn.MIN(Event.id), fn.MAX(Event.id)).where(inside).tuples().get()
    if first is None:
        return
    # Through a function, so that the database walks the ids and not each time the whole index of types.
    wanted = fn.COALESCE(Event.type, "").in_(sorted(types))
    for after in range(first - 1, last, STEP):
        query = event_rows.columns().where(
            (Event.id > after) & (Event.id <= min(after + STEP, last)) & wanted & inside
        )
        yield min(after + STEP, last) - first + 1, last - first + 1, event_rows.rows(query.order_by(Event.id))


def _events(simulator: Simulator, period: Period) -> Iterator[ReplayBatch]:
    for done, total, rows in batches(simulator.rule.spec.types, period):
        made = (simulator.event(each) for each in simulator.facts(rows))
        yield ReplayBatch(done, total, len(rows), [found for found in made if found is not None])


def _waits(simulator: Simulator, wait: Wait, period: Period) -> Iterator[ReplayBatch]:
    """Ask after each wait that nothing called off, as it falls due within the period."""
    calendars = active_rules.load_calendars()
    waiting: list[tuple[int, int]] = []
    done = total = 0
    for done, total, rows in batches(simulator.rule.spec.types, period):
        by_id = {row.id: row for row in rows}
        for each in simulator.facts(rows):
            run = simulator.asks(each)
            ahead = event_facts.is_clock_ahead(each)
            if run is None or run.outcome is not Outcome.MATCHED or ahead:
                continue
            row = by_id[each["id"]]
            due = deadlines.later(row.time_ms, wait.seconds, wait.calendar, calendars)
            if due is None or due >= period.end_ms:
                continue
            if (
                deadlines.called_off(row, wait.unless, subject_history.others(row, wait.unless, due), due)
                is None
            ):
                waiting.append((due, row.id))
        yield ReplayBatch(done, total, len(rows), [])
    for due, event in sorted(waiting):
        seen = event_facts.of_event(event)
        found = None
        if seen is not None:
            late_s = event_facts.late_s(seen, due)
            found = _fire(simulator, seen, deadlines.wait_episode(event), due, late_s=late_s)
        yield ReplayBatch(done, total, 0, [found] if found else [])


class ReplayDeadline(NamedTuple):
    """A deadline of one subject: an interaction of a source, or a user by id where `source` is 0."""

    at_ms: int
    episode: str
    type: str
    source: int
    name: str


def _deadlines(simulator: Simulator, after: After, period: Period) -> Iterator[ReplayBatch]:
    """Collect what falls due in the period, subject by subject; then ask in that order."""
    calendars = active_rules.load_calendars()
    due: list[ReplayDeadline] = []
    portions = list(_subjects(simulator.rule.definition, period))
    for n, (type_, source, names) in enumerate(portions):
        for name, history in _histories(type_, source, names, period).items():
            found = _due(history, after, calendars, period)
            due += (ReplayDeadline(at_ms, episode, type_, source, name) for at_ms, episode in found)
        yield ReplayBatch(n + 1, len(portions) * 2, 0, [])
    due.sort()
    for start in range(0, len(due), SUBJECTS):
        part = due[start : start + SUBJECTS]
        made = [_evaluated(simulator, each, period) for each in part]
        yield ReplayBatch(
            len(due) + start, len(due) * 2, len(part), [each for each in made if each is not None]
        )


def _due(history: History, after: After, calendars: Calendars, period: Period) -> Iterator[tuple[int, str]]:
    for state_period in history.periods:
        at_ms = deadlines.due_ms(state_period, after, calendars)
        if (
            at_ms is not None
            and period.start_ms <= at_ms < period.end_ms
            and deadlines.holds(state_period, at_ms)
        ):
            yield at_ms, state_period.episode


def _evaluated(simulator: Simulator, due: ReplayDeadline, period: Period) -> BacktestRun | None:
    history = _histories(due.type, due.source, [due.name], period)[due.name]
    state_period = next(each for each in history.periods if each.episode == due.episode)
    user_id = int(due.name) if due.type in OF_AGENTS else None
    cause = subject_history.cause(due.type, history, state_period, user_id)
    late_s = 0
    if cause is not None:
        late_s = timeliness.late_s(cause.source_id, cause.time_ms, cause.recorded_ms, due.at_ms)
    return _fire(
        simulator, history.facts(due.type, state_period, due.at_ms), due.episode, due.at_ms, late_s=late_s
    )


def _histories(type_: str, source: int, names: Sequence[str], period: Period) -> dict[str, History]:
    if type_ not in OF_AGENTS:
        return subject_history.of_interactions(type_, source, names)
    return {name: subject_history.read(type_, None, None, int(name), period.start_ms) for name in names}


def _subjects(definition: Definition, period: Period) -> Iterator[tuple[str, int, list[str]]]:
    """Yield (type, source, names) of whatever may fall due in the period, in portions."""
    for type_ in definition.types:
        inside = (Event.time_ms >= _since(definition, type_, period)) & (Event.time_ms < period.end_ms)
        if type_ in OF_AGENTS:
            begun = Event.type.in_(sorted(OF_AGENTS[type_])) & Event.user_id.is_null(False)
            users = Event.select(Event.user_id).where(inside & begun).distinct().order_by(Event.user_id)
            yield from ((type_, 0, part) for part in _portions(str(row[0]) for row in users.tuples()))
            continue
        kind = state_periods.kind_of(type_)
        of_kind = (Event.type >= f"{kind}.") & (Event.type < f"{kind}/") & Event.interaction.is_null(False)
        for (source,) in list(Source.select(Source.id).order_by(Source.id).tuples()):
            query = Event.select(Event.interaction).where((Event.source_id == source) & of_kind & inside)
            names = (row[0] for row in query.distinct().order_by(Event.interaction).tuples())
            yield from ((type_, source, part) for part in _portions(names))


def _since(definition: Definition, type_: str, period: Period) -> int:
    """Return from when on a subject must have an event for a deadline to lie in the period."""
    if type_ in OF_AGENTS:
        return period.start_ms - DAY_MS  # an agent is ready for a shift at most
    if definition.after is None or definition.after.calendar or state_periods.is_dated(type_):
        return 0
    return period.start_ms - definition.after.seconds * 1000


def _portions(names: Iterable[str]) -> Iterator[list[str]]:
    part: list[str] = []
    for name in names:
        part.append(name)
        if len(part) == SUBJECTS:
            yield part
            part = []
    if part:
        yield part


def _schedule(simulator: Simulator, schedule: Schedule, period: Period) -> Iterator[ReplayBatch]:
    calendar = active_rules.load_calendars().get(schedule.calendar)
    zone = simulator.rule.definition.zone or (calendar.zone if calendar else simulator.rule.spec.context.zone)
    start, end = period.start_ms // 1000, period.end_ms // 1000
    for planned in working_time.runs(schedule, zone, calendar, start, end):
        at_ms = planned * 1000
        seen = of_values(f"{SCHEDULE}:{at_ms}", SCHEDULE, at_ms, {"name": simulator.rule.name})
        found = _fire(simulator, seen, f"schedule:{at_ms}", at_ms)
        yield ReplayBatch(
            at_ms - period.start_ms, period.end_ms - period.start_ms, 1, [found] if found else []
        )


def _counts(simulator: Simulator, count: Count, period: Period) -> Iterator[ReplayBatch]:
    """Count after every event what agents or queues have open, from the beginning of the log on."""
    folds: dict[tuple[int, str], Fold] = {}
    last: dict[tuple[int, str], Holding] = {}
    levels: dict[Holder, Level] = {}
    counts = OpenCounts()
    kinds = sorted(counted_kinds(simulator.rule.definition.types))
    types = [name for name in catalog.CATALOG if state_periods.kind_of(name) in kinds]
    for done, total, rows in batches(types, Period(0, period.end_ms)):
        found: list[BacktestRun] = []
        for row in event_rows.in_time(rows):
            if row.interaction is None:
                continue
            name = (row.source_id, row.interaction)
            state = folds.setdefault(name, Fold(None, list)).add(row).after
            touched = counts.move(last.get(name), holding(state))
            last[name] = holding(state)
            inside = period.start_ms <= row.time_ms
            for type_, holder in product(simulator.rule.definition.types, touched):
                if holder[0] != count.by:
                    continue
                value = counts.value(type_, holder)
                crossed, levels[holder] = rate_limits.cross(
                    levels.get(holder, Level()), value, count.number, count.clear
                )
                if crossed and inside:
                    facts = open_counts.facts_of(type_, count, holder, value, row, state)
                    firing = open_counts.firing_of(type_, holder, levels[holder])
                    episode = episode_key("count", levels[holder].crossing)
                    late_s = event_facts.late_s(facts, row.time_ms)
                    run = _fire(simulator, facts, firing, row.time_ms, episode, late_s)
                    found += [run] if run is not None else []
        yield ReplayBatch(done, total, len(rows), found)


def _fire(
    simulator: Simulator, seen: EventFacts, firing: str, at_ms: int, episode: str = "", late_s: int = 0
) -> BacktestRun | None:
    seen["episode"] = episode or firing
    return simulator.fire(seen, firing, at_ms, late_s)
