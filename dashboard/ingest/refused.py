"""Keeps records that are no events, for those who look after their source: why, and what was sent, masked."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from dashboard import clock
from dashboard.access import masking
from dashboard.clock import HOUR_S
from dashboard.db import database, dialect
from dashboard.i18n.message import Errors
from dashboard.ingest import body as bodies
from dashboard.ingest.schema import Event, Refusal
from dashboard.models import RefusedEvent

MOST = 100  # records of one request or file
HOURLY = 1000  # records of a source in an hour: one that sends nothing else must not fill the disk
TEXT_BYTES = 2048
READ_CHARS = 64 * 1024  # of a longer record nothing is shown: where its contact stands is not looked for
PLAIN = frozenset(Event.__struct_fields__) - {"contact", "data"}  # fields that pages show to everybody
COLUMNS = ("source_id", "recorded_ms", "file", "line", "errors", "text")
# In a text without known fields: a date or an epoch time, which stays, or what may be a number to call.
_DIGITS = re.compile(
    r"(?<![\w+.-])(?:(?P<time>1[0-9]{9}(?:\.[0-9]+)?(?![0-9])"
    r"|(?:19|20)[0-9]{2}[-/.] ?[0-9]{1,2}[-/.] ?[0-9]{1,2}(?![0-9])"
    r"|[0-9]{1,2}[-/.] ?[0-9]{1,2}[-/.] ?(?:19|20)[0-9]{2}(?![0-9]))"
    r"|\+?[0-9(][0-9 ()/.-]{5,30}[0-9])"
)


class Record(NamedTuple):
    """A record and what is wrong with it by field; `line` is from 1, None where there are no lines."""

    errors: Errors
    line: int | None
    text: str


def keep(source_id: int, records: Sequence[Record], file: str = "") -> None:
    """Store the first MOST records of a source, HOURLY an hour, in a transaction."""
    r, now = RefusedEvent, clock.now_ms()
    lately = r.select(r.id).where((r.source_id == source_id) & (r.recorded_ms > now - HOUR_S * 1000))
    room = min(MOST, HOURLY - len(lately.limit(HOURLY).tuples())) if records else 0
    rows = [
        (
            source_id,
            now,
            file[:200],
            each.line,
            json.dumps({name: why.as_json() for name, why in each.errors.items()}, ensure_ascii=False),
            masked(each.text),
        )
        for each in records[:room]
    ]
    with database.atomic():
        dialect.insert_many("refused_event", COLUMNS, rows)


def of_body(body: bytes, refusals: Sequence[Refusal]) -> list[Record]:
    """Return the refused records of a request's body, which can be read as a whole."""
    text = body.decode(errors="replace")
    wanted = list(refusals[:MOST])
    if any(one.line is not None for one in wanted):
        lines = text.split("\n")
        return [Record(one.errors, one.line, lines[(one.line or 1) - 1]) for one in wanted]
    texts = {one.index: text for one in wanted}
    if wanted and text.lstrip().startswith("["):
        with suppress(bodies.BodyError):  # what starts so is no list in the body of a CloudEvent
            for index, (item, _value) in zip(range(wanted[-1].index + 1), bodies.items(body), strict=False):
                texts[index] = item
    return [Record(one.errors, None, texts[one.index]) for one in wanted]


def masked(text: str) -> str:
    """Return the first TEXT_BYTES of a record, with the contact details in it masked; "" of one that is too
    long or too deep."""
    if len(text) > READ_CHARS:
        return ""
    try:
        shown = json.dumps(_value(json.loads(text)), ensure_ascii=False)
    except RecursionError:  # its contact is not looked for either
        return ""
    except ValueError:
        shown = _DIGITS.sub(
            lambda each: each[0] if each["time"] else masking.phone(each[0]), masking.text(text)
        )
    clean = shown.replace("\0", "\ufffd").encode("utf-8", "replace")
    return clean[:TEXT_BYTES].decode("utf-8", "ignore")


def _value(value: Any) -> Any:
    """Return the value of a record with the contact in it masked, wherever its details stand."""
    if not isinstance(value, dict):
        return masking.data(value, {})
    contact = value.get("contact")
    fields = contact if isinstance(contact, dict) else {"name": contact} if contact is not None else {}
    texts = {name: str(each) for name, each in fields.items() if isinstance(each, str | int)}
    known = masking.known(texts)
    whole = {name: each if name in PLAIN else masking.data(each, known, name) for name, each in value.items()}
    if fields:
        whole["contact"] = masking.contact_fields(texts)
    return whole
