"""The portal of the demonstration: its site, past visits with their invitations, and the visitors of now."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from dashboard import clock
from dashboard.db import database
from dashboard.demo import guests
from dashboard.demo.cast import WEB
from dashboard.demo.guests import ADDRESS, TITLES, Act, Answer, Guest
from dashboard.demo.work import dice
from dashboard.events import record
from dashboard.ingest.schema import NewEvent
from dashboard.models import Contact, Invitation, Queue, Rule, Site, User, Visit
from dashboard.visitors import invitations, sites, visits
from dashboard.visitors.records import Record, Report
from dashboard.visitors.sites import Portal
from dashboard.visitors.visits import Client

NAME = "Portal"
RULE = "Invite idle visitors"
A_DAY = (22, 36)  # past visits, at least and at most
ANSWER_S = 15  # after an invitation is shown
GREETED_S = 90  # after the beginning of a visit that somebody invites by hand
GREETED_IN = 6  # the place of whose guests that is
TEXT = "Dobrý den, mohu vám s něčím pomoci?"


def make(now: int, zone: str, days: int) -> None:
    """Add the site with the visits of `days` before `now` (UTC seconds) at the first run."""
    queue = Queue.get(Queue.name == WEB.name).id
    more = {
        "key": "demo",
        "enabled": True,
        "origins": [ADDRESS],
        "secret": secrets.token_urlsafe(32),
        "queue_id": queue,
        "chat": "url",
        "chat_url": f"{ADDRESS}/chat?visit={{visit}}",
        "privacy_url": f"{ADDRESS}/privacy",
        "created_ts": now - days * 86_400,
    }
    site, made = Site.get_or_create(source=record.source(NAME), defaults=more)
    if made:
        with database.atomic():
            _past(site, list(_earlier(now, zone, days)))


def _earlier(now: int, zone: str, days: int) -> Iterator[Guest]:
    """Yield the guests of the days before, those that would still be counted as open left out."""
    for back in range(days, -1, -1):
        day = clock.day(clock.local_date(now, zone) - timedelta(days=back), zone)
        for number in range(dice("visits", day.start).randint(*A_DAY)):
            roll = dice("past", day.start, number)
            start = day.start + roll.randint(7 * 3600, 22 * 3600)
            stay_s = roll.choice((20, 90, 150, 300, 500, 900))
            if start + stay_s + visits.END_MS // 1000 < now:
                yield guests.guest(roll, start, stay_s, roll.random() < 0.3, number % guests.KNOWN == 0)


def _past(site: Site, found: Sequence[Guest]) -> None:
    """Store past visits as rows and their events, of which rules evaluate none."""
    ordered = sorted(found, key=lambda each: each.start)
    known = {
        email: ident
        for ident, email in Contact.select(Contact.id, Contact.email).where(Contact.email != "").tuples()
    }
    times = Counter[str]()
    rows, events = [], list[NewEvent]()
    for each in ordered:
        times[each.browser] += 1
        contact = known.get(each.who["email"]) if each.who else None
        rows.append(_row(site, each, times[each.browser], contact))
        events += _events(each)
    Visit.insert_many(rows).execute()
    record.append(site.source_id, sorted(events, key=lambda one: one.time_ms), rules=False, at_own_time=True)
    _invited(site, ordered)


def _row(site: Site, each: Guest, number: int, contact: int | None) -> dict[str, Any]:
    pages, last = each.pages, each.acts[-1].at * 1000
    return {
        "site": site.id,
        "token": each.token,
        "browser": each.browser,
        "number": number,
        "contact_id": contact,
        "started_ms": each.start * 1000,
        "active_ms": last,
        "away_ms": each.end * 1000,
        "ended_ms": last + visits.END_MS,
        "pages": len(pages),
        "first_ms": pages[0].at * 1000,
        "first_url": f"{ADDRESS}{pages[0].path}",
        "page_ms": pages[-1].at * 1000,
        "url": f"{ADDRESS}{pages[-1].path}",
        "title": TITLES[pages[-1].path],
        "referrer": each.referrer,
        "language": each.language,
        "country": each.country,
        "browser_name": each.system[0],
        "os": each.system[1],
    }


def _events(each: Guest) -> Iterator[NewEvent]:
    visitor = {"language": each.language, "browser": each.system[0], "os": each.system[1]}
    end = each.acts[-1].at + visits.END_MS // 1000
    yield _event(each, "visit.started", each.start, {**visitor, "referrer": each.referrer})
    for act in each.pages:
        data = {"url": f"{ADDRESS}{act.path}", "title": TITLES[act.path]}
        yield _event(each, "visitor.page_viewed", act.at, data)
    yield _event(each, "visit.ended", end, {**visitor, "hits": len(each.pages)})


def _event(each: Guest, type_: str, at: int, data: dict[str, Any]) -> NewEvent:
    text = json.dumps({name: value for name, value in data.items() if value})
    ident = f"{each.token}:{type_}:{at}"
    return NewEvent(id=ident, type=type_, time_ms=at * 1000, queue=WEB.name, session=each.token, data=text)


def _invited(site: Site, found: Sequence[Guest]) -> None:
    """Add the invitations of past visits: one in five, two thirds of them by the rule."""
    ids = dict(Visit.select(Visit.token, Visit.id).where(Visit.site == site.id).tuples())
    rule = Rule.select(Rule.id).where(Rule.name == RULE).scalar()
    users = [row[0] for row in User.select(User.id).where(User.login.in_(("lead", "svoboda"))).tuples()]
    rows = []
    for each in found:
        roll = dice("invited", each.token)
        if roll.random() > 0.2:
            continue
        by_rule, made = roll.random() < 0.66, each.acts[-1].at * 1000 + 2000
        answered = None if each.mood == "ignored" else made + roll.randint(8, 60) * 1000
        rows.append(
            {
                "visit": ids[each.token],
                "rule_id": rule if by_rule else None,
                "user_id": None if by_rule else roll.choice(users),
                "text": TEXT,
                "language": "cs",
                "state": each.mood,
                "created_ms": made,
                "shown_ms": made + 3000,
                "until_ms": made + 123_000,
                "answered_ms": answered,
            }
        )
        mark = {"invited_ms": made, "invitation": each.mood}
        Visit.update(mark).where(Visit.id == ids[each.token]).execute()
    Invitation.insert_many(rows).execute()


class Visitors:
    """The visitors of the moment, who report to the site as browsers do."""

    def __init__(self) -> None:
        self._until = 0  # up to when their acts are reported

    def step(self, now: int) -> None:
        """Report what the guests have done since the last step, and answer invitations."""
        site = sites.find("demo")
        if site is None:
            return
        present = guests.here(now)
        if not self._until:
            _leave(site, {each.token for each in present}, now)
        for place, each in enumerate(present):
            ident = self._report(site, each, now)
            if place == GREETED_IN and each.start + GREETED_S <= now < each.end and ident:
                greeter = User.select(User.id).where(User.login == "lead").scalar()
                invitations.invite(ident, {"": TEXT}, user_id=greeter)
        self._until = now

    def _report(self, site: Portal, each: Guest, now: int) -> int | None:
        """Send what a guest did and return the visit; None for one that has ended before."""
        known = visits.seen(site, _reported(each, (), now))
        if known is None and now >= each.end:
            return None
        acts = [act for act in each.acts if self._until < act.at <= now]
        if known is None:
            first = each.acts[0]
            visits.take(site, _reported(each, (first,), first.at), _client(each), each.who, first.at * 1000)
            acts = [act for act in each.acts if act.at <= now]
        report = _reported(each, acts, now)
        if known is not None and known.invitation in invitations.OPEN:
            report = _answering(report, known.id, each, now)
        if known is None or visits.has_news(site, known, report, each.who, now * 1000):
            return int(visits.take(site, report, _client(each), each.who, now * 1000).id)
        return known.id


def _leave(site: Portal, present: Collection[str], now: int) -> None:
    """Close the pages of those who left while the server did not run."""
    v = Visit
    gone = v.select(v.token, v.browser).where(
        (v.site == site.id) & v.ended_ms.is_null() & v.away_ms.is_null()
    )
    for token, browser in gone.where(v.token.not_in(sorted(present))).tuples():
        report = Report(v=token, b=browser, a=visits.END_MS, bye=True)
        visits.take(site, report, Client("", "", "", ""), None, now * 1000)


def _client(each: Guest) -> Client:
    return Client(*each.system, each.country, "192.0.2.0")


def _reported(each: Guest, acts: Sequence[Act], now: int) -> Report:
    """Return the report of an open page at a moment, or of the one that closes."""
    last = max((act.at for act in each.acts if act.at <= now), default=now)
    return Report(
        v=each.token,
        b=each.browser,
        l=each.language,
        r=each.referrer,
        a=(now - last) * 1000,
        bye=now >= each.end,
        e=tuple(_record(act, each.referrer, now) for act in acts),
    )


def _record(act: Act, referrer: str, now: int) -> Record:
    url, title, ago_ms = f"{ADDRESS}{act.path}", TITLES[act.path], (now - act.at) * 1000
    if act.element:
        return Record(i=f"click-{act.at:012}", k="click", m=ago_ms, el=act.element, u=url, t=title)
    return Record(i=f"page-{act.at:012}", k="page", m=ago_ms, u=url, t=title, r=referrer)


def _answering(report: Report, visit_id: int, each: Guest, now: int) -> Report:
    """Return the report with what becomes of the open invitation: shown, then answered as the guest likes."""
    n = Invitation
    found = (
        n.select().where((n.visit == visit_id) & n.state.in_(invitations.OPEN)).order_by(n.id.desc()).first()
    )
    if found is None or now >= each.end:
        return report
    state: Answer = "shown" if found.state == invitations.State.WAITING else each.mood
    if state == "ignored" or (state != "shown" and now * 1000 < found.shown_ms + ANSWER_S * 1000):
        return report
    said = Record(i=f"invite-{state}-{found.id:06}", k="invite", id=found.id, s=state)
    return replace(report, e=(*report.e, said))
