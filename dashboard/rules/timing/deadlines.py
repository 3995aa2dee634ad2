"""Derives deadlines from the events of a subject: periods in which a state lasts, and what falls due. Pure.

A period is an unbroken time in which a state lasts: a ticket without changes since its last message, open
since it was created or reopened, with an agreed follow-up. A deadline lies a given time (any or working
time) after the base of the period and fires if the period still lasts then; an event at exactly that
instant counts as before it. The result is a function of the events alone, whenever and however often it is
computed. Source: semantics 9.5 and 9.6.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dashboard import catalog
from dashboard.catalog import effects
from dashboard.rulelang.rate_limits import episode_key
from dashboard.rulelang.triggers import COUNTERS, DEADLINES, After
from dashboard.rulelang.working_time import WorkCalendar
from dashboard.rules.timing.state_periods import (
    OF_AGENTS,
    QUEUED,
    PeriodEvent,
    StatePeriod,
    is_activity,
    kind_of,
    order,
)

# What each counter type counts, by the first word of its events' types.
COUNTED = {
    "ticket.count_reached": ("ticket",),
    "chat.count_reached": ("chat",),
    "agent.capacity_reached": ("chat", "ticket"),
}
Calendars = Mapping[str, WorkCalendar]


def holds(period: StatePeriod, due: int) -> bool:
    """Say whether the period still lasts at an instant."""
    return period.end_ms is None or due < period.end_ms


def due_ms(period: StatePeriod, after: After, calendars: Calendars) -> int | None:
    """Return when a period falls due for a rule; None where its calendar has no such time, or is gone.

    What was over when the period began (a task made with a date in the past) falls due at once.
    """
    due = later(period.base_ms, after.seconds, after.calendar, calendars)
    return None if due is None else max(due, period.begun_ms)


def later(base_ms: int, seconds: int, calendar: str, calendars: Calendars) -> int | None:
    """Return the instant so many seconds after another, of working time where a calendar is named."""
    if not calendar:
        return base_ms + seconds * 1000
    known = calendars.get(calendar)
    if known is None:
        return None
    begun = -(-base_ms // 1000)  # calendars know whole seconds
    try:
        due = known.add(begun, seconds)
    except (OverflowError, ValueError, OSError):  # at the ends of the calendar, the years 1 and 9999
        return None
    return None if due is None else due * 1000


def waking(types: Iterable[str]) -> frozenset[str]:
    """Return the event types that may begin a period of deadline types among these, or change what
    counter types among them count."""
    types = frozenset(types)
    counted = counted_kinds(types)
    found = {each for each in catalog.CATALOG if kind_of(each) in counted and is_activity(each)}
    for type_ in DEADLINES.intersection(types):
        if type_ in OF_AGENTS:
            found |= OF_AGENTS[type_]
        else:
            kind = type_.partition(".")[0]
            found.update(each for each in catalog.CATALOG if kind_of(each) == kind and begins(type_, each))
    return frozenset(found)


def counted_kinds(types: Iterable[str]) -> frozenset[str]:
    """Return what counter types among these count: the first words of types of events."""
    return frozenset(kind for type_ in COUNTERS.intersection(types) for kind in COUNTED[type_])


def begins(type_: str, event_type: str) -> bool:
    """Say whether an event of `event_type` may begin a period of the deadline type `type_`."""
    if type_ in OF_AGENTS:
        return event_type in OF_AGENTS[type_]
    if type_ in QUEUED:
        return effects.effect_of(event_type).activity is effects.OnActivity.WAITS
    return is_activity(event_type) and not effects.ends_always(event_type)


def called_off(
    event: PeriodEvent, unless: Iterable[str], others: Iterable[PeriodEvent], due: int
) -> PeriodEvent | None:
    """Return the event, of one of the types `unless`, that calls off the wait after `event`."""
    types = frozenset(unless)
    fitting = [
        each for each in others if each.type in types and order(each) > order(event) and each.time_ms <= due
    ]
    return min(fitting, key=order, default=None)


def wait_episode(event_id: int | str) -> str:
    """Return the name of the wait after an event."""
    return episode_key("wait", event_id)
