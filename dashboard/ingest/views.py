"""The gate for clients: POST /api/v1/events. Key, size, JSON; 2xx only after the commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
from flask import Blueprint, Response, abort, g, request
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException

from dashboard import clock
from dashboard.access.guard import require_key
from dashboard.access.keys import Key
from dashboard.events import holds, record
from dashboard.i18n.message import N_, Message, message
from dashboard.ingest import admission as admissions
from dashboard.ingest import cloudevents, refused
from dashboard.ingest.body import BodyError
from dashboard.ingest.schema import (
    NewEvent,
    Outcome,
    Refusal,
    Refused,
    Taken,
    parse_json,
    parse_ndjson,
)
from dashboard.models import ApiKey
from dashboard.rules import loop_guard
from dashboard.web.errors import Detail
from dashboard.web.security import csrf

bp = Blueprint("ingest", __name__, url_prefix="/api/v1")
csrf.exempt(bp)  # a key in a header is no cookie that a browser sends by itself

PARSERS: dict[str, Callable[[bytes], list[Outcome]]] = {
    "application/json": parse_json,
    "application/x-ndjson": parse_ndjson,
    cloudevents.STRUCTURED: cloudevents.parse_structured,
    cloudevents.BATCH: cloudevents.parse_batch,
}
FAILED = "stopa.failed"  # in the WSGI environment: what storing the events before Flask raised
USED_EVERY_S = 60  # a key's last use is noted at most once a minute
UNKNOWN_NAME = N_("%(name)s doesn't exist, and this key isn't allowed to create it.")


class Sorted(NamedTuple):
    good: list[NewEvent]
    refused: list[Refusal]


@bp.post("/events")
@require_key("ingest")
def create() -> Response:
    """Take one event or many; the good ones are stored whatever the others are.

    202 with counts, ids and refusals by index; 422 when none was good; 400, 413, 415 for a body
    that cannot be read. Limits: 10 MiB a body, 10,000 events a request. Nothing is stored when
    the answer is another, so that a client may send the same again; that is 503 while the source is paused
    and 507 while the disk is almost full, with Retry-After. The header of a call that a rule
    made, sent along, keeps the events in that rule's chain of causes.
    """
    failed: Exception | None = request.environ.get(FAILED)
    if failed is not None:
        raise failed
    refuse_held(g.key.source_id)
    chain = loop_guard.read_chain(request.headers.get(loop_guard.HEADER, ""))
    body, outcomes = read()
    answered = answer(g.key.source_id, body, outcomes, g.key.makes, chain)
    note_use(g.key)
    return answered


def answer(
    source_id: int,
    body: bytes,
    outcomes: list[Outcome],
    makes: bool = True,
    chain: Sequence[int] = (),
) -> Response:
    """Store the good ones of a source's events and answer 202 with what became of each, or 422.

    Of the others, the reasons and their texts in `body` are kept. Without `makes`, events that name
    unknown users or queues are refused.
    """
    admission = admissions.current()
    outcomes = [
        Refusal(index, admission.errors(one))
        if isinstance(one, NewEvent) and not admission.takes(one)
        else one
        for index, one in enumerate(outcomes)
    ]
    parts = Sorted(
        [one for one in outcomes if isinstance(one, NewEvent)],
        [one for one in outcomes if isinstance(one, Refusal)],
    )
    if not makes:
        parts = _known_only(outcomes, parts)
    named = [
        Refused(one.index, {field: why.render(_) for field, why in one.errors.items()}, one.line)
        for one in parts.refused
    ]
    text = store(source_id, parts.good, named, makes, chain)
    if parts.refused:
        refused.keep(source_id, refused.of_body(body, parts.refused))
    status = 202 if parts.good or not outcomes else 422
    return Response(text, status, content_type="application/json")


class Held(HTTPException):
    """The answer while nothing is taken from a source; Retry-After says when to come again."""

    def __init__(self, hold: holds.Hold) -> None:
        super().__init__(Detail(_(hold.text)))
        self.code = hold.status

    def get_headers(self, *args: Any, **options: Any) -> list[tuple[str, str]]:
        return [*super().get_headers(*args, **options), ("Retry-After", str(holds.RETRY_S))]


def refuse_held(source_id: int) -> None:
    """End the request while no events of the source are taken: its sender keeps them and comes again."""
    if (hold := holds.hold(source_id)) is not None:
        raise Held(hold)


def store(
    source_id: int,
    events: list[NewEvent],
    refused: Sequence[Refused] = (),
    makes: bool = True,
    chain: Sequence[int] = (),
) -> bytes:
    """Append the good events of a request and return the JSON of the answer, refusals included."""
    done = record.append(source_id, events, makes, chain=chain)
    return msgspec.json.encode(Taken(done.accepted, done.repeated, list(refused), done.ids))


def read() -> tuple[bytes, list[Outcome]]:
    """Return the body and what it holds; ends the request with 400, 413 or 415 when it cannot be read."""
    kind = request.mimetype
    parse = PARSERS.get(kind)
    structured = kind in (cloudevents.STRUCTURED, cloudevents.BATCH)
    given = headers() if any(name.startswith("HTTP_CE_") for name in request.environ) else {}
    binary = cloudevents.is_binary(given) and not structured
    if request.content_encoding or (parse is None and not binary):
        abort(415, Detail(_("Send JSON, JSON lines or CloudEvents, not compressed.")))
    body = request.get_data()
    try:
        if parse is None or binary:
            return body, cloudevents.parse_binary(given, body)
        return body, parse(body)
    except BodyError as error:
        abort(400, Detail(error.message.render(_)))


def headers() -> dict[str, str]:
    """Return the request's headers by their names in lower case."""
    return {name.lower(): value for name, value in request.headers.items()}


def _known_only(outcomes: list[Outcome], parts: Sorted) -> Sorted:
    """Refuse the events that name users or queues which a key of this kind may not make."""
    unknown = record.unknown_names(parts.good)
    good: list[NewEvent] = []
    wrong_names = list(parts.refused)
    for index, one in enumerate(outcomes):
        if not isinstance(one, NewEvent):
            continue
        wrong: dict[str, Message] = {
            field: message(UNKNOWN_NAME, name=name)
            for field, name in (("user", one.user), ("queue", one.queue))
            if name is not None and name in unknown[field]
        }
        if wrong:
            wrong_names.append(Refusal(index, wrong))
        else:
            good.append(one)
    return Sorted(good, sorted(wrong_names, key=lambda one: one.index))


def note_use(key: Key) -> None:
    """Note when a key was used last."""
    moment = clock.now_s()
    if key.last_used_ts is None or moment - key.last_used_ts > USED_EVERY_S:
        ApiKey.update(last_used_ts=moment).where(ApiKey.id == key.id).execute()
