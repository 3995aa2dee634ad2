"""What one may do: every permission, with its place on the access page."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from dashboard.i18n.mark import N_


class Permission(StrEnum):
    """`<object>.<verb>`, sorted; stored in accesses by value, never renamed."""

    ACCESSES_EDIT = "accesses.edit"
    ACCESSES_VIEW = "accesses.view"
    HOME_VIEW = "home.view"
    KEYS_EDIT = "keys.edit"
    KEYS_VIEW = "keys.view"
    PAUSES_EDIT = "pauses.edit"
    PAUSES_VIEW = "pauses.view"
    PII_UNMASK = "pii.unmask"
    QUEUES_EDIT = "queues.edit"
    QUEUES_FIGURES = "queues.figures"
    QUEUES_VIEW = "queues.view"
    SELF = "self"
    TEAMS_EDIT = "teams.edit"
    TEAMS_VIEW = "teams.view"
    TRACING_DEACTIVATED = "tracing.deactivated"
    TRACING_EXPORT_DATA = "tracing.export_data"
    TRACING_EXPORT_PDF = "tracing.export_pdf"
    TRACING_VIEW = "tracing.view"
    USERS_EDIT = "users.edit"
    USERS_VIEW = "users.view"


class Choice(NamedTuple):
    """A check box of the access page."""

    permission: Permission
    label: str
    hint: str


class Section(NamedTuple):
    tab: str  # modules, or advanced.<second level>
    title: str
    choices: tuple[Choice, ...]


P = Permission

SECTIONS: tuple[Section, ...] = (
    Section("modules", N_("Watch"), (
        Choice(P.HOME_VIEW, N_("Home"), N_("Today's figures of the users and queues this access may see.")),
        Choice(P.QUEUES_FIGURES, N_("Queue figures"), N_("A queue's day, hour by hour.")),
    )),
    Section("modules", N_("Settings"), (
        Choice(P.USERS_VIEW, N_("Users"), N_("See the list of users.")),
        Choice(P.USERS_EDIT, N_("Edit users"), N_("Add, change, deactivate and reactivate users.")),
        Choice(P.TEAMS_VIEW, N_("Teams"), N_("See the list of teams.")),
        Choice(P.TEAMS_EDIT, N_("Edit teams"), N_("Add and change teams, their members and leads.")),
        Choice(P.QUEUES_VIEW, N_("Queues"), N_("See the list of queues.")),
        Choice(P.QUEUES_EDIT, N_("Edit queues"), N_("Add, change and deactivate queues.")),
        Choice(P.PAUSES_VIEW, N_("Pause types"), N_("See the list of pause types.")),
        Choice(P.PAUSES_EDIT, N_("Edit pause types"), N_("Add and change pause types.")),
        Choice(P.ACCESSES_VIEW, N_("Accesses"), N_("See what each access allows.")),
        Choice(P.ACCESSES_EDIT, N_("Edit accesses"),
               N_("Change accesses, never granting more than one has.")),
        Choice(P.KEYS_VIEW, N_("API keys"), N_("See the keys of sources and clients, never their values.")),
        Choice(P.KEYS_EDIT, N_("Edit API keys"), N_("Add and revoke API keys.")),
    )),
    Section("advanced.reports", N_("Watching users"), (
        Choice(P.TRACING_VIEW, N_("User tracing"), N_("Open the trace of every user this access may see.")),
        Choice(P.TRACING_DEACTIVATED, N_("Include deactivated users"),
               N_("Offer users who can no longer sign in.")),
        Choice(P.PII_UNMASK, N_("Show full contact details"),
               N_("Without it, phone numbers and addresses are masked.")),
    )),
    Section("advanced.reports", N_("Exports"), (
        Choice(P.TRACING_EXPORT_PDF, N_("PDF export of user tracing"), N_("Exactly what the page shows.")),
        Choice(P.TRACING_EXPORT_DATA, N_("Excel and CSV export of user tracing"),
               N_("Exactly what the page shows.")),
    )),
)  # fmt: skip

EVERYONE = frozenset({Permission.SELF})
ALL = frozenset(Permission)


class Preset(NamedTuple):
    name: str
    description: str
    permissions: frozenset[Permission]
    grants: tuple[str, ...]


_TEAM = frozenset({P.HOME_VIEW, P.TRACING_VIEW, P.TRACING_EXPORT_PDF, P.QUEUES_FIGURES})

PRESETS: tuple[Preset, ...] = (
    Preset(N_("Administrator"), N_("Everything but full contact details."),
           ALL - {P.PII_UNMASK}, ("all_users", "all_queues")),
    Preset(N_("Agent"), N_("One's own trace only."), frozenset(), ()),
    Preset(N_("Auditor"), N_("Reads settings, no traces."),
           frozenset({P.ACCESSES_VIEW, P.KEYS_VIEW, P.QUEUES_VIEW, P.TEAMS_VIEW, P.USERS_VIEW}), ()),
    Preset(N_("Payroll"), N_("Sign-in and pauses of all users, no content."),
           frozenset({P.TRACING_VIEW, P.TRACING_DEACTIVATED, P.TRACING_EXPORT_DATA, P.TRACING_EXPORT_PDF}),
           ("all_users",)),
    Preset(N_("Quality"), N_("Content of chosen queues, no export."),
           frozenset({P.HOME_VIEW, P.TRACING_VIEW, P.QUEUES_FIGURES}), ("all_users",)),
    Preset(N_("Team lead"), N_("Traces and PDF of the teams one leads."),
           _TEAM | {P.TRACING_DEACTIVATED}, ("led_teams", "all_queues")),
)  # fmt: skip
