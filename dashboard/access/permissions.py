"""All permissions, their sections on the page of a role, and the built-in roles."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from dashboard.i18n.message import N_


class Permission(StrEnum):
    """`<object>.<verb>`, sorted. Roles store the values, so they are never renamed."""

    ACCESSES_EDIT = "accesses.edit"
    ACCESSES_VIEW = "accesses.view"
    AUDIT_EXPORT = "audit.export"
    AUDIT_VERIFY = "audit.verify"
    AUDIT_VIEW = "audit.view"
    CALENDARS_EDIT = "calendars.edit"
    CALENDARS_VIEW = "calendars.view"
    CHANNELS_EDIT = "channels.edit"
    CHANNELS_VIEW = "channels.view"
    COBROWSE_VALUES = "cobrowse.values"
    CONTACTS_ERASE = "contacts.erase"
    EVENTS_IMPORT = "events.import"
    EVENTS_VIEW = "events.view"
    HOME_VIEW = "home.view"
    KEYS_EDIT = "keys.edit"
    KEYS_VIEW = "keys.view"
    PAUSES_EDIT = "pauses.edit"
    PAUSES_VIEW = "pauses.view"
    PII_UNMASK = "pii.unmask"
    POLICY_EDIT = "policy.edit"
    QUEUES_EDIT = "queues.edit"
    QUEUES_FIGURES = "queues.figures"
    QUEUES_VIEW = "queues.view"
    REPORTS_SHARE = "reports.share"
    RETENTION_EDIT = "retention.edit"
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
    SESSIONS_VIEW = "sessions.view"
    SYSTEM_EVENTS_EDIT = "system_events.edit"
    SYSTEM_EVENTS_VIEW = "system_events.view"
    TEAMS_EDIT = "teams.edit"
    TEAMS_VIEW = "teams.view"
    TRACING_CORRECT = "tracing.correct"
    TRACING_DEACTIVATED = "tracing.deactivated"
    TRACING_EXPORT_DATA = "tracing.export_data"
    TRACING_EXPORT_PDF = "tracing.export_pdf"
    TRACING_VIEW = "tracing.view"
    USERS_EDIT = "users.edit"
    USERS_VIEW = "users.view"
    VISITORS_INVITE = "visitors.invite"
    VISITORS_VIEW = "visitors.view"


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
        N_("Monitoring"),
        (
            Choice(
                P.HOME_VIEW,
                N_("Home"),
                N_("Today's statistics for the users and queues in the role's scope."),
            ),
            Choice(P.QUEUES_FIGURES, N_("Queue figures"), N_("Figures and lists of interactions.")),
            Choice(
                P.EVENTS_VIEW,
                N_("Event stream"),
                N_("View every event of the users and queues in the role's scope."),
            ),
            Choice(
                P.VISITORS_VIEW,
                N_("Visitors"),
                N_("View who visits the web sites of the queues in the role's scope."),
            ),
            Choice(P.VISITORS_INVITE, N_("Invite visitors"), N_("Send invitations to a chat by hand.")),
            Choice(
                P.SESSIONS_VIEW,
                N_("Co-browsing"),
                N_("View the steps of co-browsing sessions, with masked values."),
            ),
            Choice(
                P.AUDIT_VIEW,
                N_("Audit log"),
                N_("View who did what in Stopa, whoever it was, with values before and after."),
            ),
            Choice(P.AUDIT_EXPORT, N_("Export the audit log"), N_("Includes exactly what the page shows.")),
            Choice(
                P.AUDIT_VERIFY,
                N_("Verify the audit log"),
                N_("Start a verification at any time, besides the nightly one."),
            ),
            Choice(
                P.REPORTS_SHARE,
                N_("Share reports"),
                N_("Share saved reports and views; everybody reads them with their own rights."),
            ),
        ),
    ),
    Section(
        "modules",
        N_("Automation"),
        (
            Choice(P.RULES_OWN, N_("My rules"), N_("Create your own rules for data in your scope.")),
            Choice(P.RULES_VIEW, N_("System rules"), N_("View system rules.")),
            Choice(P.RULES_EDIT, N_("Edit system rules"), N_("Add, edit and delete system rules.")),
            Choice(
                P.RULES_SWITCH,
                N_("Turn system rules on and off"),
                N_("Set system rules to off, dry run or on."),
            ),
            Choice(P.RULES_OVERSEE, N_("Employee rules"), N_("View and turn off users' rules.")),
            Choice(P.RULES_TRACES, N_("Rule runs"), N_("View what rules evaluated and did.")),
            Choice(P.RULES_BACKTEST, N_("Backtest"), N_("Test rules on stored events.")),
            Choice(P.RULES_OUTWARD, N_("Outbound actions"), N_("Use webhooks and chat channels in rules.")),
            Choice(P.RULES_OPERATE, N_("Run operations"), N_("Stop all rules, pause groups, view delays.")),
        ),
    ),
    Section(
        "modules",
        N_("Settings"),
        (
            Choice(P.SYSTEM_EVENTS_VIEW, N_("System events"), N_("View which events are recorded.")),
            Choice(
                P.SYSTEM_EVENTS_EDIT,
                N_("Edit system events"),
                N_("Choose which events are recorded and available to rules."),
            ),
            Choice(
                P.EVENTS_IMPORT,
                N_("Import files"),
                N_("Import events of all users and queues from files, and undo imports."),
            ),
            Choice(P.CHANNELS_VIEW, N_("Channels"), N_("View webhooks and chats, but never their secrets.")),
            Choice(
                P.CHANNELS_EDIT,
                N_("Edit channels"),
                N_("Add, test, edit, turn on and turn off webhooks and chats."),
            ),
            Choice(P.CALENDARS_VIEW, N_("Calendars"), N_("View working hours and holidays.")),
            Choice(P.CALENDARS_EDIT, N_("Edit calendars"), N_("Edit working hours, import holidays.")),
            Choice(P.USERS_VIEW, N_("Users"), N_("View users.")),
            Choice(P.USERS_EDIT, N_("Edit users"), N_("Add, edit, deactivate and reactivate users.")),
            Choice(P.TEAMS_VIEW, N_("Teams"), N_("View teams.")),
            Choice(P.TEAMS_EDIT, N_("Edit teams"), N_("Add and edit teams, members and leads.")),
            Choice(P.QUEUES_VIEW, N_("Queues"), N_("View queues.")),
            Choice(P.QUEUES_EDIT, N_("Edit queues"), N_("Add, edit and deactivate queues.")),
            Choice(P.PAUSES_VIEW, N_("Pause types"), N_("View pause types.")),
            Choice(P.PAUSES_EDIT, N_("Edit pause types"), N_("Add and edit pause types.")),
            Choice(P.ACCESSES_VIEW, N_("Roles"), N_("View what each role allows.")),
            Choice(
                P.ACCESSES_EDIT,
                N_("Edit roles"),
                N_("Edit roles, without granting more than your own role allows."),
            ),
            Choice(
                P.POLICY_EDIT,
                N_("Monitoring policy"),
                N_("Publish what users are told about the monitoring of their work."),
            ),
            Choice(
                P.RETENTION_EDIT,
                N_("Retention"),
                N_("Choose how long each kind of data is kept; what is older is deleted."),
            ),
            Choice(P.KEYS_VIEW, N_("API keys"), N_("View API keys, but never their values.")),
            Choice(P.KEYS_EDIT, N_("Edit API keys"), N_("Add and revoke API keys.")),
        ),
    ),
    Section(
        "advanced.reports",
        N_("User monitoring"),
        (
            Choice(
                P.TRACING_VIEW, N_("User tracing"), N_("View user tracing of every user in the role's scope.")
            ),
            Choice(
                P.TRACING_CORRECT,
                N_("Correct signed-in time and pauses"),
                N_("Correct missing or wrong sign-ins, sign-outs and pauses, with a reason."),
            ),
            Choice(
                P.TRACING_DEACTIVATED,
                N_("Include deactivated users"),
                N_("Include users who can no longer sign in."),
            ),
            Choice(
                P.PII_UNMASK,
                N_("Show full contact details"),
                N_("Without it, phone numbers and addresses are masked."),
            ),
            Choice(
                P.COBROWSE_VALUES,
                N_("Show values typed in co-browsing"),
                N_("Only of the form fields that the web site allows."),
            ),
            Choice(
                P.CONTACTS_ERASE,
                N_("Erase contacts and users"),
                N_("Erase name, number and address of a contact or a deactivated user; figures stay."),
            ),
        ),
    ),
    Section(
        "advanced.reports",
        N_("Exports"),
        (
            Choice(
                P.TRACING_EXPORT_PDF,
                N_("PDF export of user tracing"),
                N_("Includes exactly what the page shows."),
            ),
            Choice(
                P.TRACING_EXPORT_DATA,
                N_("Excel and CSV export of user tracing"),
                N_("Includes exactly what the page shows."),
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
        P.EVENTS_VIEW,
        P.HOME_VIEW,
        P.TRACING_VIEW,
        P.TRACING_EXPORT_PDF,
        P.QUEUES_FIGURES,
        P.REPORTS_SHARE,
        P.RULES_OWN,
        P.RULES_VIEW,
        P.RULES_TRACES,
        P.RULES_BACKTEST,
        P.SESSIONS_VIEW,
        P.VISITORS_INVITE,
        P.VISITORS_VIEW,
    }
)

PRESETS: tuple[Preset, ...] = (
    Preset(
        N_("Administrator"),
        N_("Everything except full contact details and typed values."),
        ALL - {P.PII_UNMASK, P.COBROWSE_VALUES},
        ("all_users", "all_queues"),
    ),
    Preset(
        N_("Agent"),
        N_("Own tracing, also as a file, and own rules only."),
        frozenset({P.EVENTS_VIEW, P.RULES_OWN, P.TRACING_EXPORT_PDF, P.TRACING_EXPORT_DATA}),
        (),
    ),
    Preset(
        N_("Auditor"),
        N_("Views the audit log and settings, no user tracing."),
        frozenset(
            {
                P.ACCESSES_VIEW,
                P.AUDIT_EXPORT,
                P.AUDIT_VERIFY,
                P.AUDIT_VIEW,
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
        N_("Content of selected queues, no export."),
        frozenset({P.EVENTS_VIEW, P.HOME_VIEW, P.TRACING_VIEW, P.QUEUES_FIGURES}),
        ("all_users",),
    ),
    Preset(
        N_("Team lead"),
        N_("Tracing and PDF export of the teams the user leads."),
        _TEAM | {P.TRACING_DEACTIVATED},
        ("led_teams", "all_queues"),
    ),
)
