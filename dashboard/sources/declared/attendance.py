"""The data source of attendance: a row is one user on one local day of presence, for payroll. Pure.

Days are no table: the reader that `dashboard.registry` names makes them from presence, equal to the page of
attendance and to the statistics of user tracing.
"""

from __future__ import annotations

from dashboard.access.permissions import Permission
from dashboard.i18n.message import N_
from dashboard.sources.declared.entities import team, user
from dashboard.sources.types import Entity, Field, Made, Source, Type

ATTENDANCE = Source(
    "attendance",
    "",
    (
        Entity(
            "presence",
            N_("Attendance"),
            N_("Days of presence"),
            "d.id",
            (
                Field("id", N_("Number"), Type.ID, "d.id"),
                Field("user", N_("User"), Type.USER, "d.user_id"),
                Field("first", N_("Signed in at"), Type.MOMENT, "d.first_ts"),
                Field("last", N_("Signed out at"), Type.MOMENT, "d.last_ts"),
                Field("signed_in", N_("Signed-in time"), Type.DURATION, "d.signed_in"),
                Field("ready", N_("Ready time"), Type.DURATION, "d.ready"),
                Field("paid_pause", N_("Paid pause time"), Type.DURATION, "d.paid"),
                Field("unpaid_pause", N_("Unpaid pause time"), Type.DURATION, "d.unpaid"),
                Field("worked", N_("Time without unpaid pauses"), Type.DURATION, "d.signed_in - d.unpaid"),
                Field("inferred", N_("Inferred"), Type.YES_NO, "d.inferred"),
                Field("corrections", N_("Corrections"), Type.NUMBER, "d.corrections"),
            ),
        ),
        user("user", "d.user_id"),
        team("d.user_id"),
    ),
    moment="first",
    grain=N_("One row is one user on one day."),
    permission=Permission.TRACING_VIEW,
    queues="NULL",
    own="1 = 1",
    users="d.user_id",
    made=Made(
        "d",
        {
            "id": "bigint",
            "user_id": "bigint",
            "first_ts": "bigint",
            "last_ts": "bigint",
            "signed_in": "bigint",
            "ready": "bigint",
            "paid": "bigint",
            "unpaid": "bigint",
            "inferred": "bigint",
            "corrections": "bigint",
        },
    ),
)
