"""Reads of accesses, of who has them, and of their last changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from flask_babel import gettext as _
from peewee import fn

from dashboard.access.granting import GRANT_LABELS, LABELS, Giver, Grant
from dashboard.access.scope import Scope
from dashboard.db import rows
from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.models import Access, AccessGrant, AuditEntry, Queue, User
from dashboard.web import lists

CHANGES = 5
_OTHER = {
    "name": N_("Name changed"),
    "description": N_("Description changed"),
    "scope": N_("Scope changed"),
    "two_factor": N_("Two-factor requirement changed"),
}


class AccessRow(NamedTuple):
    id: int
    name: str
    description: str
    users: int
    scope: str


class Holder(NamedTuple):
    id: int
    name: str
    login: str
    last_ts: int | None
    deactivated_ts: int | None


class Change(NamedTuple):
    texts: list[str]
    actor: str
    at_ms: int


class Choice(NamedTuple):
    id: int
    name: str


SCOPE_WORDS = {
    "led_teams": "teams one leads",
    "all_users": "all users",
    "all_queues": "all queues",
    "users": "user",
    "queues": "queue",
}  # as the audit log keeps them, in one language


def access_rows() -> list[AccessRow]:
    """Return all accesses. Counts are of all users, whoever the viewer may see."""
    kinds: dict[int, set[str]] = {}
    for access, kind in AccessGrant.select(AccessGrant.access, AccessGrant.kind).tuples():
        kinds.setdefault(access, set()).add(kind)
    active = User.select(User.access, fn.COUNT(User.id)).where(User.deactivated_ts.is_null())
    counts = dict(active.group_by(User.access).tuples())
    return [
        AccessRow(
            row.id,
            lists.preset_name(row.name, row.is_system),
            lists.preset_name(row.description, row.is_system),
            counts.get(row.id, 0),
            whom(kinds.get(row.id, set())),
        )
        for row in Access.select()
    ]


def scope_texts(grants: Iterable[Grant]) -> list[str]:
    """Return a scope as the audit log keeps it: users and queues by name."""
    given = sorted(grants, key=lambda grant: (grant.kind, grant.ref_id or 0))
    refs = {kind: [g.ref_id for g in given if g.kind == kind] for kind in ("users", "queues")}
    users = dict(User.select(User.id, User.login).where(User.id.in_(refs["users"])).tuples())
    queues = dict(Queue.select(Queue.id, Queue.name).where(Queue.id.in_(refs["queues"])).tuples())
    called = {("users", ident): name for ident, name in users.items()}
    called.update({("queues", ident): name for ident, name in queues.items()})
    return [f"{SCOPE_WORDS[g.kind]} {called.get((g.kind, g.ref_id), g.ref_id or '')}".strip() for g in given]


def whom(kinds: Iterable[str]) -> str:
    """Return in words whose traces a scope shows."""
    named = [label for kind, label in GRANT_LABELS.items() if kind in kinds and not kind.endswith("queues")]
    return formats.listed(_(label) for label in named) or str(_("Own data only"))


def count(access_id: int) -> int:
    """Return how many active users have the access."""
    held = (User.access == access_id) & User.deactivated_ts.is_null()
    return int(User.select().where(held).count())


def holders(scope: Scope, access_id: int) -> list[Holder]:
    """Return who has the access, of those whom the viewer may see."""
    query = User.select(User.id, User.name, User.login, User.last_sign_in_ts, User.deactivated_ts).where(
        (User.access == access_id) & scope.allows(User.id)
    )
    return lists.by_name(rows(query, Holder), lambda holder: holder.name)


def clonable(giver: Giver) -> list[Choice]:
    found = [
        Choice(row.id, lists.preset_name(row.name, row.is_system))
        for row in Access.select()
        if giver.covers(row)
    ]
    return lists.by_name(found, lambda choice: choice.name)


def queues(giver: Giver, chosen: Iterable[int]) -> list[Choice]:
    """Return the queues that the giver may grant or that are chosen already."""
    kept = set(chosen)
    found = [
        Choice(ident, label)
        for ident, label, gone in Queue.select(Queue.id, Queue.label, Queue.deactivated_ts).tuples()
        if ident in kept or (gone is None and giver.may_grant(Grant("queues", ident)))
    ]
    return lists.by_name(found, lambda choice: choice.name)


def unknown_queues(giver: Giver, ids: Collection[int]) -> bool:
    """Is one of the ids no queue, or one whose content the giver may not see?"""
    known = Queue.select().where(Queue.id.in_(sorted(ids))).count()
    return known < len(ids) or not all(giver.may_grant(Grant("queues", ident)) for ident in ids)


def changes(access_id: int) -> list[Change]:
    """Return the last changes of an access, latest first, in the reader's words."""
    query = (
        AuditEntry.select(
            AuditEntry.action, AuditEntry.changes, AuditEntry.actor_label, AuditEntry.occurred_ms
        )
        .where(
            (AuditEntry.target_type == "access")
            & (AuditEntry.target_id == str(access_id))
            & (AuditEntry.outcome == "success")
        )
        .order_by(AuditEntry.occurred_ms.desc(), AuditEntry.id.desc())
        .limit(CHANGES)
    )
    return [Change(_told(action, changed), actor, at) for action, changed, actor, at in query.tuples()]


def _told(action: str, changed: dict[str, list[Any]]) -> list[str]:
    if action == "access.created":
        return [_("Role added")]
    before, after = changed.get("permissions", ([], []))
    old, new = set(before or ()), set(after or ())
    texts = []
    if new - old:
        texts.append(_("Granted: %(what)s", what=_labels(new - old)))
    if old - new:
        texts.append(_("Removed: %(what)s", what=_labels(old - new)))
    texts += [_(text) for name, text in _OTHER.items() if name in changed]
    return texts


def _labels(values: set[str]) -> str:
    shown = [_(label) for value, label in LABELS.items() if value in values]
    return ", ".join(shown + sorted(values - set(LABELS)))
