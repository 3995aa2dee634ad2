"""Rows of a user's presence while their events are folded: those that are open and those that ended. Pure.

Used by `presence` alone, which decides what each event does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from dashboard.catalog.effects import Thing
from dashboard.tracing.bounds import EndReason, Limits
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
    shift: int = Limits().shift
    login_sources: Collection[int] = ()


ALONE = Surroundings()


class Settled(NamedTuple):
    """What was concluded of a user before the horizon, where events are missing by now.

    `acts` are seconds of own events that their logins without a sign-out show; from these the fold concludes
    the same logins again. `pauses` are those that ended with the last act of their day, by id.
    """

    acts: frozenset[int]
    pauses: Mapping[int | None, Presence]

    @classmethod
    def of(cls, rows: Sequence[Presence], horizon: int) -> Settled:
        """Return what `rows` say of the time before `horizon`, in seconds."""
        old = [row for row in rows if row.end is not None and row.start < horizon]
        logins = [row for row in old if row.kind == Kind.LOGIN and row.reason == EndReason.NO_SIGN_OUT]
        logins += [row for row in rows if row.label == REOPENED and row.start < horizon]
        acts = {at for row in logins for at in (row.start, row.end) if at is not None and at < horizon}
        pauses = {row.id: row for row in old if row.reason == EndReason.FIRST_TO_LAST}
        return cls(frozenset(acts), pauses)

    def with_acts(self, acts: Sequence[int], start: int, end: int) -> Sequence[int]:
        """Return the acts of the log in [start, end) with those that it lacks."""
        return sorted({*acts, *(at for at in self.acts if start <= at < end)}) if self.acts else acts

    def kept(self, rows: Sequence[Presence]) -> Sequence[Presence]:
        """Return folded rows, the settled pauses with the end that they had."""
        return [
            row._replace(end=old.end, inferred=True, reason=old.reason)
            if (old := self.pauses.get(row.id)) is not None and row.id is not None
            else row
            for row in rows
        ]


class PresenceFold:
    """Rows that are open, one a stream, and those that are ended. A login's stream is one of its source."""

    def __init__(self, open_rows: Sequence[Presence], paid: Mapping[str, bool], around: Surroundings) -> None:
        self.open = {stream_of(row.kind, row.key, row.source_id): row for row in open_rows}
        self.done: list[Presence] = []
        self.paid = paid
        self.around = around

    def start(self, kind: Kind, key: str, event: EventRow, label: str = "", paid: bool = False) -> None:
        at = event.time_ms // 1000
        row = Presence(kind, key, at, None, label, paid, False, None, event.time_ms, None, event.source_id)
        self.open[stream_of(kind, key, event.source_id)] = row

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
        key = text(event.data, "device")[:KEY_MAX] if kind == Kind.LOGIN else queue_key(event)
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


def stream_of(kind: int, key: str, source_id: int) -> Stream:
    return kind, key, source_id if kind == Kind.LOGIN else 0


def queue_key(event: EventRow) -> str:
    return "" if event.queue_id is None else str(event.queue_id)
