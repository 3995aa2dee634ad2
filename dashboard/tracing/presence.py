"""Presence events of one user → intervals of login, ready and pause. Pure.

Source of the rules: the event types that make a user's day, and what queue logs of telephone
exchanges contain: repeated starts, stray ends, ends that give their own length. A sign-in without
sign-out ends at the user's last sign of life in the shift (spec/lifecycle.md, section 2, L5).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from dashboard.catalog.effects import RESTART, Thing, alternate, order_key
from dashboard.tracing.bounds import LIMITS, EndReason
from dashboard.tracing.interaction import length, text
from dashboard.tracing.types import EventRow, Kind

KEY_MAX = 120
REOPENED = "reopened"  # label of a login that an own event began after an inferred sign-out
Stream = tuple[int, str, int]  # kind, key, source of a login or 0


class Presence(NamedTuple):
    """A stretch of login, ready or pause in UTC seconds; `end` is None while open.

    `key` names the stream: the device of a login, the queue of a ready or pause, "" for all.
    `opened_ms` and `closed_ms` are the times of the events that began and ended it; `reported_s`
    is the length the source itself gave; `id` is None for a row that is not stored yet.
    """

    kind: int
    key: str
    start: int
    end: int | None
    label: str
    paid: bool
    inferred: bool
    reported_s: int | None
    opened_ms: int
    closed_ms: int | None
    source_id: int
    id: int | None = None
    expires: int | None = None  # second at which a login ends unless there is a further sign-in
    reason: str = ""  # why the end was concluded


class Surroundings(NamedTuple):
    """What the fold of one user's presence needs beside their presence events.

    `acts(start, end)` returns the seconds in [start, end) of the user's own events, rising. `as_of` is
    by source the second up to which time has passed (None: no login expires), `shift` the longest shift.
    `login_sources` are the sources that ever reported a sign-in of the user.
    """

    acts: Callable[[int, int], Sequence[int]] = lambda _start, _end: ()
    as_of: Mapping[int, int] | None = None
    shift: int = LIMITS.shift
    login_sources: Collection[int] = ()


ALONE = Surroundings()


def fold_presence(
    open_rows: Sequence[Presence],
    events: Sequence[EventRow],
    paid: Mapping[str, bool],
    around: Surroundings = ALONE,
) -> list[Presence]:
    """Return `open_rows` and the intervals that `events` make, ended where an event ends them.

    `open_rows` are those open at the first event; `paid` says of each pause by name whether it is
    paid, where the event does not. Events come in any order, all those of one instant at once.
    Folding a day whole equals folding it in parts cut between instants, each from the rows that the
    former part left open.
    """
    fold = _Fold(open_rows, paid, around)
    ordered = sorted((event for event in events if event.type in ACTS), key=order_key)
    for _, instant in groupby(ordered, key=lambda event: event.time_ms):
        # An end that finds nothing open waits for its beginning.
        for event in alternate(list(instant), fold.is_open, _same):
            ACTS[event.type](fold, event)
    if around.as_of is not None:
        fold.expire(around.as_of)
    return sorted([*fold.done, *fold.open.values()], key=_place)


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


class _Fold:
    """Rows that are open, one a stream, and those that are ended. A login's stream is one of its source."""

    def __init__(self, open_rows: Sequence[Presence], paid: Mapping[str, bool], around: Surroundings) -> None:
        self.open = {_stream(row.kind, row.key, row.source_id): row for row in open_rows}
        self.done: list[Presence] = []
        self.paid = paid
        self.around = around

    def start(self, kind: Kind, key: str, event: EventRow, label: str = "", paid: bool = False) -> None:
        at = event.time_ms // 1000
        row = Presence(kind, key, at, None, label, paid, False, None, event.time_ms, None, event.source_id)
        self.open[_stream(kind, key, event.source_id)] = row

    def stop(self, stream: Stream, event: EventRow, inferred: bool = False, reason: str = "") -> None:
        row = self.open.pop(stream)
        end = max(event.time_ms // 1000, row.start)
        reported = length(event.data, "login_s") if row.kind == Kind.LOGIN else None
        ended = row._replace(
            end=end,
            inferred=inferred,
            reported_s=reported,
            closed_ms=event.time_ms,
            reason=reason,
        )
        self.done.append(ended)

    def streams(self, kind: Kind, source_id: int | None = None) -> list[Stream]:
        """Return the streams of a kind that are open, of one source where it is named."""
        return [
            stream
            for stream, row in self.open.items()
            if row.kind == kind and source_id in (None, row.source_id)
        ]

    def is_open(self, thing: Thing, event: EventRow) -> bool:
        """Say whether what an event begins or ends is open, for the order of one instant."""
        kind = {Thing.PAUSE: Kind.PAUSE, Thing.READY: Kind.READY, Thing.LOGIN: Kind.LOGIN}[thing]
        key = text(event.data, "device")[:KEY_MAX] if kind == Kind.LOGIN else _queue(event)
        return any(key in ("", open_key) for _, open_key, _ in self.streams(kind))

    def forget(self, stream: Stream, closed_ms: int | None, until: int) -> None:
        """End a login that has no sign-out at the last sign of life in its shift; an own event after
        that signs in again, marked. `closed_ms` is None where time alone ended it."""
        row = self.open.pop(stream)
        shift_from = (row.expires or row.start + self.around.shift) - self.around.shift
        acts = list(self.around.acts(shift_from, until))
        piece = row
        while True:
            over = shift_from + self.around.shift
            last = max((at for at in acts if at < over), default=shift_from)
            later = [at for at in acts if at >= over]
            if closed_ms is None and not later and over > until:
                self.done.append(piece._replace(expires=over))
                return
            self.done.append(
                piece._replace(
                    end=max(piece.start, last),
                    inferred=True,
                    closed_ms=closed_ms,
                    expires=over,
                    reason=EndReason.NO_SIGN_OUT,
                )
            )
            if not self.streams(Kind.LOGIN):
                self._end_with_login(last, closed_ms)
            if not later:
                return
            shift_from, acts = later[0], later
            piece = row._replace(
                start=later[0], label=REOPENED, opened_ms=later[0] * 1000, inferred=True, id=None
            )

    def _end_with_login(self, at: int, closed_ms: int | None) -> None:
        for stream, row in list(self.open.items()):
            with_login = row.kind == Kind.PAUSE or (row.kind == Kind.READY and not row.key)
            if with_login and row.start <= at:
                del self.open[stream]
                self.done.append(
                    row._replace(end=at, inferred=True, closed_ms=closed_ms, reason=EndReason.NO_SIGN_OUT)
                )

    def expire(self, as_of: Mapping[int, int]) -> None:
        """End the logins whose shift is over as of the time of their source."""
        for stream in self.streams(Kind.LOGIN):
            row = self.open[stream]
            now = as_of.get(row.source_id, 0)
            if row.expires is not None and row.expires <= now:
                self.forget(stream, None, now)


def _stream(kind: int, key: str, source_id: int) -> Stream:
    return kind, key, source_id if kind == Kind.LOGIN else 0


def _signed_in(fold: _Fold, event: EventRow) -> None:
    device = text(event.data, "device")[:KEY_MAX]
    stream, at = _stream(Kind.LOGIN, device, event.source_id), event.time_ms // 1000
    row = fold.open.get(stream)
    if row is not None and fold.around.as_of is not None and row.expires is not None and row.expires <= at:
        fold.forget(stream, event.time_ms, at)
        row = None
    if row is None:
        fold.start(Kind.LOGIN, device, event)
    fold.open[stream] = fold.open[stream]._replace(expires=at + fold.around.shift)


def _signed_out(fold: _Fold, event: EventRow) -> None:
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


def _count_back(fold: _Fold, event: EventRow, device: str) -> None:
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


def _ready(fold: _Fold, event: EventRow) -> None:
    key = _queue(event)
    if _stream(Kind.READY, key, 0) not in fold.open:
        fold.start(Kind.READY, key, event)


def _not_ready(fold: _Fold, event: EventRow) -> None:
    """End the membership of the queue, or all of them. In a source without sign-ins the last one is a
    sign-out, which ends the pauses."""
    _end_streams(fold, event, Kind.READY)
    if event.source_id in fold.around.login_sources or fold.streams(Kind.LOGIN):
        return
    if fold.around.as_of is not None and not fold.streams(Kind.READY, event.source_id):
        for stream in fold.streams(Kind.PAUSE, event.source_id):
            fold.stop(stream, event, True, EndReason.SIGNED_OUT)


def _pause_started(fold: _Fold, event: EventRow) -> None:
    """Another reason ends the pause and begins the next; the same one, or none, does not restart it."""
    stream = _stream(Kind.PAUSE, _queue(event), 0)
    name = text(event.data, "pause", "label")
    known = fold.open.get(stream)
    if known is not None:
        if name in ("", known.label):
            return
        fold.stop(stream, event)
    given = event.data.get("paid")
    paid = given if isinstance(given, bool) else fold.paid.get(name, False)
    fold.start(Kind.PAUSE, stream[1], event, name, paid)


def _pause_ended(fold: _Fold, event: EventRow) -> None:
    _end_streams(fold, event, Kind.PAUSE)


def _end_streams(fold: _Fold, event: EventRow, kind: Kind) -> None:
    """Close the queue's stream; every stream of the kind when no queue is named. Strays do nothing."""
    for stream in fold.streams(kind):
        if _queue(event) in ("", stream[1]):
            fold.stop(stream, event)


def _restarted(fold: _Fold, event: EventRow) -> None:
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


def _queue(event: EventRow) -> str:
    return "" if event.queue_id is None else str(event.queue_id)


def _place(row: Presence) -> tuple[int, int, str, int, int, str]:
    closed = row.opened_ms if row.closed_ms is None else row.closed_ms
    return row.start, row.kind, row.key, row.opened_ms, closed, row.label


ACTS: dict[str, Callable[[_Fold, EventRow], None]] = {
    RESTART: _restarted,
    "agent.pause_ended": _pause_ended,
    "agent.not_ready": _not_ready,
    "agent.signed_out": _signed_out,
    "agent.signed_in": _signed_in,
    "agent.ready": _ready,
    "agent.pause_started": _pause_started,
}
