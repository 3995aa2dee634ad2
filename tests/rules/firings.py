"""What a rule's deadlines come to, from the events alone: what the worker and backtests have to find."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from dashboard.rulelang.schema import Definition
from dashboard.rulelang.triggers import Wait
from dashboard.rules.timing import deadlines
from dashboard.rules.timing.deadlines import Calendars
from dashboard.rules.timing.state_periods import PeriodEvent, StatePeriod, periods


class Firing(NamedTuple):
    """A deadline that came true at `due_ms`. `type` is the event type that it stands for, or for a wait
    that of the event waited after."""

    due_ms: int
    base_ms: int
    episode: str
    event_id: int
    type: str


def firings(
    definition: Definition,
    events: Sequence[PeriodEvent],
    calendars: Calendars,
    until_ms: int,
    periods_of: Callable[[str, Sequence[PeriodEvent]], list[StatePeriod]] | None = None,
) -> list[Firing]:
    """Return what a rule's deadlines, or its wait, come to for one subject, rising, up to `until_ms`.

    `events` are all of the subject's, in any order; whether they meet the conditions is not checked. A
    wait is about every event of the rule's types that nothing called off. `periods_of` stands in for
    `state_periods.periods` where the events of a subject are not enough (agent.idle, see `agent_stretches`).
    """
    if definition.wait is not None:
        return _waits(definition, definition.wait, events, calendars, until_ms)
    if definition.after is None:
        return []
    found = []
    for type_ in definition.types:
        for period in (periods_of or periods)(type_, events):
            due = deadlines.due_ms(period, definition.after, calendars)
            if due is not None and due <= until_ms and deadlines.holds(period, due):
                found.append(Firing(due, period.base_ms, period.episode, period.event_id, type_))
    return sorted(found)


def _waits(
    definition: Definition, wait: Wait, events: Sequence[PeriodEvent], calendars: Calendars, until_ms: int
) -> list[Firing]:
    found = []
    for event in events:
        if event.type not in definition.types:
            continue
        due = deadlines.later(event.time_ms, wait.seconds, wait.calendar, calendars)
        if due is None or due > until_ms or deadlines.called_off(event, wait.unless, events, due) is not None:
            continue
        found.append(Firing(due, event.time_ms, deadlines.wait_episode(event.id), event.id, event.type))
    return sorted(found)
