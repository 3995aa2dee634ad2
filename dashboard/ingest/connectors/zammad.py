"""Zammad's trigger webhooks: a ticket as it is now, and perhaps the article that was added. Pure.

A payload says what the ticket is, not what changed. So each one becomes a snapshot (`ticket.updated`, or
`ticket.created` within FRESH_MS of its creation), and a change is what differs from the ticket's snapshot
before. What happens once (creation, articles) has an identity of its own; the rest has that of the
delivery. So repeats add nothing, and a late delivery changes nothing that came after it.

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
    contact,
    part,
    plain,
    text,
    word,
)
from dashboard.ingest.schema import Contact

CREATED, UPDATED = "ticket.created", "ticket.updated"
DELIVERY = "x-zammad-delivery"
CLOSED, MERGED, REMOVED = "closed", "merged", "removed"  # the states that end a ticket
ENDS = {CLOSED: "ticket.closed", MERGED: "ticket.merged", REMOVED: "ticket.deleted"}
NOBODY = "-"  # the login of Zammad's system user
FRESH_MS = 5_000


class Ticket(NamedTuple):
    """What all events of a delivery share. `snapshot` is the data that later deliveries are compared with."""

    id: str
    delivery: str
    time_ms: int
    created_ms: int
    actor: str | None  # the agent who changed it last
    contact: Contact | None
    queue: str | None
    snapshot: JsonObject

    def draft(self, ident: str, type_: str, time_ms: int | None = None, **data: Any) -> Draft:
        moment = self.time_ms if time_ms is None else time_ms
        return Draft(ident, type_, moment, self.id, self.actor, self.queue, self.contact, data)

    def change(self, type_: str, **data: Any) -> Draft:
        return self.draft(f"{self.delivery}:{type_}", type_, **data)


def drafts(body: JsonObject, headers: Mapping[str, str], known: Known) -> list[Draft]:
    """Return the events of a payload. Raises FieldError for one that is no ticket of Zammad."""
    found = _ticket(body, headers)
    return [*_states(found, known), *_articles(found, body)]


def _ticket(body: JsonObject, headers: Mapping[str, str]) -> Ticket:
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
        headers.get(DELIVERY, "").strip()[:100] or f"ticket:{ident}:{updated}",
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
    """Yield the ticket's creation, its snapshot and the changes since the snapshot before."""
    now = ticket.snapshot
    fresh = ticket.time_ms - ticket.created_ms <= FRESH_MS
    before: Mapping[str, Any] = {} if fresh else known(ticket.id, ticket.time_ms)
    lasting = ("number", "requester", "requester_email", "organization", "channel")
    created = now if fresh else {name: now[name] for name in lasting}
    yield ticket.draft(f"ticket:{ticket.id}:created", CREATED, ticket.created_ms, **created)._replace(
        user=ticket.actor if fresh else None, queue=ticket.queue if fresh else None
    )
    if not fresh:
        yield ticket.change(UPDATED, **now)
    if now["assignee"] and (fresh or _differs(before, now, "assignee")):
        yield ticket.change("ticket.assigned", assignee=now["assignee"], group=now["group"])
    if _differs(before, now, "group"):
        yield ticket.change("ticket.transferred", kind="group", to=now["group"], group=now["group"])
    if _differs(before, now, "priority"):
        yield ticket.change("ticket.priority_changed", priority=now["priority"])
    status, was = now["status"], before.get("status", "")
    if _differs(before, now, "status"):
        yield ticket.change("ticket.status_changed", status=status)
    if status in ENDS and was not in ENDS:
        yield ticket.change(ENDS[status], status=status)
    if was in ENDS and status not in ENDS:
        yield ticket.change("ticket.reopened", status=status)


def _differs(before: Mapping[str, Any], now: JsonObject, name: str) -> bool:
    """Say whether the snapshot before is known and had another value."""
    return "status" in before and (before.get(name) or "") != now[name]


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
