"""The data sources of the audit log: its entries, looks at people's data, bulk acts; and what sources report
of the kinds that contact centres audit. Pure."""

from __future__ import annotations

from dataclasses import replace

from dashboard import catalog
from dashboard.access.permissions import Permission
from dashboard.i18n.message import N_
from dashboard.sources.declared.events import EVENTS
from dashboard.sources.types import Entity, Field, Source, Type

# What an entry and an event of a source are called where contact centres keep an audit.
KINDS = {
    "START_CALL": N_("Call started (START_CALL)"),
    "MESSENGER_SEND": N_("Message sent (MESSENGER_SEND)"),
    "LIVE_VIEW": N_("Live view joined (LIVE_VIEW)"),
    "LOGGED_IN": N_("Signed in (LOGGED_IN)"),
    "ONLINE_STATUS_ONLINE": N_("Went online (ONLINE_STATUS_ONLINE)"),
    "ONLINE_STATUS_OFFLINE": N_("Went offline (ONLINE_STATUS_OFFLINE)"),
    "STATUS_CHANGE": N_("Chat status changed (STATUS_CHANGE)"),
    "ROLE_CHANGE": N_("User's role changed (ROLE_CHANGE)"),
    "PERMISSION_CHANGE": N_("Permissions of a role changed (PERMISSION_CHANGE)"),
    "PLUGIN_CHANGE": N_("Channel or source changed (PLUGIN_CHANGE)"),
    "SETTINGS_CHANGE": N_("Settings changed (SETTINGS_CHANGE)"),
    "MEETING_CHANGE": N_("Meeting changed (MEETING_CHANGE)"),
    "CONFERENCE_AGENT": N_("Agent joined a meeting (CONFERENCE_AGENT)"),
    "CONFERENCE_RECORDING": N_("Recording started (CONFERENCE_RECORDING)"),
}
# Event types of sources → kind.
REPORTED = {
    "call.started": "START_CALL",
    "chat.message_sent": "MESSENGER_SEND",
    "cobrowse.joined": "LIVE_VIEW",
    "agent.signed_in": "LOGGED_IN",
    "agent.ready": "ONLINE_STATUS_ONLINE",
    "agent.not_ready": "ONLINE_STATUS_OFFLINE",
    "chat.status_changed": "STATUS_CHANGE",
    "user.role_changed": "ROLE_CHANGE",
    "role.permissions_changed": "PERMISSION_CHANGE",
    "system.plugin_changed": "PLUGIN_CHANGE",
    "system.settings_changed": "SETTINGS_CHANGE",
    "meeting.changed": "MEETING_CHANGE",
    "meeting.joined": "CONFERENCE_AGENT",
    "meeting.recording_started": "CONFERENCE_RECORDING",
}
SETTINGS = ("user", "team", "queue", "pause_type", "calendar", "key", "profile", "settings")
OWN_KINDS = ("LOGGED_IN", "ROLE_CHANGE", "PERMISSION_CHANGE", "PLUGIN_CHANGE", "SETTINGS_CHANGE")
_CHANGED = "e.crud IN ('c', 'u', 'd') AND e.outcome = 'success'"
_OBJECT = "e.action LIKE '{}.%'"
_KIND = f"""CASE WHEN e.action = 'auth.signed_in' THEN 'LOGGED_IN'
    WHEN NOT ({_CHANGED}) THEN NULL
    WHEN e.target_type = 'user' AND e.changes LIKE '%"access": [%' THEN 'ROLE_CHANGE'
    WHEN {_OBJECT.format("access")} THEN 'PERMISSION_CHANGE'
    WHEN {_OBJECT.format("channel")} OR e.target_type = 'source' THEN 'PLUGIN_CHANGE'
    WHEN {" OR ".join(map(_OBJECT.format, SETTINGS))} THEN 'SETTINGS_CHANGE' END"""

ACTOR_NAME = "coalesce(p.name || ' (' || e.actor_label || ')', e.actor_label)"
_ACTOR = f"""{ACTOR_NAME}
    || CASE WHEN e.actor_id IS NULL THEN '' ELSE ' #' || e.actor_id END"""

_TARGET = """CASE WHEN e.target_type = 'user' AND e.target_id <> ''
    THEN e.target_label || ' #' || e.target_id ELSE e.target_label END"""

AREAS = {
    "sign_in": N_("Signing in"),
    "denied": N_("Denied"),
    "export": N_("Exporting"),
    "view": N_("Viewing"),
    "change": N_("Changing"),
    "delete": N_("Deleting"),
}
_EXPORT = "e.action LIKE '%exported' OR e.action = 'export.downloaded'"
_AREA = f"""CASE WHEN e.action LIKE 'auth.%' THEN 'sign_in' WHEN e.outcome = 'denied' THEN 'denied'
    WHEN {_EXPORT} THEN 'export' WHEN e.crud = 'r' THEN 'view'
    WHEN e.crud = 'd' THEN 'delete' ELSE 'change' END"""

ACTIONS = {each.name: each.label for each in catalog.CATALOG.values() if each.internal} | {
    "import.run": catalog.CATALOG["import.finished"].label,
    "import.undone": N_("Import undone"),
    "audit.redacted": N_("Texts of an erased user removed from entries"),
    "audit.chain_started": N_("Chain of the audit log started"),
    "audit.verification_started": N_("Verification of the audit log started"),
    "list.viewed": N_("List viewed"),
    "source.deleted": N_("Source deleted"),
    "retention.run": N_("Expired data deleted"),
}
ACTORS = {
    "user": N_("User"),
    "key": N_("API key"),
    "cli": N_("Command line"),
    "system": N_("System"),
    "anonymous": N_("Not signed in"),
    "kiosk": N_("Wall screen"),
}
# Actors that are nobody: texts of entries → their labels.
MACHINES = {
    "": N_("Not signed in"),
    "audit": N_("Audit log"),
    "command line": N_("Command line"),
    "deliveries": N_("Deliveries"),
    "erasure": N_("Erasure"),
    "nightly deletion": N_("Nightly deletion"),
    "nightly verification": N_("Nightly verification"),
    "password request": N_("Request for a new password"),
    "rules": N_("Rules"),
    "setup": N_("Setup"),
    "sign-in": N_("Sign-in provider"),
}
TARGETS = {
    "user": N_("User"),
    "access": N_("Role"),
    "team": N_("Team"),
    "queue": N_("Queue"),
    "pause_type": N_("Pause type"),
    "calendar": N_("Calendar"),
    "key": N_("API key"),
    "channel": N_("Channel"),
    "source": N_("Source"),
    "settings": N_("Settings"),
    "rule": N_("Rule"),
    "rule_group": N_("Rule group"),
    "rules": N_("Rules"),
    "run": N_("Rule run"),
    "delivery": N_("Delivery"),
    "profile": N_("Profile"),
    "report": N_("Report"),
    "view": N_("View of a list"),
    "schedule": N_("Schedule"),
    "dashboard": N_("Dashboard"),
    "interaction": N_("Interaction"),
    "event": N_("Event"),
    "visit": N_("Visit"),
    "cobrowsing": N_("Co-browsing session"),
    "export": N_("File"),
    "page": N_("Page"),
    "audit": N_("Audit log"),
    "batch": N_("Rows"),
    "list": N_("List"),
    "figures": N_("Figures"),
    "policy": N_("Monitoring policy"),
    "contact": N_("Contact"),
    "file": N_("File"),
    "connector": N_("Connector"),
    "site": N_("Web site"),
    "import": N_("Import of a file"),
}
LISTS = {  # names of sources that entries keep
    "activities": N_("Activities"),
    "attendance": N_("Attendance"),
    "audit_activity": N_("Audit log: activity"),
    "cobrowsing": N_("Co-browsing actions"),
    "cobrowsing_sessions": N_("Co-browsing sessions"),
    "events": N_("Events"),
    "interactions": N_("Interactions"),
    "time_in_state": N_("Time in state"),
    "user_events": N_("User events"),
    "users": N_("Users"),
    "visits": N_("Visits"),
}
OUTCOMES = {"success": N_("Done"), "failure": N_("Failed"), "denied": N_("Denied")}
INTERFACES = {"web": N_("Browser"), "api": "API", "cli": N_("Command line"), "job": N_("Background")}

# Texts are joined with nothing so that no index is chosen by which the rows of a period would be sorted.
AUDIT = Source(
    "audit",
    """"audit_entry" e LEFT JOIN "user" p ON p.id = e.actor_id AND e.actor_type = 'user'""",
    (
        Entity(
            "entry",
            N_("Audit entry"),
            N_("Audit entries"),
            "e.id",
            (
                Field("time", N_("Time"), Type.MOMENT, "e.occurred_ms", scale=1000),
                Field("seq", N_("Entry"), Type.ID, "(e.seq + 0)"),
                Field(
                    "actor",
                    N_("Actor"),
                    Type.TEXT,
                    _ACTOR,
                    MACHINES,
                ),
                Field("actor_type", N_("Kind of actor"), Type.CHOICE, "e.actor_type", ACTORS),
                Field("user", N_("User"), Type.USER, "CASE WHEN e.actor_type = 'user' THEN e.actor_id END"),
                Field("action", N_("Action"), Type.TEXT, "e.action", ACTIONS),
                Field("area", N_("Area"), Type.CHOICE, _AREA, AREAS),
                Field("kind", N_("Kind"), Type.CHOICE, _KIND, KINDS),
                Field("target_type", N_("Kind of target"), Type.TEXT, "(e.target_type || '')", TARGETS),
                Field("target", N_("Acted on"), Type.TEXT, _TARGET, LISTS),
                Field("target_id", N_("ID of the target"), Type.TEXT, "(e.target_id || '')"),
                Field("outcome", N_("Outcome"), Type.CHOICE, "e.outcome", OUTCOMES),
                Field("interface", N_("Interface"), Type.CHOICE, "e.interface", INTERFACES),
                Field("ip", N_("IP address"), Type.TEXT, "e.ip"),
                Field("browser", N_("Browser"), Type.TEXT, "e.user_agent"),
                Field("request", N_("Request"), Type.TEXT, "(e.request_id || '')"),
                Field("changes", N_("Changes"), Type.TEXT, "e.changes"),
                Field("details", N_("Details"), Type.TEXT, "e.details"),
                Field("hash", N_("Hash"), Type.TEXT, "e.hash"),
            ),
        ),
    ),
    moment="time",
    grain=N_("One row is one entry of the audit log."),
    permission=Permission.AUDIT_VIEW,
    searched=("e.target_label", "e.actor_label", "e.ip"),
    unlimited=True,
)
ACCESS_LOG = replace(
    AUDIT,
    name="access_log",
    grain=N_(
        "One row is one look or file; looks of a person within 15 minutes are one, of a key within an hour."
    ),
    where=f"e.crud = 'r' AND (e.action LIKE '%.viewed' OR e.action = 'query.run' OR {_EXPORT})",
)
BATCHES = replace(
    AUDIT,
    name="audit_batches",
    grain=N_("One row is one act on several rows at once; its page lists them."),
    where="e.action = 'batch.run'",
    entities=(
        replace(
            AUDIT.entities[0],
            fields=(
                *AUDIT.entities[0].fields,
                Field("act", N_("Bulk action"), Type.TEXT, "(e.target_label || '')", ACTIONS),
                Field("rows", N_("Rows"), Type.TEXT, "(e.target_id || '')"),
            ),
        ),
    ),
)

_WHEN = " ".join(f"WHEN e.type = '{name}' THEN '{kind}'" for name, kind in REPORTED.items())
_TYPES = ", ".join(f"'{name}'" for name in REPORTED)
ACTIVITY = replace(
    EVENTS,
    name="audit_activity",
    entities=(
        Entity(
            "event",
            N_("Event"),
            N_("Events"),
            "e.id",
            (
                Field("time", N_("Time"), Type.MOMENT, "e.time_ms", scale=1000),
                Field(
                    "kind",
                    N_("Kind"),
                    Type.CHOICE,
                    f"CASE {_WHEN} END",
                    KINDS,
                ),
                Field("user", N_("User"), Type.USER, "e.user_id"),
                Field("user_id", N_("User ID"), Type.ID, "(e.user_id + 0)"),
                Field("interaction", N_("Interaction"), Type.TEXT, "(e.interaction || '')"),
                Field("contact", N_("Contact"), Type.CONTACT, "i.contact_id"),
                Field("session", N_("Session"), Type.TEXT, "(e.session || '')"),
                Field("source", N_("Source"), Type.SOURCE, "+e.source_id"),
                Field("id", N_("Number"), Type.ID, "e.id"),
            ),
        ),
    ),
    grain=N_("One row is one event that a source reported."),
    permission=Permission.AUDIT_VIEW,
    # The expression keeps SQLite from the index of types, which would sort all rows of a period.
    where=f"e.type || '' IN ({_TYPES})",
)
LOGS = (AUDIT, ACCESS_LOG, BATCHES, ACTIVITY)
