"""The data source of tickets: a row is a ticket, with what was done to it. Pure."""

from __future__ import annotations

from dashboard.access.permissions import Permission
from dashboard.catalog.effects import EFFECTS, OnActivity
from dashboard.i18n.message import N_
from dashboard.sources.declared.entities import DIRECTIONS, queue, yes
from dashboard.sources.types import Entity, Field, Source, Type

EDITS = sorted(
    name
    for name, effect in EFFECTS.items()
    if name.startswith("ticket.") and effect.activity is OnActivity.EDITS
)


def _of_events(what: str, *types: str) -> str:
    """Return a figure of the ticket's events of these types, as SQL."""
    named = ", ".join(f"'{each}'" for each in types)
    of = (
        f'"event" e WHERE e.source_id = i.source_id AND e.interaction = i.external_id AND e.type IN ({named})'
    )
    return f"(SELECT {what} FROM {of})"


RESPONSE = f"({_of_events('min(e.time_ms)', 'ticket.message_sent')} - i.first_ms) / 1000"

TICKETS = Source(
    "tickets",
    '"interaction" i',
    (
        Entity(
            "ticket",
            N_("Ticket"),
            N_("Tickets"),
            "i.id",
            (
                Field("id", N_("Number"), Type.TEXT, "i.external_id"),
                Field("created", N_("Created"), Type.MOMENT, "i.first_ms", scale=1000),
                Field("closed", N_("Closed at"), Type.MOMENT, "i.ended_ts"),
                Field("direction", N_("Direction"), Type.CHOICE, "i.direction", DIRECTIONS),
                Field("queue", N_("Queue"), Type.QUEUE, "i.queue_id"),
                Field("contact", N_("Contact"), Type.CONTACT, "i.contact_id"),
                Field("closed_by", N_("Closed by"), Type.USER, "i.completed_by"),
                Field("first_response", N_("Time to the first response"), Type.DURATION, RESPONSE),
                Field("open", N_("Time open"), Type.DURATION, "i.ended_ts - i.first_ms / 1000"),
                Field(
                    "handling",
                    N_("Handling time"),
                    Type.DURATION,
                    '(SELECT coalesce(sum(x.handling_s), 0) FROM "activity" x WHERE x.interaction_id = i.id)',
                ),
                Field("edits", N_("Edits"), Type.NUMBER, _of_events("count(*)", *EDITS)),
                Field("reopened", N_("Reopened"), Type.NUMBER, _of_events("count(*)", "ticket.reopened")),
                Field(
                    "messages_in",
                    N_("Messages received"),
                    Type.NUMBER,
                    _of_events("count(*)", "ticket.message_received"),
                ),
                Field(
                    "messages_out",
                    N_("Messages sent"),
                    Type.NUMBER,
                    _of_events("count(*)", "ticket.message_sent"),
                ),
                Field("is_closed", N_("Closed"), Type.YES_NO, yes("i.ended_ts IS NOT NULL")),
                Field("is_answered", N_("Responded to"), Type.YES_NO, yes(f"{RESPONSE} IS NOT NULL")),
            ),
        ),
        queue("i.queue_id"),
    ),
    moment="created",
    grain=N_("One row is one ticket."),
    permission=Permission.QUEUES_FIGURES,
    queues="i.queue_id",
    id_searched="i.external_id",
    contact="i.contact_id",
    own='EXISTS (SELECT 1 FROM "activity" x WHERE x.interaction_id = i.id AND x.user_id = {viewer})',
    where="i.first_ms IS NOT NULL AND i.channel = 'ticket'",
)
