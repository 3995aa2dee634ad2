"""Connectors: which systems send webhooks, how each is set up, and when it sent last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote

from flask import Blueprint, Response, abort, current_app, g, request
from flask_babel import gettext as _
from flask_babel import ngettext
from peewee import JOIN
from werkzeug.datastructures import MultiDict

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.clock import DAY_MS
from dashboard.db import rows
from dashboard.i18n.message import N_
from dashboard.ingest.connectors.reading import MAPPED
from dashboard.models import Channel, Connector, Event, Source, SourceRhythm
from dashboard.notify import channel_check
from dashboard.pages.settings.connectors import mapping as mappings
from dashboard.pages.settings.connectors.forms import KINDS, MAPPING, ConnectorForm, channel_kind
from dashboard.web import lists
from dashboard.web.columns import Column, Texts, moment
from dashboard.web.resource import Resource
from dashboard.web.versioned import Changes, InvalidError

MOST = 10_000  # events of a day that are counted


class ConnectorRow(NamedTuple):
    id: int
    name: str
    kind: str
    created_ts: int
    arrived_ms: int | None

    @property
    def arrived_ts(self) -> int | None:
        return None if self.arrived_ms is None else self.arrived_ms // 1000


def address(row: Connector, known: str = "…") -> str:
    """Return where the system sends to, with the secret where that has no other place."""
    found = f"{current_app.config['STOPA'].base_url}/connect/{row.name}"
    return f"{found}?token={known if known == '…' else quote(known)}" if row.kind == "chatwoot" else found


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
        found.fit(row, g.scope.can(Permission.CHANNELS_EDIT))
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
        api = row.channel
        return {
            "secret": row.secret,
            "mapping": row.mapping,
            "api_address": api.address if api else "",
            "api_token": api.secret if api else "",
        }

    def audited(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return that there is a secret, never which, and the lines of a mapping."""
        shown = {name: bool(values.get(name)) for name in ("secret", "api_address", "api_token")}
        return shown | {"mapping": "\n\n".join(filter(None, map((values.get("mapping") or {}).get, MAPPING)))}

    def readable(self, values: dict[str, Any], form: ConnectorForm) -> dict[str, Any]:
        shown = self.audited(values)
        return {name: shown[name] for name in ("secret", "mapping")}

    def insert(self, form: ConnectorForm, context: Any) -> Connector:
        created = {"created_ts": clock.now_s()}
        source, _made = Source.get_or_create(name=form.name.data, defaults=created)
        if source.is_file:
            raise InvalidError("name", _("Events of this source come from a file. Choose another name."))
        return Connector.create(source=source, kind=form.kind.data, **form.values(), **created)

    def write(self, row: Connector, form: ConnectorForm, context: Any) -> bool:
        """Save the connector, and its API as a channel, which has deliveries, failures and tests."""
        saved = super().write(row, form, context)
        if saved and form.api:
            c = Channel
            if row.channel_id is None:
                name = f"{row.name}: {_(KINDS[row.kind])}"
                made = c.create(
                    name=name, kind=channel_kind(row), ordered=True, created_ts=clock.now_s(), **form.api
                )
                Connector.update(channel=made).where(Connector.id == row.id).execute()
            else:
                c.update(version=c.version + 1, **form.api).where(c.id == row.channel_id).execute()
            channel_check.order(c.get_by_id(row.channel_id or made.id), g.user.id)
        return saved

    def removing(self, row: Connector, context: Any) -> Changes | None:
        Channel.delete().where(Channel.id == row.channel_id).execute()
        return None

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
            "channel": row.channel if g.scope.can(Permission.CHANNELS_VIEW) else None,
            "as_text": request.args.get("as") == "text" or "fields" in request.form,
            "mapping": mappings.form(form.mapping, form["sample"].data) if "fields" in form else None,
        }


bp = Blueprint("connectors", __name__, url_prefix="/settings/connectors")
Connectors(bp)
