"""What the body of a webhook holds: the events of each kind of connector. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from dashboard.i18n.message import Message
from dashboard.ingest import body as bodies
from dashboard.ingest import data as payload
from dashboard.ingest.body import NOTHING, BodyError
from dashboard.ingest.connectors import chatwoot, fields, mapped, zammad
from dashboard.ingest.connectors.fields import Draft, FieldError, JsonObject, Known
from dashboard.ingest.schema import Outcome, Refusal

MAPPED = "mapped"
MAKERS: Mapping[str, Callable[[JsonObject, Known], list[Draft]]] = {
    "zammad": zammad.drafts,
    "chatwoot": chatwoot.drafts,
}


def events(
    kind: str,
    mapping: Mapping[str, str],
    body: bytes,
    known: Known,
    now_ms: int,
) -> list[Outcome]:
    """Return what a body of a kind of connector holds, refusals by the place in the body.

    `mapping` is that of a mapped connector. Raises BodyError for an empty body and no object.
    """
    if not body.strip():
        raise BodyError(Message(NOTHING))
    _text, value = bodies.value(body)
    if not isinstance(value, dict):
        raise BodyError(Message(payload.NOT_AN_OBJECT))
    try:
        if kind == MAPPED:
            pairs = mapped.read(mapping.get("fields", ""), mapping.get("types", ""))
            ident = hashlib.blake2b(body, digest_size=16).hexdigest()
            return fields.outcomes(mapped.drafts(pairs, value, ident, now_ms))
        return fields.outcomes(MAKERS[kind](value, known))
    except FieldError as error:
        return [Refusal(0, error.errors)]
