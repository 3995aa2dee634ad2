"""All permissions, their sections on the page of a role, and the built-in roles."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from dashboard.i18n.message import N_


class Permission(StrEnum):
    """`<object>.<verb>`, sorted. Roles store the values, so they are never renamed."""

    ACCESSES_EDIT = "accesses.edit"
    ACCESSES_VIEW = "accesses.view"
    CALENDARS_EDIT = "calendars.edit"
    CALENDARS_VIEW = "calendars.view"
    CHANNELS_EDIT = "channels.edit"
    CHANNELS_VIEW = "channels.view"
    HOME_VIEW = "home.view"
    KEYS_EDIT = "keys.edit"
    KEYS_VIEW = "keys.view"
    PAUSES_EDIT = "pauses.edit"
    PAUSES_VIEW = "pauses.view"
    PII_UNMASK = "pii.unmask"
    QUEUES_EDIT = "queues.edit"
    QUEUES_FIGURES = "queues.figures"
    QUEUES_VIEW = "queues.view"
    RULES_BACKTEST = "rules.backtest"
    RULES_EDIT = "rules.edit"
    RULES_OPERATE = "rules.operate"
    RULES_OUTWARD = "rules.outward"
    RULES_OVERSEE = "rules.oversee"
    RULES_OWN = "rules.own"
    RULES_SWITCH = "rules.switch"
    RULES_TRACES = "rules.traces"
    RULES_VIEW = "rules.view"
    SELF = "self"
    SYSTEM_EVENTS_EDIT = "system_events.edit"
    SYSTEM_EVENTS_VIEW = "system_events.view"
    TEAMS_EDIT = "teams.edit"
    TEAMS_VIEW = "teams.view"
    TRACING_DEACTIVATED = "tracing.deactivated"
    TRACING_EXPORT_DATA = "tracing.export_data"
    TRACING_EXPORT_PDF = "tracing.export_pdf"
    TRACING_VIEW = "tracing.view"
    USERS_EDIT = "users.edit"
    USERS_VIEW = "users.view"


class Choice(NamedTuple):
    """A check box on the page of a role."""

    permission: Permission
    label: str
    hint: str


class Section(NamedTuple):
    tab: str  # modules, or advanced.<second level>
    title: str
    choices: tuple[Choice, ...]


P = Permission

SECTIONS: tuple[Section, ...] = (
    Section(
        "modules",
        N_("Watch"),
        (
            Choice(
                P.HOME_VIEW, N_("Home"), N_("Today's figures of the users and queues this access may see.")
            ),
            Choice(P.QUEUES_FIGURES, N_("Queue figures"), N_("A queue's day, hour by hour.")),
        ),
    ),
    Section(
        "modules",
        N_("Act"),
        (
            Choice(P.RULES_OWN, N_("My rules"), N_("Make rules of one's own, about what one may see.")),
            Choice(P.RULES_VIEW, N_("System rules"), N_("See the rules of the site.")),
            Choice(P.RULES_EDIT, N_("Edit system rules"), N_("Add, change and delete rules of the site.")),
            Choice(
                P.RULES_SWITCH, N_("Switch system rules"), N_("Set rules of the site off, to shadow, or on.")
            ),
            Choice(P.RULES_OVERSEE, N_("Employee rules"), N_("See and switch off rules of users.")),
            Choice(P.RULES_TRACES, N_("Runs of rules"), N_("See what a rule saw and did.")),
            Choice(P.RULES_BACKTEST, N_("Backtest"), N_("Try rules on stored events.")),
            Choice(
                P.RULES_OUTWARD, N_("Rules that call out"), N_("Let rules use webhooks and chat channels.")
            ),
            Choice(P.RULES_OPERATE, N_("Operate rules"), N_("Stop all rules, pause groups, see delays.")),
        ),
    ),
    Section(
        "modules",
        N_("Settings"),
        (
            Choice(P.SYSTEM_EVENTS_VIEW, N_("System events"), N_("See which events are recorded.")),
            Choice(
                P.SYSTEM_EVENTS_EDIT, N_("Edit system events"), N_("Switch the recording and use of events.")
            ),
            Choice(P.CHANNELS_VIEW, N_("Channels"), N_("See webhooks and chats, never their secrets.")),
            Choice(
                P.CHANNELS_EDIT, N_("Edit channels"), N_("Add, test, change and switch webhooks and chats.")
            ),
            Choice(P.CALENDARS_VIEW, N_("Calendars"), N_("See working time and holidays.")),
            Choice(P.CALENDARS_EDIT, N_("Edit calendars"), N_("Change working time, import holidays.")),
            Choice(P.USERS_VIEW, N_("Users"), N_("See the list of users.")),
            Choice(P.USERS_EDIT, N_("Edit users"), N_("Add, change, deactivate and reactivate users.")),
            Choice(P.TEAMS_VIEW, N_("Teams"), N_("See the list of teams.")),
            Choice(P.TEAMS_EDIT, N_("Edit teams"), N_("Add and change teams, their members and leads.")),
            Choice(P.QUEUES_VIEW, N_("Queues"), N_("See the list of queues.")),
            Choice(P.QUEUES_EDIT, N_("Edit queues"), N_("Add, change and deactivate queues.")),
            Choice(P.PAUSES_VIEW, N_("Pause types"), N_("See the list of pause types.")),
            Choice(P.PAUSES_EDIT, N_("Edit pause types"), N_("Add and change pause types.")),
            Choice(P.ACCESSES_VIEW, N_("Accesses"), N_("See what each access allows.")),
            Choice(
                P.ACCESSES_EDIT, N_("Edit accesses"), N_("Change accesses, never granting more than one has.")
            ),
            Choice(
                P.KEYS_VIEW, N_("API keys"), N_("See the keys of sources and clients, never their values.")
            ),
            Choice(P.KEYS_EDIT, N_("Edit API keys"), N_("Add and revoke API keys.")),
        ),
    ),
    Section(
        "advanced.reports",
        N_("Watching users"),
        (
            Choice(
                P.TRACING_VIEW, N_("User tracing"), N_("Open the trace of every user this access may see.")
            ),
            Choice(
                P.TRACING_DEACTIVATED,
                N_("Include deactivated users"),
                N_("Offer users who can no longer sign in."),
            ),
            Choice(
                P.PII_UNMASK,
                N_("Show full contact details"),
                N_("Without it, phone numbers and addresses are masked."),
            ),
        ),
    ),
    Section(
        "advanced.reports",
        N_("Exports"),
        (
            Choice(
                P.TRACING_EXPORT_PDF, N_("PDF export of user tracing"), N_("Exactly what the page shows.")
            ),
            Choice(
                P.TRACING_EXPORT_DATA,
                N_("Excel and CSV export of user tracing"),
                N_("Exactly what the page shows."),
            ),
        ),
    ),
)

EVERYONE = frozenset({Permission.SELF})
ALL = frozenset(Permission)


class Preset(NamedTuple):
    name: str
    description: str
    permissions: frozenset[Permission]
    grants: tuple[str, ...]


_TEAM = frozenset(
    {
        P.HOME_VIEW,
        P.TRACING_VIEW,
        P.TRACING_EXPORT_PDF,
        P.QUEUES_FIGURES,
        P.RULES_OWN,
        P.RULES_VIEW,
        P.RULES_TRACES,
        P.RULES_BACKTEST,
    }
)

PRESETS: tuple[Preset, ...] = (
    Preset(
        N_("Administrator"),
        N_("Everything but full contact details."),
        ALL - {P.PII_UNMASK},
        ("all_users", "all_queues"),
    ),
    Preset(N_("Agent"), N_("One's own trace and rules only."), frozenset({P.RULES_OWN}), ()),
    Preset(
        N_("Auditor"),
        N_("Reads settings, no traces."),
        frozenset(
            {
                P.ACCESSES_VIEW,
                P.CALENDARS_VIEW,
                P.CHANNELS_VIEW,
                P.KEYS_VIEW,
                P.QUEUES_VIEW,
                P.RULES_VIEW,
                P.SYSTEM_EVENTS_VIEW,
                P.TEAMS_VIEW,
                P.USERS_VIEW,
            }
        ),
        (),
    ),
    Preset(
        N_("Payroll"),
        N_("Sign-in and pauses of all users, no content."),
        frozenset({P.TRACING_VIEW, P.TRACING_DEACTIVATED, P.TRACING_EXPORT_DATA, P.TRACING_EXPORT_PDF}),
        ("all_users",),
    ),
    Preset(
        N_("Quality"),
        N_("Content of chosen queues, no export."),
        frozenset({P.HOME_VIEW, P.TRACING_VIEW, P.QUEUES_FIGURES}),
        ("all_users",),
    ),
    Preset(
        N_("Team lead"),
        N_("Traces and PDF of the teams one leads."),
        _TEAM | {P.TRACING_DEACTIVATED},
        ("led_teams", "all_queues"),
    ),
)
