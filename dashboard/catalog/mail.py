"""Mail servers: mail that could not be sent or fetched, and servers that answer again. Pure.

The dashboard sends mail and reports its own server; fetched mail is a source's.
"""

from __future__ import annotations

from dashboard.catalog.fields import ERROR
from dashboard.catalog.types import EventType, Field, Kind, Origin, maker
from dashboard.i18n.mark import N_

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
    Field("failures", Kind.NUMBER, N_("Failures in a row")),
)

_out = maker("mail", "system", origin=Origin.TRANSPORT, needs_source=False)
_in = maker("mail", "system", origin=Origin.TRANSPORT)

TYPES: tuple[EventType, ...] = (
    _out("mail_out.connection_failed", N_("Outgoing mail: connection failed"), *MAIL),
    _out("mail_out.delivery_failed", N_("Outgoing mail: delivery failed"), *MAIL),
    _out("mail_out.delivery_abandoned", N_("Outgoing mail: delivery given up"), *MAIL),
    _out("mail_out.recovered", N_("Outgoing mail: working again"), *MAIL),
    _in("mail_in.connection_failed", N_("Incoming mail: connection failed"), *MAIL),
    _in("mail_in.login_failed", N_("Incoming mail: sign-in failed"), *MAIL),
    _in("mail_in.download_failed", N_("Incoming mail: download failed"), *MAIL),
    _in("mail_in.import_failed", N_("Incoming mail: import failed"), *MAIL),
    _in("mail_in.rejected", N_("Incoming mail: message rejected"), *MAIL),
    _in("mail_in.recovered", N_("Incoming mail: working again"), *MAIL),
)
