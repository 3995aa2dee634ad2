"""Chats on any channel: web chat, SMS, messengers. Pure."""

from __future__ import annotations

from dashboard.catalog.fields import (
    ATTENDED,
    CHANNEL,
    CONNECTED,
    ENDED_BY,
    POSITION,
    REASON,
    RINGING,
    RINGING_MS,
    TALK,
    TO,
    TO_QUEUE,
    TO_USER,
    WAIT,
)
from dashboard.catalog.types import EventType, maker
from dashboard.i18n.mark import N_

_any = maker("chats", "personal", "interaction")
_agent = maker("chats", "personal", "interaction", "user")

TYPES: tuple[EventType, ...] = (
    _any("chat.queued", N_("Chat queued"), CHANNEL, POSITION),
    _agent("chat.offered", N_("Chat offered"), CHANNEL),
    _agent("chat.rejected", N_("Chat rejected"), CHANNEL, RINGING_MS),
    _agent("chat.ignored", N_("Chat ignored"), CHANNEL, RINGING_MS),
    _agent("chat.withdrawn", N_("Chat withdrawn"), CHANNEL, RINGING_MS),
    _agent("chat.accepted", N_("Chat accepted"), CHANNEL, WAIT, RINGING, CONNECTED),
    _agent("chat.connected", N_("Chat connected"), CHANNEL),
    _agent("chat.disconnected", N_("Chat disconnected"), CHANNEL),
    _agent("chat.held", N_("Chat held"), CHANNEL),
    _agent("chat.resumed", N_("Chat resumed"), CHANNEL),
    _agent("chat.muted", N_("Chat muted"), CHANNEL),
    _agent("chat.unmuted", N_("Chat unmuted"), CHANNEL),
    _agent("chat.transferred", N_("Chat transferred"), CHANNEL, TO, TO_USER, TO_QUEUE, ATTENDED, TALK),
    _agent("chat.postponed", N_("Chat postponed"), CHANNEL),
    _agent("chat.reopened", N_("Chat reopened"), CHANNEL),
    _any("chat.closed", N_("Chat closed"), CHANNEL, TALK, WAIT, ENDED_BY),
    _any("chat.abandoned", N_("Chat abandoned"), CHANNEL, WAIT, REASON),
    _any("chat.missed", N_("Chat missed"), CHANNEL, WAIT, REASON),
)
