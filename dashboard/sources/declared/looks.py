"""The data source of looks: a row is a look at the viewer's own data, or a file with them. Pure."""

from __future__ import annotations

from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.i18n.message import N_
from dashboard.sources.declared.audit import ACTIONS, ACTOR_NAME, ACTORS, INTERFACES, LISTS
from dashboard.sources.types import Entity, Field, Source, Type

# The page, the file or the schedule; an entry about a user names the one whose data they are.
_WHERE = "CASE WHEN e.target_type = 'user' THEN '' ELSE e.target_label END"


def _of_viewer(scope: Scope) -> str:
    """Return the condition of looks at the viewer, at a group of theirs, or at everybody since they exist;
    what one sees of oneself is no look. Looks are read in the order of time, not user by user."""
    own = scope.viewer_id
    groups = f'SELECT -m.group_id FROM "look_member" m WHERE m.user_id = {own}'
    since = f'SELECT u.created_ts * 1000 FROM "user" u WHERE u.id = {own}'
    return (
        f"(s.user_id + 0 IN (SELECT {own} UNION ALL {groups})"
        f" OR s.user_id + 0 = 0 AND s.occurred_ms >= ({since}))"
        f" AND NOT (e.actor_type = 'user' AND coalesce(e.actor_id, 0) = {own})"
    )


LOOKS = Source(
    "looks",
    """"audit_subject" s JOIN "audit_entry" e ON e.seq = s.seq
    LEFT JOIN "user" p ON e.actor_type = 'user' AND p.id = e.actor_id""",
    (
        Entity(
            "look",
            N_("Look"),
            N_("Looks"),
            "s.seq",
            (
                Field("time", N_("Time"), Type.MOMENT, "s.occurred_ms", scale=1000),
                Field("actor_type", N_("Kind of viewer"), Type.CHOICE, "e.actor_type", ACTORS),
                Field("actor", N_("Viewer"), Type.TEXT, ACTOR_NAME),
                Field("action", N_("What was seen"), Type.TEXT, "e.action", ACTIONS),
                Field("target", N_("Page, file or schedule"), Type.TEXT, _WHERE, LISTS),
                Field("start", N_("From"), Type.MOMENT, "CASE WHEN s.start_ts > 0 THEN s.start_ts END"),
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
    scoped=_of_viewer,
)
