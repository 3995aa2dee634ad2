"""The event stream and the page of one event."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, abort, g, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard.access import masking
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.audit.subjects import Seen
from dashboard.i18n import formats, zone
from dashboard.i18n.message import N_
from dashboard.models import Event, Interaction
from dashboard.pages.eventstream import queries, words
from dashboard.sources import display
from dashboard.sources.catalogue import EVENTS
from dashboard.tracing import logged
from dashboard.web import listing_files
from dashboard.web.forms import ID_MAX
from dashboard.web.listing import PAGING, Listing
from dashboard.web.lists import here
from dashboard.web.page import render, row_url

bp = Blueprint("events", __name__)

LISTING = Listing(
    EVENTS,
    N_("Event stream"),
    N_("Everything that users, customers and the system did, newest first."),
    columns=("time", "type", "user", "queue", "interaction", "source"),
    bar=("type_group", "type", "user", "queue", "source"),
    count=lambda number: ngettext("%(num)d event", "%(num)d events", number),
    none=N_("No events in this period"),
    none_hint=N_("Choose another period, or remove filters."),
    links={
        "time": lambda key, _value: row_url("events.show", key),
        "type": lambda key, _value: row_url("events.show", key),
        "interaction": lambda _key, value: here(PAGING, interaction=value),
        "session": lambda _key, value: here(PAGING, session=value),
    },
)


listing_files.routes(bp, "/events", LISTING)


@bp.get("/events/<int:ident>")
@require(Permission.EVENTS_VIEW)
def show(ident: int) -> Response:
    """Show one event: its facts and data, the rules that ran on it, what happened around it."""
    in_zone = zone()
    found = queries.event(g.scope, ident, in_zone) if ident <= ID_MAX else None
    if found is None:
        abort(404)
    event = found.row
    seen = None if event.user_id is None else Seen((event.user_id,))
    audit.viewed("event.viewed", ("event", event.id, event.type), {}, seen)
    contact, data = event.contact, event.data
    if not g.scope.can(Permission.PII_UNMASK):
        contact, data = masking.event(contact, data)
    values = json.loads(data)
    cells = display.cells(g.scope, found.columns, [found.values], in_zone)[0]
    texts = dict(zip(queries.COLUMNS, cells, strict=True))
    return render(
        "events/show.html",
        event=event,
        label=texts["type"],
        sentence=words.sentence(texts),
        facts=words.facts(event, texts, in_zone),
        interaction_url=_interaction_url(event),
        fields=words.fields(event.type, values),
        written=words.as_json(event, json.loads(contact) if contact else None, values, in_zone),
        runs=queries.runs(g.scope, event),
        words=words,
        near=_near(event, in_zone),
    )


def _interaction_url(event: Event) -> str | None:
    """Return the page of the event's interaction, None where the viewer may not open it."""
    ident = logged.page_of(g.scope, Interaction.source == event.source_id, event.interaction)
    return url_for("interactions.show", ident=ident) if ident is not None else None


def _near(event: Event, in_zone: str) -> list[dict[str, Any]]:
    """Return title, address of the list and rows of the events of the same interaction and session."""
    day = formats.local(event.time_ms // 1000, in_zone).date().isoformat()
    given = (
        ("interaction", _("Same interaction"), Event.interaction),
        ("session", _("Same session"), Event.session),
    )
    return [
        {
            "name": name,
            "title": title,
            "url": url_for(".index", **{name: getattr(event, name), "from": day, "to": day}),
            "rows": words.neighbours(queries.neighbours(g.scope, event, column), event, in_zone),
        }
        for name, title, column in given
        if getattr(event, name)
    ]
