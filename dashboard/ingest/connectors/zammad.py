"""Zammad's trigger webhooks: a ticket as it is now, and perhaps the article that was added. Pure.

A payload says what the ticket is, not what changed. So each one becomes a snapshot (`ticket.updated`, or
`ticket.created` within FRESH_MS of its creation), and a change is what differs between a snapshot and the one
before it in time. Events are known again by ticket and time of the update, articles by their id: neither
the retries of a delivery nor two triggers for one update add anything. The id of the delivery would not do,
for Zammad sends a retry with the ticket as it is by then. A late delivery adds what lies between its
neighbours in time; a change that the later neighbour has shown already stays at that one's time.

Source: Zammad's administrator documentation, "Webhook payload".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from dashboard.ingest import times
from dashboard.ingest.connectors.fields import (
    MAX_TEXT,
    Draft,
    FieldError,
    JsonObject,
    Known,
    Snapshot,
    contact,
    part,
    plain,
    text,
    word,
)
from dashboard.ingest.schema import Contact

CREATED, UPDATED = "ticket.created", "ticket.updated"
CLOSED, MERGED, REMOVED = "closed", "merged", "removed"  # the states that end a ticket
ENDS = {CLOSED: "ticket.closed", MERGED: "ticket.merged", REMOVED: "ticket.deleted"}
NOBODY = "-"  # the login of Zammad's system user
FRESH_MS = 5_000


class Ticket(NamedTuple):
    """What all events of a delivery share. `snapshot` is the data that later deliveries are compared with."""

    id: str
    time_ms: int
    created_ms: int
    actor: str | None  # the agent who changed it last
    contact: Contact | None
    queue: str | None
    snapshot: JsonObject

    def draft(self, ident: str, type_: str, time_ms: int, **data: Any) -> Draft:
        return Draft(ident, type_, time_ms, self.id, self.actor, self.queue, self.contact, data)

    def change(self, change: Change, moment: str | int = "") -> Draft:
        """Return a change at the time of this delivery, or known by another `moment`."""
        ident = f"ticket:{self.id}:{moment or self.time_ms}:{change.type}"
        return self.draft(ident, change.type, self.time_ms, **change.data)

    def at(self, after: Snapshot) -> Ticket:
        """Return the ticket at a later snapshot; its contact and channel are those of this delivery."""
        return self._replace(time_ms=after.time_ms, actor=after.user, queue=after.queue)


class Change(NamedTuple):
    """A change is the same at two deliveries when its type and its new value are."""

    type: str
    value: str
    data: JsonObject


def drafts(body: JsonObject, known: Known) -> list[Draft]:
    """Return the events of a payload. Raises FieldError for one that is no ticket of Zammad."""
    found = _ticket(body)
    return [*_states(found, known), *_articles(found, body)]


def _ticket(body: JsonObject) -> Ticket:
    ident = text(body, "ticket.id", needed=True)
    updated = _time(body, "ticket.updated_at")
    group = _name(body, "ticket.group")
    customer = part(body, "ticket.customer")
    number = text(body, "ticket.number")
    snapshot = {
        "number": number,
        "title": text(body, "ticket.title"),
        "status": _name(body, "ticket.state"),
        "priority": _name(body, "ticket.priority"),
        "assignee": _agent(body, "ticket.owner"),
        "group": group,
        "organization": _name(body, "ticket.organization"),
        "requester": _full_name(customer),
        "requester_email": text(customer, "email"),
        "channel": word(text(body, "ticket.create_article_type")),
    }
    return Ticket(
        ident,
        updated,
        _time(body, "ticket.created_at"),
        _agent(body, "ticket.updated_by"),
        contact(
            _full_name(customer), text(customer, "phone") or text(customer, "mobile"), text(customer, "email")
        ),
        group or None,
        snapshot,
    )


def _states(ticket: Ticket, known: Known) -> Iterator[Draft]:
    """Yield the ticket's creation, its snapshot and the changes between it and its neighbours in time."""
    now = ticket.snapshot
    before, after = known(ticket.id, ticket.time_ms)
    is_whole = "status" in before
    is_first = ticket.time_ms - ticket.created_ms <= FRESH_MS and not (is_whole and _changes(before, now))
    lasting = ("number", "requester", "requester_email", "organization", "channel")
    is_snapshot = is_first and (is_whole or not before)
    created = now if is_snapshot else {name: now[name] for name in lasting}
    yield ticket.draft(f"ticket:{ticket.id}:created", CREATED, ticket.created_ms, **created)._replace(
        user=ticket.actor if is_snapshot else None, queue=ticket.queue if is_snapshot else None
    )
    if not is_snapshot:
        yield ticket.change(Change(UPDATED, "", now))
    shown = {change[:2] for change in _changes(before, after.data)} if after else set()
    for change in _first(now) if is_first else _changes(before, now):
        if change[:2] not in shown:
            yield ticket.change(change, "created" if is_first else "")
    for change in _changes(now, after.data) if after else []:
        if after and change[:2] not in shown:
            yield ticket.at(after).change(change)


def _first(now: JsonObject) -> list[Change]:
    """Return what a new ticket is besides open."""
    assigned = _changes({**now, "assignee": ""}, now)
    return [*assigned, *_changes({}, now)]


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    """Return what changed between two snapshots; without the former, only that the ticket has ended."""
    assignee, group, priority, status = (
        now.get(name) or "" for name in ("assignee", "group", "priority", "status")
    )
    was = before.get("status", "")

    def differs(name: str) -> bool:
        return "status" in before and (before.get(name) or "") != (now.get(name) or "")

    found = [
        (differs("assignee") and assignee, "ticket.assigned", {"assignee": assignee, "group": group}),
        (differs("group"), "ticket.transferred", {"kind": "group", "to": group, "group": group}),
        (differs("priority"), "ticket.priority_changed", {"priority": priority}),
        (differs("status"), "ticket.status_changed", {"status": status}),
        (status in ENDS and was not in ENDS, ENDS.get(status, ""), {"status": status}),
        (was in ENDS and status not in ENDS, "ticket.reopened", {"status": status}),
    ]
    values = {"ticket.assigned": assignee, "ticket.transferred": group, "ticket.priority_changed": priority}
    return [Change(type_, values.get(type_, status), data) for is_so, type_, data in found if is_so]


def _articles(ticket: Ticket, body: JsonObject) -> Iterator[Draft]:
    """Yield the article that came with the ticket as a message or, when it is internal, as a comment."""
    article = part(body, "article")
    if not article:
        return
    ident, sender = text(body, "article.id", needed=True), _name(body, "article.sender")
    internal = article.get("internal") is True
    message = text(body, "article.body")
    is_html = text(body, "article.content_type") in ("text/html", "")
    message = plain(message) if is_html else message[:MAX_TEXT]
    received = sender == "Customer" and not internal
    type_ = "comment_added" if internal else "message_received" if received else "message_sent"
    agent = _agent(body, "article.created_by") if sender == "Agent" else None
    yield ticket.draft(
        f"article:{ident}",
        f"ticket.{type_}",
        _time(body, "article.created_at"),
        **{
            "comment" if internal else "message": message,
            "message_direction": "" if internal else "in" if received else "out",
            "message_visibility": "private" if internal else "public",
            "has_attachment": True if article.get("attachments") else None,
        },
    )._replace(user=agent)


def _time(value: JsonObject, path: str) -> int:
    found = times.rfc3339(text(value, path, needed=True))
    if not isinstance(found, int):
        raise FieldError(path, found)
    return found


def _name(value: JsonObject, path: str) -> str:
    """Return what a payload writes as a name or as an object that has one."""
    above, _, name = path.rpartition(".")
    found = (part(value, above) if above else value).get(name)
    return text(value, f"{path}.name") if isinstance(found, dict) else text(value, path)


def _agent(value: JsonObject, path: str) -> str | None:
    """Return the login of a user who is an agent. Customers and the system are none."""
    above, _, name = path.rpartition(".")
    found = (part(value, above) if above else value).get(name)
    if not isinstance(found, dict):
        return None
    roles = found.get("roles")
    login = text(found, "login") or text(found, "email")
    is_agent = login != NOBODY and (not isinstance(roles, list) or "Agent" in roles)
    return login if login and is_agent else None


def _full_name(person: JsonObject) -> str:
    return f"{text(person, 'firstname')} {text(person, 'lastname')}".strip()
