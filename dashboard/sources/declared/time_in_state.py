"""The data source of time in state: a row is a stretch in which one user was in one state. Pure.

Stretches are no table: the reader that `dashboard.registry` names makes them from presence and activities.
Those of one layer never overlap; a stretch of one layer lies over those of the others.
"""

from __future__ import annotations

from dashboard.access.permissions import Permission
from dashboard.catalog.channels import CHANNELS
from dashboard.i18n.message import N_
from dashboard.sources.declared.entities import team, user
from dashboard.sources.types import Entity, Field, Made, Ratio, Source, Type

LAYERS = {"attendance": N_("Attendance"), "state": N_("State"), "work": N_("Work")}
STATES = {
    "signed_in": N_("Signed in"),
    "signed_out": N_("Signed out"),
    "ready": N_("Ready"),
    "not_ready": N_("Not ready"),
    "pause": N_("Pause"),
    "ringing": N_("Ringing"),
    "busy": N_("Busy"),
    "free": N_("Free"),
    "busy_not_ready": N_("Busy while not ready"),
    "busy_in_pause": N_("Busy during a pause"),
    "busy_signed_out": N_("Busy while signed out"),
}
SEVERAL = "several"  # the channel of work on more than one at once


def _during(condition: str) -> str:
    return f"CASE WHEN {condition} THEN s.seconds ELSE 0 END"


TIME_IN_STATE = Source(
    "time_in_state",
    "",
    (
        Entity(
            "stretch",
            N_("Time in state"),
            N_("Stretches of time"),
            "s.id",
            (
                Field("id", N_("Number"), Type.ID, "s.id"),
                Field("user", N_("User"), Type.USER, "s.user_id"),
                Field("layer", N_("Layer"), Type.CHOICE, "s.layer", LAYERS),
                Field("state", N_("State"), Type.CHOICE, "s.state", STATES),
                Field("pause", N_("Type of pause"), Type.TEXT, "s.pause"),
                Field("paid", N_("Paid"), Type.YES_NO, "s.paid"),
                Field(
                    "channel",
                    N_("Channel"),
                    Type.TEXT,
                    "s.channel",
                    {**CHANNELS, SEVERAL: N_("Several at once")},
                ),
                Field("start", N_("Start"), Type.MOMENT, "s.start_ts"),
                Field("end", N_("End"), Type.MOMENT, "s.end_ts"),
                Field("seconds", N_("Length"), Type.DURATION, "s.seconds"),
                Field("signed_in", N_("Signed-in time"), Type.DURATION, _during("s.state = 'signed_in'")),
                Field(
                    "ready",
                    N_("Ready time"),
                    Type.DURATION,
                    _during("s.state IN ('ready', 'ringing', 'busy', 'free')"),
                ),
                Field("not_ready", N_("Not-ready time"), Type.DURATION, _during("s.state = 'not_ready'")),
                Field("paid_pause", N_("Paid pause time"), Type.DURATION, _during("s.paid = 1")),
                Field("unpaid_pause", N_("Unpaid pause time"), Type.DURATION, _during("s.paid = 0")),
                Field("ringing", N_("Ringing time"), Type.DURATION, _during("s.state = 'ringing'")),
                Field("busy", N_("Busy time"), Type.DURATION, _during("s.state = 'busy'")),
                Field("free", N_("Free time"), Type.DURATION, _during("s.state = 'free'")),
                Field("begun", "", Type.YES_NO, "s.begun", counted=N_("Stretches of time")),
            ),
            ratios=(Ratio("occupancy", N_("Occupancy"), "sum:busy", "sum:ready"),),
        ),
        user("user", "s.user_id"),
        team("s.user_id"),
    ),
    moment="start",
    grain=N_("One row is one stretch of time of a user in a state."),
    permission=Permission.TRACING_VIEW,
    queues="NULL",
    own="1 = 1",
    users="s.user_id",
    single="layer",
    counted="begun",
    made=Made(
        "s",
        {
            "id": "bigint",
            "user_id": "bigint",
            "layer": "text",
            "state": "text",
            "pause": "text",
            "paid": "bigint",
            "channel": "text",
            "start_ts": "bigint",
            "end_ts": "bigint",
            "seconds": "bigint",
            "begun": "bigint",
        },
    ),
)
