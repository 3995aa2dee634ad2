"""How an API key is used, and what has come with it."""

from __future__ import annotations

from typing import Any, NamedTuple

from flask import current_app, g, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard import catalog, clock
from dashboard.access.permissions import Permission
from dashboard.i18n import formats, zone
from dashboard.ingest import arrival, samples
from dashboard.ingest.arrival import Arrival
from dashboard.models import ApiKey, Source
from dashboard.web import lists


class News(NamedTuple):
    """What has come with a key: a sentence with a link, and the kind of its note (info, warn or ok)."""

    text: str
    kind: str
    url: str
    verb: str
    refused: int = 0  # records, while no event has come

    @property
    def waits(self) -> bool:
        return self.kind != "ok"


def use(row: ApiKey, value: str) -> dict[str, Any]:
    """Return what the pages of a key show: samples of its use with `value` as the key, and what has come."""
    source, address = Source.get_by_id(row.source_id).name, current_app.config["STOPA"].base_url
    sends = row.allow == "ingest"
    found = samples.sending(address, value, source) if sends else samples.reading(address, value)
    return {"row": row, "source": source, "address": address, "samples": found, "arrived": _news(row)}


def _news(row: ApiKey) -> News:
    """Return what has come with a key, or that it is waited for."""
    sends, since_ms = row.allow == "ingest", row.created_ts * 1000
    found = arrival.first(g.scope, row.source_id, since_ms) if sends else None
    if found is not None:
        at = formats.stamp(found.time_ms // 1000, zone())
        text = _("The first event has arrived: %(type)s, %(time)s.", type=_type_name(found.type), time=at)
        return News(text, "ok", *_rows_of(found))
    number = arrival.refused(row.source_id, since_ms) if sends else 0
    if number:
        text = ngettext("%(num)d record was refused.", "%(num)d records were refused.", number)
        return News(text, "warn", url_for("events.refused"), _("Show refused events"), number)
    if row.last_used_ts is not None:
        return News(_("Last used %(time)s.", time=lists.moment(row.last_used_ts)), "ok", "", "")
    text = _("Waiting for the first event…") if sends else _("Waiting for the first request…")
    return News(text, "info", url_for("keys.detail", ident=row.id), _("Check now"))


def _rows_of(found: Arrival) -> tuple[str, str]:
    """Return address and name of the page that shows a first event: the user's day, or the event."""
    if found.user and g.scope.can(Permission.TRACING_VIEW):
        login, name = found.user
        date = clock.local_date(found.time_ms // 1000, zone()).isoformat()
        return url_for("tracing.index", user=login, date=date), _("Open the day of %(name)s", name=name)
    if found.seen and g.scope.can(Permission.EVENTS_VIEW):
        return url_for("events.show", ident=found.id), _("Open the event")
    return "", ""


def _type_name(name: str) -> str:
    known = catalog.find(name)
    return _(known.label) if known else name
