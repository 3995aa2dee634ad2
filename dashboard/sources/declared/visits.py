"""The data sources of visits of web sites, and of the invitations to a chat that visitors were shown.

A visit belongs to the queue of its site; those of a site without one are for viewers of all queues.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from hashlib import blake2s
from typing import Any
from urllib.parse import urlsplit

from babel import Locale, UnknownLocaleError
from flask_babel import gettext as _
from peewee import JOIN

from dashboard.access import masking
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.i18n.formats import language
from dashboard.i18n.message import N_
from dashboard.models import Contact, Site, Visit
from dashboard.models import Source as Origin
from dashboard.sources.declared.entities import yes
from dashboard.sources.declared.rule_runs import rule_names
from dashboard.sources.types import Entity, Field, Ratio, Source, Type

RECENT = 2000  # visits whose countries are offered
STATES = {
    "waiting": N_("On its way"),
    "shown": N_("Shown"),
    "accepted": N_("Said yes"),
    "rejected": N_("Said no"),
    "ignored": N_("Said nothing"),
    "lapsed": N_("Not shown"),
}
HOW = {"rule": N_("By a rule"), "hand": N_("By hand")}
_QUEUE = '(SELECT y.queue_id FROM "site" y WHERE y.id = v.site_id)'
_SITE = '(SELECT x.name FROM "site" y JOIN "source" x ON x.id = y.source_id WHERE y.id = v.site_id)'


def visitor_name(browser: str, contact: Sequence[str | None], full: bool) -> str:
    """Return the label of a known contact (name, phone, email), masked unless `full`, or the browser's."""
    name, phone, email = (each or "" for each in contact)
    return masking.contact(name, phone, email, full) or browser_name(browser)


def browser_name(browser: str) -> str:
    """Return what the owner of a browser is called as long as nothing else is known."""
    number = int.from_bytes(blake2s(browser.encode(), digest_size=4).digest()) % 10_000
    return str(_("Visitor %(number)s", number=f"{number:04}"))


def _visitors(scope: Scope, ids: Collection[Any] | None) -> Mapping[Any, str]:
    v, c, full = Visit, Contact, scope.can(Permission.PII_UNMASK)
    query = (
        v.select(v.id, v.browser, c.name, c.phone, c.email)
        .join(c, JOIN.LEFT_OUTER, on=(c.id == v.contact_id))
        .where(v.id.in_(sorted(ids or ())))
    )
    return {ident: visitor_name(browser, known, full) for ident, browser, *known in query.tuples()}


def sites(scope: Scope) -> dict[int, str]:
    """Return the names of the sites whose visits a viewer sees, by id."""
    query = Site.select(Site.id, Origin.name).join(Origin).where(scope.allows_queue(Site.queue_id))
    return dict(query.order_by(Origin.name).tuples())


def _site_names(scope: Scope, names: Collection[Any] | None) -> Mapping[Any, str]:
    return {name: name for name in (sites(scope).values() if names is None else names)}


def countries(scope: Scope, codes: Collection[Any] | None) -> Mapping[Any, str]:
    """Return the names of countries, or of those of late visits, in the reader's language."""
    if codes is None:
        v = Visit
        late = v.select(v.country, v.site_id).order_by(v.started_ms.desc()).limit(RECENT).tuples()
        seen = sites(scope)
        codes = {country for country, site in late if country and site in seen}
    names = Locale.parse(language()).territories
    return {code: str(names.get(code, code)) for code in codes}


def _languages(_scope: Scope, tags: Collection[Any] | None) -> Mapping[Any, str]:
    return {tag: language_name(tag) for tag in tags or ()}


def language_name(tag: str) -> str:
    """Return the name of a browser's language such as cs-CZ in the reader's language."""
    try:
        return Locale.parse(tag, sep="-").get_display_name(language()) or tag
    except (ValueError, UnknownLocaleError):
        return tag


def path_of(url: str) -> str:
    """Return an address without its site: "/" for the first page of a site, "" for none; a text that is no
    address as it is."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "") if url else ""


def _paths(_scope: Scope, urls: Collection[Any] | None) -> Mapping[Any, str]:
    return {url: path_of(url) for url in urls or ()}


_FIELDS = (
    Field("id", N_("Number"), Type.ID, "v.id"),
    Field("visitor", N_("Visitor"), Type.NOTE, "v.id", texts=_visitors),
    Field("site", N_("Web site"), Type.TEXT, _SITE, texts=_site_names),
    Field("queue", N_("Queue"), Type.QUEUE, _QUEUE),
    Field("contact", N_("Contact"), Type.CONTACT, "v.contact_id"),
    Field("started", N_("Started at"), Type.MOMENT, "v.started_ms", scale=1000),
    Field("active", N_("Last activity"), Type.MOMENT, "v.active_ms", scale=1000),
    Field("ended", N_("Ended at"), Type.MOMENT, "v.ended_ms", scale=1000),
    Field("duration", N_("Time on the site"), Type.DURATION, "(v.active_ms - v.started_ms) / 1000"),
    Field(
        "idle",
        N_("Idle time"),
        Type.DURATION,
        "CASE WHEN v.ended_ms IS NULL THEN {now} - v.active_ms / 1000 END",
    ),
    Field("is_open", N_("On the site"), Type.YES_NO, yes("v.ended_ms IS NULL")),
    Field("pages", N_("Pages viewed"), Type.NUMBER, "v.pages"),
    Field("page", N_("Page"), Type.TEXT, "v.url", texts=_paths),
    Field("title", N_("Page title"), Type.TEXT, "v.title"),
    Field("landing", N_("Landing page"), Type.TEXT, "v.first_url", texts=_paths),
    Field("referrer", N_("Referrer"), Type.TEXT, "v.referrer"),
    Field("language", N_("Language"), Type.TEXT, "v.language", texts=_languages),
    Field("country", N_("Country"), Type.TEXT, "v.country", texts=countries),
    Field("browser", N_("Browser"), Type.TEXT, "v.browser_name"),
    Field("os", N_("Operating system"), Type.TEXT, "v.os"),
    Field("number", N_("Visit number"), Type.NUMBER, "v.number"),
    Field("invitation", N_("Invitation"), Type.CHOICE, "v.invitation", STATES),
    Field("is_known", N_("Known contact"), Type.YES_NO, yes("v.contact_id IS NOT NULL")),
    Field("is_invited", N_("Invited"), Type.YES_NO, yes("v.invited_ms IS NOT NULL")),
    Field("is_accepted", "", Type.YES_NO, yes("v.invitation = 'accepted'"), counted=N_("Said yes")),
)
VISITS = Source(
    "visits",
    '"visit" v',
    (
        Entity(
            "visit",
            N_("Visit"),
            N_("Visits"),
            "v.id",
            _FIELDS,
            ratios=(Ratio("accept_rate", N_("Acceptance rate"), "sum:is_accepted", "sum:is_invited"),),
        ),
    ),
    moment="started",
    grain=N_("One row is one stay of a browser on a web site, until half an hour without activity."),
    permission=Permission.VISITORS_VIEW,
    queues=_QUEUE,
    own="1 = 0",
    searched=("v.url", "v.first_url", "v.title", "v.referrer"),
)
INVITATIONS = Source(
    "invitations",
    '"invitation" n LEFT JOIN "visit" v ON v.id = n.visit_id',
    (
        Entity(
            "invitation",
            N_("Invitation"),
            N_("Invitations"),
            "n.id",
            (
                Field("id", N_("Number"), Type.ID, "n.id"),
                Field("created", N_("Invited at"), Type.MOMENT, "n.created_ms", scale=1000),
                Field("visitor", N_("Visitor"), Type.NOTE, "n.visit_id", texts=_visitors),
                Field(
                    "how",
                    N_("Invited how"),
                    Type.CHOICE,
                    "CASE WHEN n.user_id IS NULL THEN 'rule' ELSE 'hand' END",
                    HOW,
                ),
                Field("rule", N_("Rule"), Type.ID, "n.rule_id", texts=rule_names),
                Field("user", N_("Invited by"), Type.USER, "n.user_id"),
                Field("state", N_("Answer"), Type.CHOICE, "n.state", STATES),
                Field("shown", N_("Shown at"), Type.MOMENT, "n.shown_ms", scale=1000),
                Field("answered", N_("Answered at"), Type.MOMENT, "n.answered_ms", scale=1000),
                Field(
                    "wait",
                    N_("Time to the answer"),
                    Type.DURATION,
                    "(n.answered_ms - n.shown_ms) / 1000",
                ),
                Field("language", N_("Language"), Type.TEXT, "n.language", texts=_languages),
                Field("text", N_("Text"), Type.TEXT, "n.text"),
                Field("is_shown", "", Type.YES_NO, yes("n.shown_ms IS NOT NULL"), counted=N_("Shown")),
                Field("is_accepted", "", Type.YES_NO, yes("n.state = 'accepted'"), counted=N_("Said yes")),
                Field("is_rejected", "", Type.YES_NO, yes("n.state = 'rejected'"), counted=N_("Said no")),
            ),
            ratios=(Ratio("accept_rate", N_("Acceptance rate"), "sum:is_accepted", "sum:is_shown"),),
        ),
        Entity("visit", N_("Visit"), N_("Visits"), "v.id", _FIELDS),
    ),
    moment="created",
    grain=N_("One row is one invitation to a chat, made by a rule or by hand."),
    permission=Permission.VISITORS_VIEW,
    queues=_QUEUE,
    own="1 = 0",
)
