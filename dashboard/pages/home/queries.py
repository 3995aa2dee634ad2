"""Data of the blocks of the home page. Data that several blocks need is read once."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import NamedTuple

import peewee

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.clock import Span
from dashboard.events import source_hours
from dashboard.events.source_hours import Last
from dashboard.models import Job
from dashboard.pages.home import checklist, rules
from dashboard.pages.home.checklist import Checklist
from dashboard.pages.home.rules import Fired, Paused
from dashboard.tracing import team, trace
from dashboard.tracing.ongoing import Lost
from dashboard.tracing.team import Member
from dashboard.tracing.types import ACTIVITY_TYPES, type_of
from dashboard.web import queues_now, team_day
from dashboard.web.queues_now import QueueNow
from dashboard.web.status import PAUSE, READY
from dashboard.web.team_day import Row, TeamDay

SOURCES = 3  # that say when they sent last
LEVEL_TARGET = 0.8  # the usual 80 percent; each queue has its own number of seconds


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


class Attention(NamedTuple):
    """What needs attention: pauses over their limit, queues with late calls, failed jobs, undeliverable
    messages, paused rules, exchanges whose live state is unknown."""

    pauses: tuple[Row, ...]
    queues: tuple[QueueNow, ...]
    jobs: tuple[tuple[str, int, str], ...]  # kind, count, latest error
    given_up: int = 0
    rules: tuple[Paused, ...] = ()
    lost: tuple[Lost, ...] = ()

    @property
    def nothing(self) -> bool:
        return not any(self)


class Own(NamedTuple):
    """The viewer's day: the figures of their user tracing, and their row of the team's day on its axis."""

    trace: trace.Trace
    day: TeamDay

    @property
    def row(self) -> Row:
        return self.day.rows[0]


class Board:
    """All data of the page as of one instant, loaded lazily."""

    def __init__(self, scope: Scope, as_of: int, zone: str, language: str) -> None:
        self.scope, self.as_of, self.zone, self.language = scope, as_of, zone, language
        self.date = clock.local_date(as_of, zone)
        self.span = clock.day(self.date, zone)
        self.passed = Span(self.span.start, as_of)
        start = clock.day(self.date - timedelta(days=7), zone).start
        self.before = Span(start, start + self.passed.seconds)  # the same time of the same weekday

    @cached_property
    def day(self) -> TeamDay:
        members = team_day.people(self.scope, None, self.span, self.as_of)
        return team_day.read(self.scope, members, self.span, self.zone, self.as_of, self.language)

    @cached_property
    def lines(self) -> list[QueueNow]:
        """The queues in the viewer's scope by label, with waiting contacts and today's numbers."""
        return queues_now.read(self.scope, self.passed, self.language)

    @cached_property
    def _checklist(self) -> Checklist | None:
        return checklist.read(self.scope)

    def checklist(self) -> Checklist | None:
        return self._checklist

    def figures(self) -> Figures:
        waiting = dict.fromkeys(ACTIVITY_TYPES, 0)
        for line in self.lines:
            waiting[type_of(line.queue.channel)] += line.waiting
        rows = self.day.rows
        before = team.done(self.scope, [row.member.id for row in rows], self.before)
        count = sum(one.closed for one in before.values())
        interactions, interactions_before = team.arrived(self.scope, (self.passed, self.before))
        return Figures(
            interactions=interactions,
            interactions_before=interactions_before,
            waiting=tuple(waiting.items()),
            in_level=sum(line.in_level for line in self.lines),
            done=sum(line.done for line in self.lines),
            handling=self.day.handling,
            handling_before=sum(one.handling_s for one in before.values()) // count if count else None,
            here=self.day.here,
            members=len(rows),
            ready=sum(row.status.state == READY for row in rows),
            paused=sum(row.status.state == PAUSE for row in rows),
        )

    def sources(self) -> list[Last]:
        """Return when the live sources sent last; names alone, no one's data."""
        return source_hours.last_of_live(self.as_of, SOURCES)

    def team(self) -> TeamDay:
        return self.day

    @property
    def leads_none(self) -> bool:
        return team_day.leads_none(self.scope)

    def queues(self) -> list[QueueNow]:
        return self.lines

    def attention(self) -> Attention:
        late = queues_now.late(self.scope, self.lines, self.as_of)
        jobs = failed_jobs() if self.scope.can(Permission.ACCESSES_EDIT) else []
        over = tuple(row for row in self.day.rows if row.is_too_long)
        paused = tuple(rules.paused(self.scope))
        return Attention(over, tuple(late), tuple(jobs), rules.given_up(self.scope), paused, self.day.lost)

    def fired(self) -> list[Fired]:
        return rules.fired(self.scope, self.span.start)

    def own(self, login: str) -> Own | None:
        """Return the viewer's day, None if nothing was recorded in the past week."""
        found = trace.read(self.scope, login, self.span, self.zone, self.as_of)
        if found is None:
            return None
        who = Member(found.person.id, found.person.login, found.person.name)
        return Own(found, team_day.read(self.scope, [who], self.span, self.zone, self.as_of, self.language))


def failed_jobs() -> list[tuple[str, int, str]]:
    """Return kind, count and one error of the failed jobs."""
    query = (
        Job.select(Job.kind, peewee.fn.COUNT(Job.id), peewee.fn.MAX(Job.error))
        .where(Job.state == "failed")
        .group_by(Job.kind)
        .order_by(Job.kind)
    )
    return [tuple(row) for row in query.tuples()]
