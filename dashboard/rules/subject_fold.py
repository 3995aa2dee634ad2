"""What an interaction's events say of it: a fold in the order of their time. Pure.

Whether it is open or ended says `catalog.lifecycle`, for rules as for tracing. What an event changed is
compared with the state just before its own time; an event that is older than another one that was known
before it arrived late and changes nothing for rules (spec/rules.md, RD1 and RD2).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from dashboard import catalog
from dashboard.catalog import lifecycle
from dashboard.catalog.lifecycle import InteractionState
from dashboard.rulelang.fields import is_empty
from dashboard.rules.event_rows import EventRow

KEPT_TEXT = 400  # letters of a value that are kept; a longer one is known again by its mark
MAX_FIELDS = 200
MAX_LEVELS = 5

Changes = dict[str, tuple[Any, Any]]


@dataclass(frozen=True)
class State:
    """The fold of the events up to `event_id`, the highest id among them.

    `values` has by path what conditions may ask for; `status_id` is the event that began the present
    status: the last change of status, opening again, or the first event.
    """

    kind: str
    opened_ms: int
    last_ms: int
    event_id: int = 0
    status_id: int = 0
    user_id: int | None = None
    queue_id: int | None = None
    life: InteractionState = field(default_factory=InteractionState)
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ended_ms(self) -> int | None:
        """When the interaction ended, None while it is open."""
        return self.life.ended_ms


class EventEffect(NamedTuple):
    """What an event found and changed: the state as of its own time, itself included, and its changes.

    `after` is the state of all events known by then; it differs from `state` when the event came `late`.
    """

    changes: Changes
    state: State
    after: State
    late: bool = False


class Fold:
    """Folds the events of one interaction one by one, in the order in which they came.

    `state` is that of the earlier ones, None when there are none; `earlier` reads them, and is called
    only when an event does not follow all of them in time.
    """

    def __init__(self, state: State | None, earlier: Callable[[], Sequence[EventRow]]) -> None:
        self.state, self._earlier = state, earlier
        self._known: list[EventRow] | None = [] if state is None else None
        self._since: list[EventRow] = []

    def add(self, event: EventRow) -> EventEffect:
        """Fold one more event and return what it found and changed."""
        before = self.state
        if before is None or event.time_ms > before.last_ms:
            self.state, changes = apply_event(before, event)
            self._since.append(event)
            return EventEffect(changes, self.state, self.state)
        if self._known is None:
            self._known = list(self._earlier())
        self._known += [*self._since, event]
        self._since = []
        after = replace(fold(self._known), event_id=event.id)
        self.state = after
        if all(order(each) <= order(event) for each in self._known if is_own_record(each.type)):
            return EventEffect(apply_event(before, event)[1], after, after)
        return EventEffect(
            {}, fold([each for each in self._known if order(each) <= order(event)]), after, True
        )


def is_own_record(type_: str) -> bool:
    """Say whether an event of the type is the subject's own record, and not what rules made of one.

    Only these decide whether another event came late: a rule acts at the server's time, a source may report
    a moment later what happened a moment before.
    """
    known = catalog.CATALOG.get(type_)
    return known is not None and not known.internal


def fold(events: Iterable[EventRow]) -> State:
    """Return the state of one interaction's events, at least one, given in any order."""
    ordered = sorted(events, key=order)
    state, _changes = apply_event(None, ordered[0])
    for event in ordered[1:]:
        state, _changes = apply_event(state, event)
    return replace(state, life=lifecycle.fold_events(ordered), event_id=max(each.id for each in ordered))


def apply_event(before: State | None, event: EventRow) -> tuple[State, Changes]:
    """Return the state after one more event and what the event changed, by path.

    The first event of an interaction sets its values and changes none. A field that was not known before
    changes from empty (None). An event that leaves a field out, or has null, says nothing of it.
    """
    kind = event.type.partition(".")[0]
    state = before or State(kind, event.time_ms, event.time_ms, status_id=event.id)
    life = lifecycle.apply_event(state.life, event)
    stated = _stated(event)
    changes: Changes = {}
    values = dict(state.values)
    for path, value in stated.items():
        old = values.get(path)
        if before is not None and old != value and not (is_empty(old) and is_empty(value)):
            changes[path] = (old, value)
        if path in values or len(values) < MAX_FIELDS:
            values[path] = value
    opened_again = life.is_open and not state.life.is_open
    return State(
        state.kind,
        state.opened_ms,
        max(state.last_ms, event.time_ms),
        max(state.event_id, event.id),
        event.id if opened_again or "data.status" in changes else state.status_id,
        state.user_id if event.user_id is None else event.user_id,
        state.queue_id if event.queue_id is None else event.queue_id,
        life,
        values,
    ), changes


def order(event: EventRow) -> tuple[int, int]:
    """Return the key that sorts the events of one interaction for values and changes."""
    return event.time_ms, event.id


def combine_same_moment(events: Sequence[EventRow], seen: dict[int, EventEffect]) -> None:
    """Make one change of several by one actor at one time in one request, in `seen`.

    The last of the events carries the change from the first old to the last new value, the others none.
    `events` are one interaction's in the order of their ids. Source: spec/rules.md, RD16.
    """
    last: dict[tuple[str, int, int, int | None], tuple[EventRow, Changes]] = {}
    for event in events:
        here = seen.get(event.id)
        if here is None or here.late:
            continue
        moment = (event.type, event.time_ms, event.recorded_ms, event.user_id)
        former, carried = last.get(moment, (None, {}))
        if former is not None and carried:
            seen[former.id] = seen[former.id]._replace(changes={})
        merged = {
            path: (carried.get(path, both)[0], both[1]) for path, both in {**carried, **here.changes}.items()
        }
        changes = {path: both for path, both in merged.items() if both[0] != both[1]}
        seen[event.id] = here._replace(changes=changes)
        last[moment] = (event, changes)


def _stated(event: EventRow) -> dict[str, Any]:
    """Return by path the values that an event states."""
    stated: dict[str, Any] = {"user": event.user_id} if event.user_id is not None else {}
    if event.queue_id is not None:
        stated["queue"] = event.queue_id
    if event.data != "{}":
        _walk("data", json.loads(event.data), 1, stated)
    return stated


def _walk(path: str, value: Mapping[str, Any], level: int, stated: dict[str, Any]) -> None:
    for name, inner in value.items():
        below = f"{path}.{name}"
        if isinstance(inner, dict):
            if level < MAX_LEVELS:
                _walk(below, inner, level + 1, stated)
        elif inner is not None:
            stated[below] = _kept(inner)


def _kept(value: Any) -> Any:
    """Return a value as it is kept: a long text or list is cut, with a mark that tells it from others."""
    if isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(text) <= KEPT_TEXT:
        return value
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return value[:KEPT_TEXT] + f"… {mark}" if isinstance(value, str) else [*value[:20], f"… {mark}"]
