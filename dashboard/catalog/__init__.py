"""The catalogue: every event type by name. Names are only ever added, never changed. Pure.

A new type is one line in the file of its group. Naming: `object.verb_in_past`, lower-case words;
states reached by time or count end in `_due`, `_overdue`, `_reached` or `idle`, failures in `_failed`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from types import MappingProxyType

from dashboard.catalog import (
    agents,
    articles,
    calls,
    chats,
    cobrowsing,
    commerce,
    community,
    contacts,
    dashboard,
    emails,
    mail,
    meetings,
    messages,
    rooms,
    rules,
    sources,
    surveys,
    system,
    tasks,
    tickets,
    visitors,
)
from dashboard.catalog.aliases import ALIASES
from dashboard.catalog.types import EventType, Field, Kind, Level, Origin
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
        "tasks": N_("Tasks and time logs"),
        "agents": N_("Agents"),
        "rooms": N_("Chat rooms"),
        "messages": N_("Messages"),
        "visitors": N_("Visitors"),
        "cobrowsing": N_("Co-browsing"),
        "meetings": N_("Meetings"),
        "contacts": N_("Contacts and organisations"),
        "surveys": N_("Surveys"),
        "articles": N_("Knowledge base"),
        "community": N_("Community"),
        "commerce": N_("Commerce"),
        "mail": N_("Mail servers"),
        "sources": N_("Sources"),
        "rules": N_("Rules and notification channels"),
        "dashboard": N_("Dashboard"),
        "system": N_("System"),
        "custom": N_("Custom events"),
    }
)

_FILES = (
    *(calls, emails, chats, tickets, tasks, agents, rooms, messages, visitors, cobrowsing, meetings),
    *(contacts, surveys, articles, community, commerce, mail, sources, rules, dashboard, system),
)
CATALOG = MappingProxyType({type_.name: type_ for file in _FILES for type_ in file.TYPES})
_BY_NAME = {**CATALOG, **{alias: CATALOG[name] for alias, name in ALIASES.items()}}


def is_name(text: str) -> bool:
    """Say whether `text` may name a type: two or more lower-case words joined by dots, 80 letters at most."""
    return len(text) <= NAME_LIMIT and NAME.fullmatch(text) is not None


def find(name: str) -> EventType | None:
    """Return the type called `name`; a generic one for any well-formed `custom.…`; None if unknown.

    An alias gives the type that it stands for, whose own `name` is the one to store and to compare.
    """
    known = _BY_NAME.get(name)
    return _custom(name) if known is None and name.startswith(CUSTOM) else known


@lru_cache(maxsize=1000)  # a site has few names of its own; a client that makes them up costs no memory
def _custom(name: str) -> EventType | None:
    return EventType(name, "custom", "system", N_("Custom event")) if is_name(name) else None


__all__ = [
    "ALIASES",
    "CATALOG",
    "CUSTOM",
    "GROUPS",
    "NAME_LIMIT",
    "EventType",
    "Field",
    "Kind",
    "Level",
    "Origin",
    "find",
    "is_name",
]
