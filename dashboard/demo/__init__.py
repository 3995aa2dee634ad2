"""Demo data: an invented contact centre with two weeks of events up to now."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

import peewee
from flask import current_app

from dashboard import clock
from dashboard.access import passwords, presets
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.demo import finds, plan, portal, reportbook, rulebook
from dashboard.demo.cast import BREAKS, LEADS, LINES, PEOPLE, Person
from dashboard.events import record
from dashboard.ingest.schema import NewEvent
from dashboard.jobs import worker
from dashboard.models import (
    Access,
    Connector,
    Event,
    PauseType,
    Queue,
    Setting,
    Source,
    Team,
    TeamLead,
    TeamMember,
    User,
)
from dashboard.pages.home import checklist

DAYS = 14
SOURCE = "demo"
HIRED_S = 120 * 86_400
LEFT_S = 6 * 86_400
SCENES = "demo.scenes"  # the setting with what is planned
BATCH = 5000
RULES_S = 86_400  # rules evaluate only the last day; notifications about last week would be useless


class Upcoming(NamedTuple):
    """Events by time, complete `until` then (UTC epoch seconds); those after it may still change."""

    events: list[NewEvent]
    until: int


def make(now: int | None = None) -> Iterator[str]:
    """Create or extend the demo data up to `now` (UTC epoch seconds, default now); yield lines to print.

    The first run creates users, queues and two weeks of events; later runs add the events since then and
    change nothing else; `life` goes on from there. Events are recorded at their own time, as if they had
    come in as they happened, and projected like all others. The time zone and the key for the passwords come
    from the application's settings.
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
    with database.atomic():
        due = [event for event in upcoming(source, moment).events if event.time_ms <= moment * 1000]
        fresh = [event for event in due if _is_for_rules(event, moment)]
        past = [event for event in due if not _is_for_rules(event, moment)]
        stored = 0
        for part, rules in ((past, False), (fresh, True)):
            for start in range(0, len(part), BATCH):
                batch = part[start : start + BATCH]
                stored += record.append(source.id, batch, rules=rules, at_own_time=True).accepted
        audit.record("import.run", "c", ("source", source.id, SOURCE), details={"stored": stored})
    worker.drain(["digest"])
    portal.make(moment, current_app.config["STOPA"].timezone, DAYS)
    visitors = portal.Visitors()
    visitors.step(moment)
    worker.drain(["digest"])
    visitors.step(moment)  # by now there are the contacts that the portal names
    yield f"Demo data is up to date: {stored} events added."
    for person, password in signs:
        yield f"Sign in as {person.login} with the password {password} ({person.access}, {person.name})."


def _is_for_rules(event: NewEvent, moment: int) -> bool:
    return event.time_ms >= (moment - RULES_S) * 1000 or event.interaction in finds.ALARMING


def _lines(moment: int) -> None:
    """Create missing queues, pause types and the connector of a web shop."""
    for name, label, channel, seconds in LINES:
        more = {"label": label, "channel": channel, "sla_seconds": seconds, "created_ts": moment - HIRED_S}
        Queue.get_or_create(name=name, defaults=more)
    for name, label, paid, limit in BREAKS:
        PauseType.get_or_create(name=name, defaults={"label": label, "paid": paid, "max_seconds": limit})
    shop, _made = Source.get_or_create(name="web-shop", defaults={"created_ts": moment - HIRED_S})
    fields = "type = event\ninteraction = order.id\ncontact.email = order.customer.email"
    made = {
        "kind": "mapped",
        "secret": secrets.token_urlsafe(32),
        "mapping": {"fields": fields, "types": "complaint = ticket.created\nsolved = ticket.closed"},
        "created_ts": moment - HIRED_S,
    }
    Connector.get_or_create(source=shop, defaults=made)


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


def upcoming(source: Source, now: int) -> Upcoming:
    """Return the events from the last stored one on, by time, and store which scenes are planned.

    The first time they begin two weeks before `now`, with what there is to find in the last one.
    """
    zone = current_app.config["STOPA"].timezone
    row = Setting.get_or_none(Setting.name == SCENES)
    known = {} if row is None else plan.from_json(row.value)
    stored_ms = Event.select(peewee.fn.MAX(Event.time_ms)).where(Event.source_id == source.id).scalar() or 0
    moments = plan.moments(known, stored_ms // 1000, now)
    gone = User.select(User.login, User.deactivated_ts).where(User.deactivated_ts.is_null(False)).tuples()
    centre = plan.Centre(zone, dict(gone), known).extended(moments)
    Setting.put(SCENES, plan.to_json(centre.called))
    today = clock.local_date(now, zone)
    first = max(clock.local_date(stored_ms // 1000, zone) - timedelta(days=1), today - timedelta(days=DAYS))
    dates = [first + timedelta(days=number) for number in range((today - first).days + 2)]
    pieces = centre.pieces(dates)
    if not known:
        pieces = list(finds.added(pieces, now, zone))
    since_ms = max(stored_ms, 1000 * clock.day(first, zone).start)
    events = (event for piece in pieces for event in piece.events if event.time_ms >= since_ms)
    in_order = sorted(events, key=lambda event: (event.time_ms, event.id or ""))
    return Upcoming(in_order, plan.complete_until(moments))
