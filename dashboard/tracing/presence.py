"""Presence events of one user → intervals of login, ready and pause. Pure.

Source of the rules: the event types that make a user's day, and what queue logs of telephone
exchanges contain: repeated starts, stray ends, ends that give their own length. A sign-in without
sign-out ends at the user's last sign of life in the shift (spec/lifecycle.md, section 2, L5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from dashboard.catalog.effects import RESTART, Thing, in_order
from dashboard.tracing.bounds import EndReason
from dashboard.tracing.interaction import length, text
from dashboard.tracing.presence_rows import (
    ALONE,
    KEY_MAX,
    REOPENED,
    Presence,
    PresenceFold,
    Settled,
    Stream,
    Surroundings,
    queue_key,
    stream_of,
)
from dashboard.tracing.types import EventRow, Kind

__all__ = ["Presence", "Settled", "Surroundings", "fold_presence", "unfold"]


def fold_presence(
    open_rows: Sequence[Presence],
    events: Sequence[EventRow],
    paid: Mapping[str, bool],
    around: Surroundings = ALONE,
) -> list[Presence]:
    """Return `open_rows` and the intervals that `events` make, ended where an event ends them.

    `open_rows` are those open at the first event; `paid` says of each pause by name whether it is
    paid, where the event does not. Events come in any order, all those of one second at once.
    Folding a day whole equals folding it in parts cut between seconds, each from the rows that the
    former part left open.
    """
    fold = PresenceFold(open_rows, paid, around)
    for event in in_order(
        _with_pauses([event for event in events if event.type in ACTS]), fold.is_open, _same
    ):
        ACTS[event.type](fold, event)
    if around.as_of is not None:
        fold.expire(around.as_of)
    return sorted([*fold.done, *fold.open.values()], key=_place)


def _with_pauses(events: Sequence[EventRow]) -> Iterator[EventRow]:
    """Yield the events, each pause with the reason that was given in the second of its start, and the pause
    on which a member was added."""
    given = {
        (event.source_id, event.time_ms // 1000, queue_key(event)): text(event.data, "pause")
        for event in events
        if event.type == REASON_GIVEN
    }
    for event in events:
        if event.type == READY and event.data.get("paused") is True:
            yield event
            event = event._replace(type=PAUSE_STARTED)
        if event.type == PAUSE_STARTED and given:
            second = (event.source_id, event.time_ms // 1000)
            reason = given.get((*second, queue_key(event))) or given.get((*second, ""))
            yield event._replace(data=event.data | {"pause": reason}) if reason else event
        else:
            yield event


def unfold(rows: Sequence[Presence], t0_ms: int) -> tuple[list[Presence], list[Presence], list[int]]:
    """Undo what events at or after `t0_ms` did to a user's rows.

    Returns (rows ended before, rows open at `t0_ms`, ids of rows to delete). A late event at
    `t0_ms` is then folded by `fold_presence` from the open rows, with every event from `t0_ms` on.
    """
    kept: list[Presence] = []
    still_open: list[Presence] = []
    gone: list[int] = []
    for row in rows:
        if row.closed_ms is not None and row.closed_ms < t0_ms:
            kept.append(row)
        elif row.opened_ms >= t0_ms or row.label == REOPENED:
            gone += [] if row.id is None else [row.id]
        else:
            still_open.append(
                row._replace(end=None, closed_ms=None, inferred=False, reported_s=None, reason="")
            )
    return kept, still_open, gone


def _signed_in(fold: PresenceFold, event: EventRow) -> None:
    device = text(event.data, "device")[:KEY_MAX]
    stream, at = stream_of(Kind.LOGIN, device, event.source_id), event.time_ms // 1000
    row = fold.open.get(stream)
    if row is not None and fold.around.as_of is not None and row.expires is not None and row.expires <= at:
        fold.forget(stream, event.time_ms, at)
        row = None
    if row is None:
        fold.start(Kind.LOGIN, device, event)
    fold.open[stream] = fold.open[stream]._replace(expires=at + fold.around.shift)


def _signed_out(fold: PresenceFold, event: EventRow) -> None:
    """Close the device's login; all of the source when no device is named, the nameless one when it is
    unknown.

    With no login open, a length given by the source is counted back. With the last login of any
    source end the pauses, and ready time that belongs to no queue.
    """
    logins = fold.streams(Kind.LOGIN, event.source_id)
    device = text(event.data, "device")[:KEY_MAX]
    if not logins:
        _count_back(fold, event, device)
        return
    if device and device not in [key for _, key, _ in logins]:
        device = ""
        logins = [stream for stream in logins if stream[1] == ""]
    ending = [stream for stream in logins if device in ("", stream[1])]
    for stream in ending:
        fold.stop(stream, event)
    if ending and not fold.streams(Kind.LOGIN):
        for stream in fold.streams(Kind.PAUSE):
            fold.stop(stream, event, True, EndReason.SIGNED_OUT)
        for stream in fold.streams(Kind.READY):
            if stream[1] == "":
                fold.stop(stream, event, inferred=True)


def _count_back(fold: PresenceFold, event: EventRow, device: str) -> None:
    seconds = length(event.data, "login_s")
    if seconds is None:
        return
    end = event.time_ms // 1000
    fold.done.append(
        Presence(
            Kind.LOGIN,
            device,
            end - seconds,
            end,
            "",
            False,
            True,
            seconds,
            event.time_ms,
            event.time_ms,
            event.source_id,
        )
    )


def _ready(fold: PresenceFold, event: EventRow) -> None:
    key = queue_key(event)
    if stream_of(Kind.READY, key, 0) not in fold.open:
        fold.start(Kind.READY, key, event)


def _not_ready(fold: PresenceFold, event: EventRow) -> None:
    """End the membership of the queue, or all of them. In a source without sign-ins the last one is a
    sign-out, which ends the pauses."""
    _end_streams(fold, event, Kind.READY)
    if event.source_id in fold.around.login_sources or fold.streams(Kind.LOGIN):
        return
    if fold.around.as_of is not None and not fold.streams(Kind.READY, event.source_id):
        for stream in fold.streams(Kind.PAUSE, event.source_id):
            fold.stop(stream, event, True, EndReason.SIGNED_OUT)


def _pause_started(fold: PresenceFold, event: EventRow) -> None:
    """Another reason ends the pause and begins the next; the same one, or none, does not restart it."""
    _pause(fold, stream_of(Kind.PAUSE, queue_key(event), 0), event)


def _reason_given(fold: PresenceFold, event: EventRow) -> None:
    """The pause that is open goes on with this reason; without one nothing begins."""
    for stream in fold.streams(Kind.PAUSE):
        if queue_key(event) in ("", stream[1]):
            _pause(fold, stream, event)


def _pause(fold: PresenceFold, stream: Stream, event: EventRow) -> None:
    name = text(event.data, "pause", "label")
    known = fold.open.get(stream)
    if known is not None:
        if name in ("", known.label):
            return
        fold.stop(stream, event)
    given = event.data.get("paid")
    paid = given if isinstance(given, bool) else fold.paid.get(name, False)
    fold.start(Kind.PAUSE, stream[1], event, name, paid)


def _pause_ended(fold: PresenceFold, event: EventRow) -> None:
    _end_streams(fold, event, Kind.PAUSE)


def _end_streams(fold: PresenceFold, event: EventRow, kind: Kind) -> None:
    """Close the queue's stream; every stream of the kind when no queue is named. Strays do nothing."""
    for stream in fold.streams(kind):
        if queue_key(event) in ("", stream[1]):
            fold.stop(stream, event)


def _restarted(fold: PresenceFold, event: EventRow) -> None:
    """A restart of the source ends the pauses of members that were never added to the queue (static)."""
    members = {key for _, key, _ in fold.streams(Kind.READY)}
    for stream in fold.streams(Kind.PAUSE, event.source_id):
        if not members & {"", stream[1]}:
            fold.stop(stream, event, True, EndReason.SOURCE_RESTARTED)


def _same(thing: Thing, one: EventRow, other: EventRow) -> bool:
    if thing is Thing.LOGIN:
        devices = {text(event.data, "device") for event in (one, other)}
        return one.source_id == other.source_id and (len(devices) == 1 or "" in devices)
    return one.queue_id == other.queue_id or None in (one.queue_id, other.queue_id)


def _place(row: Presence) -> tuple[int, int, str, int, int, str]:
    closed = row.opened_ms if row.closed_ms is None else row.closed_ms
    return row.start, row.kind, row.key, row.opened_ms, closed, row.label


READY, PAUSE_STARTED, REASON_GIVEN = "agent.ready", "agent.pause_started", "agent.pause_reason_given"
ACTS: dict[str, Callable[[PresenceFold, EventRow], None]] = {
    RESTART: _restarted,
    "agent.pause_ended": _pause_ended,
    "agent.not_ready": _not_ready,
    "agent.signed_out": _signed_out,
    "agent.signed_in": _signed_in,
    READY: _ready,
    PAUSE_STARTED: _pause_started,
    REASON_GIVEN: _reason_given,
}
