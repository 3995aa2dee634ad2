"""The periods in which a subject's state lasts, out of its events. Pure.

A period is one unbroken time: a ticket untouched since its last message, open since it was created or
reopened, with one follow-up agreed. Source: episodes, semantics 9.5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from json import loads
from typing import Any, NamedTuple, Protocol

from dashboard import catalog
from dashboard.catalog import Origin, lifecycle
from dashboard.catalog.lifecycle import InteractionState
from dashboard.intervals import subtract, union
from dashboard.rulelang.fields import is_empty
from dashboard.rulelang.rate_limits import episode_key
from dashboard.rulelang.triggers import DEADLINES

AGENT_IDLE, PAUSE_LIMIT = "agent.idle", "agent.pause_limit_reached"
# The events that may begin a period of a deadline type about agents.
OF_AGENTS = {
    AGENT_IDLE: frozenset({"agent.ready", "agent.pause_ended"}),
    PAUSE_LIMIT: frozenset({"agent.pause_started", "agent.pause_reason_given", "agent.ready"}),
}
# Looking at a ticket is no work on it.
_NO_ACTIVITY = frozenset({"ticket.viewed"})
# The field that names the time, and the verb that settles it.
_DATED = {
    "ticket.followup_due": ("followup_at", "followup_done"),
    "task.due": ("due_at", "completed"),
    "task.overdue": ("due_at", "completed"),
}
QUEUED = frozenset({"call.waiting", "chat.waiting"})  # waits of the life cycle
_EPOCH = datetime.fromtimestamp(0, UTC)


class PeriodEvent(Protocol):
    """An event as deadlines see it: rules.event_rows.EventRow is one. `data` is JSON text."""

    @property
    def id(self) -> int: ...
    @property
    def type(self) -> str: ...
    @property
    def time_ms(self) -> int: ...
    @property
    def data(self) -> str: ...
    @property
    def user_id(self) -> int | None: ...
    @property
    def queue_id(self) -> int | None: ...
    @property
    def source_id(self) -> int: ...
    @property
    def seq(self) -> int: ...
    @property
    def file_ts(self) -> int | None: ...
    @property
    def uid(self) -> int | None: ...
    @property
    def external_id(self) -> str: ...


class Moment(NamedTuple):
    """An event of a subject; whether its interaction was open, and waited in a queue, after its instant."""

    event: PeriodEvent
    is_open: bool
    waits: bool


class StatePeriod(NamedTuple):
    """A state that lasts from `begun_ms` up to `end_ms` (None: it still does).

    Deadlines are counted from `base_ms`, which differs where the data names a time. `episode` names the
    period, `event_id` is the event that began it, 0 where none did.
    """

    begun_ms: int
    base_ms: int
    end_ms: int | None
    event_id: int
    episode: str


def periods(type_: str, events: Sequence[PeriodEvent]) -> list[StatePeriod]:
    """Return the periods of the state that a deadline type is about, in order.

    `events` are all of the interaction, in any order: whether it is open depends on every one of them, the
    state itself on those of the type's kind.
    """
    kind = kind_of(type_)
    moments = [moment for moment in _moments(events) if kind_of(moment.event.type) == kind]
    if type_ in _DATED:
        return _dated(moments, *_DATED[type_], type_.partition(".")[2])
    if type_.endswith(".idle"):
        return _idle(moments)
    if type_ in QUEUED:
        return _waiting(moments)
    if type_ in DEADLINES and type_ not in OF_AGENTS:
        return _open(moments, _SETTLED.get(type_, _never), type_.partition(".")[2].partition("_")[0])
    return []


def _moments(events: Sequence[PeriodEvent]) -> list[Moment]:
    state, found = InteractionState(), []
    for _at, group in groupby(sorted(events, key=order), key=lambda event: event.time_ms):
        instant = list(group)
        state = lifecycle.fold_events(instant, state)
        found += [Moment(event, state.is_open, bool(state.waits)) for event in instant]
    return found


def agent_periods(
    user_id: int, lasting: Iterable[tuple[int, int]], busy: Iterable[tuple[int, int]], name: str = "idle"
) -> list[StatePeriod]:
    """Return when an agent was ready and had nothing to do, or on a pause, of spans in UTC seconds.

    A span that still lasts ends in the far future. `name` begins the names of the episodes.
    """
    found = subtract(union(lasting), union(busy))
    return [
        StatePeriod(start * 1000, start * 1000, end * 1000, 0, episode_key(name, f"{user_id}:{start}"))
        for start, end in found
    ]


def is_activity(event_type: str) -> bool:
    """Say whether an event is work on its subject: not a deadline or a count, and not a mere look."""
    known = catalog.CATALOG.get(event_type)
    origin = Origin.CHANGE if known is None else known.origin
    return origin not in (Origin.TIMER, Origin.COUNTER) and event_type not in _NO_ACTIVITY


def kept_ms(type_: str, at_ms: int) -> int:
    """Return an instant at the resolution in which the periods of a deadline type are kept, in ms.

    Those of agents come from folded intervals, which know whole seconds: a deadline armed at the event's own
    millisecond would lie behind the deadline of the period that the event begins, and never be met.
    """
    return at_ms // 1000 * 1000 if type_ in OF_AGENTS else at_ms


def is_dated(type_: str) -> bool:
    """Say whether a deadline type counts from a time that an event's data names."""
    return type_ in _DATED


def named_ms(type_: str, data: str) -> int | None:
    """Return the time that an event's data names for a deadline type that asks for one, in ms."""
    value = _value(data, _DATED[type_][0]) if type_ in _DATED else None
    return None if value is None else _instant(value)


def _idle(moments: Sequence[Moment]) -> list[StatePeriod]:
    """Untouched periods: from each activity to the next, or to the end."""
    found: list[StatePeriod] = []
    last: PeriodEvent | None = None
    for event, is_open, _waits in moments:
        if not is_open:
            _shut(found, last, event, "idle")
            last = None
        elif is_activity(event.type):
            _shut(found, last, event, "idle")
            last = event
    _shut(found, last, None, "idle")
    return found


def _open(moments: Sequence[Moment], settles: Callable[[PeriodEvent], bool], name: str) -> list[StatePeriod]:
    """Open periods: from the first event, or from being opened again, to the end or what settles it."""
    found: list[StatePeriod] = []
    first: PeriodEvent | None = None
    over = False
    for event, is_open, _waits in moments:
        if not is_open or settles(event):
            _shut(found, first, event, name)
            first, over = None, is_open
        elif first is None and is_activity(event.type) and not over:
            first = event
    _shut(found, first, None, name)
    return found


def _waiting(moments: Sequence[Moment]) -> list[StatePeriod]:
    """Waits in queues: from the event that begins one, through other queues, to where none is left."""
    found: list[StatePeriod] = []
    first: PeriodEvent | None = None
    for event, _is_open, waits in moments:
        if not waits:
            _shut(found, first, event, "waiting")
            first = None
        elif first is None:
            first = event
    _shut(found, first, None, "waiting")
    return found


def _is_moderated(event: PeriodEvent) -> bool:
    return verb_of(event.type) == "status_changed"


def _is_taken(event: PeriodEvent) -> bool:
    """Say whether somebody is assigned to a ticket, or answers it."""
    answered = event.type in ("ticket.assigned", "ticket.message_sent")
    return answered or not is_empty(_value(event.data, "assignee"))


def _never(event: PeriodEvent) -> bool:
    return False


_SETTLED = {"thread.moderation_due": _is_moderated, "ticket.waiting": _is_taken}


def _shut(found: list[StatePeriod], begun: PeriodEvent | None, by: PeriodEvent | None, name: str) -> None:
    if begun is not None:
        end = None if by is None else by.time_ms
        found.append(StatePeriod(begun.time_ms, begun.time_ms, end, begun.id, episode_key(name, begun.id)))


def _dated(moments: Sequence[Moment], field: str, settled: str, name: str) -> list[StatePeriod]:
    """Periods in which one time is agreed: until another is, until it is settled, until the end."""
    found: list[StatePeriod] = []
    begun: PeriodEvent | None = None
    agreed: Any = None
    for event, is_open, _waits in moments:
        value = _value(event.data, field)
        over = not is_open or verb_of(event.type) == settled
        if not over and (value is None or value == agreed or not is_activity(event.type)):
            continue
        _agreed(found, begun, agreed, event.time_ms, name)
        begun, agreed = (None, None) if over or is_empty(value) else (event, value)
    _agreed(found, begun, agreed, None, name)
    return found


def _agreed(
    found: list[StatePeriod], begun: PeriodEvent | None, agreed: Any, end_ms: int | None, name: str
) -> None:
    base = None if begun is None else _instant(agreed)
    if begun is not None and base is not None:
        found.append(StatePeriod(begun.time_ms, base, end_ms, begun.id, episode_key(name, begun.id)))


def _value(data: str, field: str) -> Any:
    """Return a field of an event's data, None where it is missing."""
    return loads(data).get(field) if f'"{field}"' in data else None


def _instant(value: Any) -> int | None:
    try:
        return (datetime.fromisoformat(value.upper()) - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, TypeError, OverflowError, AttributeError):  # no text, or a time without an offset
        return None


def order(event: PeriodEvent) -> tuple[int, int]:
    return event.time_ms, event.id


def kind_of(event_type: str) -> str:
    return event_type.partition(".")[0]


def verb_of(event_type: str) -> str:
    return event_type.rpartition(".")[2]
