"""Connectors: which systems send webhooks, how each is set up, and when it sent last."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote

from flask import Blueprint, Response, abort, current_app, request
from flask_babel import gettext as _
from flask_babel import ngettext
from peewee import JOIN
from werkzeug.datastructures import MultiDict
from wtforms.validators import ValidationError

from dashboard import clock
from dashboard.access import keys
from dashboard.access.permissions import Permission
from dashboard.clock import DAY_MS
from dashboard.db import rows
from dashboard.i18n.message import N_
from dashboard.ingest.connectors import mapped
from dashboard.ingest.connectors.mapped import MappingError
from dashboard.ingest.connectors.reading import MAPPED
from dashboard.models import Connector, Event, Source, SourceRhythm
from dashboard.pages.settings.connectors import mapping as mappings
from dashboard.web import lists
from dashboard.web.columns import Column, Texts, moment
from dashboard.web.fields import Check, Choice, Field, Form, TextLine, WriteOnly
from dashboard.web.resource import Resource
from dashboard.web.versioned import InvalidError

KINDS = {
    "zammad": "Zammad",
    "chatwoot": "Chatwoot",
    "events": N_("Stopa's events or CloudEvents"),
    "mapped": N_("Other webhook"),
}
MAPPING = ["fields", "types", "sample"]  # fields of the form of a mapped connector alone
MAX_LINES = 20_000  # characters of each
MOST = 10_000  # events of a day that are counted
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SECRET = re.compile(r"[!-~]{16,200}")


class Lines(Field):
    """Lines of text."""

    element = "textarea"

    def __init__(self, label: str, **options: Any) -> None:
        attrs = {"rows": 8, "spellcheck": "false", "maxlength": MAX_LINES}
        super().__init__(label, attrs=attrs, **options)

    def process_data(self, value: Any) -> None:
        self.data = value or ""

    def pre_validate(self, form: Any) -> None:
        if len(self.data) > MAX_LINES:
            raise ValidationError(_("Enter at most %(most)d characters.", most=MAX_LINES))


class ConnectorRow(NamedTuple):
    id: int
    name: str
    kind: str
    created_ts: int
    arrived_ms: int | None

    @property
    def arrived_ts(self) -> int | None:
        return None if self.arrived_ms is None else self.arrived_ms // 1000


class ConnectorForm(Form):
    """A connector's kind and source stay; its secret is write-only."""

    kind = Choice(N_("Type"), KINDS, problem=N_("Choose a type."))
    name = TextLine(
        N_("Source"),
        60,
        fits=_NAME.fullmatch,
        problem=N_("Enter up to 60 letters, digits, dots, hyphens and underscores."),
        hint=N_("Stands in the address. Events are stored under this source name."),
    )
    secret = WriteOnly(
        N_("Secret"),
        input_type="password",
        attrs={"maxlength": 200, "autocomplete": "new-password"},
        hint=N_(
            "Leave empty to generate one; it is shown once. If Chatwoot shows a secret of its own, enter "
            "that: its requests are then signed with it."
        ),
    )
    new_secret = Check(N_("Generate a new secret (shown once)"))
    fields = Lines(
        N_("Fields"),
        hint=N_(
            "One per line: a field of the event, =, and where in the payload it stands. Fields: id, type, "
            "time, user, queue, interaction, contact.name, contact.phone, contact.email, and data with a dot "
            "and a name. A text in quotation marks is the same in every event."
        ),
    )
    types = Lines(
        N_("Event types"),
        hint=N_("One per line: a type as the payload writes it, =, and the event type it stands for."),
    )
    sample = Lines(
        N_("Sample"),
        hint=N_(
            "Paste a payload, or several as a JSON list, to choose from its paths and to test the mapping. "
            "It isn't saved."
        ),
    )
    row: Connector | None = None
    preview = ""  # the event of the sample, or why it is none
    plain = ""  # a new secret, for the one page that shows it

    def fit(self, row: Connector | None) -> None:
        """Keep the fields of a new connector, or of this one."""
        self.row = row
        gone = ["new_secret"] if row is None else ["kind", "name"]
        if row is None or row.kind != MAPPED:
            gone += MAPPING
        for name in gone:
            del self[name]
        if row is not None and row.secret:
            self.secret.hint = _("Saved and hidden. Leave empty to keep it.")

    def values(self) -> dict[str, Any]:
        """Return the columns that change; only for a form without errors."""
        makes = self.row is None or not self.row.secret or self["new_secret"].data
        self.plain = self.plain or self.secret.data or (secrets.token_urlsafe(32) if makes else "")
        found: dict[str, Any] = {"secret": self.plain} if self.plain else {}
        if "fields" in self:
            found["mapping"] = self.mapping
        return found

    @property
    def mapping(self) -> dict[str, str]:
        return {name: self[name].data for name in MAPPING[:2]}

    def validate(self, extra_validators: Any = None) -> bool:
        good = super().validate(extra_validators)
        if "fields" in self:
            for name in MAPPING[:2]:
                try:
                    mapped.read(**{"fields": "", "types": "", name: self[name].data})
                except MappingError as error:
                    self.reject(name, error.why.render(_))
                    good = False
        return good

    def validate_name(self, field: Field) -> None:
        if keys.is_reserved(field.data):
            raise ValidationError(_(keys.RESERVED))

    def validate_secret(self, field: Field) -> None:
        if field.data and not _SECRET.fullmatch(field.data):
            raise ValidationError(
                _(
                    "Enter %(least)d to %(most)d characters without spaces, or leave empty.",
                    least=16,
                    most=200,
                )
            )


def address(row: Connector, known: str = "…") -> str:
    """Return where the system sends to, with the secret where that has no other place."""
    found = f"{current_app.config['STOPA'].base_url}/connect/{row.name}"
    return f"{found}?token={quote(known, safe='…')}" if row.kind == "chatwoot" else found


def of_day(source_id: int) -> str:
    """Return how many events of the past 24 hours a source sent, counted up to MOST."""
    since = Event.time_ms > clock.now_ms() - DAY_MS
    number = len(Event.select(Event.id).where(since, Event.source_id == source_id).limit(MOST).tuples())
    text = ngettext("%(num)d event", "%(num)d events", number)
    return str(_("%(events)s or more", events=text) if number == MOST else text)


class Connectors(Resource[ConnectorForm]):
    model = Connector
    kind = "connector"
    form_class = ConnectorForm
    view = Permission.KEYS_VIEW
    edit_permission = Permission.KEYS_EDIT
    leaves = "delete"
    labels = MappingProxyType({"mapping": N_("Fields")})
    form_template = "connectors/form.html"
    texts = Texts(
        title=N_("Connectors"),
        one=N_("Connector"),
        new=N_("New connector"),
        table=N_("Table of connectors"),
        count=lambda number: ngettext("%(num)d connector", "%(num)d connectors", number),
        no_match=N_("No matching connectors"),
        none=N_("No connectors yet"),
        none_hint=N_("A connector takes what Zammad, Chatwoot or another system sends by webhook."),
        taken=N_("This source already has a connector. Choose another name."),
        leave=(N_("Its requests will be rejected. This can't be undone."), N_("Events it sent are kept.")),
        add=N_("Add connector"),
        picture="key",
    )
    columns = (
        Column("name", N_("Source")),
        Column("kind", N_("Type"), show=lambda row: _(KINDS.get(row.kind, row.kind)), css="p2"),
        moment("arrived", N_("Last event"), "arrived_ts", "n"),
        moment("created", N_("Added"), "created_ts", "n p3"),
    )

    def rows(self, gone: bool) -> Iterable[ConnectorRow]:
        c, s, r = Connector, Source, SourceRhythm
        query = c.select(c.id, s.name, c.kind, c.created_ts, r.arrived_ms).join(s)
        found: list[ConnectorRow] = rows(query.join(r, JOIN.LEFT_OUTER, on=(r.source == s.id)), ConnectorRow)
        return found

    def searched(self, row: ConnectorRow) -> Sequence[str]:
        return (row.name, str(_(KINDS.get(row.kind, row.kind))))

    def below(self, row: ConnectorRow) -> str:
        return str(_(KINDS.get(row.kind, row.kind)))

    def form(self, row: Connector | None, sent: Any = None) -> ConnectorForm:
        if sent is not None and row is not None and row.kind == MAPPED and "fields" not in sent:
            sent = MultiDict([*sent.items(multi=True), *mappings.read(sent).items()])
        found = super().form(row, sent)
        found.fit(row)
        return found

    def filled(self, row: Connector) -> dict[str, Any]:
        return dict(row.mapping)

    def update(self, ident: int) -> Response:
        """Save the form, or show what becomes of the sample without saving."""
        if not request.form.get("preview"):
            return super().update(ident)
        row = self.one(ident)
        form = self.form(row, request.form)
        if row.kind != MAPPED:
            abort(404)
        if form.validate():
            form.preview = mappings.preview(form.mapping, form["sample"].data)
        return self.show(row, form, 200 if form.preview else 422)

    def stored(self, row: Connector) -> dict[str, Any]:
        return {"secret": row.secret, "mapping": row.mapping}

    def audited(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return that there is a secret, never which, and the lines of a mapping."""
        shown = {"secret": bool(values.get("secret"))}
        return shown | {"mapping": "\n\n".join(filter(None, map((values.get("mapping") or {}).get, MAPPING)))}

    def insert(self, form: ConnectorForm, context: Any) -> Connector:
        created = {"created_ts": clock.now_s()}
        source, _made = Source.get_or_create(name=form.name.data, defaults=created)
        if source.is_file:
            raise InvalidError("name", _("Events of this source come from a file. Choose another name."))
        return Connector.create(source=source, kind=form.kind.data, **form.values(), **created)

    def added(self, row: Connector, form: ConnectorForm) -> Response:
        return self.saved(row, form)

    def saved(self, row: Connector, form: ConnectorForm) -> Response:
        """Show a new secret with the set-up: it stands on this one answer and nowhere else."""
        if not form.plain:
            return super().saved(row, form)
        return self.render(
            "connectors/made.html", row=row, secret=form.plain, address=address(row, form.plain)
        )

    def context(self, row: Connector | None, form: ConnectorForm) -> dict[str, Any]:
        if row is None:
            return {}
        rhythm = SourceRhythm.get_or_none(SourceRhythm.source == row.source_id)
        return {
            "type_name": _(KINDS.get(row.kind, row.kind)),
            "address": address(row),
            "last": lists.moment(rhythm.arrived_ms // 1000 if rhythm else None),
            "of_day": of_day(row.source_id),
            "lost": not row.secret,
            "as_text": request.args.get("as") == "text" or "fields" in request.form,
            "mapping": mappings.form(form.mapping, form["sample"].data) if "fields" in form else None,
        }


bp = Blueprint("connectors", __name__, url_prefix="/settings/connectors")
Connectors(bp)
