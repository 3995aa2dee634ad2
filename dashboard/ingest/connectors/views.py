"""The gate for webhooks: POST /connect/<source>. Secret, size, JSON; 2xx only after the commit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from flask import Blueprint, Response, abort, request
from flask_babel import gettext as _
from peewee import JOIN

from dashboard import clock
from dashboard.access.guard import bearer
from dashboard.db import database, dialect
from dashboard.db.locks import Lock
from dashboard.db.prepared import Prepared, slot
from dashboard.ingest import views as gate
from dashboard.ingest.body import BodyError
from dashboard.ingest.connectors import caused, zammad
from dashboard.ingest.connectors.fields import Snapshot
from dashboard.ingest.connectors.proof import is_proved
from dashboard.ingest.connectors.reading import events
from dashboard.ingest.schema import NewEvent, Outcome
from dashboard.models import Connector, Event, Queue, Source, User
from dashboard.web.errors import Detail
from dashboard.web.security import csrf

bp = Blueprint("connect", __name__, url_prefix="/connect")
csrf.exempt(bp)  # a secret in an address or a signature is no cookie that a browser sends by itself

_BY_SOURCE = Prepared(lambda: Connector.select().join(Source).where(Source.name == slot("source")))
_BEFORE = Prepared(lambda: _snapshots(Event.time_ms < slot("moment"), Event.time_ms.desc()))
_AFTER = Prepared(lambda: _snapshots(Event.time_ms > slot("moment"), Event.time_ms))
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
    that cannot be read; 503 while the source is paused, 507 while the disk is almost full.
    A payload from which nothing is made gets 202.
    """
    failed: Exception | None = request.environ.get(gate.FAILED)
    if failed is not None:
        raise failed
    headers, body = gate.headers(), request.get_data(cache=True)
    connector = find(source, headers, request.args.get("token", "") or bearer(), body)
    if connector is None:
        abort(401)
    gate.refuse_held(connector.source_id)
    if connector.kind == EVENTS:
        return gate.answer(connector.source_id, *gate.read())
    if request.content_encoding:
        abort(415, Detail(_("Send JSON, JSON lines or CloudEvents, not compressed.")))
    try:
        with in_turn(connector):
            found = read(connector, body)
            return gate.answer(connector.source_id, body, found, chain=causes(connector, found))
    except BodyError as error:
        abort(400, Detail(error.message.render(_)))


def find(source: str, headers: Mapping[str, str], token: str, body: bytes) -> Connector | None:
    """Return the connector of a source whose secret a request proves, None without the proof."""
    for found in _BY_SOURCE.models(Connector, source=source):
        if is_proved(found.kind, found.secret, headers, token, body):
            return found
    return None


def causes(connector: Connector, found: Sequence[Outcome]) -> tuple[int, ...]:
    """Return the rules that caused what a body holds, where rules may change things at its sender."""
    events_ = [each for each in found if isinstance(each, NewEvent)]
    return caused.chain(connector.name, events_) if connector.channel_id and events_ else ()


@contextmanager
def in_turn(connector: Connector) -> Iterator[None]:
    """Let deliveries of tickets be read and stored one after the other: each is compared with others."""
    if connector.kind != "zammad":
        yield
        return
    with database.atomic():
        dialect.adding(Lock.APPENDING)
        dialect.one_at_a_time(Lock.APPEND, connector.source_id)
        yield


def read(connector: Connector, body: bytes) -> list[Outcome]:
    """Return what a body holds, for all kinds but EVENTS. Raises BodyError."""
    known = partial(neighbours, connector.source_id)
    return events(connector.kind, connector.mapping, body, known, clock.now_ms())


def neighbours(source_id: int, interaction: str, moment: int) -> tuple[Mapping[str, Any], Snapshot | None]:
    """Return the data of a ticket's latest snapshot before a time, {} while there is none, and its next."""
    at = {"source": source_id, "interaction": interaction, "moment": moment}
    before: Mapping[str, Any] = next((json.loads(data) for data, *_rest in _BEFORE.rows(**at)), {})
    after = next((Snapshot(json.loads(data), *rest) for data, *rest in _AFTER.rows(**at)), None)
    return before, after


def _snapshots(when: Any, order: Any) -> Any:
    """Return the query of one snapshot of a ticket."""
    query = Event.select(Event.data, Event.time_ms, User.login, Queue.name)
    joined = query.join(User, JOIN.LEFT_OUTER, on=(Event.user_id == User.id)).join(
        Queue, JOIN.LEFT_OUTER, on=(Event.queue_id == Queue.id)
    )
    mine = (Event.source_id == slot("source")) & (Event.interaction == slot("interaction"))
    return (
        joined.where(mine & Event.type.in_((zammad.CREATED, zammad.UPDATED)) & when).order_by(order).limit(1)
    )
