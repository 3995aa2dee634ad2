"""The data source of events: a row is a line of the event log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _

from dashboard import catalog
from dashboard.access import masking
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.catalog.fields import CHOICE_LABELS, REASON
from dashboard.db.search import folded
from dashboard.events.internal import SOURCE
from dashboard.events.timeliness import AHEAD_MS, MAX_LATE_S
from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.models import Event
from dashboard.sources.declared.entities import DIRECTIONS, REASONS
from dashboard.sources.types import Entity, Field, Source, Type

_TYPE_LABELS = {each.name: each.label for each in catalog.CATALOG.values()}


def _group() -> str:
    """Return the group of an event's type, as SQL."""
    types: dict[str, list[str]] = {}
    for each in catalog.CATALOG.values():
        types.setdefault(each.group, []).append(f"'{each.name}'")
    known = "".join(f" WHEN e.type IN ({', '.join(names)}) THEN '{group}'" for group, names in types.items())
    return f"CASE{known} WHEN e.type LIKE '{catalog.CUSTOM}%' THEN 'custom' ELSE 'system' END"


def _hits(_scope: Scope, text: str, keys: Sequence[int]) -> set[int]:
    """Return the events whose texts contain another when contact details are masked."""
    e, found = Event, set()
    sought = {folded(text), folded(json.dumps(text, ensure_ascii=False)[1:-1])}
    columns = (e.id, e.type, e.contact, e.data, e.interaction, e.session, e.external_id)
    for key, type_, contact, data, *others in e.select(*columns).where(e.id.in_(keys)).tuples():
        shown = [*masking.event(type_, contact, data), *others]
        whole = folded("\n".join(each for each in shown if each))
        if any(each in whole for each in sought):
            found.add(key)
    return found


ORIGINS = {"sources": N_("Connected systems"), "stopa": N_("Stopa itself")}
_ORIGIN = f"""CASE WHEN e.source_id = (SELECT s.id FROM "source" s WHERE s.name = '{SOURCE}')
    THEN 'stopa' ELSE 'sources' END"""
MARKS = {
    "ahead": N_("Ahead of the clock"),
    "late": N_("Over a day late"),
    "no_time": N_("Without a time"),
}
_MARK = f"""CASE WHEN e.time_of_arrival THEN 'no_time'
    WHEN e.time_ms > e.recorded_ms + {AHEAD_MS} THEN 'ahead'
    WHEN e.recorded_ms - e.time_ms > {MAX_LATE_S * 1000}
    AND NOT (SELECT s.is_file FROM "source" s WHERE s.id = e.source_id) THEN 'late' END"""

# The plus keeps SQLite from an index by which the rows of a period would have to be sorted.
EVENTS = Source(
    "events",
    '"event" e LEFT JOIN "interaction" i ON i.source_id = e.source_id AND i.external_id = e.interaction',
    (
        Entity(
            "event",
            N_("Event"),
            N_("Events"),
            "e.id",
            (
                Field("time", N_("Time"), Type.MOMENT, "e.time_ms", scale=1000),
                Field("recorded", N_("Received at"), Type.MOMENT, "e.recorded_ms", scale=1000),
                Field("type", N_("Event type"), Type.TEXT, "e.type", _TYPE_LABELS),
                Field("type_group", N_("Group"), Type.CHOICE, _group(), catalog.GROUPS),
                Field("user", N_("User"), Type.USER, "e.user_id"),
                Field("queue", N_("Queue"), Type.QUEUE, "+e.queue_id"),
                Field("interaction", N_("Interaction"), Type.TEXT, "e.interaction"),
                Field("contact", N_("Contact"), Type.CONTACT, "i.contact_id"),
                Field("session", N_("Session"), Type.TEXT, "e.session"),
                Field("source", N_("Source"), Type.SOURCE, "+e.source_id"),
                Field("origin", N_("Origin"), Type.CHOICE, _ORIGIN, ORIGINS),
                Field("mark", N_("Mark"), Type.CHOICE, _MARK, MARKS),
                Field("external_id", N_("ID in the source"), Type.TEXT, "e.external_id"),
                Field("id", N_("Number"), Type.ID, "e.id"),
            ),
        ),
    ),
    moment="time",
    grain=N_("One row is one event of the log."),
    permission=Permission.EVENTS_VIEW,
    queues="+e.queue_id",
    own="+e.user_id = {viewer} OR (+e.queue_id IS NULL AND e.interaction IS NULL"
    ' AND +e.source_id NOT IN (SELECT y.source_id FROM "site" y))',
    users="e.user_id",
    id_searched="e.interaction",
    contact="i.contact_id",
    # No search looks into what was typed in co-browsing.
    scanned="CASE WHEN e.type LIKE 'cobrowse.%' THEN '' ELSE e.data END || ' ' || coalesce(e.contact, '')"
    " || ' ' || coalesce(e.interaction, '') || ' ' || coalesce(e.session, '') || ' ' || e.external_id",
    hits=_hits,
)


def value_text(field: catalog.Field | None, value: Any) -> str:
    """Return a value of an event's data in words: yes or no, a duration, a choice, a known reason."""
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if field is not None and field.kind is catalog.Kind.SECONDS and isinstance(value, int):
        return formats.duration(value)
    if field is not None and field.choices and isinstance(value, str):
        label = str(_({**CHOICE_LABELS, **DIRECTIONS}.get(value, value)))
        return label[:1].upper() + label[1:]
    if field is REASON and value in REASONS:
        return str(_(REASONS[value]))
    return "" if value is None else str(value)
