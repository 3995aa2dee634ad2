"""The data source of looks: a row is a look at the viewer's own data, or a file with them. Pure."""

from __future__ import annotations

from dashboard.access.permissions import Permission
from dashboard.i18n.message import N_
from dashboard.sources.declared.audit import ACTIONS, ACTORS, INTERFACES
from dashboard.sources.types import Entity, Field, Source, Type

LOOKS = Source(
    "looks",
    '"audit_subject" s JOIN "audit_entry" e ON e.seq = s.seq',
    (
        Entity(
            "look",
            N_("Look"),
            N_("Looks"),
            "s.seq",
            (
                Field("time", N_("Time"), Type.MOMENT, "s.occurred_ms", scale=1000),
                Field("actor_type", N_("Kind of viewer"), Type.CHOICE, "e.actor_type", ACTORS),
                Field("actor", N_("Viewer"), Type.TEXT, "e.actor_label"),
                Field("action", N_("What was seen"), Type.TEXT, "e.action", ACTIONS),
                Field("start", N_("From"), Type.MOMENT, "s.start_ts"),
                Field("end", N_("To"), Type.MOMENT, "s.end_ts"),
                Field("interface", N_("Interface"), Type.CHOICE, "e.interface", INTERFACES),
            ),
        ),
    ),
    moment="time",
    grain=N_(
        "One row is one look or file; looks of a person within 15 minutes are one, of a key within an hour."
    ),
    permission=Permission.SELF,
    scoped=lambda scope: f"s.user_id = {scope.viewer_id}",
)
