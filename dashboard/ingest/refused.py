"""Keeps records that are no events, for those who look after their source: why, and what was sent, masked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, NamedTuple

from dashboard import clock
from dashboard.access import masking
from dashboard.clock import HOUR_S
from dashboard.db import database, dialect
from dashboard.i18n.message import Errors
from dashboard.ingest import body as bodies
from dashboard.ingest.schema import Event, Refusal
from dashboard.jobs import counters
from dashboard.models import RefusedEvent

MOST = 100  # records of one request or file
HOURLY = 1000  # records of a source in an hour: one that sends nothing else must not fill the disk
TEXT_BYTES = 2048
READ_CHARS = 64 * 1024  # of a longer record nothing is shown: where its contact stands is not looked for
PLAIN = frozenset(Event.__struct_fields__) - {"contact", "data"}  # fields that pages show to everybody
COLUMNS = ("source_id", "recorded_ms", "file", "line", "errors", "text")
MOST_NAMES = 100  # that are looked for in all texts of a record
# In webhooks: fields that hold a person, that only people have, and that name them.
PEOPLE = frozenset({"contact", "customer", "requester", "sender"})
REACHED = frozenset({"email", "phone", "phone_number", "mobile", "firstname", "lastname"})
NAMES = frozenset(
    {"name", "firstname", "lastname", "first_name", "last_name", "full_name", "display_name", "address"}
)
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
    counters.add("events", len(records), source=source_id, result="refused")


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
        value = json.loads(text)
        type_ = value.get("type") if isinstance(value, dict) else None
        shown = json.dumps(_value(masking.hidden(str(type_), value)), ensure_ascii=False)
    except RecursionError:  # its contact is not looked for either
        return ""
    except ValueError:
        if "cobrowse." in text:  # which part was typed is not known
            return ""
        shown = _DIGITS.sub(
            lambda each: each[0] if each["time"] else masking.phone(each[0]), masking.text(text)
        )
    clean = shown.replace("\0", "\ufffd").encode("utf-8", "replace")
    return clean[:TEXT_BYTES].decode("utf-8", "ignore")


def _value(value: Any) -> Any:
    """Return the value of a record with the people in it masked, wherever their details stand."""
    if not isinstance(value, dict):
        return _shown(value, {})
    contact = value.get("contact")
    fields = contact if isinstance(contact, dict) else {"name": contact} if contact is not None else {}
    texts = {name: str(each) for name, each in fields.items() if isinstance(each, str | int)}
    known = masking.known(texts) | dict(islice(_people(value), MOST_NAMES))
    whole = {name: each if name in PLAIN else _shown(each, known, name) for name, each in value.items()}
    if fields:
        whole["contact"] = masking.contact_fields(texts)
    return whole


def _people(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield the names of people and of mail addresses, each with what replaces it; see masking.known()."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key in NAMES and isinstance(each, str) and _is_person(value, name):
                yield from masking.known({"name": each}).items()
            else:
                yield from _people(each, key)
    elif isinstance(value, list):
        for each in value:
            yield from _people(each, name)
    elif isinstance(value, str):
        address = "@" in value and value.endswith(">")  # Jan Novák <jan@example.org>
        if address or name in PEOPLE - {"sender"}:  # by which Zammad means an agent or a customer
            yield from masking.known({"name": value.partition("<")[0].strip(' "')}).items()


def _shown(value: Any, known: Mapping[str, str], name: str = "") -> Any:
    """Return a part of a record, masked as data, and with the names of people masked of any length."""
    if isinstance(value, list):
        return [_shown(each, known, name) for each in value]
    if not isinstance(value, dict):
        return masking.data(value, known, name)
    hidden = NAMES if _is_person(value, name) else ()
    return {
        masking.data(key, known): masking.contact_fields({"name": each}).get("name", "")
        if key in hidden and isinstance(each, str)
        else _shown(each, known, key)
        for key, each in value.items()
    }


def _is_person(value: Mapping[str, Any], name: str) -> bool:
    """Say whether an object is a person: by the field's name, or by what only people have."""
    return name in PEOPLE or not REACHED.isdisjoint(value)
