"""The visitors of the moment, past visits, invitations, the story of a visit, and inviting by hand."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard import clock
from dashboard.access.guard import MissingPermission, require
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.audit.subjects import Seen
from dashboard.clock import DAY_S, Span
from dashboard.exports import registry
from dashboard.i18n import zone
from dashboard.i18n.message import N_
from dashboard.models import Source
from dashboard.pages.visitors import inviting, queries, words
from dashboard.pages.visitors.queries import Wanted
from dashboard.settings import LOCALES
from dashboard.sources.catalogue import INVITATIONS, VISITS
from dashboard.sources.declared.visits import STATES, countries, sites, visitor_name
from dashboard.tracing import logged, team
from dashboard.web import listing_files
from dashboard.web.deliver import LABELS
from dashboard.web.forms import ID_MAX, text, whole
from dashboard.web.listing import Choice, Listing
from dashboard.web.page import render, row_url

bp = Blueprint("visitors", __name__)

STAYS = (60, 180, 300, 600, 1800)  # seconds on the site, to choose from
PAGE_MAX = 100
PAST = Listing(
    VISITS,
    N_("Past visits"),
    N_("Who was on your web sites, what they viewed, and whether they were invited to a chat."),
    columns=("started", "visitor", "site", "pages", "duration", "landing", "country", "invitation"),
    bar=("site", "invitation", "is_known"),
    rare=("country", "is_invited", "is_open"),
    start={"is_open": "0"},
    count=lambda number: ngettext("%(num)d visit", "%(num)d visits", number),
    none=N_("No visits in this period"),
    of_sources=True,
    none_hint=N_("Choose another period, or remove filters."),
    links={
        "started": lambda key, _value: row_url("visitors.show", key),
        "visitor": lambda key, _value: row_url("visitors.show", key),
    },
    badges={"invitation": words.BADGES},
    above="visitors/_tabs.html",
)
INVITED = Listing(
    INVITATIONS,
    N_("Invitations to a chat"),
    N_("Who was invited by which rule or by whom, and what they answered."),
    columns=("created", "visitor", "visit.site", "user", "rule", "state", "wait", "text"),
    bar=("how", "state", "visit.site"),
    rare=("user", "rule"),
    count=lambda number: ngettext("%(num)d invitation", "%(num)d invitations", number),
    none=N_("No invitations in this period"),
    of_sources=True,
    none_hint=N_("Choose another period, or remove filters."),
    links={"visitor": lambda _key, value: row_url("visitors.show", value) if value else None},
    badges={"state": words.BADGES},
    above="visitors/_tabs.html",
)
LISTINGS = (PAST, INVITED)
TABS = {"index": N_("Now"), "past": N_("Past"), "invitations": N_("Invitations")}
listing_files.routes(bp, "/visitors/past", PAST, "past")
listing_files.routes(bp, "/visitors/invitations", INVITED, "invitations")


@bp.get("/visitors")
@require(Permission.VISITORS_VIEW)
def index() -> Response:
    """Show who is on the sites now; the table loads itself again every ten seconds. 400 with the reason for
    a filter that is none."""
    return now()


def now(status: int = 200, **more: Any) -> Response:
    """Answer with the visitors of the moment; `more` is what stands beside them."""
    moment = clock.now_ms()
    wanted, errors = _wanted()
    seen = sites(g.scope)
    visits = [] if errors else queries.present(seen, wanted, moment)
    audit.viewed("list.viewed", ("list", "visits", "visits"), {})
    return render(
        "visitors/index.html",
        {"result", "now"},
        400 if errors else status,
        errors=errors,
        moment=moment,
        zone=zone(),
        words=words,
        visits=visits,
        sites=seen,
        places=countries(g.scope, {visit.country for visit in visits} - {""}),
        most=queries.MOST,
        wanted=wanted,
        here=url_for(".index", **wanted.query),
        filters=_filters(wanted),
        figures=_figures(seen, moment // 1000),
        exports=_exports(),
        may_invite=g.scope.can(Permission.VISITORS_INVITE),
        **more,
    )


def _wanted() -> tuple[Wanted, list[str]]:
    """Return the filters of the address, and what is wrong with them."""
    given = request.args
    page, stay = text(given, "page")[:PAGE_MAX], whole(given.get("stay") or "0", 0, DAY_S)
    wanted = Wanted(page, stay or 0, text(given, "country"), text(given, "known"), text(given, "invitation"))
    faults = []
    if wanted.country and not re.fullmatch("[A-Z]{2}", wanted.country):
        faults.append(_("Country: enter two capital letters, such as CZ."))
    if stay is None:
        faults.append(_("On the site at least: enter seconds, up to %(most)s.", most=DAY_S))
    if wanted.known not in ("", "0", "1"):
        faults.append(_("Contact: choose known (1) or not known (0)."))
    if wanted.invitation not in ("", "none", *STATES):
        faults.append(_("Invitation: use one of %(names)s.", names=", ".join(("none", *STATES))))
    return wanted, faults


def _filters(wanted: Wanted) -> list[Choice]:
    every = [("", _("All"))]
    stays = [("", _("Any time")), *((str(each), _("%(number)s min", number=each // 60)) for each in STAYS)]
    known = [("1", _("Known")), ("0", _("Not known"))]
    named = sorted(countries(g.scope, None).items(), key=lambda each: each[1])
    answers = [("none", _("Not invited")), *((name, _(label)) for name, label in STATES.items())]
    return [
        Choice("stay", _("On the site at least"), stays, str(wanted.stay_s or "")),
        Choice("country", _("Country"), [*every, *named], wanted.country),
        Choice("known", _("Contact"), [*every, *known], wanted.known),
        Choice("invitation", _("Invitation"), [*every, *answers], wanted.invitation),
    ]


def _figures(seen: Collection[int], now_s: int) -> dict[str, Any]:
    """Return the key figures: who is there, today's invitations with those of the week before, who waits."""
    today = clock.day(clock.local_date(now_s, zone()), zone())
    waiting = team.waiting(g.scope, queries.queues_of_sites(g.scope), now_s).values()
    return {
        "here": queries.numbers(seen),
        "today": queries.answers(seen, today),
        "before": queries.answers(seen, Span(today.start - 7 * DAY_S, today.start)),
        "waiting": sum(each.number for each in waiting),
        "longest": max((now_s - each.since for each in waiting), default=None),
    }


def _exports() -> list[tuple[str, str]]:
    """Return the files of the open visits, which are those of the list of visits."""
    return [
        (_(label), url_for(".past_file", is_open="1", period="last_7_days").replace(".csv", f".{format_}", 1))
        for format_, label in LABELS.items()
        if registry.allowed(g.scope, VISITS.name, format_)
    ]


@bp.route("/visitors/<int:ident>/invite", methods=["GET", "POST"])
@require(Permission.VISITORS_INVITE)
def invite(ident: int) -> Response:
    """Show the form beside the visitors, the box as it will look (`op` see), or invite; 422 with why not."""
    visit = queries.visit(g.scope, ident) if ident <= ID_MAX else None
    if visit is None:
        abort(404)
    if not g.scope.can(Permission.VISITORS_VIEW):
        raise MissingPermission(Permission.VISITORS_VIEW)
    form = inviting.read(visit)
    problem, status = inviting.refusal(visit), 422 if form.error else 200
    if request.method == "POST" and not form.error and not problem and request.form.get("op") != "see":
        if inviting.send(visit, form):
            flash(_("The invitation is on its way to %(name)s.", name=words.name(visit)), "ok")
            return make_response(redirect(url_for(".index", **_wanted()[0].query)))
        problem = inviting.refusal(visit)
    if problem and request.method == "POST":
        status = 422
    preview = inviting.box(form.language) if request.method == "POST" and form.text else None
    return now(
        status,
        chosen=visit,
        form=form,
        languages=list(LOCALES.items()),
        about=words.about(visit),
        way=words.way(queries.events(g.scope, visit), zone()),
        preview=preview,
        problem=problem,
    )


@bp.get("/visitors/<int:ident>")
@require(Permission.VISITORS_VIEW)
def show(ident: int) -> Response:
    """Show what a visitor did: facts, the events of the visit, its invitations, earlier visits."""
    visit = queries.visit(g.scope, ident) if ident <= ID_MAX else None
    if visit is None:
        abort(404)
    site, in_zone, label = sites(g.scope)[visit.site_id], zone(), words.name(visit)
    events, invitations = queries.events(g.scope, visit), queries.invitations(g.scope, visit)
    people = {each.user_id for each in events} | {each.user_id for each in invitations}
    audit.viewed(
        "visit.viewed",
        ("visit", visit.id, visitor_name(visit.browser, visit.contact, False)),
        {"source": site},
        Seen({user for user in people if user is not None and g.scope.sees(user)}),
    )
    chats = {
        interaction: page
        for source, interaction in queries.interactions(visit)
        if (page := logged.page_of(g.scope, Source.id == source, interaction)) is not None
    }
    stream = None
    if g.scope.can(Permission.EVENTS_VIEW):
        day = clock.local_date(visit.started_ms // 1000, in_zone).isoformat()
        stream = f"{url_for('events.index')}?{urlencode({'session': visit.token, 'from': day})}"
    return render(
        "visitors/show.html",
        visit=visit,
        label=label,
        site=site,
        zone=in_zone,
        words=words,
        facts=words.facts(visit, site, in_zone),
        steps=words.steps(events, chats, in_zone),
        is_cut=len(events) == queries.MOST_EVENTS,
        chats=chats,
        invitations=words.invitations(invitations, in_zone),
        sessions=words.sessions(queries.sessions(visit), in_zone)
        if g.scope.can(Permission.SESSIONS_VIEW)
        else [],
        earlier=words.earlier(queries.earlier(visit), in_zone),
        stream_url=stream,
        may_invite=g.scope.can(Permission.VISITORS_INVITE),
    )


@bp.context_processor
def tabs() -> dict[str, Any]:
    """Return the tabs above the pages of visitors."""
    current = (request.endpoint or "").removeprefix("visitors.").removesuffix("_file")
    here = "index" if current == "invite" else current
    links = [(_(label), url_for(f"visitors.{tab}"), tab == here, None) for tab, label in TABS.items()]
    return {"visitor_tabs": links}
