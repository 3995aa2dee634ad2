"""The catalogue: every event type by name. Names are only ever added, never changed. Pure.

A new type is one line in the file of its group. Naming: `object.verb_in_past`, lower-case words.
"""

from __future__ import annotations

import re
from types import MappingProxyType

from dashboard.catalog import agents, calls, chats, dashboard, emails, sources, tickets
from dashboard.catalog.types import EventType, Field, Kind, Level
from dashboard.i18n.mark import N_

NAME_LIMIT = 80  # the column of the event's type
NAME = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)+")
CUSTOM = "custom."

GROUPS = MappingProxyType(
    {
        "calls": N_("Calls"),
        "emails": N_("Emails"),
        "chats": N_("Chats"),
        "tickets": N_("Tickets"),
        "agents": N_("Agents"),
        "sources": N_("Sources"),
        "dashboard": N_("Dashboard"),
        "custom": N_("Custom events"),
    }
)

_FILES = (calls, emails, chats, tickets, agents, sources, dashboard)
CATALOG = MappingProxyType({type_.name: type_ for file in _FILES for type_ in file.TYPES})


def is_name(text: str) -> bool:
    """Say whether `text` may name a type: two or more lower-case words joined by dots, 80 letters at most."""
    return len(text) <= NAME_LIMIT and NAME.fullmatch(text) is not None


def find(name: str) -> EventType | None:
    """Return the type called `name`; a generic one for any well-formed `custom.…`; None if unknown."""
    known = CATALOG.get(name)
    if known is None and name.startswith(CUSTOM) and is_name(name):
        return EventType(name, "custom", "system", N_("Custom event"))
    return known


__all__ = [
    "CATALOG",
    "CUSTOM",
    "GROUPS",
    "NAME_LIMIT",
    "EventType",
    "Field",
    "Kind",
    "Level",
    "find",
    "is_name",
]
