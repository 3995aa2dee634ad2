"""Presence of agents: signed in, ready, on a pause. Pure."""

from __future__ import annotations

from dashboard.catalog.fields import REASON
from dashboard.catalog.types import EventType, Field, Kind, maker
from dashboard.i18n.mark import N_

DEVICE = Field("device", Kind.TEXT, N_("Device"), limit=120)
LOGIN = Field("login_s", Kind.SECONDS, N_("Login time"))
PAUSE = Field("pause", Kind.TEXT, N_("Pause type"), required=True, limit=120)
PAID = Field("paid", Kind.YES_NO, N_("Paid pause"))

_agent = maker("agents", "personal", "user")

TYPES: tuple[EventType, ...] = (
    _agent("agent.signed_in", N_("Agent signed in"), DEVICE),
    _agent("agent.signed_out", N_("Agent signed out"), DEVICE, LOGIN, REASON),
    _agent("agent.ready", N_("Agent ready")),
    _agent("agent.not_ready", N_("Agent not ready"), REASON),
    _agent("agent.pause_started", N_("Pause started"), PAUSE, PAID),
    _agent("agent.pause_ended", N_("Pause ended")),
)
