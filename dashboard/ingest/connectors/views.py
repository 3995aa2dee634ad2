"""The gate for webhooks: POST /connect/<source>. Secret, size, JSON; 2xx only after the commit."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Blueprint, Response, abort, request
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.guard import bearer
from dashboard.ingest import views as gate
from dashboard.ingest.body import BodyError
from dashboard.ingest.connectors import zammad
from dashboard.ingest.connectors.proof import is_proved
from dashboard.ingest.connectors.reading import events
from dashboard.models import Connector, Event, Source
from dashboard.web.errors import Detail
from dashboard.web.security import csrf

bp = Blueprint("connect", __name__, url_prefix="/connect")
csrf.exempt(bp)  # a secret in an address or a signature is no cookie that a browser sends by itself

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
    that cannot be read. A payload from which nothing is made gets 202.
    """
    query = Connector.select(Connector, Source).join(Source).where(Source.name == source)
    connector = query.get_or_none()
    headers, body = gate.headers(), request.get_data(cache=True)
    token = request.args.get("token", "") or bearer()
    if connector is None or not is_proved(connector.kind, connector.secret, headers, token, body):
        abort(401)
    if connector.kind == EVENTS:
        return gate.answer(connector.source_id, *gate.read())
    if request.content_encoding:
        abort(415, Detail(_("Send JSON, JSON lines or CloudEvents, not compressed.")))
    try:
        known = partial(snapshot, connector.source_id)
        found = events(connector.kind, connector.mapping, body, headers, known, clock.now_ms())
    except BodyError as error:
        abort(400, Detail(error.message.render(_)))
    return gate.answer(connector.source_id, b"", found)  # where its contacts stand is not looked for


def snapshot(source_id: int, interaction: str, before_ms: int) -> dict[str, Any]:
    """Return the data of a ticket's latest snapshot before a time; {} while there is none."""
    query = Event.select(Event.data).where(
        Event.source_id == source_id,
        Event.interaction == interaction,
        Event.type.in_((zammad.CREATED, zammad.UPDATED)),
        Event.time_ms < before_ms,
    )
    row = query.order_by(Event.time_ms.desc()).tuples().first()
    return dict(json.loads(row[0])) if row else {}
