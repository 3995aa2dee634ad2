"""Reads of visitors: who is on a site now, the invitations of days, one visit with its events."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import peewee as pw

from dashboard.access import masking
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.clock import Span
from dashboard.db import keyset, rows
from dashboard.models import CobrowseSession, Contact, Event, Invitation, Rule, Site, User, Visit
from dashboard.sources.compiler import COUNTED
from dashboard.sources.declared.visits import sites

MOST = 200  # visitors of a page
MOST_EVENTS = 500
AFTER_VISIT_MS = 3_600_000
MOST_VISITS = 10  # earlier ones of a browser


class Wanted(NamedTuple):
    """Filters of the visitors of the moment; "" and 0 choose all. `stay_s` is the least time on the site.

    `known` is 1 or 0, `invitation` a state of the last one, or none.
    """

    page: str = ""
    stay_s: int = 0
    country: str = ""
    known: str = ""
    invitation: str = ""

    @property
    def query(self) -> dict[str, Any]:
        """The filters as parameters of the page's address."""
        given = {"page": self.page, "stay": self.stay_s, "country": self.country, "known": self.known}
        return {name: value for name, value in (*given.items(), ("invitation", self.invitation)) if value}


class VisitRow(NamedTuple):
    """A visit as it is stored, with the details of its contact. Times are UTC milliseconds."""

    id: int
    site_id: int
    token: str
    browser: str
    number: int
    contact_id: int | None
    started_ms: int
    active_ms: int
    away_ms: int | None
    idle_ms: int | None
    ended_ms: int | None
    pages: int
    first_url: str
    url: str
    title: str
    referrer: str
    language: str
    country: str
    browser_name: str
    os: str
    invited_ms: int | None
    invitation: str
    name: str | None
    phone: str | None
    email: str | None

    @property
    def contact(self) -> tuple[str | None, str | None, str | None]:
        return self.name, self.phone, self.email

    @property
    def is_here(self) -> bool:
        """Is a page of the site open?"""
        return self.ended_ms is None and self.away_ms is None

    def stay_s(self, now_ms: int) -> int:
        """Return the seconds on the site: until now, until the last page closed, or the last activity."""
        end = self.active_ms if self.ended_ms is not None else self.away_ms or now_ms
        return max(0, end - self.started_ms) // 1000


class Numbers(NamedTuple):
    """How many visitors are on the sites, counted up to COUNTED, and how many of them are idle or known."""

    here: int
    idle: int
    known: int


class Answers(NamedTuple):
    """Invitations of a time: by hand and by rules, and how many were accepted."""

    by_hand: int = 0
    by_rule: int = 0
    accepted: int = 0

    @property
    def number(self) -> int:
        return self.by_hand + self.by_rule


class Happened(NamedTuple):
    """An event of a visit; `name` is None for nobody, "" for a user outside the viewer's scope."""

    id: int
    time_ms: int
    type: str
    user_id: int | None
    name: str | None
    interaction: str | None
    data: Mapping[str, Any]


class Earlier(NamedTuple):
    id: int
    started_ms: int
    pages: int


class Invited(NamedTuple):
    """An invitation of a visit and who made it: a rule, or a user ("" outside the viewer's scope)."""

    created_ms: int
    state: str
    text: str
    rule: str | None
    user_id: int | None
    user: str | None


def _visits() -> Any:
    v, c = Visit, Contact
    columns = [getattr(v, name) for name in VisitRow._fields[:-3]]
    return v.select(*columns, c.name, c.phone, c.email).join(c, pw.JOIN.LEFT_OUTER, on=(c.id == v.contact_id))


def _here(seen: Collection[int]) -> Any:
    """Return the condition of visitors with an open page on these sites; an index range by activity."""
    v = Visit
    return v.ended_ms.is_null() & v.away_ms.is_null() & keyset.unindexed(v.site).in_(sorted(seen))


def present(seen: Collection[int], wanted: Wanted, now_ms: int) -> list[VisitRow]:
    """Return the visitors on these sites now, those longest there first: the MOST who were active last."""
    v = Visit
    chosen = _here(seen)
    if wanted.page:
        chosen &= v.url.contains(wanted.page)
    if wanted.stay_s:
        chosen &= v.started_ms + 0 <= now_ms - wanted.stay_s * 1000
    if wanted.country:
        chosen &= v.country == wanted.country
    if wanted.known:
        chosen &= (v.contact_id + 0).is_null(wanted.known == "0")
    if wanted.invitation:
        chosen &= v.invitation == ("" if wanted.invitation == "none" else wanted.invitation)
    found: list[VisitRow] = rows(_visits().where(chosen).order_by(v.active_ms.desc()).limit(MOST), VisitRow)
    return sorted(found, key=lambda each: (each.started_ms, each.id))


def numbers(seen: Collection[int]) -> Numbers:
    v = Visit
    part = (
        v.select(v.idle_ms, v.contact_id)
        .where(_here(seen))
        .order_by(v.active_ms.desc())
        .limit(COUNTED + 1)
        .alias("part")
    )
    counts = (pw.fn.COUNT(1), pw.fn.COUNT(part.c.idle_ms), pw.fn.COUNT(part.c.contact_id))
    return Numbers(*v.select(*counts).from_(part).tuples().get())


def answers(seen: Collection[int], span: Span) -> Answers:
    """Return the invitations on these sites that were made within a span (UTC seconds)."""
    n = Invitation
    by_hand, accepted = n.user_id.is_null(False), n.state == "accepted"
    counts = [pw.fn.SUM(pw.Case(None, [(each, 1)], 0)) for each in (by_hand, ~by_hand, accepted)]
    query = (
        n.select(*counts)
        .join(Visit)
        .where((n.created_ms >= span.start * 1000) & (n.created_ms < span.end * 1000))
        .where(keyset.unindexed(Visit.site).in_(sorted(seen)))
    )
    return Answers(*(int(each or 0) for each in query.tuples().get()))


def queues_of_sites(scope: Scope) -> list[int]:
    """Return the queues to which the sites of a viewer belong."""
    query = Site.select(Site.queue_id).where(scope.allows_queue(Site.queue_id)).tuples()
    return sorted({queue for (queue,) in query if queue is not None})


def visit(scope: Scope, ident: int) -> VisitRow | None:
    """Return a visit of a site of the viewer's scope."""
    found: list[VisitRow] = rows(_visits().where(Visit.id == ident), VisitRow)
    return found[0] if found and found[0].site_id in sites(scope) else None


def earlier(of: VisitRow) -> list[Earlier]:
    """Return the latest other visits of the same browser to the same site."""
    v = Visit
    query = v.select(v.id, v.started_ms, v.pages).where(
        (v.site == of.site_id) & (v.browser == of.browser) & (v.id != of.id)
    )
    return rows(query.order_by(v.id.desc()).limit(MOST_VISITS), Earlier)


def invitations(scope: Scope, of: VisitRow) -> list[Invited]:
    n = Invitation
    query = (
        n.select(n.created_ms, n.state, n.text, Rule.name, n.user_id, User.name)
        .join(Rule, pw.JOIN.LEFT_OUTER, on=(Rule.id == n.rule_id))
        .switch(n)
        .join(User, pw.JOIN.LEFT_OUTER, on=(User.id == n.user_id))
        .where(n.visit == of.id)
        .order_by(n.id)
    )
    return [
        each if each.user_id is None or scope.sees(each.user_id) else each._replace(user="")
        for each in rows(query, Invited)
    ]


def events(scope: Scope, of: VisitRow) -> list[Happened]:
    """Return the last MOST_EVENTS of a visit in order, contact details masked as the scope says."""
    e = Event
    source = Site.select(Site.source).where(Site.id == of.site_id).scalar()
    query = (
        e.select(e.id, e.time_ms, e.type, e.user_id, User.name, e.interaction, e.data)
        .join(User, pw.JOIN.LEFT_OUTER, on=(User.id == e.user_id))
        .where((e.session == of.token) & (keyset.unindexed(e.source_id) == source))
        .order_by(e.id.desc())
        .limit(MOST_EVENTS)
    )
    known = masking.known(
        dict(zip(("name", "phone", "email"), (each or "" for each in of.contact), strict=True))
    )
    full = scope.can(Permission.PII_UNMASK)
    found = []
    for each in rows(query, Happened):
        data = masking.hidden(each.type, json.loads(str(each.data)))
        hidden = each.user_id is not None and not scope.sees(each.user_id)
        shown = data if full else masking.data(data, known)
        found.append(each._replace(data=shown, name="" if hidden else each.name))
    return sorted(found, key=lambda each: (each.time_ms, each.id))


def interactions(of: VisitRow) -> list[tuple[int, str]]:
    """Return the source and the ids of the interactions that came from the visit, by what events say.

    Later ones are of another visit, even where a customer's attribute still names this one.
    """
    e = Event
    named = (e.session == of.token) & e.interaction.is_null(False)
    near = keyset.unindexed(e.time_ms) <= of.active_ms + AFTER_VISIT_MS
    query = e.select(e.source_id, e.interaction).where(named & near)
    return sorted(set(query.limit(MOST_VISITS).tuples()))


def sessions(of: VisitRow) -> list[tuple[int, int, int]]:
    """Return id, begin in UTC milliseconds and number of steps of the co-browsing sessions of a visit."""
    c = CobrowseSession
    return list(c.select(c.id, c.first_ms, c.steps).where(c.visit == of.id).tuples())  # a visit has one
