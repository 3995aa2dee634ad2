"""Presence events of one user → stretches of login, ready and pause. Pure.

Source of the rules: the event types that make a user's day, and what queue logs of telephone
exchanges have been seen to do: repeated starts, stray ends, ends that tell their own length.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from dashboard.tracing.interaction import length, text
from dashboard.tracing.types import EventRow, Kind

LABEL_MAX = 200
KEY_MAX = 120


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


def fold_presence(
    open_rows: Sequence[Presence], events: Sequence[EventRow], paid: Mapping[str, bool]
) -> list[Presence]:
    """Return `open_rows` and the stretches that `events` make, ended where an event ends them.

    `open_rows` are those open at the first event; `paid` tells of each pause by name whether it is
    paid, where the event does not. Events come in any order, all those of one instant at once.
    Folding a day whole equals folding it in parts cut between instants, each from the rows that the
    former part left open.
    """
    fold = _Fold(open_rows, paid)
    ordered = sorted((event for event in events if event.type in ACTS), key=_order)
    for _, instant in groupby(ordered, key=lambda event: (event.time_ms, event.seq)):
        # An end that finds nothing open waits for its beginning.
        waiting = [event for event in instant if not ACTS[event.type](fold, event)]
        for event in waiting:
            ACTS[event.type](fold, event)
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
        if row.opened_ms >= t0_ms:
            gone += [] if row.id is None else [row.id]
        elif row.closed_ms is not None and row.closed_ms < t0_ms:
            kept.append(row)
        else:
            still_open.append(row._replace(end=None, closed_ms=None, inferred=False, reported_s=None))
    return kept, still_open, gone


class _Fold:
    """Rows that are open, one a stream, and those that are ended."""

    def __init__(self, open_rows: Sequence[Presence], paid: Mapping[str, bool]) -> None:
        self.open = {(row.kind, row.key): row for row in open_rows}
        self.done: list[Presence] = []
        self.paid = paid

    def start(self, kind: Kind, key: str, event: EventRow, label: str = "", paid: bool = False) -> None:
        at = event.time_ms // 1000
        self.open[kind, key] = Presence(
            kind, key, at, None, label, paid, False, None, event.time_ms, None, event.source_id
        )

    def stop(self, kind: Kind, key: str, event: EventRow, inferred: bool = False) -> None:
        row = self.open.pop((kind, key))
        end = max(event.time_ms // 1000, row.start)
        reported = length(event.data, "login_s") if kind == Kind.LOGIN else None
        self.done.append(
            row._replace(end=end, inferred=inferred, reported_s=reported, closed_ms=event.time_ms)
        )

    def streams(self, kind: Kind) -> list[str]:
        """Return the keys of the streams of a kind that are open."""
        return [key for open_kind, key in self.open if open_kind == kind]


def _signed_in(fold: _Fold, event: EventRow) -> bool:
    device = text(event.data, "device")[:KEY_MAX]
    if (Kind.LOGIN, device) not in fold.open:
        fold.start(Kind.LOGIN, device, event)
    return True


def _signed_out(fold: _Fold, event: EventRow) -> bool:
    """Close the device's login; all of them when no device is named, the nameless one when it is unknown.

    With no login open, a length told by the source is counted back. With the last login, ready
    and pause end that belong to no queue.
    """
    logins = fold.streams(Kind.LOGIN)
    device = text(event.data, "device")[:KEY_MAX]
    if not logins:
        return _count_back(fold, event, device)
    if device and device not in logins:
        device = ""
        logins = [key for key in logins if key == ""]
    ending = [key for key in logins if device in ("", key)]
    for key in ending:
        fold.stop(Kind.LOGIN, key, event)
    if ending and not fold.streams(Kind.LOGIN):
        for kind in (Kind.READY, Kind.PAUSE):
            if (kind, "") in fold.open:
                fold.stop(kind, "", event, inferred=True)
    return bool(ending)


def _count_back(fold: _Fold, event: EventRow, device: str) -> bool:
    seconds = length(event.data, "login_s")
    if seconds is None:
        return False
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
    return True


def _ready(fold: _Fold, event: EventRow) -> bool:
    key = _queue(event)
    if (Kind.READY, key) not in fold.open:
        fold.start(Kind.READY, key, event)
    return True


def _pause_started(fold: _Fold, event: EventRow) -> bool:
    """Another reason ends the pause and begins the next; the same one, or none, does not restart it."""
    key = _queue(event)
    name = text(event.data, "pause", "label")
    known = fold.open.get((Kind.PAUSE, key))
    if known is not None:
        if name in ("", known.label):
            return True
        fold.stop(Kind.PAUSE, key, event)
    given = event.data.get("paid")
    fold.start(Kind.PAUSE, key, event, name, given if isinstance(given, bool) else fold.paid.get(name, False))
    return True


def _ends(kind: Kind) -> Callable[[_Fold, EventRow], bool]:
    """Close the queue's stream; every stream of the kind when no queue is named. Strays do nothing."""

    def act(fold: _Fold, event: EventRow) -> bool:
        key = _queue(event)
        ending = [open_key for open_key in fold.streams(kind) if key in ("", open_key)]
        for open_key in ending:
            fold.stop(kind, open_key, event)
        return bool(ending)

    return act


def _queue(event: EventRow) -> str:
    return "" if event.queue_id is None else str(event.queue_id)


def _place(row: Presence) -> tuple[int, int, str, int, int, str]:
    closed = row.opened_ms if row.closed_ms is None else row.closed_ms
    return row.start, row.kind, row.key, row.opened_ms, closed, row.label


def _order(event: EventRow) -> tuple[int, int, int, str, int]:
    return event.time_ms, event.seq, RANK[event.type], event.external_id, event.source_id


ACTS: dict[str, Callable[[_Fold, EventRow], bool]] = {  # whether the event found what it is about
    "agent.pause_ended": _ends(Kind.PAUSE),
    "agent.not_ready": _ends(Kind.READY),
    "agent.signed_out": _signed_out,
    "agent.signed_in": _signed_in,
    "agent.ready": _ready,
    "agent.pause_started": _pause_started,
}
RANK = {name: rank for rank, name in enumerate(ACTS)}  # of one instant, ends come before beginnings
