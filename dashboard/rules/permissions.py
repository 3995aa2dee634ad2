"""Who may see a rule, change it, switch it and see its runs.

One's own rules need `rules.own`. The site's need `rules.view` to be seen, `rules.edit` to be changed and
`rules.switch` to be switched. Others' personal rules need `rules.oversee`, which lets one see them and
switch them off, never change them. Who may not see a rule is told that there is none (404).
"""

from __future__ import annotations

from typing import Any

from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.models.rules import Rule


def sees(scope: Scope, owner_id: int | None) -> bool:
    """May the viewer see the rule of this owner (None: the site's)?"""
    if owner_id is None:
        return scope.can(Permission.RULES_VIEW)
    return scope.can(Permission.RULES_OWN if owner_id == scope.viewer_id else Permission.RULES_OVERSEE)


def visible(scope: Scope) -> Any:
    """Return the condition that keeps a query's rules to those that the viewer may see."""
    own = (Rule.owner_id == scope.viewer_id) & scope.can(Permission.RULES_OWN)
    site = Rule.owner_id.is_null() & scope.can(Permission.RULES_VIEW)
    others = (Rule.owner_id != scope.viewer_id) & scope.can(Permission.RULES_OVERSEE)
    return own | site | others


def changes(scope: Scope, owner_id: int | None) -> bool:
    """May the viewer change, delete or add a rule of this owner?"""
    if owner_id is None:
        return scope.can(Permission.RULES_EDIT)
    return owner_id == scope.viewer_id and scope.can(Permission.RULES_OWN)


def switches(scope: Scope, owner_id: int | None, state: str) -> bool:
    """May the viewer set the rule to this state? Whoever oversees may only switch off."""
    if owner_id is None:
        return scope.can(Permission.RULES_SWITCH)
    if owner_id == scope.viewer_id:
        return scope.can(Permission.RULES_OWN)
    return state == "off" and scope.can(Permission.RULES_OVERSEE)


def traces(scope: Scope, owner_id: int | None) -> bool:
    """May the viewer see what a rule saw and did? One's own rules hide nothing from their owner."""
    return sees(scope, owner_id) and (owner_id == scope.viewer_id or scope.can(Permission.RULES_TRACES))
