"""The current state of interactions as rules see it: folded from the event log on demand, and stored.

The result depends on the log alone: a stored row that is missing, or ahead of the event in question, is
folded again from the first event.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from dashboard.models import Event
from dashboard.models import Subject as Row
from dashboard.rules import interaction_state
from dashboard.rules.event_rows import EventRow, columns, rows
from dashboard.rules.interaction_state import Changes, InteractionState

CHUNK = 200  # interactions whose events are read at once

Name = tuple[int, str]  # source id, interaction


class SubjectChange(NamedTuple):
    """What an event changed, and the stretch of its subject that it belongs to."""

    changes: Changes
    status_id: int


def changes_of(events: Sequence[EventRow]) -> dict[int, Changes]:
    """Return by event id what each event changed of its interaction; nothing is written."""
    return {event: seen.changes for event, seen in changes_by_event(events).items()}


def changes_by_event(events: Sequence[EventRow], keep: bool = False) -> dict[int, SubjectChange]:
    """Return by event id what each event found and changed; events without an interaction are left out.

    With `keep` the rows of these interactions are brought up to date in the caller's transaction.
    """
    asked: dict[Name, set[int]] = {}
    for event in events:
        if event.interaction is not None:
            asked.setdefault((event.source_id, event.interaction), set()).add(event.id)
    found: dict[int, SubjectChange] = {}
    for names in _parts(asked):
        known = _known(names)
        begun = {name: known[name].event_id for name in known if known[name].event_id < min(asked[name])}
        states = {name: known[name] for name in begun}
        for event in _log(names, begun):
            name = (event.source_id, str(event.interaction))
            states[name], changes = _step(states.get(name), event)
            if event.id in asked[name]:
                found[event.id] = SubjectChange(changes, states[name].status_id)
        if keep:
            _save(states)
    return found


def refresh(source_id: int, interactions: Collection[str]) -> dict[str, InteractionState]:
    """Bring the rows of these interactions up to their last event and return them.

    For who counts or asks what is open; interactions without events are left out.
    """
    made: dict[str, InteractionState] = {}
    for names in _parts(dict.fromkeys((source_id, each) for each in interactions)):
        states = _known(names)
        for event in _log(names, {name: state.event_id for name, state in states.items()}):
            name = (event.source_id, str(event.interaction))
            states[name], _changes = _step(states.get(name), event)
        _save(states)
        made |= {interaction: state for (_source, interaction), state in states.items()}
    return made


def state_at(source_id: int, interaction: str, event_id: int | None = None) -> InteractionState | None:
    """Return the state of one interaction as of an event, or of now; folded from the log, not kept."""
    state: InteractionState | None = None
    for event in _log([(source_id, interaction)], {}):
        if event_id is not None and event.id > event_id:
            break
        state, _changes = _step(state, event)
    return state


def _step(state: InteractionState | None, event: EventRow) -> tuple[InteractionState, Changes]:
    data: Mapping[str, Any] = json.loads(event.data) if event.data != "{}" else {}
    return interaction_state.apply_event(
        state, event.id, event.type, event.time_ms, event.user_id, event.queue_id, data
    )


def _log(names: Sequence[Name], begun: Mapping[Name, int]) -> list[EventRow]:
    """Return the events of the interactions after what is begun, in the order in which they came."""
    found: list[EventRow] = []
    for source in {source for source, _interaction in names}:
        mine = [interaction for each, interaction in names if each == source]
        least = min((begun.get((source, interaction), 0) for interaction in mine), default=0)
        query = columns().where(
            (Event.source_id == source) & Event.interaction.in_(mine) & (Event.id > least)
        )
        found += rows(query)
    return sorted(row for row in found if row.id > begun.get((row.source_id, str(row.interaction)), 0))


def _known(names: Sequence[Name]) -> dict[Name, InteractionState]:
    found: dict[Name, InteractionState] = {}
    for source in {source for source, _interaction in names}:
        mine = [interaction for each, interaction in names if each == source]
        for row in Row.select().where((Row.source_id == source) & Row.interaction.in_(mine)):
            values = dict(row.values)
            status = values.pop("", row.event_id)
            found[source, row.interaction] = InteractionState(
                row.kind,
                row.opened_ms,
                row.last_ms,
                row.event_id,
                status,
                row.user_id,
                row.queue_id,
                row.ended_ms,
                values,
            )
    return found


def _save(states: Mapping[Name, InteractionState]) -> None:
    """Write rows; the beginning of the present stretch stands among the values under the empty path."""
    records = [
        {
            "source_id": source,
            "interaction": interaction,
            "kind": state.kind,
            "user_id": state.user_id,
            "queue_id": state.queue_id,
            "opened_ms": state.opened_ms,
            "last_ms": state.last_ms,
            "event_id": state.event_id,
            "ended_ms": state.ended_ms,
            "values": {**state.values, "": state.status_id},
        }
        for (source, interaction), state in sorted(states.items())
    ]
    if records:
        news = [Row.user_id, Row.queue_id, Row.last_ms, Row.event_id, Row.ended_ms, Row.values]
        Row.insert_many(records).on_conflict(
            conflict_target=[Row.source_id, Row.interaction], preserve=[*news, Row.kind, Row.opened_ms]
        ).execute()


def _parts(names: Iterable[Name]) -> Iterable[list[Name]]:
    ordered = sorted(names)
    return (ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK))
