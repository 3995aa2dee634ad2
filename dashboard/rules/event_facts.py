"""The evaluation context of stored events, the same for live evaluation, try, backtest and why-not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from dashboard.catalog.fields import SUBJECT_FIELDS
from dashboard.db.prepared import Prepared, plain, slot
from dashboard.events import timeliness
from dashboard.models import Access, Event, EventCause, Mark, Queue, Source, TeamMember, User
from dashboard.rulelang.fields import TAGS, EventFacts, is_empty
from dashboard.rulelang.fields import facts as of_values
from dashboard.rulelang.rate_limits import By, episode_key, limit_key
from dashboard.rules import subject_state
from dashboard.rules.event_rows import EventRow, columns, rows
from dashboard.rules.subject_fold import EventEffect

CHUNK = 500  # ids looked up at once
_TAGS = Prepared(
    lambda: (
        Mark.select(Mark.text)
        .where((Mark.subject == slot("subject")) & (Mark.kind == "tag"))
        .order_by(Mark.id)
    )
)
CONTACT_FIELDS = ("name", "phone", "email")


class Facing(NamedTuple):
    """What events only name: sources, teams and accesses of users, channels of queues, causes."""

    sources: Mapping[int, str]
    teams: Mapping[int, list[int]]
    accesses: Mapping[int, str]
    channels: Mapping[int, str]
    causes: Mapping[int, tuple[int, ...]]


def of_event(event_id: int) -> EventFacts | None:
    """Return the facts of one event with its changes, None when there is no such event."""
    found = of_events([event_id])
    return found[0] if found else None


def of_events(
    events: Sequence[int] | Sequence[EventRow],
    seen: Mapping[int, EventEffect] | None = None,
    tags: bool = True,
) -> list[EventFacts]:
    """Return the facts of events, given by ids or rows, in the order of their ids.

    What they found and changed is folded from the log unless given (by event id). What events name but do
    not hold, such as a user's teams and the tags that rules gave, is as it is now; tags are left out where
    no rule needs them. Ids without an event are left out.
    """
    found = _found(events)
    if seen is None:
        seen = subject_state.seen_by(found)
    facing = _facing(found)
    made = [of_row(row, facing, seen.get(row.id)) for row in found]
    if tags:
        _tag(made)
    return made


def of_row(row: EventRow, facing: Facing, seen: EventEffect | None) -> EventFacts:
    """Return the facts of one row; `seen` adds its changes and what its subject was like at the event."""
    user, queue = row.user_id, row.queue_id
    made = of_values(
        row.id,
        row.type,
        row.time_ms,
        json.loads(row.data) if row.data != "{}" else None,
        None if seen is None else seen.changes,
        facing.causes.get(row.id, ()),
        source=facing.sources.get(row.source_id, ""),
        interaction=row.interaction,
        session=row.session,
        user=user,
        queue=queue,
        source_id=row.source_id,
        recorded_ms=row.recorded_ms,
    )
    if user is not None:
        made["user.team"], made["user.access"] = facing.teams.get(user, []), facing.accesses.get(user, "")
    if queue is not None:
        made["queue.channel"] = facing.channels.get(queue, "")
    if row.contact is not None:
        made["contact"] = _contact(row.source_id, row.contact)
    if seen is not None:
        _add_subject(made, seen)
    return made


def _add_subject(made: EventFacts, seen: EventEffect) -> None:
    """Add the fields of the subject that the event does not repeat, as they were at the event."""
    made["episode"] = episode_key("status", seen.state.status_id)
    made["late"] = seen.late
    for path, value in seen.state.values.items():
        first, _dot, rest = path.partition(".")
        if first == "data" and rest.partition(".")[0] in SUBJECT_FIELDS and is_empty(made[path]):
            made[path] = value


def is_clock_ahead(facts: EventFacts) -> bool:
    """Say whether an event lay ahead of the server's clock when it was recorded."""
    return timeliness.is_clock_ahead(facts["time"], facts.get("recorded_ms", facts["time"]))


def at_ms(facts: EventFacts) -> int:
    """Return the instant that limits count an event at: its time, or when it was recorded if it lay ahead."""
    at: int = facts["recorded_ms"] if is_clock_ahead(facts) else facts["time"]
    return at


def late_s(facts: EventFacts, due_ms: int) -> int:
    """Return by how many seconds an event came too late for what fell due then, see `timeliness`."""
    return timeliness.late_s(facts["source_id"], facts["time"], facts["recorded_ms"], due_ms)


def tags_of(facts: EventFacts) -> list[str]:
    """Return the tags that rules have given to the subject of an event by now."""
    return [row[0] for row in _TAGS.rows(subject=limit_key(By.SUBJECT, 0, facts))]


def _tag(made: Sequence[EventFacts]) -> None:
    """Put in the tags that rules gave to the subjects of events."""
    names = sorted({limit_key(By.SUBJECT, 0, each) for each in made})
    given: dict[str, list[str]] = {}
    query = Mark.select(Mark.subject, Mark.text).where(Mark.kind == "tag").order_by(Mark.id)
    for subject, text in _pairs(query, Mark.subject, names):
        given.setdefault(subject, []).append(text)
    if given:
        for each in made:
            each[TAGS] = given.get(limit_key(By.SUBJECT, 0, each), [])


def _found(events: Sequence[int] | Sequence[EventRow]) -> list[EventRow]:
    given = [each for each in events if isinstance(each, EventRow)]
    ids = sorted({each for each in events if not isinstance(each, EventRow)})
    for part in _chunks(ids):
        given += rows(columns().where(Event.id.in_(part)))
    return sorted(given)


def _facing(found: Sequence[EventRow]) -> Facing:
    users = sorted({row.user_id for row in found if row.user_id is not None})
    queues = sorted({row.queue_id for row in found if row.queue_id is not None})
    teams: dict[int, list[int]] = {}
    t = TeamMember
    for user, team in _pairs(t.select(t.user, t.team).order_by(t.team), t.user, users):
        teams.setdefault(user, []).append(team)
    named = User.select(User.id, Access.name).join(Access)
    return Facing(
        dict(plain(Source.select(Source.id, Source.name))),
        teams,
        dict(_pairs(named, User.id, users)),
        dict(_pairs(Queue.select(Queue.id, Queue.channel), Queue.id, queues)),
        causes([row.id for row in found]),
    )


def causes(ids: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """Return by event id the rules that led to it, the first first; most events have none."""
    if not ids:
        return {}
    c = EventCause
    query = c.select(c.event_id, c.chain).where(c.event_id.between(min(ids), max(ids)))
    return {event: tuple(chain) for event, chain in query.tuples()}


def _pairs(query: Any, column: Any, ids: Sequence[Any]) -> list[tuple[Any, ...]]:
    return [row for part in _chunks(ids) for row in plain(query.where(column.in_(part)))]


def _contact(source_id: int, text: str) -> dict[str, str]:
    """Return who the contact is. `id` stands for the number, else the address, else the name within the
    source, as the contacts' own key does, and shows nobody which it is."""
    given: dict[str, str] = json.loads(text)
    mark = given.get("phone") or given.get("email") or given.get("name")
    ident = hashlib.sha256(f"{source_id}:{mark}".encode()).hexdigest()[:16] if mark else ""
    return {"id": ident, **{name: given.get(name) or "" for name in CONTACT_FIELDS}}


def _chunks(ids: Collection[Any]) -> Iterable[list[Any]]:
    ordered = list(ids)
    return (ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK))
