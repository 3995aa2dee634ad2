"""The gate for webhooks: POST /connect/<source>. Secret, size, JSON; 2xx only after the commit."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from flask import Blueprint, Response, abort, request
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.guard import bearer
from dashboard.db.prepared import Prepared, slot
from dashboard.ingest import views as gate
from dashboard.ingest.body import BodyError
from dashboard.ingest.connectors import zammad
from dashboard.ingest.connectors.proof import is_proved
from dashboard.ingest.connectors.reading import events
from dashboard.ingest.schema import Outcome
from dashboard.models import Connector, Event, Source
from dashboard.web.errors import Detail
from dashboard.web.security import csrf

bp = Blueprint("connect", __name__, url_prefix="/connect")
csrf.exempt(bp)  # a secret in an address or a signature is no cookie that a browser sends by itself

_BY_SOURCE = Prepared(lambda: Connector.select().join(Source).where(Source.name == slot("source")))
_SNAPSHOT = Prepared(
    lambda: (
        Event.select(Event.data)
        .where(
            Event.source_id == slot("source"),
            Event.interaction == slot("interaction"),
            Event.type.in_((zammad.CREATED, zammad.UPDATED)),
            Event.time_ms < slot("before"),
        )
        .order_by(Event.time_ms.desc())
        .limit(1)
    )
)
EVENTS = "events"  # Stopa's own JSON, JSON lines, CloudEvents: as at the API


def by_secret(view: Callable[[str], Response]) -> Callable[[str], Response]:
    """Mark a view that the connector's secret opens, which the view checks itself."""
    view.permissions = ("key:connector",)  # type: ignore[attr-defined]
    return view


@bp.post("/<source>")
@by_secret
def create(source: str) -> Response:
    """Take what a connected system sends.

    The answer is that of the API: 202 with counts, ids and refusals by field; 422 when nothing was good;
    401 without the right signature or token, and for a source without a connector; 400, 413, 415 for a body
    that cannot be read; 503 while the source is paused. A payload from which nothing is made gets 202.
    """
    failed: Exception | None = request.environ.get(gate.FAILED)
    if failed is not None:
        raise failed
    headers, body = gate.headers(), request.get_data(cache=True)
    connector = find(source, headers, request.args.get("token", "") or bearer(), body)
    if connector is None:
        abort(401)
    gate.refuse_paused(connector.source_id)
    if connector.kind == EVENTS:
        return gate.answer(connector.source_id, *gate.read())
    if request.content_encoding:
        abort(415, Detail(_("Send JSON, JSON lines or CloudEvents, not compressed.")))
    try:
        found = read(connector, headers, body)
    except BodyError as error:
        abort(400, Detail(error.message.render(_)))
    return gate.answer(connector.source_id, b"", found)  # where its contacts stand is not looked for


def find(source: str, headers: Mapping[str, str], token: str, body: bytes) -> Connector | None:
    """Return the connector of a source whose secret a request proves, None without the proof."""
    for found in _BY_SOURCE.models(Connector, source=source):
        if is_proved(found.kind, found.secret, headers, token, body):
            return found
    return None


def read(connector: Connector, headers: Mapping[str, str], body: bytes) -> list[Outcome]:
    """Return what a body holds, for all kinds but EVENTS. Raises BodyError."""
    known = partial(snapshot, connector.source_id)
    return events(connector.kind, connector.mapping, body, headers, known, clock.now_ms())


def snapshot(source_id: int, interaction: str, before_ms: int) -> dict[str, Any]:
    """Return the data of a ticket's latest snapshot before a time; {} while there is none."""
    for (data,) in _SNAPSHOT.rows(source=source_id, interaction=interaction, before=before_ms):
        return dict(json.loads(data))
    return {}
