"""Data of the blocks of the home page. Data that several blocks need is read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import NamedTuple

import peewee

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.clock import Span
from dashboard.i18n import collation
from dashboard.models import Job
from dashboard.pages.home import chart, rules
from dashboard.pages.home.chart import Hours
from dashboard.pages.home.rules import Fired, Paused
from dashboard.tracing import queues, team, trace
from dashboard.tracing.queues import QueueRow
from dashboard.tracing.team import Done, Level, Limit, Member
from dashboard.tracing.types import ACTIVITY_TYPES, IntervalRow, type_of
from dashboard.web import strip
from dashboard.web.status import PAUSE, READY, Status, status
from dashboard.web.strip import Axis, Mark

LEVEL_TARGET = 0.8  # the usual 80 percent; each queue has its own number of seconds
LATE_TIMES = 2  # a call waits too long beyond this multiple of the queue's service level
MOST_ROWS = 60


class Figures(NamedTuple):
    """The five key numbers; `..._before` are those of the same time a week ago, None without data."""

    interactions: int
    interactions_before: int
    waiting: tuple[tuple[str, int], ...]
    in_level: int
    done: int
    handling: int | None
    handling_before: int | None
    here: int
    members: int
    ready: int
    paused: int

    @property
    def level(self) -> float | None:
        return self.in_level / self.done if self.done else None


class TeamRow(NamedTuple):
    """A team member; `over` is the time in seconds by which a pause exceeds its `limit`."""

    login: str
    name: str
    status: Status
    pause: str
    limit: int | None
    seconds: int | None
    over: bool
    handled: int
    marks: tuple[Mark, ...]


class Team(NamedTuple):
    rows: tuple[TeamRow, ...]
    more: int
    axis: Axis


class QueueNow(NamedTuple):
    """A queue: number of waiting contacts and the longest wait in seconds; today `in_level` of `done`."""

    queue: QueueRow
    waiting: int
    longest: int | None
    in_level: int
    done: int

    @property
    def level(self) -> float | None:
        return self.in_level / self.done if self.done else None

    @property
    def late(self) -> bool:
        return self.longest is not None and self.longest > self.queue.sla_seconds


class Attention(NamedTuple):
    """What needs attention: pauses over their limit, queues with late calls, failed jobs, undeliverable
    messages, paused rules."""

    pauses: tuple[TeamRow, ...]
    queues: tuple[QueueNow, ...]
    jobs: tuple[tuple[str, int, str], ...]  # kind, count, latest error
    given_up: int = 0
    rules: tuple[Paused, ...] = ()

    @property
    def nothing(self) -> bool:
        return not any(self)


class Own(NamedTuple):
    """The viewer's day."""

    trace: trace.Trace
    status: Status
    pause: str
    seconds: int | None
    axis: Axis
    marks: tuple[Mark, ...]
    handled: int


class Board:
    """All data of the page as of one instant, loaded lazily."""

    def __init__(self, scope: Scope, as_of: int, zone: str, language: str) -> None:
        self.scope, self.as_of, self.zone, self.language = scope, as_of, zone, language
        self.date = clock.local_date(as_of, zone)
        self.span = clock.day(self.date, zone)
        self.slots = clock.hours(self.span, zone)
        self.passed = Span(self.span.start, as_of)
        start = clock.day(self.date - timedelta(days=7), zone).start
        self.before = Span(start, start + self.passed.seconds)  # the same time of the same weekday

    @cached_property
    def members(self) -> list[Member]:
        found = team.members(self.scope, self.as_of)
        return sorted(found, key=lambda one: collation.key(one.name, self.language))

    @cached_property
    def stretches(self) -> dict[int, list[IntervalRow]]:
        return team.day(self.scope, self._ids, self.passed)

    @cached_property
    def done(self) -> dict[int, Done]:
        return team.done(self.scope, self._ids, self.passed)

    @cached_property
    def limits(self) -> Mapping[str, Limit]:
        return team.limits()

    @cached_property
    def rows(self) -> list[TeamRow]:
        """The team, those who are present first, then by name."""
        rows = [self._row(member) for member in self.members]
        return sorted(rows, key=lambda row: not row.status.here)

    @cached_property
    def axis(self) -> Axis:
        everything = [row for rows in self.stretches.values() for row in rows]
        return strip.axis(self.slots, everything, self.as_of)

    @cached_property
    def lines(self) -> list[QueueNow]:
        """The queues in the viewer's scope by label, with waiting contacts and today's numbers."""
        found = queues.queues(self.scope)
        ids = [queue.id for queue in found]
        waiting = team.waiting(self.scope, ids, self.as_of)
        levels = team.levels(self.scope, ids, self.passed)
        lines = []
        for queue in sorted(found, key=lambda one: collation.key(one.label, self.language)):
            held, level = waiting.get(queue.id), levels.get(queue.id, Level(queue.id, 0, 0))
            longest = self.as_of - held.since if held else None
            lines.append(QueueNow(queue, held.number if held else 0, longest, level.in_level, level.done))
        return lines

    @cached_property
    def arrivals(self) -> list[team.Arrivals]:
        return team.arrivals(self.scope, self.passed)

    def figures(self) -> Figures:
        waiting = dict.fromkeys(ACTIVITY_TYPES, 0)
        for line in self.lines:
            waiting[type_of(line.queue.channel)] += line.waiting
        before = team.arrivals(self.scope, self.before)
        return Figures(
            interactions=sum(each.number for each in self.arrivals),
            interactions_before=sum(each.number for each in before),
            waiting=tuple(waiting.items()),
            in_level=sum(line.in_level for line in self.lines),
            done=sum(line.done for line in self.lines),
            handling=_mean(self.done),
            handling_before=_mean(team.done(self.scope, self._ids, self.before)),
            here=sum(row.status.here for row in self.rows),
            members=len(self.members),
            ready=sum(row.status.state == READY for row in self.rows),
            paused=sum(row.status.state == PAUSE for row in self.rows),
        )

    def team(self) -> Team:
        return Team(tuple(self.rows[:MOST_ROWS]), max(0, len(self.rows) - MOST_ROWS), self.axis)

    def chart(self) -> Hours:
        return chart.chart(self.slots, self.arrivals, self.as_of)

    def queues(self) -> list[QueueNow]:
        return self.lines

    def attention(self) -> Attention:
        late = [line for line in self.lines if type_of(line.queue.channel) == "call" and self._too_late(line)]
        jobs = failed_jobs() if self.scope.can(Permission.ACCESSES_EDIT) else []
        over = tuple(row for row in self.rows if row.over)
        paused = tuple(rules.paused(self.scope))
        return Attention(over, tuple(late), tuple(jobs), rules.given_up(self.scope), paused)

    def fired(self) -> list[Fired]:
        return rules.fired(self.scope, self.span.start)

    def own(self, login: str) -> Own | None:
        """Return the viewer's day, None if nothing was recorded in the past week."""
        found = trace.read(self.scope, login, self.span, self.zone, self.as_of)
        if found is None:
            return None
        now = status(found.intervals, self.as_of)
        name, _, seconds, _ = self._pause(now)
        axis = strip.axis(self.slots, found.intervals, self.as_of)
        marks = strip.marks(found.intervals, axis, self.as_of)
        count = sum(row.state == "closed" for row in found.closed)
        return Own(found, now, name, seconds, axis, tuple(marks), count)

    @property
    def _ids(self) -> list[int]:
        return [member.id for member in self.members]

    def _row(self, member: Member) -> TeamRow:
        stretches: Sequence[IntervalRow] = self.stretches.get(member.id, [])
        now = status(stretches, self.as_of)
        name, limit, seconds, over = self._pause(now)
        count = self.done[member.id].closed if member.id in self.done else 0
        marks = strip.marks(stretches, self.axis, self.as_of)
        return TeamRow(member.login, member.name, now, name, limit, seconds, over, count, tuple(marks))

    def _pause(self, now: Status) -> tuple[str, int | None, int | None, bool]:
        """Return the pause's name and limit, the duration of the status, and whether it exceeds the limit."""
        seconds = self.as_of - now.since if now.since is not None else None
        if now.state != PAUSE:
            return "", None, seconds, False
        kind = self.limits.get(now.label, Limit(now.label, None))
        over = seconds is not None and kind.seconds is not None and seconds > kind.seconds
        return kind.label, kind.seconds, seconds, over

    def _too_late(self, line: QueueNow) -> bool:
        return line.longest is not None and line.longest > LATE_TIMES * line.queue.sla_seconds


def failed_jobs() -> list[tuple[str, int, str]]:
    """Return kind, count and one error of the failed jobs."""
    query = (
        Job.select(Job.kind, peewee.fn.COUNT(Job.id), peewee.fn.MAX(Job.error))
        .where(Job.state == "failed")
        .group_by(Job.kind)
        .order_by(Job.kind)
    )
    return [tuple(row) for row in query.tuples()]


def _mean(found: Mapping[int, Done]) -> int | None:
    """Return the mean handling time of the closed activities in seconds, rounded down."""
    count = sum(one.closed for one in found.values())
    return sum(one.handling_s for one in found.values()) // count if count else None
