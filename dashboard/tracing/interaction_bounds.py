"""What bounds an interaction whose end never came: its wait in a queue, and the call as a whole. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dashboard.intervals import measure
from dashboard.tracing.bounds import NOBODY, Bound, Bounded, EndReason, Limits, Place, restart_after
from dashboard.tracing.types import FoldedActivity, FoldedInteraction, Kind, State, type_of

NO_WORK = FoldedActivity(0, 0, "call", "", State.OPEN, None, None, "", 0, None, None, 0, 0, 0, 0, False, ())


def of_wait(
    place: Place,
    restarts: Mapping[int, Sequence[int]],
    as_of: int,
    limits: Limits,
    moved: int | None = None,
) -> Bounded:
    """Return the bound of a wait in a queue whose end never came, on an activity of nobody; `moved` is the
    second in which the same call was queued or answered in another queue."""
    found = min(
        [
            *restart_after(NOBODY._replace(restarts=restarts), place.source, place.last_ts),
            Bound(place.last_ts + limits.call_end, EndReason.NO_END),
            *([] if moved is None else [Bound(moved, EndReason.MOVED_ON)]),
        ],
        key=lambda bound: bound.at,
    )
    if found.at <= as_of:
        return Bounded(NO_WORK, found)
    return Bounded(NO_WORK, None, found.at)


def with_proved_talk(one: FoldedInteraction, works: Sequence[Bounded]) -> FoldedInteraction:
    """Return the interaction with the talk that is proved of its bounded work in its own talk."""
    if all(found.bound is None for found in works):
        return one
    talks = [part for found in works for part in found.activity.segments if part.kind == Kind.TALK]
    proved = measure((part.start, part.end) for part in talks if part.end is not None)
    return one._replace(talk_s=max(one.talk_s, proved))


def with_bounded_wait(one: FoldedInteraction, since: int | None, wait: Bounded | None) -> FoldedInteraction:
    """Return the interaction with its open stay, begun at `since`, counted to its bound in its wait."""
    if since is None or wait is None or wait.bound is None:
        return one
    return one._replace(wait_s=(one.wait_s or 0) + max(wait.bound.at - since, 0))


def of_interaction(
    one: FoldedInteraction, works: Sequence[Bounded], wait: Bounded | None
) -> tuple[Bound | None, int | None]:
    """Return the bound of an open call: the last one of its work, ringing and wait once all are bounded;
    else None and when time alone will bound it."""
    if type_of(one.channel) != "call" or one.ended_ts is not None:
        return None, None
    live = [found for found in works if found.activity.end is None]
    live += [wait] if wait is not None else []
    ends = [found.bound.at if found.bound is not None else found.expires for found in live]
    if not live or None in ends:
        return None, None
    bounds = [found.bound for found in live if found.bound is not None]
    if len(bounds) < len(live):
        return None, max(end for end in ends if end is not None)
    return max(bounds, key=lambda bound: bound.at), None
