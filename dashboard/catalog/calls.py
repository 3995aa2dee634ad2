"""Telephone calls, from the queue to the end, and calls that an agent dials. Pure."""

from __future__ import annotations

from dashboard.catalog.fields import (
    ATTENDED,
    COMMENT,
    CONNECTED,
    DIRECTION,
    DURATION,
    ENDED_BY,
    POSITION,
    RATING,
    REASON,
    RINGING,
    RINGING_MS,
    TALK,
    TO,
    TO_QUEUE,
    TO_USER,
    WAIT,
    WRAPUP,
)
from dashboard.catalog.types import EventType, Field, Kind, Origin, maker
from dashboard.i18n.message import N_

CALL = (
    DIRECTION,
    DURATION,
    WAIT,
    TALK,
    Field("outcome", Kind.TEXT, N_("Outcome")),
    Field("recording", Kind.TEXT, N_("Recording")),
    RATING,
)

_any = maker("calls", "personal", "interaction")
_agent = maker("calls", "personal", "interaction", "user")
_timer = maker("calls", "personal", "interaction", internal=True, origin=Origin.TIMER)

TYPES: tuple[EventType, ...] = (
    _any("call.queued", N_("Call queued"), DIRECTION, POSITION),
    _agent("call.offered", N_("Call offered"), DIRECTION),
    _agent("call.rejected", N_("Call rejected"), DIRECTION, RINGING_MS),
    _agent("call.ignored", N_("Call ignored"), DIRECTION, RINGING_MS),
    _agent("call.withdrawn", N_("Call withdrawn"), DIRECTION, RINGING_MS),
    _agent("call.accepted", N_("Call accepted"), DIRECTION, WAIT, RINGING, CONNECTED),
    _agent("call.connected", N_("Call connected"), DIRECTION),
    _agent("call.disconnected", N_("Call disconnected"), DIRECTION),
    _agent("call.held", N_("Call held"), DIRECTION),
    _agent("call.resumed", N_("Call resumed"), DIRECTION),
    _agent("call.muted", N_("Call muted"), DIRECTION),
    _agent("call.unmuted", N_("Call unmuted"), DIRECTION),
    _agent("call.transferred", N_("Call transferred"), DIRECTION, TO, TO_USER, TO_QUEUE, ATTENDED, TALK),
    _agent("call.postponed", N_("Call postponed"), DIRECTION),
    _agent("call.reopened", N_("Call reopened"), DIRECTION),
    _agent("call.dialled", N_("Call dialled"), DIRECTION),
    _agent("call.unreached", N_("Call not answered"), DIRECTION, REASON, WAIT),
    _any("call.closed", N_("Call closed"), DIRECTION, TALK, WAIT, ENDED_BY),
    _any("call.abandoned", N_("Call abandoned"), DIRECTION, WAIT, REASON),
    _any("call.missed", N_("Call missed"), DIRECTION, WAIT, REASON),
    _agent("call.wrapup_started", N_("Call wrap-up started"), WRAPUP),
    _agent("call.wrapup_ended", N_("Call wrap-up ended")),
    _any("call.started", N_("Call started"), *CALL),
    _any("call.logged", N_("Call logged"), *CALL, COMMENT),
    _any("call.log_updated", N_("Call log changed"), *CALL, COMMENT),
    _any("call.log_deleted", N_("Call log deleted"), *CALL, COMMENT),
    _timer("call.waiting", N_("Call waiting"), *CALL),
    _any("call.rated", N_("Call rated"), *CALL, COMMENT),
)
