"""Presence of users by local day: equal to the statistics of their user tracing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

from dashboard import clock
from dashboard.access.scope import Scope
from dashboard.clock import Span
from dashboard.i18n import collation
from dashboard.models import TeamMember
from dashboard.sources.query import Query
from dashboard.sources.run import TooLong
from dashboard.tracing import corrections, team
from dashboard.tracing.corrections import Correction
from dashboard.tracing.statistics import figures
from dashboard.tracing.team import Member
from dashboard.tracing.types import PRESENCE, IntervalRow, Kind

MAX_DAYS = 92


class Times(NamedTuple):
    """Seconds of presence; `days` with any, `inferred` whether a beginning or an end was concluded."""

    days: int = 0
    login: int = 0
    ready: int = 0
    paid: int = 0
    unpaid: int = 0
    inferred: bool = False

    @property
    def worked(self) -> int:
        """Signed-in time without unpaid pauses."""
        return self.login - self.unpaid

    def __add__(self, other: object) -> Times:
        assert isinstance(other, Times)  # noqa: S101 - nothing else is added
        return Times(
            self.days + other.days,
            self.login + other.login,
            self.ready + other.ready,
            self.paid + other.paid,
            self.unpaid + other.unpaid,
            self.inferred or other.inferred,
        )


class Day(NamedTuple):
    """A user's local day: the first beginning and the last end of presence in it, None while it goes on, and
    the corrections that count in it."""

    on: date
    first: int
    last: int | None
    times: Times
    corrections: tuple[Correction, ...] = ()


class Person(NamedTuple):
    """A user's days with their total, and the corrections of the period, those taken back included."""

    member: Member
    days: tuple[Day, ...]
    total: Times
    corrections: tuple[Correction, ...] = ()

    @property
    def corrected(self) -> int:
        """How many days are corrected."""
        return sum(bool(day.corrections) for day in self.days)


def read(
    scope: Scope, team_id: int | None, login: str, span: Span, zone: str, as_of: int, language: str
) -> list[Person]:
    """Return the people inside the scope who were present in `span`, of one team or all, by name.

    `login` chooses one of them. Days without presence are left out.
    """
    members = team.worked(scope, span)
    if team_id is not None:
        query = TeamMember.select(TeamMember.user).where(TeamMember.team == team_id)
        chosen = {user for (user,) in query.tuples()}
        members = [member for member in members if member.id in chosen]
    if login:
        members = [member for member in members if member.login == login]
    ids = [member.id for member in members]
    passed = Span(span.start, min(span.end, as_of))
    stretches = team.day(scope, ids, passed, PRESENCE)
    corrected = corrections.of_users(scope, ids, passed)
    without = team.without_sign_in(ids)
    days = [(on, clock.day(on, zone)) for on in clock.local_dates(passed, zone)]
    people = [
        _person(
            member, stretches[member.id], days, passed, member.id in without, corrected.get(member.id, [])
        )
        for member in members
    ]
    present = [person for person in people if person.days or person.corrections]
    return sorted(present, key=lambda person: collation.key(person.member.name, language))


def rows(scope: Scope, query: Query) -> Iterator[tuple[int | None, ...]]:
    """Yield the days of presence of a query's period, with the columns of the data source `attendance`.

    Raises TooLong for more than MAX_DAYS.
    """
    if len(clock.local_dates(query.span, query.zone)) > MAX_DAYS:
        raise TooLong
    for person in read(scope, None, "", query.span, query.zone, clock.now_s(), "en"):
        for day in person.days:
            times = day.times
            yield (
                day.on.toordinal() << 31 | person.member.id,
                person.member.id,
                day.first,
                day.last,
                times.login,
                times.ready,
                times.paid,
                times.unpaid,
                int(times.inferred),
                len(day.corrections),
            )


def total(people: Iterable[Person]) -> Times:
    return sum((person.total for person in people), Times())


def _person(
    member: Member,
    rows: Sequence[IntervalRow],
    days: Sequence[tuple[date, Span]],
    passed: Span,
    never: bool,
    corrected: Sequence[Correction],
) -> Person:
    found = []
    for on, whole in days:
        span = Span(max(whole.start, passed.start), min(whole.end, passed.end))
        inside = [row for row in rows if row.start < span.end and (row.end is None or row.end > span.start)]
        if inside:
            day = _day(on, span, inside, never, span.end < whole.end)
            found.append(day._replace(corrections=tuple(corrections.counting(corrected, whole))))
    return Person(member, tuple(found), sum((day.times for day in found), Times()), tuple(corrected))


def _day(on: date, span: Span, rows: Sequence[IntervalRow], never: bool, is_cut: bool) -> Day:
    """Return a day; `is_cut` says that it goes on after `span`, so that presence at its end goes on too."""
    day = figures(rows, [], span, span.end, never_signed_in=never)
    shown = [row for row in rows if row.kind in (Kind.LOGIN, Kind.READY, Kind.PAUSE)]
    ends = [span.end if row.end is None else min(row.end, span.end) for row in shown]
    times = Times(
        1, day.login, day.ready, day.pause.paid, day.pause.unpaid, any(row.inferred for row in shown)
    )
    last = max(ends)
    goes_on = is_cut and last == span.end
    return Day(on, min(max(row.start, span.start) for row in shown), None if goes_on else last, times)
