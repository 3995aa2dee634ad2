"""Chatwoot's webhooks: conversations and their messages become chats. Pure.

The `id` of a payload is that of the conversation or message, so an event is known again by what happened
and when. An id comes as number or text, `message_type` as word or number, a time in any of five forms.
No webhook says which agents are available: Chatwoot tells that by its API and its live connection only, so
their presence has to come as events of their own.

Source: Chatwoot's documentation, "Webhooks" and "Webhook events".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from dashboard.i18n.message import Message, message
from dashboard.ingest import data as payload
from dashboard.ingest import times
from dashboard.ingest.connectors.fields import (
    MAX_TEXT,
    Draft,
    FieldError,
    JsonObject,
    Known,
    contact,
    part,
    text,
    word,
)
from dashboard.ingest.schema import Contact

CHANNELS = {
    "webwidget": "webchat",
    "facebookpage": "messenger",
    "twiliosms": "sms",
    "instagramdirect": "instagram",
}
VISIT = "stopa_visit"  # the custom attribute
INCOMING, OUTGOING, ACTIVITY, TEMPLATE = "incoming", "outgoing", "activity", "template"
MESSAGE_TYPES = {"0": INCOMING, "1": OUTGOING, "2": ACTIVITY, "3": TEMPLATE}
# Known events from which nothing is made.
PASSED = frozenset(
    {
        "contact_created",
        "contact_updated",
        "conversation_typing_off",
        "conversation_typing_on",
        "inbox_created",
        "inbox_updated",
        "message_updated",
        "webwidget_triggered",
    }
)


def drafts(body: JsonObject, _known: Known) -> list[Draft]:
    """Return the events of a payload, none for one that changes no chat. Raises FieldError."""
    event = text(body, "event", needed=True)
    read = _READERS.get(event)
    if read is None and event not in PASSED:
        known = ", ".join(sorted({*_READERS, *PASSED}))
        raise FieldError("event", message(payload.NOT_CHOICE, choices=known))
    return list(read(body)) if read is not None else []


def _created(body: JsonObject) -> Iterator[Draft]:
    chat = _conversation(body)
    moment = _time(body, "created_at") or _moment(body)
    yield _draft(chat, "created", "chat.queued", moment)
    assignee = _person(body, "meta.assignee")
    if assignee:
        yield _draft(chat, f"assigned:{moment}", "chat.accepted", _moment(body), assignee)


def _updated(body: JsonObject) -> Iterator[Draft]:
    """Yield a change of the assignee; labels, priority and the like change no chat."""
    changes = body.get("changed_attributes") or []
    changes = changes if isinstance(changes, list) else [changes]
    for index, change in enumerate(changes):
        if not isinstance(change, dict):
            raise FieldError(f"changed_attributes.{index}", payload.NOT_AN_OBJECT)
        assigned = part(change, "assignee_id")
        if not assigned:
            continue
        chat, moment = _conversation(body), _moment(body)
        assignee = _person(body, "meta.assignee")
        ident = f"assigned:{text(assigned, 'current_value') or 'nobody'}:{moment}"
        if text(assigned, "previous_value"):
            yield _draft(chat, f"{ident}:transferred", "chat.transferred", moment, to_user=assignee)
        if assignee and text(assigned, "current_value"):
            yield _draft(chat, ident, "chat.accepted", moment, assignee)
        else:
            yield _draft(chat, ident, "chat.queued", moment)


def _status(body: JsonObject) -> Iterator[Draft]:
    chat, moment, status = _conversation(body), _moment(body), text(body, "status", needed=True)
    assignee = _person(body, "meta.assignee") or None
    types = {"resolved": "chat.closed", "open": "chat.reopened", "snoozed": "chat.postponed"}
    type_ = types.get(status, "chat.status_changed")
    yield _draft(chat, f"{status}:{moment}", type_, moment, assignee, status=status)


def _message(body: JsonObject) -> Iterator[Draft]:
    kind = text(body, "message_type", needed=True)
    kind = MESSAGE_TYPES.get(kind, kind)
    if kind not in MESSAGE_TYPES.values():
        known = ", ".join(MESSAGE_TYPES.values())
        raise FieldError("message_type", message(payload.NOT_CHOICE, choices=known))
    ident, moment = text(body, "id", needed=True), _time(body, "created_at")
    if moment is None:
        raise FieldError("created_at", payload.REQUIRED)
    if kind == ACTIVITY:  # what the other events say, as a sentence
        return
    chat = _conversation(body, "conversation.")
    private = body.get("private") is True
    verb = "comment_added" if private else "message_received" if kind == INCOMING else "message_sent"
    sender = _person(body, "sender") if kind == OUTGOING or private else None
    content = text(body, "content")[:MAX_TEXT]
    said = {"comment" if private else "message": content}
    yield _draft(chat, "", f"chat.{verb}", moment, sender or None, **said)._replace(id=f"message:{ident}")


_READERS: Mapping[str, Callable[[JsonObject], Iterator[Draft]]] = MappingProxyType(
    {
        "conversation_created": _created,
        "conversation_updated": _updated,
        "conversation_status_changed": _status,
        "message_created": _message,
    }
)


def _conversation(body: JsonObject, above: str = "") -> Draft:
    """Return a draft with the parts of the conversation at `above`; _draft() fills in what happened."""
    ident = text(body, f"{above}id") or text(body, f"{above}display_id")
    if not ident:
        raise FieldError(f"{above}id", payload.REQUIRED)
    inbox = text(body, f"{above}inbox_id") or text(body, "inbox.id")
    channel = word(text(body, f"{above}channel").rpartition("::")[2])
    return Draft(
        id="",
        type="",
        time_ms=0,
        interaction=ident,
        queue=f"Inbox {inbox}" if inbox else None,
        contact=_contact(body, above),
        data={"channel": CHANNELS.get(channel, channel)},
        session=_visit(body, above),
    )


def _draft(chat: Draft, ident: str, type_: str, moment: int, user: str | None = None, **data: Any) -> Draft:
    return chat._replace(
        id=f"conversation:{chat.interaction}:{ident}",
        type=type_,
        time_ms=moment,
        user=user,
        data={**(chat.data or {}), **data},
    )


def _visit(body: JsonObject, above: str) -> str | None:
    """Return the visit of a web site that a conversation comes from: as its custom attribute says, else, in
    the widget of a page, the customer's. The page sets both when an invitation is accepted."""
    customer = _customer(body, above)
    found = text(part(body, f"{above}custom_attributes"), VISIT)
    if not found and text(body, f"{above}channel").endswith("::WebWidget"):
        found = text(part(customer, "custom_attributes"), VISIT)
    return found or None


def _contact(body: JsonObject, above: str) -> Contact | None:
    customer = _customer(body, above)
    name, phone, email = (text(customer, each) for each in ("name", "phone_number", "email"))
    return contact(name, phone, email)


def _customer(body: JsonObject, above: str) -> JsonObject:
    """Return the customer of a conversation: named by it, by the message, or who sent that."""
    sender = part(body, "sender")
    customer = part(body, f"{above}meta.sender") or part(body, "contact")
    return customer or (sender if text(sender, "type") == "contact" else {})


def _person(value: JsonObject, path: str) -> str:
    """Return by what an agent is known here: the email address, else the name; "" for nobody and for bots."""
    found = part(value, path)
    if text(found, "type") in ("contact", "agent_bot"):
        return ""
    return text(found, "email") or text(found, "name")


def _moment(body: JsonObject) -> int:
    """Return when a conversation changed. Raises FieldError without a time."""
    for name in ("updated_at", "timestamp"):
        found = _time(body, name)
        if found is not None:
            return found
    raise FieldError("timestamp", payload.REQUIRED)


def _time(value: JsonObject, name: str) -> int | None:
    """Return the UTC milliseconds of a time in any of Chatwoot's forms, None where there is none."""
    given = value.get(name)
    if given in (None, ""):
        return None
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise FieldError(name, payload.NOT_TEXT)
    found = of_number(float(given)) if isinstance(given, int | float) else of_text(given.strip())
    if isinstance(found, Message):
        raise FieldError(name, found)
    return found


def of_number(seconds: float) -> int | Message:
    """Return the milliseconds of epoch seconds, or that they are out of range."""
    found = seconds * 1000
    return times.in_range(round(found)) if math.isfinite(found) else times.BAD_RANGE


def of_text(given: str) -> int | Message:
    """Return the milliseconds of ISO text, epoch seconds, "… UTC", or the text of a JavaScript date."""
    if given.replace(".", "", 1).isdecimal() and given.isascii():
        return of_number(float(given[:40]))
    if not given[:1].isalpha():
        return times.rfc3339(f"{given.removesuffix(' UTC')}Z" if given.endswith(" UTC") else given)
    try:
        found = datetime.strptime(given.partition(" (")[0], "%a %b %d %Y %H:%M:%S GMT%z")
    except ValueError:
        return times.rfc3339(given)
    return times.in_range(round(found.timestamp() * 1000))
