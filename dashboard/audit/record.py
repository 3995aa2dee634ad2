"""Writes audit entries, in the transaction of the action itself.

Actions that have an event type in the catalogue are recorded as events as well; see `audit.event`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import peewee
from flask import g, has_request_context, request

from dashboard import clock
from dashboard.audit import chain as audit_chain
from dashboard.audit import deferred, subjects
from dashboard.audit.subjects import Seen
from dashboard.catalog import CATALOG, EventType, Kind
from dashboard.db import database, dialect
from dashboard.db.prepared import Prepared, slot
from dashboard.events import internal
from dashboard.models import AuditEntry, User

SAME = {"import.run": "import.finished"}  # actions whose event type has another name
NO_EVENTS = {"list.viewed"}  # the event stream is a list itself, and would show every look at it
Target = tuple[str, object, str]  # type, id, label
Actor = tuple[str, int | None, str]  # type, id, label
SCREENS = ("key", "kiosk")  # actors that look again and again


LABELS = {
    "name": "",
    "rule": "rule",
    "permission": "page",
}  # field filled with the target's label: target type


def append(
    action: str,
    actor_id: int | None,
    target: tuple[str, object, str],
    details: Mapping[str, Any],
    ip: str,
    chain: Sequence[int] = (),
    time_ms: int | None = None,
) -> int | None:
    """Record the event of `action`, of now or `time_ms`, and return its id; None if it has no event type.

    The event's user is the target if the target is a user, otherwise the actor. The event's data contains
    only the fields that the catalogue lists, so no secrets and no changed values.
    """
    type_ = CATALOG.get(SAME.get(action, action))
    if type_ is None or not type_.internal:
        return None
    user_id = _user(target) if target[0] == "user" else actor_id
    return internal.append(
        type_.name,
        _data(type_, target, details, ip),
        user_id,
        target[1] if target[0] == "queue" and isinstance(target[1], int) else None,
        chain=chain,
        time_ms=time_ms,
    )


def _data(
    type_: EventType, target: tuple[str, object, str], details: Mapping[str, Any], ip: str
) -> dict[str, Any]:
    values: dict[str, Any] = {"ip": ip, "rows": details.get("stored"), **details}
    values |= {field: str(target[2])[:200] for field, kind in LABELS.items() if kind in ("", target[0])}
    return {
        name: values[name] for name, field in type_.by_name.items() if _fits(field.kind, values.get(name))
    }


def _fits(kind: Kind, value: Any) -> bool:
    wanted = int if kind is Kind.NUMBER else str
    return isinstance(value, wanted) and value != ""


def _user(target: tuple[str, object, str]) -> int | None:
    """Return the id of the target user: its id, or for a sign-in attempt the user with that login."""
    if isinstance(target[1], int):
        return target[1]
    user_id: int | None = User.select(User.id).where(User.login == str(target[2])).scalar()
    return user_id


TEXT_MAX = 2048
AGAIN_S, KEY_AGAIN_S = 15 * 60, 3600  # repeated views and denials of one actor are one entry
MASK = "•••"
SECRETS = ("password", "token", "key", "secret")


def record(
    action: str,
    crud: str,
    target: tuple[str, object, str] = ("", "", ""),
    changes: dict[str, tuple[Any, Any]] | None = None,
    details: dict[str, Any] | None = None,
    outcome: str = "success",
    actor: Actor | None = None,
    chain: Sequence[int] = (),
    seen: Seen | None = None,
) -> None:
    """Append an audit entry. `target` is (type, id, label); `changes` maps a field to (old, new).

    Values of fields with secret names are masked; texts over 2 KiB are truncated and get their length
    appended. `actor` defaults to the signed-in user or API key of the request. Must be called inside the
    transaction of the change, so that both are committed or neither. `chain` lists the ids of the rules
    that caused the action; `seen` whose data it showed: the entry is on their page My data.
    """
    entry = _entry(action, crud, target, changes, details, outcome, actor, chain, seen)
    if (held := _held.get()) is not None:
        held.append(entry)
    else:
        _write([entry])


class _Entry(NamedTuple):
    """An entry, written now or later: what writes its event, its values, and whose data it showed."""

    event: Callable[[], None]
    values: Mapping[str, Any]
    seen: Seen | None


_held: ContextVar[list[_Entry] | None] = ContextVar("held", default=None)


@contextmanager
def changing() -> Iterator[None]:
    """Open the transaction of several changes, whose entries are written at its end.

    The first entry takes the lock of the chain. Whoever then waits for a row of somebody who waits for the
    chain would wait for ever: PostgreSQL ends one of both.
    """
    with database.atomic():
        outer, entries = _held.get(), list[_Entry]()
        token = _held.set(entries)
        try:
            yield
        finally:
            _held.reset(token)
        if outer is not None:
            outer += entries
        else:
            _write(entries)


def _write(entries: Sequence[_Entry]) -> None:
    with database.atomic():
        for entry in entries:
            entry.event()
        numbers = audit_chain.add([entry.values for entry in entries])
        for number, (_event, values, seen) in zip(numbers, entries, strict=True):
            if seen is not None:
                user_id = values["actor_id"] if values["actor_type"] == "user" else None
                subjects.add(number, values["occurred_ms"], seen, user_id)


def _entry(
    action: str,
    crud: str,
    target: Target,
    changes: dict[str, tuple[Any, Any]] | None = None,
    details: dict[str, Any] | None = None,
    outcome: str = "success",
    actor: Actor | None = None,
    chain: Sequence[int] = (),
    seen: Seen | None = None,
) -> _Entry:
    kind, ident, label = actor or _actor()
    masked = {name: _safe(name, value) for name, value in (details or {}).items()}
    context = _request_context(kind)
    moment = clock.now_ms()
    values = {
        "occurred_ms": moment,
        "actor_type": kind,
        "actor_id": ident,
        "actor_label": label[:200],
        "action": action,
        "crud": crud,
        "outcome": outcome,
        "target_type": target[0],
        "target_id": str(target[1])[:60],
        "target_label": str(target[2])[:200],
        "changes": {n: [_safe(n, old), _safe(n, new)] for n, (old, new) in (changes or {}).items()},
        "details": masked,
        **context,
    }
    user_id = ident if kind == "user" else None

    def event() -> None:
        append(action, user_id, target, masked, context["ip"], chain, moment)

    return _Entry(event, values, seen)


def batch(action: str, rows: int) -> None:
    """Record that a request did `action` to several rows at once, in the transaction that recorded each."""
    if rows > 1:
        record("batch.run", "u", ("batch", rows, action), details={"rows": rows})


def viewed(
    action: str,
    target: Target,
    details: dict[str, Any],
    seen: Seen | None = None,
    actor: Actor | None = None,
) -> None:
    """Record that the user or key of the request viewed something, once in 15 minutes; a key, which may ask
    every second, once in an hour. `seen` says whose data. `actor` is another one than that of the request,
    such as a wall screen. The page does not fail when the database takes no entry; see `deferred`."""
    _read_entry(action, target, details, "success", actor or _actor(), seen)


def denied(what: str) -> None:
    """Record a rejected request, as `viewed`."""
    _read_entry("access.denied", ("page", request.path[:60], what), {}, "denied", _actor())


def failed(action: str, target: Target, details: dict[str, Any]) -> None:
    """Record an attempt that failed and may be repeated with each request, as `viewed`."""
    _read_entry(action, target, details, "failure", _actor())


def _read_entry(
    action: str,
    target: Target,
    details: dict[str, Any],
    outcome: str,
    actor: Actor,
    seen: Seen | None = None,
) -> None:
    kind, ident, label = actor
    entry = _entry(action, "r", target, details=details, outcome=outcome, actor=actor, seen=seen)

    def write_new() -> None:
        if details not in _lately(action, target, kind, ident):
            with dialect.short_wait():
                _write([entry])

    key = (action, target, kind, ident, *sorted(details.items()))
    deferred.write(key, write_new, f"{action} of {target} by {kind} {label} {details}")


def _late_entries() -> Any:
    e = AuditEntry
    return e.select(e.details).where(
        (e.target_type == slot("target_type"))
        & (e.target_id == slot("target_id"))
        & (e.action == slot("action"))
        & (e.actor_type == slot("kind"))
        & (peewee.fn.COALESCE(e.actor_id, 0) == slot("ident"))
        & (e.occurred_ms > slot("since_ms"))
    )


_LATE_ENTRIES = Prepared(_late_entries)


def _lately(action: str, target: Target, kind: str, ident: int | None) -> list[dict[str, Any]]:
    """Return the details of the late entries of this action of the same actor."""
    found = _LATE_ENTRIES.rows(
        target_type=target[0],
        target_id=str(target[1]),
        action=action,
        kind=kind,
        ident=ident or 0,
        since_ms=clock.now_ms() - (KEY_AGAIN_S if kind in SCREENS else AGAIN_S) * 1000,
    )
    return [json.loads(details) for (details,) in found]


def differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the fields whose values differ as {field: (old, new)}."""
    return {name: (before.get(name), value) for name, value in after.items() if before.get(name) != value}


def user_target(user: User) -> tuple[str, object, str]:
    return ("user", user.id, user.name)


def _actor() -> Actor:
    if not has_request_context():
        return ("cli", None, "command line")
    if g.get("user") is not None:
        return ("user", g.user.id, g.user.login)
    if g.get("key") is not None:
        return ("key", g.key.id, g.key.name)
    return ("anonymous", None, "")


def _request_context(actor_type: str) -> dict[str, str]:
    """Return from where an entry comes; what the system does outside a request comes from a job."""
    if not has_request_context():
        interface = "job" if actor_type == "system" else "cli"
        return {"ip": "", "user_agent": "", "request_id": "", "interface": interface}
    return {
        "ip": (request.remote_addr or "")[:64],
        "user_agent": str(request.user_agent)[:300],
        "request_id": g.get("request_id", ""),
        "interface": "api" if request.path.startswith("/api/") else "web",
    }


def _safe(name: str, value: Any) -> Any:
    if value is not None and any(word in name.lower() for word in SECRETS):
        return MASK
    if isinstance(value, str) and len(value) > TEXT_MAX:
        return f"{value[:TEXT_MAX]}… ({len(value)})"
    return value
