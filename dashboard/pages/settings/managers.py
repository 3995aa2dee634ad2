"""Asterisk managers: where each listens, and the state of the connection to it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from flask import Blueprint
from flask_babel import gettext as _
from flask_babel import ngettext
from wtforms.validators import ValidationError

from dashboard import clock
from dashboard.access import keys
from dashboard.access.permissions import Permission
from dashboard.db import rows
from dashboard.events import record
from dashboard.i18n.message import N_, Message
from dashboard.ingest.manager import state
from dashboard.models import Manager, ManagerMember, ManagerWait, Source
from dashboard.web import lists
from dashboard.web.columns import Column, Texts, badge, moment
from dashboard.web.fields import Check, Field, Form, TextLine, WholeNumber, WriteOnly
from dashboard.web.resource import Resource

PORT = 5038
_HOST = re.compile(r"[A-Za-z0-9:][A-Za-z0-9.:_-]*")
_LINE = re.compile(r"[!-~]{1,80}")


class ManagerRow(NamedTuple):
    id: int
    name: str
    host: str
    port: int
    state: str
    since_ms: int
    seen_ms: int
    by_worker: bool

    @property
    def since_ts(self) -> int | None:
        return state.since(self)


def _words(row: Any) -> tuple[str, str]:
    text, kind = state.STATES[state.shown(row)]
    return str(_(text)), kind


class ManagerForm(Form):
    """The secret is write-only, and is never sent to a host for which it was not entered."""

    name = TextLine(
        N_("Source"),
        60,
        fits=re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*").fullmatch,
        problem=N_("Enter up to 60 letters, digits, dots, hyphens and underscores."),
        hint=N_("The source of this Asterisk's queue log."),
    )
    host = TextLine(N_("Host"), 255, fits=_HOST.fullmatch, problem=N_("Enter a host name or an IP address."))
    port = WholeNumber(N_("Port"), 1, 65535, default=PORT)
    username = TextLine(
        N_("Username"),
        80,
        fits=_LINE.fullmatch,
        problem=N_("Enter up to 80 characters without spaces."),
        hint=N_("The name in brackets in manager.conf."),
    )
    secret = WriteOnly(
        N_("Secret"), input_type="password", attrs={"maxlength": 80, "autocomplete": "new-password"}
    )
    by_worker = Check(
        N_("Keep connected"),
        default=True,
        hint=N_("Untick it to pause, or if flask ami connects from another machine."),
    )
    row: Manager | None = None

    def fit(self, row: Manager | None) -> None:
        """Keep the fields of a new manager, or of this one."""
        self.row = row
        if row is not None:
            del self["name"]
            self.secret.hint = _("Saved and hidden. Leave empty to keep it.")

    def values(self) -> dict[str, Any]:
        """Return the columns that change; only for a form without errors."""
        found = {name: self[name].data for name in ("host", "port", "username", "by_worker")}
        return found | ({"secret": self.secret.data} if self.secret.data else {})

    def validate_name(self, field: Field) -> None:
        if keys.is_reserved(field.data):
            raise ValidationError(_(keys.RESERVED))

    def validate_secret(self, field: Field) -> None:
        if field.data and not _LINE.fullmatch(field.data):
            raise ValidationError(_("Enter up to 80 characters without spaces."))
        if field.data:
            return
        if self.row is None or not self.row.secret:
            raise ValidationError(_("Enter the secret of manager.conf."))
        if (self.host.data, self.port.data) != (self.row.host, self.row.port):
            raise ValidationError(_("Enter the secret again, because it goes to another host or port."))


class Managers(Resource[ManagerForm]):
    model = Manager
    kind = "manager"
    form_class = ManagerForm
    view = Permission.KEYS_VIEW
    edit_permission = Permission.KEYS_EDIT
    leaves = "delete"
    form_template = "managers/form.html"
    stays = True
    texts = Texts(
        title=N_("Asterisk managers"),
        one=N_("Asterisk manager"),
        new=N_("New Asterisk manager"),
        table=N_("Table of Asterisk managers"),
        count=lambda number: ngettext("%(num)d Asterisk manager", "%(num)d Asterisk managers", number),
        no_match=N_("No matching Asterisk managers"),
        none=N_("No Asterisk managers yet"),
        none_hint=N_(
            "The manager interface (AMI) reports who is in a queue, who is paused, whose phone rings and who "
            "waits. History stays that of the queue log."
        ),
        taken=N_("This source already has an Asterisk manager."),
        leave=(N_("Home and Team day then show what the queue log says."), N_("Events are kept.")),
        add=N_("Add Asterisk manager"),
        picture="call",
    )
    columns = (
        Column("name", N_("Source")),
        Column("host", N_("Host"), show=lambda row: f"{row.host}:{row.port}", css="p2"),
        Column("state", N_("State"), lambda row: _words(row)[0], lambda row: badge(*_words(row)), "p2"),
        moment("since", N_("Since"), "since_ts", "n p3"),
    )

    def rows(self, gone: bool) -> Iterable[ManagerRow]:
        m = Manager
        columns = (m.id, Source.name, m.host, m.port, m.state, m.since_ms, m.seen_ms, m.by_worker)
        found: list[ManagerRow] = rows(m.select(*columns).join(Source), ManagerRow)
        return found

    def searched(self, row: ManagerRow) -> Sequence[str]:
        return (row.name, row.host)

    def below(self, row: ManagerRow) -> str:
        return _words(row)[0]

    def form(self, row: Manager | None, sent: Any = None) -> ManagerForm:
        found = super().form(row, sent)
        found.fit(row)
        return found

    def stored(self, row: Manager) -> dict[str, Any]:
        return {name: getattr(row, name) for name in ("host", "port", "username", "by_worker", "secret")}

    def audited(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the values, of the secret that there is one."""
        return values | ({"secret": bool(values["secret"])} if "secret" in values else {})

    def insert(self, form: ManagerForm, context: Any) -> Manager:
        source = record.source(form.name.data)
        return Manager.create(source=source, created_ts=clock.now_s(), **form.values())

    def context(self, row: Manager | None, form: ManagerForm) -> dict[str, Any]:
        if row is None:
            return {}
        why = Message.from_json(json.loads(row.problem)).render(_) if row.problem else ""
        members = ManagerMember.select().where(ManagerMember.manager == row.id).count()
        waits = ManagerWait.select().where(ManagerWait.manager == row.id).count()
        return {
            "state": badge(*_words(row)),
            "since": lists.moment(state.since(row)),
            "problem": why,
            "members": members if state.shown(row) == "live" else None,
            "waits": waits,
            "lost": not row.secret,
        }


bp = Blueprint("managers", __name__, url_prefix="/settings/managers")
Managers(bp)
