"""The current state of interactions as rules see it: folded from the event log on demand, and stored.

The result depends on the log alone: a stored row that is missing, or ahead of the event in question, is
folded again from the first event.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

import msgspec

from dashboard.catalog import lifecycle
from dashboard.catalog.lifecycle import InteractionState
from dashboard.models import Event
from dashboard.models import Subject as Row
from dashboard.rules import subject_fold
from dashboard.rules.event_rows import EventRow, columns, in_time, rows
from dashboard.rules.subject_fold import EventEffect, Fold, State

CHUNK = 200  # interactions whose events are read at once

Name = tuple[int, str]  # source id, interaction


class Holding(NamedTuple):
    """Who has an interaction, and whether it is open."""

    kind: str
    user_id: int | None
    queue_id: int | None
    is_open: bool


class Folded(NamedTuple):
    """What a batch of events did to their interactions.

    `seen` is by event id; `stored` has what the table says of these interactions, `states` what it
    should say now.
    """

    seen: dict[int, EventEffect]
    stored: dict[Name, Holding]
    states: dict[Name, State]

    def save(self) -> None:
        """Store the states in the caller's transaction."""
        _save(self.states)


def seen_by(events: Sequence[EventRow]) -> dict[int, EventEffect]:
    """Return by event id what each event found and changed; events without an interaction are left out."""
    return fold_batch(events).seen


def fold_batch(events: Sequence[EventRow]) -> Folded:
    """Fold events into their interactions and return what they found and changed; nothing is written.

    An event ahead of the server's clock changes nothing and finds the state that there is.
    """
    wanted: dict[Name, set[int]] = {}
    for event in events:
        if event.interaction is not None:
            wanted.setdefault((event.source_id, event.interaction), set()).add(event.id)
    found = Folded({}, {}, {})
    for names in _parts(wanted):
        known = _known(names)
        found.stored.update({name: holding(state) for name, state in known.items()})
        begun = {name: state for name, state in known.items() if 0 < state.event_id < min(wanted[name])}
        for name, news in _by_name(_log(names, {name: state.event_id for name, state in begun.items()})):
            folding = _folding(name, begun.get(name))
            seen: dict[int, EventEffect] = {}
            for event in news:
                if in_time([event]):
                    seen[event.id] = folding.add(event)
                elif folding.state is not None:
                    seen[event.id] = EventEffect({}, folding.state, folding.state)
            subject_fold.combine_same_moment(news, seen)
            found.seen.update({event: seen[event] for event in wanted[name] if event in seen})
            if folding.state is not None:
                found.states[name] = folding.state
    return found


def refresh(source_id: int, interactions: Collection[str]) -> dict[str, State]:
    """Bring the rows of these interactions up to their last event and return them.

    Interactions without events are left out.
    """
    made: dict[str, State] = {}
    for names in _parts(dict.fromkeys((source_id, each) for each in interactions)):
        states = {name: state for name, state in _known(names).items() if state.event_id}
        for name, news in _by_name(_log(names, {name: state.event_id for name, state in states.items()})):
            folding = _folding(name, states.get(name))
            for event in in_time(news):
                folding.add(event)
            if folding.state is not None:
                states[name] = folding.state
        _save(states)
        made |= {interaction: state for (_source, interaction), state in states.items()}
    return made


def state_at(source_id: int, interaction: str, event_id: int | None = None) -> State | None:
    """Return the state of one interaction as of an event, or of now; folded from the log, not stored."""
    events = in_time(_log([(source_id, interaction)], {}))
    known = [event for event in events if event_id is None or event.id <= event_id]
    return subject_fold.fold(known) if known else None


def open_among(names: Collection[Name]) -> set[Name]:
    """Return those of these interactions that are open; folded from the log, not stored."""
    found: set[Name] = set()
    for part in _parts(names):
        for name, events in _by_name(in_time(_log(part, {}))):
            if lifecycle.fold_events(events).is_open:
                found.add(name)
    return found


def holding(state: State) -> Holding:
    """Return who has the interaction, and whether it is open."""
    return Holding(state.kind, state.user_id, state.queue_id, state.ended_ms is None)


def _folding(name: Name, state: State | None) -> Fold:
    until = 0 if state is None else state.event_id
    return Fold(state, lambda: [event for event in in_time(_log([name], {})) if event.id <= until])


def _by_name(events: Sequence[EventRow]) -> Iterable[tuple[Name, list[EventRow]]]:
    """Return the events of each interaction in the order in which they came."""
    keyed = sorted(((event.source_id, str(event.interaction)), event.id, event) for event in events)
    for name, group in groupby(keyed, key=lambda each: each[0]):
        yield name, [event for _name, _id, event in group]


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


def _known(names: Sequence[Name]) -> dict[Name, State]:
    """Return the stored states; one of a row without a life cycle has `event_id` 0: it is folded again."""
    found: dict[Name, State] = {}
    for source in {source for source, _interaction in names}:
        mine = [interaction for each, interaction in names if each == source]
        for row in Row.select().where((Row.source_id == source) & Row.interaction.in_(mine)):
            life = InteractionState(ended_ms=row.ended_ms)
            if row.life is not None:
                life = msgspec.json.decode(row.life, type=InteractionState)
            found[source, row.interaction] = State(
                row.kind,
                row.opened_ms,
                row.last_ms,
                row.event_id if row.life is not None else 0,
                row.status_event_id or row.event_id,
                row.user_id,
                row.queue_id,
                life,
                row.values,
            )
    return found


def _save(states: Mapping[Name, State]) -> None:
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
            "status_event_id": state.status_id,
            "ended_ms": state.ended_ms,
            "life": msgspec.json.encode(state.life).decode(),
            "values": dict(state.values),
        }
        for (source, interaction), state in sorted(states.items(), key=lambda each: each[0])
    ]
    if records:
        news = [Row.user_id, Row.queue_id, Row.last_ms, Row.event_id, Row.status_event_id, Row.ended_ms]
        Row.insert_many(records).on_conflict(
            conflict_target=[Row.source_id, Row.interaction],
            preserve=[*news, Row.life, Row.values, Row.kind, Row.opened_ms],
        ).execute()


def _parts(names: Iterable[Name]) -> Iterable[list[Name]]:
    ordered = sorted(names)
    return (ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK))
