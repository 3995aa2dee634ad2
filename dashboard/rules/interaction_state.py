"""What an interaction's events say of it so far: a fold in the order in which they came. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dashboard.rulelang.fields import is_empty

KEPT_TEXT = 400  # letters of a value that are kept; a longer one is known again by its mark
MAX_FIELDS = 200
MAX_LEVELS = 5

# By the last part of a type's name: what ends an interaction, and what opens it again.
ENDS = frozenset({"closed", "deleted", "merged", "spam_marked", "abandoned", "missed", "completed"})
REOPENS = frozenset({"reopened"})

Changes = dict[str, tuple[Any, Any]]


@dataclass
class InteractionState:
    """The fold up to `event_id`. `values` has by path what conditions may ask for; `status_id` is the
    event that began the present stretch: the last change of status, opening again, or the first."""

    kind: str
    opened_ms: int
    last_ms: int
    event_id: int = 0
    status_id: int = 0
    user_id: int | None = None
    queue_id: int | None = None
    ended_ms: int | None = None
    values: dict[str, Any] = field(default_factory=dict)


def apply_event(
    before: InteractionState | None,
    event_id: int,
    type_: str,
    time_ms: int,
    user_id: int | None,
    queue_id: int | None,
    data: Mapping[str, Any],
) -> tuple[InteractionState, Changes]:
    """Return the state after one more event, changed in place, and what the event changed, by path.

    The first event of an interaction tells its values and changes none. A field that was not known
    before changes from empty (None). An event that leaves a field out, or has null, says nothing of it.
    """
    kind, _dot, _rest = type_.partition(".")
    verb = type_.rpartition(".")[2]
    state = before or InteractionState(kind, time_ms, time_ms, status_id=event_id)
    told = _told(user_id, queue_id, data)
    changes: Changes = {}
    for path, value in told.items():
        old = state.values.get(path)
        if before is not None and old != value and not (is_empty(old) and is_empty(value)):
            changes[path] = (old, value)
        if path in state.values or len(state.values) < MAX_FIELDS:
            state.values[path] = value
    state.user_id = user_id if user_id is not None else state.user_id
    state.queue_id = queue_id if queue_id is not None else state.queue_id
    state.event_id, state.last_ms = event_id, max(state.last_ms, time_ms)
    _turn(state, verb, event_id, time_ms, "data.status" in changes)
    return state, changes


def _turn(state: InteractionState, verb: str, event_id: int, time_ms: int, status: bool) -> None:
    """End the interaction or open it again, and begin the stretch that follows."""
    if verb in ENDS:
        state.ended_ms = time_ms
    reopened = verb in REOPENS and state.ended_ms is not None
    if reopened:
        state.ended_ms = None
    if status or reopened:
        state.status_id = event_id


def _told(user_id: int | None, queue_id: int | None, data: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"user": user_id} if user_id is not None else {}
    if queue_id is not None:
        told["queue"] = queue_id
    _walk("data", data, 1, told)
    return told


def _walk(path: str, value: Mapping[str, Any], level: int, told: dict[str, Any]) -> None:
    for name, inner in value.items():
        below = f"{path}.{name}"
        if isinstance(inner, dict):
            if level < MAX_LEVELS:
                _walk(below, inner, level + 1, told)
        elif inner is not None:
            told[below] = _kept(inner)


def _kept(value: Any) -> Any:
    """Return a value as it is kept: a long text or list is cut, with a mark that tells it from others."""
    if isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(text) <= KEPT_TEXT:
        return value
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return value[:KEPT_TEXT] + f"… {mark}" if isinstance(value, str) else [*value[:20], f"… {mark}"]
