"""What the addresses of Team day and Compare ask for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from dashboard import clock
from dashboard.access.scope import Scope
from dashboard.clock import Span
from dashboard.tracing import corrections, people
from dashboard.tracing import team as teams
from dashboard.tracing.team import Member
from dashboard.tracing.types import NO_DATE, UNITS, parse_date, period_span
from dashboard.web import correction_texts, team_day
from dashboard.web.correction_texts import CorrectionText
from dashboard.web.listing import faulty
from dashboard.web.team_day import TeamDay

MOST_PEOPLE = 10
Args = MultiDict[str, str]


class DayRequest(NamedTuple):
    """Whose day or week; `errors` say what is wrong with the address, whose other parts hold."""

    members: tuple[Member, ...]
    unit: str
    on: date
    zone: str
    as_of: int
    team: int | None = None
    errors: tuple[str, ...] = ()

    @property
    def span(self) -> Span:
        return period_span(self.unit, self.on, self.zone)

    def corrected(self, scope: Scope) -> dict[int, list[CorrectionText]]:
        """Return user → corrections that count in the period, in words."""
        found = corrections.of_users(scope, [member.id for member in self.members], self.span)
        counting = {user: corrections.counting(made, self.span) for user, made in found.items()}
        return {user: correction_texts.texts(made, self.zone) for user, made in counting.items() if made}

    def read(self, scope: Scope, language: str) -> TeamDay:
        return team_day.read(scope, self.members, self.span, self.zone, self.as_of, language)


def team(args: Args, scope: Scope, zone: str, as_of: int) -> DayRequest:
    """Return the day of a team, or of everybody in scope."""
    errors, on = _date(args, zone, as_of, ("team", "date", "gone"))
    text = args.get("team", "")
    ident = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
    if text and ident not in [each for each, _name in teams.choices(scope)]:
        errors.append(faulty("team", _("There is no such team that you lead.")))
        ident = None
    members = team_day.people(scope, ident, clock.day(on, zone), as_of)
    return DayRequest(tuple(members), "day", on, zone, as_of, ident, tuple(errors))


def compare(args: Args, scope: Scope, zone: str, as_of: int) -> DayRequest | None:
    """Return the people to compare, in the order of the address; None where one is not for the viewer."""
    errors, on = _date(args, zone, as_of, ("user", "date", "unit"))
    unit = args.get("unit", "day")
    if unit not in UNITS:
        errors.append(faulty("unit", _("Unit must be day or week.")))
        unit = "day"
    logins = list(dict.fromkeys(login for login in args.getlist("user") if login))
    if len(logins) > MOST_PEOPLE:
        errors.append(faulty("user", _("Choose at most %(count)s people.", count=MOST_PEOPLE)))
        logins = []
    found = [people.person(scope, login) for login in logins]
    members = [Member(one.id, one.login, one.name) for one in found if one is not None]
    if len(members) < len(logins):
        return None
    return DayRequest(tuple(members), unit, on, zone, as_of, errors=tuple(errors))


def of_order(given: Mapping[str, str]) -> Args:
    """Return the parameters of an export as those of an address."""
    return MultiDict({name: text.split("\n") for name, text in given.items()})


def _date(args: Args, zone: str, as_of: int, known: tuple[str, ...]) -> tuple[list[str], date]:
    errors = [faulty(name, _("Unknown parameter.")) for name in args if name not in known]
    today = clock.local_date(as_of, zone)
    on = parse_date(args.get("date", ""), today)
    if on is None:
        errors.append(faulty("date", _(NO_DATE)))
    return errors, on or today
