"""Event types: which events are recorded, and which of them rules may use, saved group by group.

The list has the types of the catalogue and the custom ones that occurred. Its rows are no rows of a table, so
it has its own update: a save names what the page showed, and nothing is saved where somebody else has changed
one of the same switches meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import peewee
from flask import Blueprint, Response, abort, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from dashboard import catalog, clock
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.catalog import EventType
from dashboard.clock import DAY_MS
from dashboard.db import database
from dashboard.db.prepared import plain
from dashboard.events import switches
from dashboard.events.switches import Choice
from dashboard.i18n.message import N_
from dashboard.models import Event
from dashboard.web import forms, lists
from dashboard.web.page import render

AFTER_CUSTOM = "custom/"  # the first text after all that begin with "custom."
MOST_CUSTOM = 200  # shown of names that clients make up
TARGET = ("settings", "system_events", "System events")
SWITCHES = {"recorded": N_("%(type)s, record"), "in_rules": N_("%(type)s, use in rules")}
STATES = {
    "": N_("Any"),
    "seen": N_("Occurred in the last 24 hours"),
    "off": N_("Not recorded"),
    "closed": N_("Not available to rules"),
    "source": N_("Requires a source"),
}

bp = Blueprint("systemevents", __name__, url_prefix="/settings/system-events")


@dataclass(frozen=True)
class EventTypeFilter:
    text: str = ""
    group: str = ""
    state: str = ""


class EventTypeRow(NamedTuple):
    type: EventType
    label: str
    choice: Choice
    events: int

    def fits(self, asked: EventTypeFilter) -> bool:
        state = {
            "": True,
            "seen": self.events > 0,
            "off": not self.choice.recorded,
            "closed": not self.choice.in_rules,
            "source": self.type.needs_source,
        }
        if not state[asked.state] or (asked.group and self.type.group != asked.group):
            return False
        return lists.found(asked.text, self.label, self.type.name)


class Group(NamedTuple):
    key: str
    label: str
    lines: list[EventTypeRow]


class Change(NamedTuple):
    """What was ticked for a type, and what its page showed before."""

    type: str
    was: Choice
    now: Choice


@bp.get("")
@require(Permission.SYSTEM_EVENTS_VIEW)
def index() -> Response:
    return _page()


@bp.post("/<name>")
@require(Permission.SYSTEM_EVENTS_EDIT)
def update(name: str) -> Response:
    """Save the group's switches."""
    if name not in catalog.GROUPS:
        abort(404)
    changes = parse(request.form, name)
    if stale := save(changes):
        return _page({each.type: each for each in changes}, _both(stale), 422)
    flash(_("Saved."), "ok")
    kept: dict[str, Any] = {
        key: request.args[key] for key in ("q", "group", "state") if request.args.get(key)
    }
    return make_response(redirect(url_for(".index", **kept, _anchor=f"g-{name}")))


def parse_filter(args: Mapping[str, str]) -> EventTypeFilter:
    """Return the filter of an address; what it cannot mean is no filter."""
    group, state = args.get("group", ""), args.get("state", "")
    return EventTypeFilter(
        lists.needle(args), group if group in catalog.GROUPS else "", state if state in STATES else ""
    )


def parse(form: MultiDict[str, str], group: str) -> list[Change]:
    """Return the changes of a group's form: types that were shown one way and are ticked another.

    What the form did not show stays as it is, so nothing is switched off by a list that was filtered.
    """
    recorded, in_rules = set(form.getlist("recorded")), set(form.getlist("rules"))
    changes = []
    for type_, was in dict(_shown(form.getlist("was"))).items():
        now = Choice(type_.name in recorded, type_.name in in_rules)
        if was != now and type_.group == group:
            changes.append(Change(type_.name, was, now))
    return changes


def save(changes: Sequence[Change]) -> list[Change]:
    """Store the choices, all or none; return those that somebody has changed otherwise meanwhile."""
    with database.atomic():
        stored = {each.type: switches.choice(each.type) for each in changes}
        if stale := [each for each in changes if stored[each.type] not in (each.was, each.now)]:
            return stale
        entry: dict[str, tuple[Any, Any]] = {}
        for each in changes:
            differing = audit.differences(stored[each.type]._asdict(), each.now._asdict())
            if differing:
                switches.choose(each.type, each.now)
                entry |= {f"{each.type} {name}": values for name, values in differing.items()}
        if entry:
            audit.record("settings.updated", "u", TARGET, entry)
    return []


def groups(asked: EventTypeFilter, now_ms: int) -> list[Group]:
    """Return the groups with the types that fit the filter, both by label; empty groups are left out."""
    chosen = switches.choices()
    others = {name for name in chosen if name.startswith(catalog.CUSTOM)}.union(custom_types())
    types = [*catalog.CATALOG.values(), *filter(None, map(catalog.find, sorted(others)))]
    counts = last_day([each.name for each in types], now_ms)
    found: dict[str, list[EventTypeRow]] = {}
    for type_ in types:
        choice = chosen.get(type_.name) or switches.default(type_.name)
        row = EventTypeRow(type_, _label(type_), choice, counts.get(type_.name, 0))
        if row.fits(asked):
            found.setdefault(type_.group, []).append(row)
    named = [
        Group(key, _(label), lists.by_name(found[key], lambda row: row.label))
        for key, label in catalog.GROUPS.items()
        if key in found
    ]
    return lists.by_name(named, lambda group: group.label)


def last_day(types: Collection[str], now_ms: int) -> dict[str, int]:
    """Return how many events of each of the types have a time of the last 24 hours.

    Named one by one they are ranges of the index of types, a quarter of what a day's rows cost.
    """
    recent = (Event.time_ms >= now_ms - DAY_MS) & (Event.time_ms <= now_ms)
    query = Event.select(Event.type, peewee.fn.COUNT(Event.type)).where(
        Event.type.in_(sorted(types)) & recent
    )
    return dict(plain(query.group_by(Event.type)))


def custom_types() -> list[str]:
    """Return the custom types that ever occurred, by name, at most MOST_CUSTOM: a step in an index each."""
    found: list[str] = []
    last = catalog.CUSTOM
    while len(found) < MOST_CUSTOM:
        following = Event.select(peewee.fn.MIN(Event.type)).where(
            (Event.type > last) & (Event.type < AFTER_CUSTOM)
        )
        ((name,),) = plain(following)
        if name is None:
            break
        found.append(last := name)
    return found


def _shown(values: Iterable[str]) -> Iterable[tuple[EventType, Choice]]:
    """Yield the types that the page showed: "11 chat.queued" was recorded and open to rules."""
    for value in values:
        marks, _space, name = value.partition(" ")
        known = catalog.find(name)
        if len(marks) == 2 and known is not None and known.name == name:
            yield known, Choice(marks[0] == "1", marks[1] == "1")


def _label(type_: EventType) -> str:
    return type_.name if type_.group == "custom" else str(_(type_.label))


def _page(
    typed: dict[str, Change] | None = None,
    differing: Sequence[forms.Both] | None = None,
    status: int = 200,
) -> Response:
    asked = parse_filter(request.args)
    named = lists.by_name(catalog.GROUPS.items(), lambda pair: _(pair[1]))
    return render(
        "systemevents/index.html",
        {"result"},
        status,
        asked=asked,
        differing=differing,
        typed=typed or {},
        groups=groups(asked, clock.now_ms()),
        states=[(key, _(label)) for key, label in STATES.items()],
        named=[("", _("All"))] + [(key, _(label)) for key, label in named],
        may_edit=g.scope.can(Permission.SYSTEM_EVENTS_EDIT),
    )


def _both(stale: Sequence[Change]) -> list[forms.Both]:
    """Return what is stored now beside what was ticked, for the switches that differ."""
    found = []
    for each in stale:
        known, now = catalog.find(each.type), switches.choice(each.type)
        labels = {
            name: _(text, type=_label(known) if known else each.type) for name, text in SWITCHES.items()
        }
        found += forms.both(labels, now._asdict(), each.now._asdict())
    return found
