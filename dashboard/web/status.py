"""The current status of a user, from the intervals of the day. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dashboard.tracing.types import ACTIVITY_TYPES, IntervalRow, Kind, type_of

READY, PAUSE, IDLE, OUT = "ready", "pause", "idle", "out"


class Status(NamedTuple):
    """`state` is ready, pause, idle (signed in, not ready) or out. `calls`, `emails`, `chats` and
    `tickets` are under way; `ringing` something rings. `since` is when what is shown began: the pause,
    else the oldest work, else ringing, else being free, signed in or out; None when nothing says. `label`
    and `paid` are of the pause."""

    state: str
    calls: int = 0
    emails: int = 0
    chats: int = 0
    tickets: int = 0
    ringing: bool = False
    since: int | None = None
    label: str = ""
    paid: bool = False

    @property
    def work(self) -> int:
        return self.calls + self.emails + self.chats + self.tickets

    @property
    def here(self) -> bool:
        return self.state != OUT


def status(rows: Sequence[IntervalRow], as_of: int) -> Status:
    """Return the status at `as_of` of a user with these intervals; open ones last until `as_of`.

    A user whose source reports no sign-in counts as present while ready or on a pause.
    """
    begun = [row for row in rows if row.start <= as_of]
    now = [row for row in begun if row.end is None or row.end > as_of]
    kinds = {row.kind for row in now}
    work = [row for row in now if row.kind == Kind.HANDLING]
    counts = {kind: sum(type_of(row.channel) == kind for row in work) for kind in ACTIVITY_TYPES}
    done = Status(
        _state(kinds),
        counts["call"],
        counts["email"],
        counts["chat"],
        counts["ticket"],
        Kind.RINGING in kinds,
    )
    if done.state == PAUSE:
        last = max((row for row in now if row.kind == Kind.PAUSE), key=lambda row: row.start)
        return done._replace(since=last.start, label=last.label, paid=last.paid)
    if work:
        return done._replace(since=min(row.start for row in work))
    if done.ringing:
        return done._replace(since=min(row.start for row in now if row.kind == Kind.RINGING))
    return done._replace(since=_since(done.state, begun, now))


def _state(kinds: set[int]) -> str:
    for kind, state in ((Kind.PAUSE, PAUSE), (Kind.READY, READY), (Kind.LOGIN, IDLE)):
        if kind in kinds:
            return state
    return OUT


def _since(state: str, begun: Sequence[IntervalRow], now: Sequence[IntervalRow]) -> int | None:
    """Return since when a user without work is idle, not ready or signed out."""
    ended = [(row.kind, row.end) for row in begun if row.end is not None and row not in now]
    if state == OUT:
        return max((end for kind, end in ended if kind in (Kind.LOGIN, Kind.READY, Kind.PAUSE)), default=None)
    kind = Kind.READY if state == READY else Kind.LOGIN
    since = [row.start for row in now if row.kind == kind]
    breaks = (Kind.HANDLING, Kind.PAUSE) if state == READY else (Kind.READY, Kind.PAUSE)
    return max([*since, *(end for kind_, end in ended if kind_ in breaks)], default=None)
