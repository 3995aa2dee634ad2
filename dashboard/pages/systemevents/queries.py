"""Every type of the catalogue and every custom one that occurred, with what holds for it."""

from __future__ import annotations

from typing import NamedTuple

import peewee
from flask_babel import gettext as _

from dashboard import catalog
from dashboard.catalog import EventType
from dashboard.db.prepared import plain
from dashboard.events import switches
from dashboard.events.switches import Choice
from dashboard.models import Event
from dashboard.pages.systemevents.forms import Filter
from dashboard.web import lists

DAY_MS = 86_400_000


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
    counts = last_day(now_ms)
    chosen = switches.choices()
    others = {name for name in (*counts, *chosen) if name.startswith(catalog.CUSTOM)}
    types = [*catalog.CATALOG.values(), *filter(None, map(catalog.find, sorted(others)))]
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


def last_day(now_ms: int) -> dict[str, int]:
    """Return how many events of each type bear a time of the last 24 hours."""
    recent = (Event.time_ms >= now_ms - DAY_MS) & (Event.time_ms <= now_ms)
    return dict(
        plain(Event.select(Event.type, peewee.fn.COUNT(Event.type)).where(recent).group_by(Event.type))
    )


def _fits(line: Line, asked: Filter) -> bool:
    state = {
        "": True, "seen": line.events > 0, "off": not line.choice.recorded,
        "closed": not line.choice.in_rules, "source": line.type.needs_source,
    }  # fmt: skip
    if not state[asked.state] or (asked.group and line.type.group != asked.group):
        return False
    return lists.found(asked.text, line.label, line.type.name)
