"""The tabs of an access and their forms; the boxes come from permissions.SECTIONS."""

from __future__ import annotations

from typing import Any, NamedTuple

from dashboard.access.granting import Grant
from dashboard.access.permissions import SECTIONS, Choice, Permission, Section
from dashboard.i18n.message import N_
from dashboard.web.fields import Check, ChoiceOfId, Field, Form, Ids, TextLine

TABS = {
    "general": N_("General"),
    "modules": N_("Modules"),
    "advanced": N_("Advanced settings"),
    "users": N_("Users"),
    "preview": N_("Preview"),
}
PARTS = {"reports": N_("Reports")}  # second level of the advanced settings
SEEING = ("deactivated", "figures", "traces", "unmask", "view")  # verbs of permissions that change nothing
WHOLE = ("led_teams", "all_users", "all_queues")
CHOSEN = ("users", "queues")
COLUMNS = ("name", "description", "two_factor")  # of an access, on the tab General


class DescribedForm(Form):
    name = TextLine(N_("Name"), 120)
    description = TextLine(
        N_("Description"), 500, needed=False, element="textarea", attrs={"maxlength": 500, "rows": 2}
    )


class NewForm(DescribedForm):
    """A new access: empty, or a copy of another."""

    source = ChoiceOfId(
        N_("Copy from"),
        none=N_("Nothing (own data only)"),
        problem=N_("Choose an item from the list."),
        hint=N_("Permissions and scope are copied. You can copy only roles that don't exceed your own."),
    )

    def validate(self, extra_validators: Any = None) -> bool:
        """Leave the check of the source to the transaction that copies it."""
        self.source.options.append((self.source.data, ""))
        return bool(super().validate(extra_validators))


class GeneralForm(DescribedForm):
    """The tab General; grants are parts of the access's scope."""

    led_teams = Check(N_("Teams the user leads"))
    all_users = Check(N_("All users"))
    all_queues = Check(N_("All queues"))
    users = Ids(N_("Selected users"))
    queues = Ids(N_("Selected queues"))
    two_factor = Check(
        N_("Two-factor required"),
        hint=N_(
            "Signing in also needs a code of an authenticator app. Users who have none are signed out and "
            "set it up at their next sign-in."
        ),
    )

    @property
    def grants(self) -> frozenset[Grant]:
        whole = [Grant(kind) for kind in WHOLE if self[kind].data]
        return frozenset(whole + [Grant(kind, ident) for kind in CHOSEN for ident in self[kind].data])

    def values(self) -> dict[str, Any]:
        columns = {name: self[name].data for name in COLUMNS}
        return {**columns, "scope": self.grants}


class Permissions(Field):
    """The permissions ticked among those that the form offers."""

    def process_data(self, value: Any) -> None:
        self.data = frozenset(value or ())

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = frozenset(str(value) for value in valuelist)


class RightsForm(Form):
    """The boxes of one tab. A permission that has no box there is left out."""

    permissions = Permissions(N_("Permissions"), name="p")
    offered: frozenset[Permission] = frozenset()

    @property
    def ticked(self) -> frozenset[Permission]:
        return frozenset(each for each in self.offered if each.value in self.permissions.data)

    def values(self) -> dict[str, Any]:
        return {"permissions": [each.value for each in sorted(self.ticked)]}


def sections(tab: str, part: str) -> tuple[Section, ...]:
    """Return the groups of boxes of a tab, none for a tab without boxes."""
    wanted = f"advanced.{part}" if tab == "advanced" else tab
    return tuple(section for section in SECTIONS if section.tab == wanted)


class Line(NamedTuple):
    """A row of the matrix: the permission to see something, and the one to edit it or to act."""

    see: Choice | None
    edit: Choice | None


def matrix(sections_: tuple[Section, ...]) -> list[tuple[str, list[Line]]]:
    """Return sections as rows by title; what can be viewed and edited is one row."""
    return [(section.title, _lines(section)) for section in sections_]


def _lines(section: Section) -> list[Line]:
    choices = {each.permission.value: each for each in section.choices}
    lines: list[Line] = []
    for choice in section.choices:
        subject, _dot, verb = choice.permission.rpartition(".")
        if verb == "edit" and any(line.edit is choice for line in lines):
            continue
        edit = choices.get(f"{subject}.edit") if verb == "view" else None
        lines.append(Line(choice, edit) if verb in SEEING else Line(None, choice))
    return lines


def offered(tab: str, part: str) -> frozenset[Permission]:
    return frozenset(choice.permission for each in sections(tab, part) for choice in each.choices)
