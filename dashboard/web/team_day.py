"""The team's day: each member's figures, flags, status and strip, equal to their user tracing.

Home, Team day and Compare show it, and their files are made of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from dashboard.access.scope import Scope
from dashboard.clock import Span
from dashboard.i18n import collation
from dashboard.i18n.message import N_
from dashboard.models import TeamMember
from dashboard.tracing import ongoing, team
from dashboard.tracing.figures import Figures
from dashboard.tracing.statistics import figures
from dashboard.tracing.team import Done, Limit, Member
from dashboard.tracing.types import PRESENCE, IntervalRow, Kind
from dashboard.web import charts, strip
from dashboard.web.charts import Bullet, Unit
from dashboard.web.lists import here
from dashboard.web.status import OUT, PAUSE, Status, status
from dashboard.web.strip import Axis, Mark

MOST_ROWS = 50
CLEAR_S = 30 * 3600  # in longer spans, marks of what was not taken would hide the work
MISSES = 3  # not taken in a day, from which on the row needs a look


GROUPS = {
    "look": N_("Needs a look"),
    "here": N_("Signed in"),
    "gone": N_("Signed out"),
    "others": N_("Others"),
}


class Flag(StrEnum):
    """Why a row needs a look."""

    PAUSE = "pause"  # a pause went on longer than its type allows
    MISSES = "misses"
    SIGNED_OUT = "signed_out"  # worked while signed out


FLAGS = {
    Flag.PAUSE: (N_("Pause over limit"), "bad"),
    Flag.MISSES: (N_("Calls not taken"), "warn"),
    Flag.SIGNED_OUT: (N_("Worked while signed out"), "warn"),
}


class Overrun(NamedTuple):
    """By how many seconds the single pauses of a type, by its name, exceed its limit."""

    label: str
    seconds: int


class Row(NamedTuple):
    """A member's day, at the instant to which it is shown. Times are UTC seconds, lengths seconds.

    `paused` is what pauses with a limit took and `allowed` what their limits allow, `overruns` by how much
    single pauses exceed theirs, the longest first. `pause`, `limit` and `since` are of the present pause or
    status.
    """

    member: Member
    figures: Figures
    first: int | None
    last: int | None
    handled: int
    handling: int
    misses: tuple[int, ...]
    paused: int
    allowed: int
    overruns: tuple[Overrun, ...]
    flags: tuple[Flag, ...]
    marks: tuple[Mark, ...]
    status: Status
    pause: Limit | None
    for_s: int | None  # how long the present status lasts

    @property
    def is_here(self) -> bool:
        return self.status.state != OUT

    @property
    def missed(self) -> int:
        return len(self.misses)

    @property
    def over(self) -> int:
        """By how many seconds single pauses exceed their limits."""
        return sum(each.seconds for each in self.overruns)

    @property
    def pauses(self) -> Bullet:
        """Pauses with a limit against what their limits allow; all pauses where none has a limit."""
        taken, limit = (self.paused, self.allowed) if self.allowed else (self.figures.pause.total, None)
        return charts.bullet(taken, limit, Unit.SECONDS)

    @property
    def mean_handling(self) -> int | None:
        """The mean handling time of closed activities, rounded down; None without any."""
        return self.handling // self.handled if self.handled else None

    @property
    def is_too_long(self) -> bool:
        """Whether the present pause exceeds its limit."""
        limit = self.pause.seconds if self.pause else None
        return limit is not None and self.for_s is not None and self.for_s > limit


class Group(NamedTuple):
    name: str  # look, here, gone, or others on a day that is over
    rows: tuple[Row, ...]


class TeamDay(NamedTuple):
    """The rows in the order in which they need a look; `groups` holds the first MOST_ROWS of them.

    `is_live` says that the period is not over; `lost` are then the exchanges whose live state is unknown.
    """

    rows: tuple[Row, ...]
    groups: tuple[Group, ...]
    axis: Axis
    is_live: bool
    as_of: int
    lost: tuple[ongoing.Lost, ...] = ()

    @property
    def shown(self) -> list[Row]:
        return [row for group in self.groups for row in group.rows]

    @property
    def more(self) -> int:
        """How many people are left out."""
        return len(self.rows) - len(self.shown)

    @property
    def now(self) -> float | None:
        """Where the present is on the axis, in percent."""
        return strip.place(self.as_of, self.axis) if self.is_live else None

    @property
    def here(self) -> int:
        """How many are signed in, or were in a period that is over."""
        if not self.is_live:
            return sum(row.first is not None for row in self.rows)
        return sum(row.is_here for row in self.rows)

    @property
    def handled(self) -> int:
        return sum(row.handled for row in self.rows)

    @property
    def missed(self) -> int:
        return sum(row.missed for row in self.rows)

    @property
    def occupancy(self) -> float | None:
        ready = sum(row.figures.ready for row in self.rows)
        return sum(row.figures.busy for row in self.rows) / ready if ready else None

    @property
    def handling(self) -> int | None:
        """The mean handling time of closed activities, rounded down; None without any."""
        return sum(row.handling for row in self.rows) // self.handled if self.handled else None

    @property
    def over(self) -> int:
        """How many members have a pause over its limit."""
        return sum(Flag.PAUSE in row.flags for row in self.rows)


def leads_none(scope: Scope) -> bool:
    """Whether the viewer sees a team only as its lead, and leads none."""
    return scope.users is not None and not team.choices(scope)


def toggle_gone(is_open: bool) -> str:
    """Return the address of this page with the people who signed out shown, or folded again."""
    return here(("gone", "seen")) if is_open else f"{here(('seen',), gone='1')}#gone"


def people(scope: Scope, team_id: int | None, span: Span, as_of: int) -> list[Member]:
    """Return the members inside the scope, of one team or all: who had anything recorded in `span`; while it
    goes on, the active users who worked in the last week; nobody before it begins."""
    if span.start > as_of:
        return []
    live = span.start <= as_of < span.end
    found = team.members(scope, as_of) if live else team.worked(scope, span)
    if team_id is None:
        return found
    query = TeamMember.select(TeamMember.user).where(TeamMember.team == team_id)
    chosen = {user for (user,) in query.tuples()}
    return [member for member in found if member.id in chosen]


def read(
    scope: Scope, members: Sequence[Member], span: Span, zone: str, as_of: int, language: str
) -> TeamDay:
    """Return the day, or a longer `span`, of `members`, in one query a kind however many they are."""
    ids = [member.id for member in members]
    passed = Span(span.start, max(span.start, min(span.end, as_of)))
    stretches = team.day(scope, ids, passed)
    done, misses = team.done(scope, ids, passed), team.misses(scope, ids, passed)
    limits, without = team.limits(), team.without_sign_in(ids)
    is_live = span.start <= as_of < span.end
    present = ongoing.read(ids, as_of) if is_live else ongoing.Now()
    everything = [row for rows in stretches.values() for row in rows]
    last = max((row.end or passed.end for row in everything), default=passed.end)
    axis = strip.axis(span, zone, everything, min(last, passed.end - 1))
    rows = [
        _row(
            member,
            stretches.get(member.id, []),
            passed,
            limits,
            member.id in without,
            done.get(member.id, Done(member.id, 0, 0)),
            misses.get(member.id, ()),
            axis,
            present,
        )
        for member in members
    ]
    return _grouped(rows, axis, language, is_live, as_of)._replace(lost=present.lost)


def _row(
    member: Member,
    rows: Sequence[IntervalRow],
    passed: Span,
    limits: Mapping[str, Limit],
    never_signed_in: bool,
    done: Done,
    misses: Sequence[int],
    axis: Axis,
    present_now: ongoing.Now,
) -> Row:
    found = figures(rows, [], passed, passed.end, never_signed_in=never_signed_in)
    present = [row for row in rows if row.kind in PRESENCE]
    pauses = [_pause(row, passed, limits) for row in rows if row.kind == Kind.PAUSE]
    limited = [(label, taken, allowed) for label, taken, allowed in pauses if allowed is not None]
    overruns = _overruns(limited)
    flags = (
        *([Flag.PAUSE] if overruns else []),
        *([Flag.MISSES] if len(misses) >= MISSES else []),
        *([Flag.SIGNED_OUT] if found.work_logged_out and not never_signed_in else []),
    )
    now = status(present_now.rows(member.id, rows), passed.end)
    return Row(
        member,
        found,
        min((max(row.start, passed.start) for row in present), default=None),
        max((passed.end if row.end is None else min(row.end, passed.end) for row in present), default=None),
        done.closed,
        done.handling_s,
        tuple(misses),
        sum(taken for _label, taken, _allowed in limited),
        sum(allowed for _label, _taken, allowed in limited),
        overruns,
        flags,
        tuple(strip.marks(rows, axis, passed.end, misses if passed.seconds < CLEAR_S else ())),
        now,
        limits.get(now.label, Limit(now.label, None)) if now.state == PAUSE else None,
        passed.end - now.since if now.since is not None else None,
    )


def _pause(row: IntervalRow, passed: Span, limits: Mapping[str, Limit]) -> tuple[str, int, int | None]:
    """Return the type of a pause, how long it lasted from its beginning, and how long its type allows."""
    limit = limits.get(row.label, Limit(row.label, None))
    return limit.label, min(row.end or passed.end, passed.end) - row.start, limit.seconds


def _overruns(limited: Sequence[tuple[str, int, int]]) -> tuple[Overrun, ...]:
    """Return the types with a pause over its limit: of each pause its type, what it took and may take."""
    over: Counter[str] = Counter()
    for label, taken, allowed in limited:
        over[label] += max(0, taken - allowed)
    return tuple(Overrun(label, seconds) for label, seconds in over.most_common() if seconds)


def _grouped(rows: Sequence[Row], axis: Axis, language: str, is_live: bool, as_of: int) -> TeamDay:
    by_name = sorted(rows, key=lambda row: collation.key(row.member.name, language))
    parts: dict[str, list[Row]] = {"look": [], "here": [], "gone": [], "others": []}
    for row in by_name:
        rest = ("here" if row.is_here else "gone") if is_live else "others"
        parts["look" if row.flags else rest].append(row)
    parts["look"].sort(key=lambda row: (-len(row.flags), -row.over, -row.missed))
    groups, left = [], MOST_ROWS
    for name, part in parts.items():
        if part[:left]:
            groups.append(Group(name, tuple(part[:left])))
            left -= len(part[:left])
    return TeamDay(tuple(row for part in parts.values() for row in part), tuple(groups), axis, is_live, as_of)
