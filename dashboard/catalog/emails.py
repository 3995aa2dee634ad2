"""E-mails in a queue and the work on them. Pure."""

from __future__ import annotations

from dashboard.catalog.fields import (
    ATTENDED,
    CONNECTED,
    DIRECTION,
    ENDED_BY,
    POSITION,
    REASON,
    RINGING,
    RINGING_MS,
    SUBJECT,
    TALK,
    TO,
    TO_QUEUE,
    TO_USER,
    WAIT,
)
from dashboard.catalog.types import EventType, maker
from dashboard.i18n.mark import N_

_any = maker("emails", "personal", "interaction")
_agent = maker("emails", "personal", "interaction", "user")

TYPES: tuple[EventType, ...] = (
    _any("email.queued", N_("Email queued"), DIRECTION, SUBJECT, POSITION),
    _agent("email.offered", N_("Email offered"), DIRECTION, SUBJECT),
    _agent("email.rejected", N_("Email rejected"), DIRECTION, SUBJECT, RINGING_MS),
    _agent("email.ignored", N_("Email ignored"), DIRECTION, SUBJECT, RINGING_MS),
    _agent("email.withdrawn", N_("Email withdrawn"), DIRECTION, SUBJECT, RINGING_MS),
    _agent("email.accepted", N_("Email accepted"), DIRECTION, SUBJECT, WAIT, RINGING, CONNECTED),
    _agent("email.connected", N_("Email connected"), DIRECTION, SUBJECT),
    _agent("email.disconnected", N_("Email disconnected"), DIRECTION, SUBJECT),
    _agent("email.held", N_("Email held"), DIRECTION, SUBJECT),
    _agent("email.resumed", N_("Email resumed"), DIRECTION, SUBJECT),
    _agent("email.muted", N_("Email muted"), DIRECTION, SUBJECT),
    _agent("email.unmuted", N_("Email unmuted"), DIRECTION, SUBJECT),
    _agent(
        "email.transferred",
        N_("Email transferred"),
        DIRECTION,
        SUBJECT,
        TO,
        TO_USER,
        TO_QUEUE,
        ATTENDED,
        TALK,
    ),
    _agent("email.postponed", N_("Email postponed"), DIRECTION, SUBJECT),
    _agent("email.reopened", N_("Email reopened"), DIRECTION, SUBJECT),
    _any("email.closed", N_("Email closed"), DIRECTION, SUBJECT, TALK, WAIT, ENDED_BY),
    _any("email.abandoned", N_("Email abandoned"), DIRECTION, SUBJECT, WAIT, REASON),
    _any("email.missed", N_("Email missed"), DIRECTION, SUBJECT, WAIT, REASON),
)
