"""The running of the dashboard itself: starts, stops, disk, backlog, backups, upgrades. Pure."""

from __future__ import annotations

from dashboard.catalog.fields import BUTTON, ERROR, IP, NAME, ROLE
from dashboard.catalog.types import EventType, Field, Kind, Origin, maker
from dashboard.i18n.message import N_

VERSION = Field("version", Kind.TEXT, N_("Version"))
DISK = Field("disk_free_mb", Kind.NUMBER, N_("Free disk space in MB"))
PREVIOUS = Field("previous", Kind.TEXT, N_("Previous version"))
DISK_FOLDER = Field("folder", Kind.TEXT, N_("Folder"))
FILE = Field("file", Kind.TEXT, N_("File"))
SIZE = Field("size", Kind.NUMBER, N_("Size in bytes"))
AGE = Field("age_s", Kind.SECONDS, N_("Age of the last backup"))
BACKLOG = Field("backlog", Kind.NUMBER, N_("Waiting jobs"))

_own = maker("system", "system", internal=True, needs_source=False)
_counter = maker("system", "system", internal=True, needs_source=False, origin=Origin.COUNTER)

TYPES: tuple[EventType, ...] = (
    _own("system.started", N_("Stopa started"), VERSION),
    _own("system.stopped", N_("Stopa stopped"), VERSION),
    _counter("system.disk_low", N_("Disk space low"), DISK, DISK_FOLDER),
    _counter("system.backlog_high", N_("Too many jobs waiting"), BACKLOG),
    _own("system.backup_failed", N_("Backup failed"), ERROR),
    _own("backup.made", N_("Backup made"), FILE, SIZE),
    _counter("backup.missing", N_("Backup missing"), FILE, AGE),
    _own("system.upgraded", N_("Stopa upgraded"), VERSION, PREVIOUS),
    _own("system.upgrade_available", N_("Upgrade available"), VERSION),
)


SETTING = Field("setting", Kind.TEXT, N_("Setting"))

SILENT = Field("silent_s", Kind.SECONDS, N_("Time without events"))
LAG = Field("lag_s", Kind.SECONDS, N_("Age of the oldest unprocessed event"))

_source = maker("sources", "system")
_source_counter = maker("sources", "system", internal=True, needs_source=False, origin=Origin.COUNTER)

SOURCE_TYPES: tuple[EventType, ...] = (
    _source_counter("source.silent", N_("Source silent"), NAME, SILENT),
    _source_counter("source.resumed", N_("Source sends events again"), NAME, SILENT),
    _source_counter("source.backlog", N_("Events processed late"), NAME, LAG),
    _source("source.restarted", N_("Source restarted")),
    _source("source.reloaded", N_("Source configuration reloaded")),
    _source("user.role_changed", N_("User's role changed in the source"), NAME, ROLE),
    _source("user.two_factor_changed", N_("User's two-factor sign-in changed in the source"), NAME),
    _source("role.permissions_changed", N_("Role's permissions changed in the source"), NAME, ROLE),
    _source("system.settings_changed", N_("Settings changed in the source"), SETTING),
    _source("system.plugin_changed", N_("Plugin changed in the source"), NAME),
)


RULE = (
    Field("rule", Kind.TEXT, N_("Rule")),
    Field("run_outcome", Kind.TEXT, N_("Outcome of the run")),
    ERROR,
)
ROWS = Field("rows", Kind.NUMBER, N_("Rows"))
CHANNEL = (NAME, ERROR)

_rule = maker("rules", "system", internal=True, needs_source=False)
_rule_read = maker("rules", "system", internal=True, needs_source=False, in_rules=False)
_rule_counter = maker("rules", "system", internal=True, needs_source=False, origin=Origin.COUNTER)
_rule_timer = maker("rules", "personal", internal=True, needs_source=False, origin=Origin.TIMER)
_channel = maker("rules", "system", internal=True, needs_source=False, origin=Origin.TRANSPORT)

RULE_TYPES: tuple[EventType, ...] = (
    _rule("rule.created", N_("Rule created"), *RULE),
    _rule("rule.updated", N_("Rule changed"), *RULE),
    _rule("rule.deleted", N_("Rule deleted"), *RULE),
    _rule("rule.tested", N_("Rule tested"), *RULE),
    _rule("rule.backtested", N_("Rule backtested"), *RULE),
    _rule("rule.runs_exported", N_("Rule runs exported"), *RULE),
    _rule_read("run.viewed", N_("Rule run viewed"), *RULE),
    _rule("rule.switched", N_("Rule state changed"), *RULE),
    _rule("rule.handed_over", N_("Rule transferred to another owner"), *RULE),
    _rule("rule.exported", N_("Rules exported"), ROWS),
    _rule("rule_group.created", N_("Rule group created"), NAME),
    _rule("rule_group.updated", N_("Rule group changed"), NAME),
    _rule("rule_group.deleted", N_("Rule group deleted"), NAME),
    _rule("rules.stopped", N_("All rules stopped")),
    _rule("rules.resumed", N_("All rules resumed")),
    _rule("rule.muted", N_("Rule muted by a user"), *RULE),
    _rule("rule.unmuted", N_("Rule unmuted by a user"), *RULE),
    _rule("rule.logged", N_("Rule wrote to the audit log"), *RULE),
    _rule("rule.run_failed", N_("Rule run failed"), *RULE),
    _rule_counter("rule.auto_paused", N_("Rule paused automatically"), *RULE),
    _rule_counter("rule.limit_hit", N_("Rule's rate limit reached"), *RULE),
    _rule_timer("schedule.reached", N_("Scheduled time reached"), NAME),
    _rule("channel.created", N_("Notification channel added"), NAME),
    _rule("channel.updated", N_("Notification channel changed"), NAME),
    _rule("channel.deleted", N_("Notification channel deleted"), NAME),
    _rule("channel.enabled", N_("Notification channel turned on"), NAME),
    _rule("channel.tested", N_("Notification channel tested"), *CHANNEL),
    _rule("delivery.replayed", N_("Deliveries sent again")),
    _rule("delivery.cancelled", N_("Deliveries cancelled")),
    _channel("channel.delivery_failed", N_("Notification channel: delivery failed"), *CHANNEL),
    _channel("channel.disabled", N_("Notification channel turned off"), *CHANNEL),
)


# What Stopa finds out itself, of any group: shown together where types are switched.
FOUND_BY_STOPA = frozenset(
    {
        *(type_.name for type_ in TYPES),
        "source.silent",
        "source.resumed",
        "source.backlog",
        "contact.created",
        "contact.updated",
        "mail_out.connection_failed",
        "mail_out.delivery_failed",
        "mail_out.delivery_abandoned",
        "mail_out.recovered",
        "channel.delivery_failed",
        "channel.disabled",
        "rule.run_failed",
        "rule.auto_paused",
        "rule.limit_hit",
        "auth.sign_in_failed",
        "auth.sign_in_limit_reached",
        "audit.verified",
        "audit.broken",
    }
)

LIMIT = Field("limit", Kind.TEXT, N_("Limit"))
PERMISSION = Field("permission", Kind.TEXT, N_("Permission"))
ENTRY = Field("entry", Kind.NUMBER, N_("Audit entry"))
HASH = Field("hash", Kind.TEXT, N_("Hash"))
FAULT = Field("fault", Kind.TEXT, N_("What is wrong"))
FORMAT = Field("format", Kind.TEXT, N_("File format"))

_act = maker("dashboard", "system", internal=True, needs_source=False)
_act_counter = maker("dashboard", "system", internal=True, needs_source=False, origin=Origin.COUNTER)
_act_read = maker("dashboard", "system", internal=True, needs_source=False, in_rules=False)

DASHBOARD_TYPES: tuple[EventType, ...] = (
    _act("auth.signed_in", N_("Signed in to Stopa"), IP),
    _act("auth.sign_in_failed", N_("Sign-in to Stopa failed"), IP),
    _act_counter("auth.sign_in_limit_reached", N_("Too many failed sign-ins to Stopa"), IP, LIMIT),
    _act("auth.signed_out", N_("Signed out of Stopa"), IP),
    _act("auth.password_changed", N_("Password changed"), IP),
    _act("auth.password_requested", N_("New password requested"), IP),
    _act("auth.sessions_ended", N_("Signed out everywhere"), IP),
    _act("auth.two_factor_on", N_("Two-factor sign-in turned on"), IP),
    _act("auth.two_factor_off", N_("Two-factor sign-in turned off"), IP),
    _act("auth.two_factor_reset", N_("Two-factor sign-in reset"), IP),
    _act("auth.recovery_codes_made", N_("New recovery codes made"), IP),
    _act("access.denied", N_("Access denied"), PERMISSION),
    _act("access.created", N_("Role created"), NAME),
    _act("access.updated", N_("Role changed"), NAME),
    _act("access.deleted", N_("Role deleted"), NAME),
    _act("user.created", N_("User created"), NAME),
    _act("user.updated", N_("User changed"), NAME),
    _act("user.invited", N_("User invited"), NAME),
    _act("user.invitation_withdrawn", N_("Invitation withdrawn"), NAME),
    _act("user.deactivated", N_("User deactivated"), NAME),
    _act("user.reactivated", N_("User reactivated"), NAME),
    _act("session.corrected", N_("Signed-in time or pause corrected")),
    _act("user.unlocked", N_("User unlocked"), NAME),
    _act("user.erased", N_("User erased")),
    _act("contact.erased", N_("Contact erased")),
    _act("policy.created", N_("Monitoring policy published")),
    _act("policy.deleted", N_("Monitoring policy deleted")),
    _act("policy.acknowledged", N_("Monitoring policy read")),
    _act("team.created", N_("Team created"), NAME),
    _act("team.updated", N_("Team changed"), NAME),
    _act("team.deleted", N_("Team deleted"), NAME),
    _act("queue.created", N_("Queue created"), NAME),
    _act("queue.updated", N_("Queue changed"), NAME),
    _act("queue.deactivated", N_("Queue deactivated"), NAME),
    _act("queue.reactivated", N_("Queue reactivated"), NAME),
    _act_read("queue.viewed", N_("Queue viewed"), NAME),
    _act("queue.exported", N_("Queue exported"), FORMAT, ROWS),
    _act("pause_type.created", N_("Pause type created"), NAME),
    _act("pause_type.updated", N_("Pause type changed"), NAME),
    _act("pause_type.deactivated", N_("Pause type deactivated"), NAME),
    _act("pause_type.reactivated", N_("Pause type reactivated"), NAME),
    _act("pause_type.deleted", N_("Pause type deleted"), NAME),
    _act("profile.created", N_("Notification profile created"), NAME),
    _act("profile.updated", N_("Notification profile changed"), NAME),
    _act("profile.deleted", N_("Notification profile deleted"), NAME),
    _act("calendar.created", N_("Calendar created"), NAME),
    _act("calendar.updated", N_("Calendar changed"), NAME),
    _act("calendar.deleted", N_("Calendar deleted"), NAME),
    _act("config.exported", N_("Configuration exported"), ROWS),
    _act("config.imported", N_("Configuration imported")),
    _act("key.created", N_("API key created"), NAME),
    _act("key.revoked", N_("API key revoked"), NAME),
    _act("connector.created", N_("Connector added"), NAME),
    _act("connector.updated", N_("Connector changed"), NAME),
    _act("connector.deleted", N_("Connector deleted"), NAME),
    _act("site.created", N_("Web site added"), NAME),
    _act("site.updated", N_("Web site changed"), NAME),
    _act("site.deleted", N_("Web site deleted"), NAME),
    _act("manager.created", N_("Asterisk manager added"), NAME),
    _act("manager.updated", N_("Asterisk manager changed"), NAME),
    _act("manager.deleted", N_("Asterisk manager deleted"), NAME),
    _act_read("tracing.viewed", N_("User tracing viewed")),
    _act_read("activity.viewed", N_("Activity viewed")),
    _act_read("interaction.viewed", N_("Interaction viewed")),
    _act_read("event.viewed", N_("Event viewed")),
    _act_read("visit.viewed", N_("Visit viewed")),
    _act_read("cobrowsing.viewed", N_("Co-browsing session viewed")),
    _act_read("cobrowsing.unmasked", N_("Typed values of a co-browsing session viewed")),
    _act_read("team.viewed", N_("Team day viewed")),
    _act_read("comparison.viewed", N_("Comparison of users viewed")),
    _act_read("figures.viewed", N_("Figures of users viewed")),
    _act_read("attendance.viewed", N_("Attendance viewed")),
    _act_read("query.run", N_("Query run")),
    _act("report.exported", N_("List or figures exported"), FORMAT, ROWS),
    _act_read("report.viewed", N_("Report viewed"), NAME),
    _act("report.created", N_("Report saved"), NAME),
    _act("report.updated", N_("Report changed"), NAME),
    _act("report.deleted", N_("Report deleted"), NAME),
    _act("view.created", N_("View of a list saved"), NAME),
    _act("view.updated", N_("View of a list changed"), NAME),
    _act("view.deleted", N_("View of a list deleted"), NAME),
    _act("schedule.created", N_("Schedule created"), NAME),
    _act("schedule.updated", N_("Schedule changed"), NAME),
    _act("schedule.deleted", N_("Schedule deleted"), NAME),
    _act("dashboard.created", N_("Dashboard created"), NAME),
    _act("dashboard.updated", N_("Dashboard changed"), NAME),
    _act("dashboard.deleted", N_("Dashboard deleted"), NAME),
    _act("dashboard.kiosk_made", N_("Key of wall screens made"), NAME),
    _act("dashboard.kiosk_withdrawn", N_("Key of wall screens withdrawn"), NAME),
    _act_read("dashboard.viewed", N_("Dashboard viewed"), NAME),
    _act("visitor.invited", N_("Visitor invited by hand")),
    _act("manual_event.recorded", N_("Manual event recorded"), BUTTON),
    _act("tracing.exported", N_("User tracing exported"), FORMAT, ROWS),
    _act("export.downloaded", N_("Export downloaded"), FORMAT, ROWS),
    _act("import.finished", N_("Import finished"), ROWS),
    _act("import.undone", N_("Import undone"), NAME),
    _act("source.deleted", N_("Source deleted"), NAME),
    _act_read("audit.viewed", N_("Audit log viewed")),
    _act("audit.exported", N_("Audit log exported"), FORMAT, ROWS),
    _act("audit.verified", N_("Audit log verified"), ENTRY, HASH),
    _act("retention.run", N_("Expired data deleted")),
    _act("audit.purged", N_("Audit log: oldest entries deleted"), ROWS),
    _act("batch.run", N_("Bulk action"), ROWS),
    _act("audit.broken", N_("Audit log was tampered with"), ENTRY, FAULT),
    _act("system.backed_up", N_("Backup made")),
    _act("mail.tested", N_("Test message sent")),
    _act("system.copied", N_("Database copied")),
    _act("system.restored", N_("Backup restored")),
    _act("system.rebuilt", N_("Activities rebuilt from the events")),
    _act("settings.updated", N_("Settings changed"), NAME),
)
