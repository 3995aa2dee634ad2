"""The event of an act: the type of the same name, with what the catalogue says its data holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.catalog import CATALOG, EventType, Kind
from dashboard.events import own
from dashboard.models import User

SAME = {"import.run": "import.finished"}  # acts that the catalogue has under another name
LABELS = {"name": "", "rule": "rule", "permission": "page"}  # field that the target's label fills, of what


def append(
    action: str,
    actor_id: int | None,
    target: tuple[str, object, str],
    details: Mapping[str, Any],
    ip: str,
    chain: Sequence[int] = (),
) -> int | None:
    """Record the event of the act `action` and return its id; None where the catalogue has none.

    Its user is the one whom the act concerns where the target is a user, else who acted. Its data
    holds the fields of the type alone, so no secret and nothing that was changed.
    """
    type_ = CATALOG.get(SAME.get(action, action))
    if type_ is None or not type_.own:
        return None
    user_id = _user(target) if target[0] == "user" else actor_id
    return own.append(type_.name, _data(type_, target, details, ip), user_id, _queue(target), chain=chain)


def _data(
    type_: EventType, target: tuple[str, object, str], details: Mapping[str, Any], ip: str
) -> dict[str, Any]:
    given: dict[str, Any] = {"ip": ip, "rows": details.get("stored"), **details}
    given |= {field: str(target[2])[:200] for field, kind in LABELS.items() if kind in ("", target[0])}
    return {name: given[name] for name, field in type_.by_name.items() if _fits(field.kind, given.get(name))}


def _fits(kind: Kind, value: Any) -> bool:
    wanted = int if kind is Kind.NUMBER else str
    return isinstance(value, wanted) and value != ""


def _user(target: tuple[str, object, str]) -> int | None:
    """Return the user meant: by id, or, where somebody typed a login to sign in, by that login."""
    if isinstance(target[1], int):
        return target[1]
    found: int | None = User.select(User.id).where(User.login == str(target[2])).scalar()
    return found


def _queue(target: tuple[str, object, str]) -> int | None:
    return target[1] if target[0] == "queue" and isinstance(target[1], int) else None
