"""Records an audited action as an event as well, if the catalogue has an event type for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.catalog import CATALOG, EventType, Kind
from dashboard.events import own
from dashboard.models import User

SAME = {"import.run": "import.finished"}  # actions whose event type has another name
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
) -> int | None:
    """Record the event of `action` and return its id; None if the catalogue has no event type for it.

    The event's user is the target if the target is a user, otherwise the actor. The event's data contains
    only the fields that the catalogue lists, so no secrets and no changed values.
    """
    type_ = CATALOG.get(SAME.get(action, action))
    if type_ is None or not type_.own:
        return None
    user_id = _user(target) if target[0] == "user" else actor_id
    return own.append(type_.name, _data(type_, target, details, ip), user_id, _queue(target), chain=chain)


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


def _queue(target: tuple[str, object, str]) -> int | None:
    return target[1] if target[0] == "queue" and isinstance(target[1], int) else None
