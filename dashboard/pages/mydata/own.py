"""The file with everything that is recorded about a user, for that user."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from flask_babel import gettext as _

from dashboard.access import masking, policy
from dashboard.access import scope as scopes
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.exports.registry import ExportOrder, Maker
from dashboard.exports.table import Column, Kind, Report, Row, Sheet
from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.models import (
    AuditEntry,
    Event,
    ExportFile,
    Job,
    Notification,
    Policy,
    PolicyReading,
    User,
    UserIdentity,
)
from dashboard.reports.result import all_rows
from dashboard.sources import answer, display
from dashboard.sources.catalogue import SOURCES
from dashboard.sources.declared.audit import ACTIONS
from dashboard.sources.declared.events import EVENTS
from dashboard.sources.declared.looks import LOOKS
from dashboard.sources.parameters import parse
from dashboard.sources.period import ALL_TIME
from dashboard.sources.types import Source

MAKER = "mydata"
MOST_ROWS = 10_000_000
# File name → what it holds, in the order of the file. Sources are limited to rows of the user.
CONTENTS = {
    "account": N_("My account"),
    "activities": N_("Activities"),
    "events": N_("Events"),
    "event_data": N_("Data of events"),
    "looks": N_("Looks at my data"),
    "notifications": N_("Notifications"),
    "actions": N_("What I did in Stopa"),
    "files": N_("My exports"),
    "policy": N_("Monitoring policy read"),
}
OF_SOURCES: dict[str, Source] = {
    "activities": SOURCES["activities"],
    "events": EVENTS,
    "looks": LOOKS,
}


def own_scope(scope: Scope) -> Scope:
    """Return the scope in which a viewer sees their own rows and nobody else's."""
    return replace(scope, users=frozenset(), queues=frozenset())


def build(order: ExportOrder) -> Report:
    """Return all that is recorded about the user of the order; rows are read as they are written."""
    user = User.get_by_id(order.scope.viewer_id)
    stamp = formats.stamp(order.as_of, order.zone)
    return Report(
        title=_("My data"),
        subtitle=" · ".join((user.name, stamp)),
        meta=((_("User"), user.name), (_("As of"), stamp)),
        sheets=tuple(_sheet(name, order, user) for name in CONTENTS),
        locale=formats.language(),
        zone=order.zone,
    )


EXPORT = Maker({"zip": Permission.SELF}, build, N_("My data"))


def _sheet(name: str, order: ExportOrder, user: User) -> Sheet:
    title = _(CONTENTS[name])
    if name in OF_SOURCES:
        return _of_source(name, title, OF_SOURCES[name], order)
    columns, rows = _TABLES[name]
    return Sheet(title, tuple(each._replace(title=_(each.title)) for each in columns), rows(user), file=name)


def _of_source(name: str, title: str, source: Source, order: ExportOrder) -> Sheet:
    scope = own_scope(order.scope)
    query = parse(source, {}, order.zone, order.as_of, answer.names(scope), ALL_TIME)
    columns = display.export_columns(query.columns, [display.label(each, True) for each in query.columns])
    return Sheet(title, columns, all_rows(scope, query, MOST_ROWS), file=name)


def _account(user: User) -> list[Row]:
    return [
        (_("Username"), user.login),
        (_("Name"), user.name),
        (_("Job title"), user.title),
        (_("Email"), user.email),
        (_("Phone"), user.phone),
        (_("Extension"), user.extension),
        (_("Role"), user.access.name if user.access else ""),
        (_("Language"), user.locale),
        (_("Time zone"), user.timezone),
        *((_("Sign-in provider"), f"{row.issuer} {row.subject}") for row in _identities(user)),
    ]


def _identities(user: User) -> list[UserIdentity]:
    return list(UserIdentity.select().where(UserIdentity.user == user.id).order_by(UserIdentity.id))


def _event_data(user: User) -> Iterator[Row]:
    """Yield what events of the user hold besides the columns of the list, contacts as the user sees them."""
    e = Event
    unmasked = scopes.of_user(user).can(Permission.PII_UNMASK)
    mine = (e.user_id == user.id) & (e.data != "{}")
    query = e.select(e.time_ms, e.id, e.type, e.contact, e.data).where(mine).order_by(e.time_ms.desc())
    for time_ms, ident, type_, contact, data in query.tuples().iterator():
        yield time_ms // 1000, str(ident), masking.event(type_, contact, data, unmasked)[1]


def _notifications(user: User) -> Iterator[Row]:
    n = Notification
    query = n.select(n.made_ms, n.title, n.body).where(n.user_id == user.id).order_by(n.id.desc())
    for made_ms, title, body in query.tuples().iterator():
        yield made_ms // 1000, title, body


def _actions(user: User) -> Iterator[Row]:
    e = AuditEntry
    mine = (e.actor_type == "user") & (e.actor_id == user.id)
    query = e.select(e.occurred_ms, e.action, e.target_label, e.ip).where(mine).order_by(e.id.desc())
    for time_ms, action, target, ip in query.tuples().iterator():
        yield time_ms // 1000, _(ACTIONS[action]) if action in ACTIONS else action, target, ip


def files(user_id: int) -> Any:
    """Return the files that a user exported in the background, newest first."""
    return ExportFile.select().where(ExportFile.user_id == user_id).order_by(ExportFile.created_ts.desc())


def waiting(user_id: int) -> str | None:
    """Return the id of the file with all of the user's data that is being made, None without one."""
    f, states = ExportFile, ("waiting", "running")
    making = f.select(f.id).join(Job, on=(Job.id == f.job_id)).where(Job.state.in_(states))
    found: str | None = making.where((f.user_id == user_id) & (f.maker == MAKER)).scalar()
    return found


def _files(user: User) -> Iterator[Row]:
    for each in files(user.id):
        yield each.created_ts, each.name, each.rows


def _policies(user: User) -> Iterator[Row]:
    r = PolicyReading
    query = r.select(r, Policy).join(Policy).where(r.user == user.id).order_by(r.read_ts.desc())
    for each in query:
        yield each.policy.id, each.read_ts, policy.text(each.policy, formats.language())


_WHEN = Column("time", N_("Time"), Kind.TIME)
_TABLES: dict[str, Any] = {
    "account": ((Column("field", N_("Field")), Column("value", N_("Value"))), _account),
    "event_data": ((_WHEN, Column("id", N_("Number")), Column("data", N_("Data"))), _event_data),
    "notifications": ((_WHEN, Column("title", N_("Title")), Column("text", N_("Text"))), _notifications),
    "actions": (
        (
            _WHEN,
            Column("action", N_("Action")),
            Column("target", N_("Target")),
            Column("ip", N_("IP address")),
        ),
        _actions,
    ),
    "files": ((_WHEN, Column("file", N_("File")), Column("rows", N_("Rows"), Kind.INT)), _files),
    "policy": (
        (
            Column("version", N_("Version"), Kind.INT),
            _WHEN._replace(title=N_("Read")),
            Column("text", N_("Text")),
        ),
        _policies,
    ),
}
