"""Attended transfers that a queue_log has under the id of the consultation: they belong to the held call.

The held call is the one of the same agent and queue whose answer is nearest to the record's time minus
its talk. Only sources that have an interaction for each queue of a call write such records.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from dashboard.clock import DAY_MS
from dashboard.db.prepared import plain
from dashboard.models import Event
from dashboard.tracing.interaction import length
from dashboard.tracing.types import EventRow

ENDS = ("call.closed", "call.transferred")
Events = Mapping[str, Sequence[EventRow]]  # by interaction


class Transfer(NamedTuple):
    """A transfer under the id of a consultation, and the held calls it may belong to, nearest first."""

    interaction: str
    event: EventRow
    held: Sequence[str]


def related(source: int, events: Events) -> set[str]:
    """Return the interactions that must be folded together with these, beside them: the held calls of
    their transfers, and consultations whose transfer may end one of them."""
    found = {name for one in transfers(source, events) for name in one.held[:2]}
    e = Event
    for name, rows in events.items():
        for answer in _without_end(rows):
            near = (e.time_ms >= answer.time_ms) & (e.time_ms < answer.time_ms + DAY_MS)
            mine = (e.user_id == answer.user_id) & (e.queue_id == answer.queue_id) & (e.source_id == source)
            mine &= e.interaction.is_null(False)
            later = e.select(e.interaction).where(mine & near & (e.type == "call.transferred"))
            found.update(other for (other,) in plain(later) if other != name)
    return found - events.keys()


def transfers(source: int, events: Events) -> Iterator[Transfer]:
    """Yield the transfers that stand under the id of a consultation: their agent answered no call there."""
    for name, rows in events.items():
        answered = {row.user_id for row in rows if row.type in ("call.accepted", "call.connected")}
        for row in rows:
            attended = row.type == "call.transferred" and row.data.get("attended") is True
            if attended and row.user_id is not None and row.user_id not in answered and "callid" in row.data:
                yield Transfer(name, row, _held(source, name, row))


def assigned(source: int, events: Events) -> dict[str, list[EventRow]]:
    """Return the events with each such transfer under its held call, where one is known."""
    found = {name: list(rows) for name, rows in events.items()}
    for one in transfers(source, events):
        if one.held and one.held[0] in found:
            found[one.interaction].remove(one.event)
            found[one.held[0]].append(one.event)
    return found


def _held(source: int, name: str, transfer: EventRow) -> list[str]:
    e = Event
    answered = transfer.time_ms - 1000 * (length(transfer.data, "talk_s") or 0)
    near = (e.time_ms <= transfer.time_ms) & (e.time_ms > answered - DAY_MS)
    mine = (e.user_id == transfer.user_id) & (e.queue_id == transfer.queue_id) & (e.source_id == source)
    mine &= e.interaction.is_null(False)
    query = e.select(e.time_ms, e.interaction).where(mine & near & (e.type == "call.accepted"))
    calls = [(abs(time_ms - answered), other) for time_ms, other in plain(query) if other != name]
    return [other for _, other in sorted(calls)]


def _without_end(rows: Sequence[EventRow]) -> Iterator[EventRow]:
    """Yield the answers of agents whose call has no end record of theirs."""
    ended = {row.user_id for row in rows if row.type in ENDS}
    for row in rows:
        if row.type == "call.accepted" and row.user_id not in {None, *ended} and "callid" in row.data:
            yield row
