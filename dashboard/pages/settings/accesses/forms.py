"""The tabs of an access and their forms; the boxes come from permissions.SECTIONS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from werkzeug.datastructures import MultiDict

from dashboard.access.granting import Grant
from dashboard.access.permissions import SECTIONS, Permission, Section
from dashboard.i18n.mark import N_
from dashboard.models import Access
from dashboard.web import forms

TABS = {
    "general": N_("General"),
    "modules": N_("Modules"),
    "advanced": N_("Advanced settings"),
    "users": N_("Users"),
}
PARTS = {"reports": N_("Reports")}  # second level of the advanced settings
LABELS = {
    "name": N_("Name"),
    "description": N_("Description"),
    "scope": N_("Scope"),
    "permissions": N_("Permissions"),
}


@dataclass
class General:
    name: str
    description: str
    grants: frozenset[Grant]
    version: int
    errors: dict[str, str] = field(default_factory=dict)

    def has(self, kind: str) -> bool:
        return any(grant.kind == kind for grant in self.grants)

    def ids(self, kind: str) -> frozenset[int]:
        """Return the users or queues that are named one by one."""
        return frozenset(grant.ref_id for grant in self.grants if grant.kind == kind and grant.ref_id)


@dataclass
class Rights:
    """The boxes of one tab: those that are offered there, and those ticked among them."""

    offered: frozenset[Permission]
    ticked: frozenset[Permission]
    version: int
    errors: dict[str, str] = field(default_factory=dict)


@dataclass
class New:
    name: str
    description: str
    source: int | None  # the access that is cloned
    errors: dict[str, str] = field(default_factory=dict)


def sections(tab: str, part: str) -> tuple[Section, ...]:
    """Return the groups of boxes of a tab, none for a tab without boxes."""
    wanted = f"advanced.{part}" if tab == "advanced" else tab
    return tuple(section for section in SECTIONS if section.tab == wanted)


def parse_general(form: MultiDict[str, str], row: Access) -> General:
    """Read the tab General; the name of a preset stays, because commands name it."""
    kinds = [kind for kind in ("led_teams", "all_users", "all_queues") if form.get(kind)]
    named = [Grant(kind, each) for kind in ("users", "queues") for each in forms.ids(form.getlist(kind))]
    asked = General(
        name=row.name if row.is_system else forms.text(form, "name"),
        description=forms.text(form, "description"),
        grants=frozenset([Grant(kind) for kind in kinds] + named),
        version=forms.version(form),
    )
    asked.errors = _problems(asked.name, asked.description)
    return asked


def parse_rights(form: MultiDict[str, str], tab: str, part: str) -> Rights:
    """Read the boxes of a tab; a permission that has no box there is left out."""
    offered = frozenset(choice.permission for each in sections(tab, part) for choice in each.choices)
    sent = set(form.getlist("p"))
    return Rights(offered, frozenset(each for each in offered if each.value in sent), forms.version(form))


def parse_new(form: Mapping[str, str]) -> New:
    source = forms.whole(form.get("source", ""), 1, forms.ID_MAX)
    asked = New(forms.text(form, "name"), forms.text(form, "description"), source)
    asked.errors = _problems(asked.name, asked.description)
    return asked


def _problems(name: str, description: str) -> dict[str, str]:
    checked = {
        "name": forms.line_problem(name, 120),
        "description": forms.line_problem(description, 500, needed=False),
    }
    return {field: problem for field, problem in checked.items() if problem}
