"""Demo data: an invented contact centre with two weeks of events up to now."""

from __future__ import annotations

import base64
import hashlib
import hmac
from bisect import bisect_left
from collections.abc import Iterator
from datetime import timedelta

from flask import current_app

from dashboard import clock
from dashboard.access import passwords, presets
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.demo import present, reportbook, rulebook, work
from dashboard.demo.cast import BREAKS, LEADS, LINES, PEOPLE, Person
from dashboard.events import record
from dashboard.ingest.schema import NewEvent
from dashboard.jobs import worker
from dashboard.models import Access, Event, PauseType, Queue, Source, Team, TeamLead, TeamMember, User
from dashboard.pages.home import checklist

DAYS = 14
SOURCE = "demo"
HIRED_S = 120 * 86_400
LEFT_S = 6 * 86_400
BATCH = 5000
RULES_S = 86_400  # rules evaluate only the last day; notifications about last week would be useless


def make(now: int | None = None) -> Iterator[str]:
    """Create or extend the demo data up to `now` (UTC epoch seconds, default now); yield lines to print.

    The first run creates users, queues and two weeks of events; later runs add the events since then and
    change nothing else. Events are recorded at their own time, as if they had come in as they happened, and
    projected like all others. The time zone and the key for
    the passwords come from the application's settings.
    """
    moment = clock.now_s() if now is None else now
    presets.make()
    source = record.source(SOURCE)
    with database.atomic():
        _lines(moment)
        _people(moment)
        signs = [(person, _sign_in(person)) for person in PEOPLE if person.access]
    administrator = User.get(User.login == "admin")
    rulebook.make(administrator, current_app.config["STOPA"].locale)
    reportbook.make(administrator)
    checklist.hide_at_first()
    events = sorted(_events(source, moment), key=lambda event: (event.time_ms, event.id or ""))
    known = bisect_left(events, (moment - RULES_S) * 1000, key=lambda event: event.time_ms)
    stored = 0
    for part, rules in ((events[:known], False), (events[known:], True)):
        for start in range(0, len(part), BATCH):
            batch = part[start : start + BATCH]
            stored += record.append(source.id, batch, rules=rules, at_own_time=True).accepted
    with database.atomic():
        audit.record("import.run", "c", ("source", source.id, SOURCE), details={"stored": stored})
    worker.drain(["digest"])
    yield f"Demo data is up to date: {stored} events added."
    for person, password in signs:
        yield f"Sign in as {person.login} with the password {password} ({person.access}, {person.name})."


def _lines(moment: int) -> None:
    """Create missing queues and pause types."""
    for name, label, channel, seconds in LINES:
        more = {"label": label, "channel": channel, "sla_seconds": seconds, "created_ts": moment - HIRED_S}
        Queue.get_or_create(name=name, defaults=more)
    for name, label, paid, limit in BREAKS:
        PauseType.get_or_create(name=name, defaults={"label": label, "paid": paid, "max_seconds": limit})


def _people(moment: int) -> None:
    """Create missing users and teams."""
    for person in PEOPLE:
        row, created = User.get_or_create(
            login=person.login,
            defaults={
                "name": person.name,
                "access": Access.get(Access.name == person.access) if person.access else None,
                "created_ts": moment - HIRED_S,
                "email": f"{person.login}@example.org",
                "deactivated_ts": moment - LEFT_S if person.crew == "gone" else None,
            },
        )
        if created and person.team:
            team, _ = Team.get_or_create(name=person.team)
            TeamMember.get_or_create(team=team, user=row)
    for name, login in LEADS.items():
        TeamLead.get_or_create(team=Team.get(Team.name == name), user=User.get(User.login == login))


def _sign_in(person: Person) -> str:
    """Set and return the person's password, which is derived from the secret key and not stored."""
    key = current_app.config["STOPA"].secret_key.encode()
    mac = hmac.digest(key, f"demo {person.login}".encode(), hashlib.sha256)
    password = base64.b32encode(mac)[:12].decode().lower()
    User.update(password_hash=passwords.make(password)).where(User.login == person.login).execute()
    return password


def _events(source: Source, moment: int) -> Iterator[NewEvent]:
    """Yield the events of the last two weeks up to `moment`, including those of earlier runs."""
    zone = current_app.config["STOPA"].timezone
    today = clock.local_date(moment, zone)
    dates = [today - timedelta(days=back) for back in range(DAYS, -1, -1)]
    left = dict(
        User.select(User.login, User.deactivated_ts).where(User.deactivated_ts.is_null(False)).tuples()
    )
    shifts = [
        shift
        for date in dates
        for shift in work.shifts(date, zone)
        if shift.end <= left.get(shift.person.login, shift.end)
    ]
    plan = [piece for shift in shifts for piece in work.work(shift)]
    plan += [piece for date in dates for piece in work.untaken(date, zone)]
    for at in _moments(source, moment):
        scene = present.scene(at, shifts, {p.login for p in PEOPLE if left.get(p.login, at) >= at})
        plan += [piece for shift in scene.called for piece in work.work(shift)]
        plan = [piece for piece in plan if not scene.hides(piece)] + list(scene.pieces())
    for piece in plan:
        yield from (event for event in piece.events if event.time_ms <= moment * 1000)


def _moments(source: Source, moment: int) -> list[int]:
    """Return the times of earlier runs and this one, unless the last run was just before."""
    query = (
        Event.select(Event.interaction)
        .where((Event.source_id == source.id) & (Event.interaction.startswith(present.MARK)))
        .distinct()
    )
    earlier = sorted({int(row[0].removeprefix(present.MARK).partition("-")[0]) for row in query.tuples()})
    return (
        earlier
        if earlier and moment < earlier[-1] + present.AFTER_S + present.BEFORE_S
        else [*earlier, moment]
    )
