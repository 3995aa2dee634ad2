"""Query parameters of the lists of rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.i18n.message import N_
from dashboard.web import lists

MY, SYSTEM, EMPLOYEES = "my", "system", "employees"
# The lists in the order of their tabs, each with what it takes to open it.
LISTS = {
    MY: Permission.RULES_OWN,
    SYSTEM: Permission.RULES_VIEW,
    EMPLOYEES: Permission.RULES_OVERSEE,
}
NAMES = {MY: N_("My rules"), SYSTEM: N_("System rules"), EMPLOYEES: N_("Employee rules")}
BY = ("category", "group", "state", "owner", "none")
NO_GROUP = "none"


class RuleListQuery(NamedTuple):
    """Filters and grouping of a list. An empty filter selects all."""

    which: str
    sought: str
    category: str
    state: str
    group: str  # an id as text, or NO_GROUP
    owner: str  # an id as text
    by: str

    @property
    def narrows(self) -> bool:
        return any((self.sought, self.category, self.state, self.group, self.owner))


def open_lists(scope: Scope) -> list[str]:
    return [name for name, permission in LISTS.items() if scope.can(permission)]


def parse(args: Mapping[str, str], scope: Scope, default: str = "") -> RuleListQuery | None:
    """Return what the address asks for; of the list `default`, else the first one that is open to the
    viewer, unless it names one. None for a list that is not open to him, or that there is none of."""
    opened = open_lists(scope)
    which = args.get("list") or default or (opened[0] if opened else "")
    if which not in opened:
        return None
    asked_by = args.get("by", "")
    return RuleListQuery(
        which=which,
        sought=lists.needle(args),
        category=args.get("category", ""),
        state=args.get("state", ""),
        group=args.get("group", "") if which == SYSTEM else "",
        owner=args.get("owner", "") if which == EMPLOYEES else "",
        by=asked_by if asked_by in BY else "category",
    )
