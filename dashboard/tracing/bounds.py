"""Ends that never came: what bounds a user's open work, and how much of it is proved. Pure.

The second pass over one user's activities, after each interaction was folded by itself. The earliest
bound wins. A bounded activity stays open with `end` None; its segments end where the user's own events
stop proving it, and a segment of kind UNPROVED reaches from there to the bound. Norm:
spec/lifecycle.md, section 2.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from dashboard.intervals import Pair, intersect, measure, union
from dashboard.tracing.types import (
    Evidence,
    FoldedActivity,
    Kind,
    Segment,
    State,
    type_of,
)

FOREVER = 2**53


class EndReason(StrEnum):
    """Why an end that never came is bounded."""

    SIGNED_OUT = "signed_out"
    NEXT_CALL = "next_call"
    SOURCE_RESTARTED = "source_restarted"
    TAKEN_OVER = "taken_over"
    NO_SIGN_OUT = "no_sign_out"
    NO_END = "no_end"
    END_OF_FILE = "end_of_file"
    IDLE = "idle"
    FIRST_TO_LAST = "first_to_last"  # presence of a static member, out of their activity
    CORRECTED = "corrected"  # presence that a correction put in the place of what was recorded
    MOVED_ON = "moved_on"  # a wait: the same call was queued or answered in another queue


class Limits(NamedTuple):
    """Settings of the site, in seconds; the defaults are those of the settings."""

    shift: int = 16 * 3600  # the longest time signed in without signing in again
    call_end: int = 4 * 3600  # after its last event a call is over
    idle: int = 3600  # work of a user who is signed in nowhere stops so long after their last event


class Presences(NamedTuple):
    """What bounds one user's work. Times are seconds, lists rise.

    `signed_in` is the set of times signed in on any device of any source (FOREVER while it lasts).
    `left` holds by source without sign-ins when the user's last membership ended. `calls` are
    (second, source, interaction) of the incoming calls connected by the user, `restarts` the
    restarts by source.
    """

    signed_in: Sequence[Pair] = ()
    left: Mapping[int, Sequence[int]] = {}
    calls: Sequence[tuple[int, int, str]] = ()
    restarts: Mapping[int, Sequence[int]] = {}
    deactivated: int | None = None


NOBODY = Presences()


class Bound(NamedTuple):
    """The latest moment at which something can have ended, and why."""

    at: int
    reason: EndReason


class Bounded(NamedTuple):
    """An activity with its bound, or with `expires` where only time will bound it.

    `proved_ts` is up to where its open segments are proved.
    """

    activity: FoldedActivity
    bound: Bound | None = None
    expires: int | None = None
    proved_ts: int | None = None


class Place(NamedTuple):
    """Where an activity belongs: its source, interaction, and the interaction's last event in seconds."""

    source: int
    interaction: str
    last_ts: int


def bounded(
    work: FoldedActivity,
    shown: Evidence,
    place: Place,
    presences: Presences,
    as_of: int,
    limits: Limits,
) -> Bounded:
    """Return the activity as of an instant, its open end bounded where something bounds it."""
    kind = type_of(work.channel)
    if work.wrapup is not None:
        work = _with_wrapup_ended(work, work.wrapup, place, presences)
    if work.state == State.RINGING:
        return _open_end(work, shown, _of_ringing(shown, place, presences, kind, limits), as_of)
    if kind in ("email", "chat"):
        return _stopped(work, shown, place, presences, as_of, limits)
    if kind == "call" and work.end is None:
        return _open_end(work, shown, _of_call(work, shown, place, presences, limits), as_of)
    return Bounded(work)


def may_be_bounded(work: FoldedActivity) -> bool:
    """Say whether an activity may need what bounds its user: it is open, or written work that may stop."""
    kind = type_of(work.channel)
    open_ = work.end is None or work.wrapup is not None
    return kind != "ticket" and (open_ or kind in ("email", "chat"))


def _with_wrapup_ended(
    work: FoldedActivity, since: int, place: Place, presences: Presences
) -> FoldedActivity:
    """Return the activity with its wrap-up ended by the user's next connection or sign-out."""
    others = (at for at, *call in presences.calls if at > since and call != [place.source, place.interaction])
    stop = min(
        [*others, *(bound.at for bound in _sign_out(presences, place.source, since - 1))], default=None
    )
    if stop is None or work.end is None or stop >= work.end:
        return work
    segments = [
        part._replace(end=max(part.start, min(part.end, stop)))
        if part.kind == Kind.HANDLING and part.start >= since and part.end is not None
        else part
        for part in work.segments
    ]
    return measured(work._replace(end=max(stop, since)), segments)


def _of_ringing(
    shown: Evidence, place: Place, presences: Presences, kind: str, limits: Limits
) -> list[Bound]:
    last = shown.last_ms // 1000
    found = _sign_out(presences, place.source, last)
    if kind == "call":
        found += restart_after(presences, place.source, last)
        found.append(Bound(place.last_ts + limits.call_end, EndReason.NO_END))
    return found


def _of_call(
    work: FoldedActivity, shown: Evidence, place: Place, presences: Presences, limits: Limits
) -> list[Bound]:
    last = shown.last_ms // 1000
    found = _of_ringing(shown, place, presences, "call", limits)
    open_kinds = {part.kind for part in work.segments if part.end is None}
    if Kind.TALK in open_kinds and Kind.HOLD not in open_kinds:
        start = bisect_right(presences.calls, (last, FOREVER, ""))
        others = (at for at, *call in presences.calls[start:] if call != [place.source, place.interaction])
        found += [Bound(at, EndReason.NEXT_CALL) for at in list(others)[:1]]
    if Kind.TALK in open_kinds and shown.taken_ms is not None:
        found.append(Bound(shown.taken_ms // 1000, EndReason.TAKEN_OVER))
    return found


def _sign_out(presences: Presences, source: int, after: int) -> list[Bound]:
    ends = [end for _, end in presences.signed_in if after < end < FOREVER]
    ends += [at for at in presences.left.get(source, ()) if at > after][:1]
    if presences.deactivated is not None and presences.deactivated > after:
        ends.append(presences.deactivated)
    return [Bound(min(ends), EndReason.SIGNED_OUT)] if ends else []


def restart_after(presences: Presences, source: int, after: int) -> list[Bound]:
    """Return the bound by the first restart of the source after a second; empty without one."""
    later = [at for at in presences.restarts.get(source, ()) if at > after]
    return [Bound(later[0], EndReason.SOURCE_RESTARTED)] if later else []


def _open_end(work: FoldedActivity, shown: Evidence, bounds: Sequence[Bound], as_of: int) -> Bounded:
    last = shown.last_ms // 1000
    found = min(bounds, key=lambda bound: bound.at, default=None)
    if found is None or found.at > as_of:
        timed = [bound.at for bound in bounds if bound.reason is EndReason.NO_END]
        return Bounded(work, None, min(timed, default=None), last)
    return Bounded(cut(work, last, found.at), found, None, last)


def cut(work: FoldedActivity, proved: int, bound: int) -> FoldedActivity:
    """Return the activity with its open segments ended at `proved`, ringing at its beginning."""
    segments = [
        part
        if part.end is not None
        else part._replace(
            end=part.start if part.kind == Kind.RINGING else max(part.start, proved), inferred=True
        )
        for part in work.segments
    ]
    since = max((part.end or 0 for part in segments), default=proved)
    segments.append(Segment(Kind.UNPROVED, since, max(since, bound), True))
    return measured(work, segments)


def measured(work: FoldedActivity, segments: Iterable[Segment]) -> FoldedActivity:
    """Return the activity with these segments and the lengths that follow from them."""
    parts = sorted(segments, key=lambda part: (part.start, part.kind))
    lengths = {
        kind: measure((part.start, part.end) for part in parts if part.kind == kind and part.end is not None)
        for kind in (Kind.RINGING, Kind.HANDLING, Kind.TALK, Kind.HOLD)
    }
    return work._replace(
        segments=tuple(parts),
        ringing_s=lengths[Kind.RINGING],
        handling_s=lengths[Kind.HANDLING],
        talk_s=lengths[Kind.TALK],
        hold_s=lengths[Kind.HOLD],
    )


def _stopped(
    work: FoldedActivity,
    shown: Evidence,
    place: Place,
    presences: Presences,
    as_of: int,
    limits: Limits,
) -> Bounded:
    """Stop email and chat work when its user signs out, or an hour after their last event when they are
    signed in nowhere; a later own event proves it up to the stop."""
    kept: list[Pair] = []
    bound: Bound | None = None
    expires: int | None = None
    last = max(shown.acts, default=work.start)
    cuts, acts = False, frozenset(shown.acts)
    for part in work.segments:
        if part.kind != Kind.HANDLING:
            continue
        points = sorted({part.start, *(at for at in acts if at > part.start)})
        for at, following in zip(points, [*points[1:], None], strict=True):
            stop = _stop_after(presences, place.source, at, limits)
            until = (
                part.end
                if following is None or (part.end is not None and following > part.end)
                else following
            )
            own = until in acts
            if until is None and (stop is None or stop.at > as_of):
                kept.append((at, FOREVER))
                timed = stop is not None and stop.reason is EndReason.IDLE
                expires, last = (stop.at if stop is not None and timed else None), at
            elif stop is not None and (until is None or stop.at < until):
                kept.append((at, stop.at if own else at))
                cuts = True
                bound = stop if until is None else bound
            elif until is not None:
                kept.append((at, until))
            if until == part.end:
                break
    if not cuts:
        return Bounded(work, None, expires, last)
    return Bounded(_without_gaps(work, union(kept), bound, last), bound, expires, last)


def _stop_after(presences: Presences, source: int, at: int, limits: Limits) -> Bound | None:
    """Return when work whose last own event was at `at` stops; None while the user stays signed in."""
    found = _sign_out(presences._replace(signed_in=()), source, at)
    for start, end in presences.signed_in:
        if end > at and start <= at + limits.idle:
            return (
                min([Bound(end, EndReason.SIGNED_OUT), *found]) if end < FOREVER else min(found, default=None)
            )
    return min([Bound(at + limits.idle, EndReason.IDLE), *found])


def _without_gaps(
    work: FoldedActivity, kept: Sequence[Pair], bound: Bound | None, last: int
) -> FoldedActivity:
    segments: list[Segment] = []
    for part in work.segments:
        if part.kind == Kind.RINGING:
            segments.append(part)
            continue
        whole = (part.start, FOREVER if part.end is None else part.end)
        pairs = intersect([whole], kept) or [(part.start, part.start)]
        for start, end in pairs:
            exact = (start, end) == whole
            segments.append(
                Segment(part.kind, start, None if end == FOREVER else end, part.inferred or not exact)
            )
    if bound is None:
        return measured(work._replace(inferred=True), segments)
    segments.append(Segment(Kind.UNPROVED, last, max(last, bound.at), True))
    return measured(work._replace(state=State.POSTPONED), segments)
