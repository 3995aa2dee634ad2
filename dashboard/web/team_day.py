"""The rows of the team's day: each member's figures, flags and strip, equal to their user tracing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from dashboard import clock
from dashboard.access.scope import Scope
from dashboard.clock import Span
from dashboard.i18n import collation
from dashboard.models import TeamMember
from dashboard.tracing import team
from dashboard.tracing.figures import Figures
from dashboard.tracing.statistics import figures
from dashboard.tracing.team import Limit, Member
from dashboard.tracing.types import PRESENCE, IntervalRow, Kind
from dashboard.web import strip
from dashboard.web.strip import Axis, Mark

MOST_ROWS = 50
MISSES = 3  # not taken in a day, from which on the row needs a look


class Flag(StrEnum):
    """Why a row needs a look."""

    PAUSE = "pause"  # a pause went on longer than its type allows
    MISSES = "misses"
    SIGNED_OUT = "signed_out"  # worked while signed out


class Row(NamedTuple):
    """A member's day. `over` is by how many seconds pauses were longer than allowed, `allowed` the time of
    pauses with a limit that was allowed; `here` whether they are signed in at the end of what is shown."""

    member: Member
    figures: Figures
    first: int | None
    last: int | None
    here: bool
    handled: int
    missed: int
    over: int
    flags: tuple[Flag, ...]
    marks: tuple[Mark, ...]


class Group(NamedTuple):
    name: str  # look, here or gone
    rows: tuple[Row, ...]


class TeamDay(NamedTuple):
    """The rows in groups, at most MOST_ROWS; `more` are left out."""

    groups: tuple[Group, ...]
    axis: Axis
    more: int
    here: int
    members: int
    handled: int
    missed: int
    occupancy: float | None
    over: int  # members with a pause over its limit


def read(scope: Scope, team_id: int | None, span: Span, zone: str, as_of: int, language: str) -> TeamDay:
    """Return the day of the members inside the scope, of one team or all, who had anything recorded in it."""
    members = team.worked(scope, span)
    if team_id is not None:
        chosen = {
            user for (user,) in TeamMember.select(TeamMember.user).where(TeamMember.team == team_id).tuples()
        }
        members = [member for member in members if member.id in chosen]
    ids = [member.id for member in members]
    passed = Span(span.start, min(span.end, as_of))
    stretches = team.day(scope, ids, passed)
    done, missed = team.done(scope, ids, passed), team.missed(scope, ids, passed)
    limits, without = team.limits(), team.without_sign_in(ids)
    last = max((row.end or passed.end for rows in stretches.values() for row in rows), default=passed.end)
    everything = [row for rows in stretches.values() for row in rows]
    axis = strip.axis(clock.hours(span, zone), everything, min(last, passed.end - 1))
    rows = [
        _row(
            member,
            stretches[member.id],
            passed,
            limits,
            member.id in without,
            done[member.id].closed if member.id in done else 0,
            missed.get(member.id, 0),
            axis,
        )
        for member in members
    ]
    return _grouped(rows, axis, language)


def _row(
    member: Member,
    rows: Sequence[IntervalRow],
    passed: Span,
    limits: Mapping[str, Limit],
    never_signed_in: bool,
    handled: int,
    missed: int,
    axis: Axis,
) -> Row:
    found = figures(rows, [], passed, passed.end, never_signed_in=never_signed_in)
    present = [row for row in rows if row.kind in PRESENCE]
    over = sum(_over(row, passed, limits) for row in rows if row.kind == Kind.PAUSE)
    flags = (
        *([Flag.PAUSE] if over else []),
        *([Flag.MISSES] if missed >= MISSES else []),
        *([Flag.SIGNED_OUT] if found.work_logged_out and not never_signed_in else []),
    )
    ends = [passed.end if row.end is None else min(row.end, passed.end) for row in present]
    return Row(
        member,
        found,
        min((max(row.start, passed.start) for row in present), default=None),
        max(ends, default=None),
        any(end >= passed.end for end in ends),
        handled,
        missed,
        over,
        flags,
        tuple(strip.marks(rows, axis, passed.end)),
    )


def _over(row: IntervalRow, passed: Span, limits: Mapping[str, Limit]) -> int:
    """Return by how many seconds a pause is longer than its type allows."""
    limit = limits.get(row.label)
    if limit is None or limit.seconds is None:
        return 0
    return max(0, min(row.end or passed.end, passed.end) - row.start - limit.seconds)


def _grouped(rows: Sequence[Row], axis: Axis, language: str) -> TeamDay:
    ordered = sorted(rows, key=lambda row: collation.key(row.member.name, language))
    look = [row for row in ordered if row.flags]
    look.sort(key=lambda row: (-len(row.flags), -row.over, -row.missed))
    here = [row for row in ordered if not row.flags and row.here]
    gone = [row for row in ordered if not row.flags and not row.here]
    shown = [*look, *here, *gone][:MOST_ROWS]
    groups = [
        Group(name, tuple(row for row in part if row in shown))
        for name, part in (("look", look), ("here", here), ("gone", gone))
    ]
    ready = sum(row.figures.ready for row in rows)
    return TeamDay(
        tuple(group for group in groups if group.rows),
        axis,
        len(rows) - len(shown),
        sum(row.here for row in rows),
        len(rows),
        sum(row.handled for row in rows),
        sum(row.missed for row in rows),
        sum(row.figures.busy for row in rows) / ready if ready else None,
        sum(Flag.PAUSE in row.flags for row in rows),
    )
