"""The list of interactions, and the page of one: every customer contact, those that nobody took included."""

from __future__ import annotations

from collections import Counter
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard import clock
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.audit.subjects import Seen
from dashboard.db import database
from dashboard.events import erasure
from dashboard.exports import registry
from dashboard.i18n import zone
from dashboard.i18n.message import N_
from dashboard.pages.interactions import queries, rule_runs, story, words
from dashboard.rulelang import subjects
from dashboard.sources.catalogue import INTERACTIONS, USER_EVENTS
from dashboard.web import listing_files
from dashboard.web.deliver import LABELS
from dashboard.web.forms import ID_MAX
from dashboard.web.listing import Listing
from dashboard.web.lists import here as address
from dashboard.web.page import render, row_url

bp = Blueprint("interactions", __name__)

LISTING = Listing(
    INTERACTIONS,
    N_("Interactions"),
    N_("Calls, chats, emails and tickets of customers, whether somebody took them or not."),
    columns=("created", "id", "channel", "queue", "contact", "outcome", "wait", "talk", "user_at_completion"),
    bar=("queue", "channel", "outcome", "direction"),
    count=lambda number: ngettext("%(num)d interaction", "%(num)d interactions", number),
    none=N_("No interactions in this period"),
    of_sources=True,
    none_hint=N_("Choose another period, or remove filters."),
    links={
        "id": lambda key, _value: row_url("interactions.show", key),
        "created": lambda key, _value: row_url("interactions.show", key),
    },
)
USER_EVENT_LIST = Listing(
    USER_EVENTS,
    N_("User events"),
    N_("Who was rung, took, rejected, muted or transferred an interaction, and when."),
    columns=("time", "kind", "user", "interaction.id", "interaction.queue", "interaction.contact"),
    bar=("kind", "user", "interaction.queue"),
    count=lambda number: ngettext("%(num)d user event", "%(num)d user events", number),
    none=N_("No user events in this period"),
    of_sources=True,
    none_hint=N_("Choose another period, or remove filters."),
    links={},
)


listing_files.routes(bp, "/interactions", LISTING)
listing_files.routes(bp, "/interactions/user-events", USER_EVENT_LIST, "user_events")


@bp.get("/interactions/<int:ident>")
@require(Permission.QUEUES_FIGURES)
def show(ident: int) -> Response:
    """Show what happened to one interaction."""
    found = queries.facts(g.scope, ident) if ident <= ID_MAX else None
    if found is None:
        abort(404)
    works = queries.works(g.scope, ident)
    events = queries.events(g.scope, found)
    here = zone()
    last = max((event.time_ms // 1000 for event in events), default=found.first_ms // 1000)
    parts = queries.parts([work.id for work in works])
    drawn = story.draw(found, works, parts, last, clock.now_s(), here)
    rung = min((work.start for work in works), default=found.queued_ts or found.first_ms // 1000)
    contact = queries.contact(found.contact_id, g.scope.can(Permission.PII_UNMASK))
    lines, who = words.lines(found, events, here), request.args.get("who", "")
    free = queries.free(g.scope, rung) if g.scope.can(Permission.TRACING_VIEW) else None
    audit.viewed(
        "interaction.viewed",
        ("interaction", found.id, found.external_id),
        {"source": found.source},
        Seen({work.user_id for work in works if g.scope.sees(work.user_id)}),
    )
    return render(
        "interactions/show.html",
        found=found,
        zone=here,
        contact=contact,
        story=drawn,
        words=words,
        works={work.user_id: work for work in works},
        sentences=words.sentences(found, works, events, None if free is None else len(free)),
        lines=[line for line in lines if who in ("", line.who)],
        chips=_chips(lines, who),
        counts=words.counts(lines),
        comments=words.comments(found, events, here),
        runs=rule_runs.of_interaction(g.scope, found.source, found.external_id),
        exports=_exports(found, last, here),
        facts=words.facts(found, contact, works, queries.linked(g.scope, found)),
        free=free,
        free_at=rung,
        free_date=clock.local_date(rung, here).isoformat(),
        others=queries.others(g.scope, found),
        traced=g.scope.can(Permission.TRACING_VIEW),
        runs_url=_runs_url(found),
        erasable=found.contact_id is not None and g.scope.can(Permission.CONTACTS_ERASE),
    )


def _chips(lines: list[words.Line], who: str) -> list[tuple[str, str, bool, int]]:
    """Return label, address, whether it is chosen and number of events, of all and of each user."""
    number = Counter(line.who for line in lines if line.who)
    links = [(_("All"), address(("who",)), not who, len(lines))]
    return links + [(name, address(who=name), who == name, count) for name, count in number.items()]


def _exports(found: queries.Facts, last: int, zone_: str) -> list[tuple[str, str]]:
    """Return label and address of the files of the interaction's user events."""
    if not g.scope.can(Permission.TRACING_VIEW):
        return []
    days = [clock.local_date(at, zone_).isoformat() for at in (found.first_ms // 1000, last)]
    query = {"interaction.id": found.external_id, "from": days[0], "to": days[1], "sort": "time"}
    return [
        (_(text), f"{url_for('.user_events')}.{format_}?{urlencode(query)}")
        for format_, text in LABELS.items()
        if registry.allowed(g.scope, USER_EVENT_LIST.source.name, format_)
    ]


def _runs_url(found: queries.Facts) -> str | None:
    """Return where the runs of rules about the interaction are, None for who may see none."""
    if not g.scope.permissions & {Permission.RULES_TRACES, Permission.RULES_OWN}:
        return None
    return url_for("ruleruns.subject", subject=subjects.of_interaction(found.source, found.external_id))


@bp.route("/interactions/<int:ident>/erase-contact", methods=["GET", "POST"])
@require(Permission.CONTACTS_ERASE)
def erase_contact(ident: int) -> Response:
    """Ask for confirmation, then erase the contact of an interaction everywhere."""
    found = queries.facts(g.scope, ident) if ident <= ID_MAX else None
    if found is None or found.contact_id is None:
        abort(404)
    back_url = url_for(".show", ident=ident)
    if request.method == "POST":
        with database.atomic():
            erasure.order(erasure.same_person(found.contact_id))
            masked = queries.contact(found.contact_id, full=False)
            audit.record("contact.erased", "d", ("contact", found.contact_id, masked))
        flash(_("The contact is being erased. This can take some minutes."), "ok")
        return make_response(redirect(back_url))
    return render(
        "layout/confirm.html",
        title=_("Erase this contact?"),
        errors=[],
        verb=_("Erase contact"),
        crumbs=[(_("Interactions"), url_for(".index")), (found.external_id, back_url)],
        back_url=back_url,
        texts=[
            queries.contact(found.contact_id, g.scope.can(Permission.PII_UNMASK)),
            _(
                "Name, number and address are erased in all events, notifications, deliveries, rule runs and "
                "exports, also those of the same contact from other sources."
            ),
            _("Times and figures stay. This can't be undone."),
        ],
    )
