"""Acts inside the dashboard itself; the audit log uses the same names. Pure."""

from __future__ import annotations

from dashboard.catalog.fields import BUTTON, IP, NAME
from dashboard.catalog.types import EventType, Field, Kind, maker
from dashboard.i18n.mark import N_

PERMISSION = Field("permission", Kind.TEXT, N_("Permission"))
FORMAT = Field("format", Kind.TEXT, N_("File format"))
ROWS = Field("rows", Kind.NUMBER, N_("Rows"))

_own = maker("dashboard", "system", own=True, needs_source=False)
_read = maker("dashboard", "system", own=True, needs_source=False, in_rules=False)

TYPES: tuple[EventType, ...] = (
    _own("auth.signed_in", N_("Signed in to the dashboard"), IP),
    _own("auth.sign_in_failed", N_("Sign-in to the dashboard failed"), IP),
    _own("auth.signed_out", N_("Signed out of the dashboard"), IP),
    _own("auth.password_changed", N_("Password changed"), IP),
    _own("access.denied", N_("Access denied"), PERMISSION),
    _own("access.created", N_("Access created"), NAME),
    _own("access.updated", N_("Access changed"), NAME),
    _own("access.deleted", N_("Access deleted"), NAME),
    _own("user.created", N_("User created"), NAME),
    _own("user.updated", N_("User changed"), NAME),
    _own("user.deactivated", N_("User deactivated"), NAME),
    _own("user.reactivated", N_("User reactivated"), NAME),
    _own("user.erased", N_("User erased")),
    _own("team.created", N_("Team created"), NAME),
    _own("team.updated", N_("Team changed"), NAME),
    _own("team.deleted", N_("Team deleted"), NAME),
    _own("queue.created", N_("Queue created"), NAME),
    _own("queue.updated", N_("Queue changed"), NAME),
    _own("queue.deactivated", N_("Queue deactivated"), NAME),
    _own("queue.reactivated", N_("Queue reactivated"), NAME),
    _read("queue.viewed", N_("Queue viewed"), NAME),
    _own("queue.exported", N_("Queue exported"), FORMAT, ROWS),
    _own("pause_type.created", N_("Pause type created"), NAME),
    _own("pause_type.updated", N_("Pause type changed"), NAME),
    _own("pause_type.deactivated", N_("Pause type deactivated"), NAME),
    _own("pause_type.reactivated", N_("Pause type reactivated"), NAME),
    _own("pause_type.deleted", N_("Pause type deleted"), NAME),
    _own("profile.created", N_("Notification profile created"), NAME),
    _own("profile.updated", N_("Notification profile changed"), NAME),
    _own("profile.deleted", N_("Notification profile deleted"), NAME),
    _own("calendar.created", N_("Calendar created"), NAME),
    _own("calendar.updated", N_("Calendar changed"), NAME),
    _own("calendar.deleted", N_("Calendar deleted"), NAME),
    _own("key.created", N_("API key created"), NAME),
    _own("key.revoked", N_("API key revoked"), NAME),
    _read("tracing.viewed", N_("User tracing viewed")),
    _read("activity.viewed", N_("Activity viewed")),
    _own("manual_event.recorded", N_("Manual event recorded"), BUTTON),
    _own("tracing.exported", N_("User tracing exported"), FORMAT, ROWS),
    _own("export.downloaded", N_("Export downloaded"), FORMAT, ROWS),
    _own("import.finished", N_("Import finished"), ROWS),
    _read("audit.viewed", N_("Audit log viewed")),
    _own("audit.exported", N_("Audit log exported"), FORMAT, ROWS),
    _own("audit.verified", N_("Audit log verified"), ROWS),
    _own("settings.updated", N_("Settings changed"), NAME),
)
