"""The question whether agents of an installation older than their right to export their own day get it."""

from __future__ import annotations

from dashboard.access.granting import Giver
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope, permissions_of
from dashboard.db.prepared import Prepared
from dashboard.models import Access, Setting

ANSWER = "agent_exports"  # the name of the setting: yes or no
ROLE = "Agent"
EXPORTS = frozenset({Permission.TRACING_EXPORT_PDF, Permission.TRACING_EXPORT_DATA})
_ANSWER = Prepared(lambda: Setting.select(Setting.value).where(Setting.name == ANSWER))


def is_due(scope: Scope) -> bool:
    """Return whether the viewer can answer and nobody has: the built-in role lacks one of the exports."""
    if not scope.permissions >= EXPORTS | {Permission.ACCESSES_EDIT} or _ANSWER.rows():
        return False
    role = Access.get_or_none((Access.name == ROLE) & Access.is_system)
    return role is not None and not permissions_of(role) >= EXPORTS


def answer(giver: Giver, *, allow: bool) -> tuple[Access, list[str]] | None:
    """Keep the answer, in the caller's transaction.

    Returns the role and its permissions before where it has got the exports; None where nothing is changed.
    """
    if not is_due(giver.scope):
        return None
    Setting.put(ANSWER, "yes" if allow else "no")
    role = Access.get((Access.name == ROLE) & Access.is_system)
    before = role.permissions
    if not allow:
        return None
    role.permissions = sorted({*before, *EXPORTS})
    Access.update(permissions=role.permissions, version=Access.version + 1).where(
        Access.id == role.id
    ).execute()
    return role, before
