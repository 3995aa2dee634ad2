"""Tickets: what an agent did to them. Pure."""

from __future__ import annotations

from dashboard.catalog.types import EventType, Field, Kind, maker
from dashboard.i18n.mark import N_

NUMBER = Field("number", Kind.CODE, N_("Ticket number"))
TITLE = Field("title", Kind.TEXT, N_("Title"))
WORK = Field("seconds", Kind.SECONDS, N_("Working time"))
STATUS = Field("status", Kind.TEXT, N_("Status"))

_ticket = maker("tickets", "personal", "interaction", "user")

TYPES: tuple[EventType, ...] = (
    _ticket("ticket.created", N_("Ticket created"), NUMBER, TITLE, WORK, STATUS),
    _ticket("ticket.updated", N_("Ticket updated"), NUMBER, TITLE, WORK, STATUS),
    _ticket("ticket.closed", N_("Ticket closed"), NUMBER, TITLE, WORK, STATUS),
    _ticket("ticket.reopened", N_("Ticket reopened"), NUMBER, TITLE, WORK, STATUS),
)
