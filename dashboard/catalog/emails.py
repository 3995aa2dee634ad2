"""E-mails in a queue and the work on them. Pure."""

from __future__ import annotations

from dashboard.catalog.fields import (
    ATTENDED,
    CONNECTED,
    DIRECTION,
    ENDED_BY,
    ERROR,
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
from dashboard.catalog.types import EventType, Field, Kind, Origin, maker
from dashboard.i18n.message import N_

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


# Which way the mail goes is said by the type.
MAIL = (
    Field("protocol", Kind.TEXT, N_("Protocol")),
    Field("server", Kind.TEXT, N_("Server")),
    Field("port", Kind.NUMBER, N_("Port")),
    Field("login", Kind.TEXT, N_("Login name")),
    Field("own_address", Kind.TEXT, N_("Own address")),
    Field("encryption", Kind.TEXT, N_("Encryption")),
    Field("auth_required", Kind.YES_NO, N_("Sign-in required")),
    Field("recipient", Kind.TEXT, N_("Recipient")),
    Field("error_code", Kind.CODE, N_("Error code")),
    ERROR,
    Field("attempt", Kind.NUMBER, N_("Attempt")),
    Field("failures", Kind.NUMBER, N_("Consecutive failures")),
)

_out = maker("mail", "system", origin=Origin.TRANSPORT, needs_source=False)
_in = maker("mail", "system", origin=Origin.TRANSPORT)

MAIL_TYPES: tuple[EventType, ...] = (
    _out("mail_out.connection_failed", N_("Outgoing mail: connection failed"), *MAIL),
    _out("mail_out.delivery_failed", N_("Outgoing mail: delivery failed"), *MAIL),
    _out("mail_out.delivery_abandoned", N_("Outgoing mail: undeliverable"), *MAIL),
    _out("mail_out.recovered", N_("Outgoing mail: working again"), *MAIL),
    _in("mail_in.connection_failed", N_("Incoming mail: connection failed"), *MAIL),
    _in("mail_in.login_failed", N_("Incoming mail: sign-in failed"), *MAIL),
    _in("mail_in.download_failed", N_("Incoming mail: download failed"), *MAIL),
    _in("mail_in.import_failed", N_("Incoming mail: import failed"), *MAIL),
    _in("mail_in.rejected", N_("Incoming mail: message rejected"), *MAIL),
    _in("mail_in.recovered", N_("Incoming mail: working again"), *MAIL),
)
