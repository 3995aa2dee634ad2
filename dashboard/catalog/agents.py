"""Agents: signed in, ready, on a pause, idle, at their capacity. Pure."""

from __future__ import annotations

from dashboard.catalog.fields import COUNT, IP, REASON, ROLE
from dashboard.catalog.types import EventType, Field, Kind, Origin, maker
from dashboard.i18n.message import N_

DEVICE = Field("device", Kind.TEXT, N_("Device"), limit=120, folded=True)
LOGIN = Field("login_s", Kind.SECONDS, N_("Login time"), folded=True)
PAUSE = Field("pause", Kind.TEXT, N_("Pause type"), required=True, limit=120, folded=True)
PAUSED = Field("paused", Kind.YES_NO, N_("Added on a pause"), folded=True)
WHY = Field("pause", Kind.TEXT, N_("Pause type"), limit=120, folded=True)
TAKEN = Field("pause", Kind.TEXT, N_("Pause type"))  # of a timer; the gate checks the start of a pause
PAID = Field("paid", Kind.YES_NO, N_("Paid pause"), folded=True)

TIME_CORRECTED = "agent.time_corrected"
CORRECTION = (
    Field("what", Kind.CHOICE, N_("What is corrected"), ("login", "pause")),
    Field("was_starts", Kind.TIME, N_("Recorded from")),
    Field("was_ends", Kind.TIME, N_("Recorded to")),
    Field("was_pause", Kind.TEXT, N_("Recorded pause type")),
    Field("starts", Kind.TIME, N_("From")),
    Field("ends", Kind.TIME, N_("To")),
    Field("pause", Kind.TEXT, N_("Pause type")),
    Field("paid", Kind.YES_NO, N_("Paid pause")),
    Field("takes_back", Kind.TEXT, N_("Takes back")),
    Field("author", Kind.TEXT, N_("Author")),
    REASON,
)
AGENT = (
    ROLE,
    Field("team", Kind.TEXT, N_("Team")),
    Field("availability", Kind.TEXT, N_("Availability")),
    REASON,
    Field("state_s", Kind.SECONDS, N_("Time in the state")),
    Field("sessions", Kind.NUMBER, N_("Sessions")),
    IP,
    Field("method", Kind.TEXT, N_("Sign-in method")),
    Field("failed_attempts", Kind.NUMBER, N_("Failed attempts")),
)

_agent = maker("agents", "personal", "user")
_corrected = maker("agents", "personal", "user", internal=True)
_timer = maker("agents", "personal", "user", internal=True, origin=Origin.TIMER)
_counter = maker("agents", "personal", "user", internal=True, origin=Origin.COUNTER)

TYPES: tuple[EventType, ...] = (
    _agent("agent.signed_in", N_("Agent signed in"), DEVICE),
    _agent("agent.signed_out", N_("Agent signed out"), DEVICE, LOGIN, REASON),
    _agent("agent.ready", N_("Agent ready"), PAUSED, WHY),
    _agent("agent.not_ready", N_("Agent not ready"), REASON),
    _agent("agent.pause_started", N_("Pause started"), PAUSE, PAID),
    _agent("agent.pause_reason_given", N_("Pause type given"), PAUSE),
    _agent("agent.pause_ended", N_("Pause ended")),
    _corrected(TIME_CORRECTED, N_("Time corrected"), *CORRECTION),
    _agent("agent.sign_in_failed", N_("Agent's sign-in failed"), *AGENT),
    _agent("agent.availability_changed", N_("Agent's availability changed"), *AGENT),
    _timer("agent.idle", N_("Agent idle"), *AGENT),
    _timer("agent.pause_limit_reached", N_("Pause limit reached"), *AGENT, TAKEN, PAID),
    _counter("agent.capacity_reached", N_("Agent's capacity reached"), *AGENT, COUNT),
)
