"""Reads of the list of channels: never addresses or secrets. A channel is no personal datum: no scope."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from dashboard.access.scope import Scope
from dashboard.models import Channel, Rule
from dashboard.rules import rights
from dashboard.web import lists
from dashboard.web.lists import Order


class Line(NamedTuple):
    id: int
    name: str
    kind: str
    place: str  # the host of a webhook, the service of a chat
    active: bool
    reason: str  # why it is off, a marked text
    failures: int
    last_ts: int | None
    rules: int


KEYS = {
    "name": lambda line: line.name,
    "kind": lambda line: line.kind,
    "rules": lambda line: line.rules,
    "failures": lambda line: line.failures,
    "last": lambda line: line.last_ts,
}


def lines(sought: str, by: Order) -> list[Line]:
    """Return the channels that match by name or place, in the order asked for."""
    used = uses()
    found = [
        Line(
            row.id,
            row.name,
            row.kind,
            place(row),
            row.active,
            row.disabled_reason,
            row.failures,
            None if row.last_ok_ms is None else row.last_ok_ms // 1000,
            len(used.get(row.id, ())),
        )
        for row in Channel.select()
    ]
    fitting = [line for line in found if lists.found(sought, line.name, line.place)]
    return lists.arranged(fitting, by, KEYS)


def place(row: Channel) -> str:
    """Return what of an address is no secret: a webhook's host, a chat's service."""
    parts = urlsplit(row.address)
    return str(parts.hostname or "") if row.kind == "webhook" else parts.scheme


def uses() -> dict[int, list[int]]:
    """Return the ids of the rules that use each channel."""
    found: dict[int, list[int]] = {}
    for ident, definition in Rule.select(Rule.id, Rule.definition).order_by(Rule.id).tuples():
        for channel in set(_channels(definition)):
            found.setdefault(channel, []).append(ident)
    return found


def _channels(definition: Any) -> Iterable[int]:
    doings = definition.get("then", ()) if isinstance(definition, dict) else ()
    return [
        each["channel"] for each in doings if isinstance(each, dict) and isinstance(each.get("channel"), int)
    ]


def users_of(channel_id: int, scope: Scope) -> tuple[list[tuple[int, str]], int]:
    """Return id and name of the rules that use the channel and that the viewer may see, by name, and how
    many others use it."""
    ids = uses().get(channel_id, [])
    query = Rule.select(Rule.id, Rule.name).where(Rule.id.in_(ids) & rights.visible(scope))
    seen = lists.by_name(list(query.tuples()), lambda row: str(row[1]))
    return seen, len(ids) - len(seen)
