"""One user's activity on one interaction while its events are folded. Pure; used by `fold` alone.

Times are UTC seconds and come in rising order. Nothing here reads a clock: what no event ended
stays open.
"""

from __future__ import annotations

from typing import NamedTuple

from dashboard.intervals import measure, union
from dashboard.tracing.types import Kind, Segment, State

ENDED = (State.CLOSED, State.TRANSFERRED, State.EDITED)
LIVE = (State.RINGING, State.OPEN, State.POSTPONED)


TAKEOVER_MS = 2000  # two connections of one call closer than this are one record written twice


class Lapse(NamedTuple):
    """An end concluded from another's event; it holds unless an event of the user shows a later one."""

    at: int
    counts: bool = False  # closed for this user, as the only one who worked
    talk_s: int | None = None
    state: State = State.MISSED  # of an activity that only rang


class Stint:
    """Segments by kind and where the work stands; `state` is derived from what is open."""

    def __init__(self, user_id: int, n: int, subject: str, at: int, queue_id: int | None) -> None:
        self.user_id = user_id
        self.n = n
        self.subject = subject  # call, email, chat or ticket
        self.at = at
        self.queue_id = queue_id
        self.own_queue = False  # named by an event of this user, not taken from the interaction
        self.direction = ""
        self.title = ""
        self.segments: dict[Kind, list[Segment]] = {
            kind: [] for kind in (Kind.RINGING, Kind.HANDLING, Kind.TALK, Kind.HOLD)
        }
        self.rest = State.MISSED  # the state while nothing is open
        self.end: int | None = at
        self.closed: int | None = None
        self.lapse: Lapse | None = None
        self.acts: list[int] = []  # seconds of the user's own events on it
        self.last_ms = at * 1000  # of the last of them
        self.connected_ms: int | None = None
        self.taken_ms: int | None = None  # another user connected the same call, nothing own followed
        self.doubtful = False  # a further end was reported
        self.inferred = False
        self.wrapup: tuple[int, int] | None = None  # from when and until when at most
        self.bare = False  # closed without ever being opened
        self.joins = False  # begun while the interaction had ended: may belong to a bare end before it

    def is_open(self, kind: Kind) -> bool:
        parts = self.segments[kind]
        return bool(parts) and parts[-1].end is None

    @property
    def state(self) -> State:
        if self.is_open(Kind.HANDLING):
            return State.OPEN
        return State.RINGING if self.is_open(Kind.RINGING) else self.rest

    @property
    def live(self) -> bool:
        return self.state in LIVE

    @property
    def handled(self) -> bool:
        return bool(self.segments[Kind.HANDLING])

    @property
    def over(self) -> bool:
        """Ended for good by the user's own event; a missed ring may still be followed by an answer."""
        return not self.live and (self.rest in ENDED or self.handled)

    @property
    def replaced(self) -> bool:
        """Whether the next offer to the same user begins another stint."""
        return self.over or (self.lapse is not None and self.handled)

    def act(self, time_ms: int) -> None:
        """Note an own event of the user: it shows that their part had not ended before."""
        self.acts.append(time_ms // 1000)
        self.last_ms = max(self.last_ms, time_ms)
        if self.taken_ms is not None and time_ms > self.taken_ms:
            self.taken_ms = None

    def taken_over(self, time_ms: int) -> None:
        """Note that another user has connected the call; it ends this talk unless own events follow."""
        begun = self.connected_ms
        if self.taken_ms is None and self.is_open(Kind.TALK) and begun is not None:
            self.taken_ms = time_ms if time_ms > begun + TAKEOVER_MS else None

    def ring(self, at: int) -> None:
        self.settle()
        if not self.is_open(Kind.HANDLING):
            self._open(Kind.RINGING, at)

    def not_taken(self, at: int, ring_s: int | None, state: State) -> None:
        """End the ringing; without a known start it lasted `ring_s`, or no time."""
        if self.is_open(Kind.HANDLING):
            return
        self.lapse = None
        if self.is_open(Kind.RINGING):
            self._close(Kind.RINGING, at)
        else:
            self._add(Kind.RINGING, at - (ring_s or 0), at, ring_s is None)
        if not self.handled:
            self.rest, self.end = state, at

    def accept(self, at: int, ring_s: int | None) -> None:
        self.lapse = None
        if self.is_open(Kind.HANDLING):
            return
        if self.is_open(Kind.RINGING):
            self._close(Kind.RINGING, at)
        elif ring_s is not None:
            self._add(Kind.RINGING, at - ring_s, at)
        self._open(Kind.HANDLING, at)

    def go_out(self) -> None:
        """Mark work that begins as an outbound call: the customer's queue is not that of a consultation."""
        if not self.handled:
            self.direction, self.queue_id = "out", None

    def begin(self, kind: Kind, at: int) -> None:
        """Open talk or hold; work that nobody reported as accepted begins with it, inferred."""
        if self.over:
            return
        self.show_life(at)
        self._close(Kind.RINGING, at)
        self._open(Kind.HANDLING, at, inferred=True)
        if kind == Kind.TALK and not self.is_open(kind):
            self.connected_ms = at * 1000
        self._open(kind, at)

    def cease(self, kind: Kind, at: int) -> None:
        """End talk, and hold with it, or hold alone."""
        self.show_life(at)
        self._close(kind, at)
        if kind == Kind.TALK:
            self._close(Kind.HOLD, at)

    def postpone(self, at: int) -> None:
        if not self.over and self.handled:
            self.lapse = None
            self._close_all(at)
            self.rest, self.end = State.POSTPONED, None

    def reopen(self, at: int) -> None:
        self.settle()
        self._close(Kind.RINGING, at)
        self._open(Kind.HANDLING, at)
        self.closed = None

    def finish(self, at: int, state: State, talk_s: int | None = None, inferred: bool = False) -> None:
        """End the work. Talk of a reported length is the stretch before the end, and handled."""
        if self.over and not (talk_s and self.rest == State.MISSED):
            return
        if self.over:  # the talk shows that it was answered, whatever was reported before
            self.segments[Kind.HANDLING][-1] = self.segments[Kind.HANDLING][-1]._replace(end=None)
        self.lapse = None
        began = at - (talk_s or 0)
        self._close(Kind.RINGING, began, inferred)
        self._close_all(at, inferred)
        if talk_s is not None:
            self.segments[Kind.TALK] = [Segment(Kind.TALK, began, at)] if talk_s else []
        self.bare = not self.handled and talk_s is None
        self._cover(began, at)
        self.rest, self.end = state, at
        self.closed = at if state in (State.CLOSED, State.EDITED) else None

    def lapse_at(self, lapse: Lapse) -> None:
        if self.live and self.lapse is None:
            self.lapse = lapse

    def settle(self) -> None:
        """Let a concluded end stand."""
        lapse, self.lapse = self.lapse, None
        if lapse is None or self.taken_ms is not None:
            return
        self.inferred = True
        if self.handled:
            self.finish(lapse.at, State.CLOSED, lapse.talk_s, inferred=not lapse.counts)
            self.closed = lapse.at if lapse.counts else None
        else:
            self._close(Kind.RINGING, lapse.at, inferred=True)
            self.rest, self.end = lapse.state, lapse.at

    def mark_doubtful(self) -> None:
        """Mark the end of a call for which a further end was reported."""
        parts = self.segments[Kind.HANDLING]
        if self.doubtful and self.subject == "call" and parts:
            parts[-1] = parts[-1]._replace(inferred=True)

    def add_wrapup(self) -> None:
        """Count the wrap-up that was reported as handling after the end of the work."""
        if self.wrapup is None or self.live or not self.handled or self.end is None:
            return
        start, end = max(self.wrapup[0], self.end), self.wrapup[1]
        if end > start:
            self._add(Kind.HANDLING, start, end)
            self.wrapup, self.end = (start, end), end

    def void(self, ended: Stint) -> None:
        """Take the end that was reported before this beginning: no time, and marked."""
        for kind, parts in self.segments.items():
            self.segments[kind] = [
                Segment(kind, part.start, part.start if part.end is None else part.end, True)
                for part in parts
            ]
        self.n, self.rest, self.closed = ended.n, ended.rest, ended.closed
        self.end = max((part.end for part in self.all_segments() if part.end is not None), default=self.at)

    def all_segments(self) -> tuple[Segment, ...]:
        parts = [segment for kind in self.segments.values() for segment in kind]
        if len(parts) > 1:
            parts.sort(key=lambda part: (part.start, part.kind))
        return tuple(parts)

    def seconds(self, kind: Kind) -> int:
        """Real time of the ended segments of a kind."""
        if not self.segments[kind]:
            return 0
        return measure((p.start, p.end) for p in self.segments[kind] if p.end is not None)

    def show_life(self, at: int) -> None:
        """Move a concluded end to a later sign of the user's work."""
        if self.lapse is not None:
            self.lapse = self.lapse._replace(at=at)

    def _add(self, kind: Kind, start: int, end: int | None, inferred: bool = False) -> None:
        self.segments[kind].append(Segment(kind, start, end, inferred))

    def _open(self, kind: Kind, at: int, inferred: bool = False) -> None:
        if not self.is_open(kind):
            self._add(kind, at, None, inferred)
            self.end = None

    def _close(self, kind: Kind, at: int, inferred: bool = False) -> None:
        if self.is_open(kind):
            part = self.segments[kind][-1]
            doubtful = part.inferred or inferred or at < part.start
            self.segments[kind][-1] = Segment(kind, part.start, max(part.start, at), doubtful)

    def _close_all(self, at: int, inferred: bool = False) -> None:
        for kind in self.segments:
            self._close(kind, at, inferred)

    def _cover(self, began: int, at: int) -> None:
        """Make handling hold [began, at); work that was never opened is inferred."""
        parts = self.segments[Kind.HANDLING]
        if parts and all(part.start <= began for part in parts[-1:]):
            return
        known = {(p.start, p.end): p.inferred for p in parts if p.end is not None}
        pairs = union([*known, (began, at)]) or [(began, at)]
        self.segments[Kind.HANDLING] = [
            Segment(Kind.HANDLING, start, end, known.get((start, end), not parts)) for start, end in pairs
        ]
