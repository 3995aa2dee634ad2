"""The event stream and the refused events as lists, and the detail of one."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, g, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard.access import masking
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.audit.subjects import Seen
from dashboard.i18n import formats, zone
from dashboard.i18n.message import N_
from dashboard.models import Event, Interaction, RefusedEvent, Source
from dashboard.pages.eventstream import queries, words
from dashboard.sources import display
from dashboard.sources.catalogue import EVENTS
from dashboard.sources.declared.refused import REFUSED, errors_of
from dashboard.tracing import logged
from dashboard.web import listing_files
from dashboard.web.detail import Detail, Fact, Part
from dashboard.web.listing import PAGING, Listing
from dashboard.web.lists import here

bp = Blueprint("events", __name__)


def detail(ident: int) -> Detail | None:
    """Return the facts and data of an event, the rules that ran on it, and what happened around it."""
    in_zone = zone()
    found = queries.event(g.scope, ident, in_zone)
    if found is None:
        return None
    event = found.row
    seen = None if event.user_id is None else Seen((event.user_id,))
    audit.viewed("event.viewed", ("event", event.id, event.type), {}, seen)
    full = g.scope.can(Permission.PII_UNMASK)
    contact, data = masking.event(event.type, event.contact, event.data, full)
    values = json.loads(data)
    cells = display.cells(g.scope, found.columns, [found.values], in_zone)[0]
    texts = dict(zip(queries.COLUMNS, cells, strict=True))
    runs = queries.runs(g.scope, event)
    no_data = _("This event has no data of its own.")
    parts = [
        Part("facts", _("Facts"), words.facts(event, texts, found.values[-1], in_zone), beside=True),
        Part("data", _("Data"), words.fields(event.type, values), none=no_data),
        *_near(event, in_zone),
        Part(
            "runs",
            _("Rules that ran"),
            lines=words.runs(runs or []),
            none=_("No rule ran on this event.") if runs is not None else "",
            beside=True,
        ),
        Part(
            "json",
            _("As JSON"),
            written=words.as_json(event, json.loads(contact) if contact else None, values, in_zone),
            beside=True,
        ),
    ]
    page = url_for("events.show", ident=event.id)
    return Detail(texts["type"], event.id, words.sentence(texts), page, parts, actions=_actions(event))


def _actions(event: Event) -> list[tuple[str, str]]:
    """Return the page of the event's interaction, if the viewer may open it."""
    ident = logged.page_of(g.scope, Interaction.source == event.source_id, event.interaction)
    if ident is None:
        return []
    label = _("Interaction %(number)s", number=event.interaction)
    return [(label, url_for("interactions.show", ident=ident))]


def _near(event: Event, in_zone: str) -> list[Part]:
    """Return the events of the same interaction and of the same session."""
    day = formats.local(event.time_ms // 1000, in_zone).date().isoformat()
    given = (
        ("interaction", _("Same interaction"), Event.interaction),
        ("session", _("Same session"), Event.session),
    )
    return [
        Part(
            name,
            title,
            lines=words.neighbours(queries.neighbours(g.scope, event, column), event, in_zone),
            url=url_for("events.index", **{name: getattr(event, name), "from": day, "to": day}),
        )
        for name, title, column in given
        if getattr(event, name)
    ]


LISTING = Listing(
    EVENTS,
    N_("Event stream"),
    N_("Everything that users, customers and the system did, newest first."),
    columns=("time", "type", "user", "queue", "interaction", "source"),
    bar=("origin", "type_group", "type", "user", "queue"),
    rare=("source", "mark"),
    start={"origin": "sources"},
    instead=("type_group", "type", "user", "source", "interaction", "session", "id", "q"),
    count=lambda number: ngettext("%(num)d event", "%(num)d events", number),
    none=N_("No events in this period"),
    of_sources=True,
    none_hint=N_("Choose another period, or remove filters."),
    links={
        "interaction": lambda _key, value: here(PAGING, interaction=value),
        "session": lambda _key, value: here(PAGING, session=value),
    },
    detail=detail,
    opening=("time", "type"),
    live=True,
    above="events/_above.html",
)


def refused(ident: int) -> Detail | None:
    """Return what is wrong with a record that was not stored, and its masked text."""
    row = RefusedEvent.get_or_none(RefusedEvent.id == ident)
    if row is None:
        return None
    facts = [
        Fact(_("Received at"), formats.stamp(row.recorded_ms // 1000, zone())),
        Fact(_("Source"), Source.get_by_id(row.source_id).name),
        Fact(_("File"), row.file),
        Fact(_("Line"), formats.number(row.line) if row.line else ""),
    ]
    errors = [Fact(name, why) for name, why in errors_of(row.errors).items()]
    parts = [
        Part("facts", _("Facts"), facts),
        Part("errors", _("What is wrong"), errors),
        Part("text", _("Record"), written=row.text, none=_("The text was not kept.")),
    ]
    return Detail(_("Refused event"), row.id, " · ".join(each.text for each in errors), "", parts)


REFUSED_LIST = Listing(
    REFUSED,
    N_("Refused events"),
    N_("What sources sent and Stopa could not store, with the reason."),
    columns=("time", "source", "errors", "file", "line"),
    bar=("source",),
    count=lambda number: ngettext("%(num)d record", "%(num)d records", number),
    none=N_("No refused events in this period"),
    none_hint=N_("Everything that sources sent was stored."),
    links={},
    detail=refused,
    live=True,
    above="events/_above.html",
)
LISTINGS = (LISTING, REFUSED_LIST)
listing_files.routes(bp, "/events", LISTING)
listing_files.routes(bp, "/events/refused", REFUSED_LIST, "refused")


@bp.context_processor
def tabs() -> dict[str, Any]:
    """Return the tabs above the lists; those who look after sources have the second."""
    current, scope = request.endpoint, g.get("scope")
    given = (("events.index", LISTING), ("events.refused", REFUSED_LIST))
    links = [
        (_(listing.title), url_for(name), name == current, None)
        for name, listing in given
        if scope and listing.opens_for(scope)
    ]
    return {"event_tabs": links if len(links) > 1 else []}
