"""The catalogue: every event type by name. Names are only ever added, never changed. Pure.

A new type is one line in the file of its group. Naming: `object.verb_in_past`, lower-case words;
states reached by time or count end in `_due`, `_overdue`, `_reached`, `idle` or `waiting`, failures in
`_failed`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from types import MappingProxyType

from dashboard.catalog import agents, calls, chats, commerce, contacts, emails, system, tickets, visitors
from dashboard.catalog.types import ALIASES, EventType, Field, Kind, Level, Origin
from dashboard.i18n.message import N_

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

_TYPES = (
    *calls.TYPES,
    *emails.TYPES,
    *chats.TYPES,
    *tickets.TYPES,
    *tickets.TASK_TYPES,
    *agents.TYPES,
    *chats.ROOM_TYPES,
    *chats.MESSAGE_TYPES,
    *visitors.TYPES,
    *visitors.COBROWSING_TYPES,
    *visitors.MEETING_TYPES,
    *contacts.TYPES,
    *contacts.SURVEY_TYPES,
    *contacts.ARTICLE_TYPES,
    *contacts.COMMUNITY_TYPES,
    *commerce.TYPES,
    *emails.MAIL_TYPES,
    *system.SOURCE_TYPES,
    *system.RULE_TYPES,
    *system.DASHBOARD_TYPES,
    *system.TYPES,
)
CATALOG = MappingProxyType({type_.name: type_ for type_ in _TYPES})
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


def is_internal(name: str) -> bool:
    """Say whether Stopa itself records events of the type."""
    known = find(name)
    return known is not None and known.internal


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
    "is_internal",
    "is_name",
]
