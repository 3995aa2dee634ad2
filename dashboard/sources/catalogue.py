"""The data sources by name; each is declared in a module of its own.

A new field is one line there; parameters, results, the API and its description follow from it.
"""

from __future__ import annotations

from dashboard.sources.declared.activities import ACTIVITIES, INTERACTIONS
from dashboard.sources.declared.attendance import ATTENDANCE
from dashboard.sources.declared.cobrowsing import COBROWSING, SESSIONS
from dashboard.sources.declared.deliveries import DELIVERIES
from dashboard.sources.declared.events import EVENTS
from dashboard.sources.declared.queue_waits import QUEUE_WAITS
from dashboard.sources.declared.rule_runs import RULE_RUNS
from dashboard.sources.declared.tickets import TICKETS
from dashboard.sources.declared.time_in_state import TIME_IN_STATE
from dashboard.sources.declared.user_events import USER_EVENTS
from dashboard.sources.declared.users import USERS
from dashboard.sources.declared.visits import INVITATIONS, VISITS

__all__ = (
    "ACTIVITIES",
    "ATTENDANCE",
    "COBROWSING",
    "DELIVERIES",
    "EVENTS",
    "INTERACTIONS",
    "INVITATIONS",
    "QUEUE_WAITS",
    "RULE_RUNS",
    "SESSIONS",
    "SOURCES",
    "TICKETS",
    "TIME_IN_STATE",
    "USERS",
    "USER_EVENTS",
    "VISITS",
)

# Those of the query API; events are read there in the order of arrival, at an address of their own.
SOURCES = {
    each.name: each
    for each in (
        USER_EVENTS,
        INTERACTIONS,
        ACTIVITIES,
        TIME_IN_STATE,
        ATTENDANCE,
        QUEUE_WAITS,
        TICKETS,
        COBROWSING,
        SESSIONS,
        RULE_RUNS,
        DELIVERIES,
        USERS,
        VISITS,
        INVITATIONS,
    )
}
