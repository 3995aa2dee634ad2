"""Every type of the catalogue and every custom one that occurred, with what holds for it."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import peewee
from flask_babel import gettext as _

from dashboard import catalog
from dashboard.catalog import EventType
from dashboard.db.prepared import plain
from dashboard.events import switches
from dashboard.events.switches import Choice
from dashboard.models import Event
from dashboard.pages.settings.event_types.forms import Filter
from dashboard.web import lists

DAY_MS = 86_400_000
AFTER_CUSTOM = "custom/"  # the first text after all that begin with "custom."
MOST_CUSTOM = 200  # shown of names that clients make up


class Line(NamedTuple):
    type: EventType
    label: str
    choice: Choice
    events: int


class Group(NamedTuple):
    key: str
    label: str
    lines: list[Line]


def groups(asked: Filter, now_ms: int) -> list[Group]:
    """Return the groups with the types that fit the filter, both by label; one without any is left out."""
    chosen = switches.choices()
    others = {name for name in chosen if name.startswith(catalog.CUSTOM)}.union(custom_types())
    types = [*catalog.CATALOG.values(), *filter(None, map(catalog.find, sorted(others)))]
    counts = last_day([one.name for one in types], now_ms)
    found: dict[str, list[Line]] = {}
    for type_ in types:
        label = type_.name if type_.group == "custom" else _(type_.label)
        choice = chosen.get(type_.name) or switches.default(type_.name)
        line = Line(type_, label, choice, counts.get(type_.name, 0))
        if _fits(line, asked):
            found.setdefault(type_.group, []).append(line)
    made = [
        Group(key, _(label), lists.by_name(found[key], lambda line: line.label))
        for key, label in catalog.GROUPS.items()
        if key in found
    ]
    return lists.by_name(made, lambda group: group.label)


def last_day(types: Collection[str], now_ms: int) -> dict[str, int]:
    """Return how many events of each of the types bear a time of the last 24 hours.

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


def _fits(line: Line, asked: Filter) -> bool:
    state = {
        "": True,
        "seen": line.events > 0,
        "off": not line.choice.recorded,
        "closed": not line.choice.in_rules,
        "source": line.type.needs_source,
    }
    if not state[asked.state] or (asked.group and line.type.group != asked.group):
        return False
    return lists.found(asked.text, line.label, line.type.name)
