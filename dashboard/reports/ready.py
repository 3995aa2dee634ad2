"""The ready-made reports: queries that every installation has, in the reader's language.

A new one is a line here. Its key is its address and never changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dashboard.i18n.message import N_
from dashboard.sources.catalogue import (
    ACTIVITIES,
    ATTENDANCE,
    EVENTS,
    INTERACTIONS,
    INVITATIONS,
    RULE_RUNS,
    SOURCES,
    TICKETS,
    TIME_IN_STATE,
    USER_EVENTS,
    VISITS,
)
from dashboard.sources.declared.audit import LOGS
from dashboard.sources.types import Source


class ReadyReport(NamedTuple):
    """A query by name."""

    key: str
    name: str
    description: str
    source: Source
    query: Mapping[str, str | Sequence[str]]
    chart: str = ""


CALLS = {"channel": "call", "is_received": "1", "queue__blank": "0"}
REPORTS = (
    ReadyReport(
        "agent-day-sheet",
        N_("Agent day sheet"),
        N_("Everything that a user worked on in a day, in order."),
        ACTIVITIES,
        {
            "period": "yesterday",
            "columns": "start,user,channel,queue,interaction.id,contact,state,ringing,talk,hold,handling",
            "sort": "start",
        },
    ),
    ReadyReport(
        "team-overview",
        N_("Team overview"),
        N_("Activities, closed and not taken, talk and handling time of each user."),
        ACTIVITIES,
        {
            "period": "last_week",
            "compare": "previous",
            "group": "user",
            "measures": "count,sum:is_closed,sum:is_missed,not_taken_rate,"
            "sum:talk,avg:talk,sum:handling,avg:handling",
        },
        "stacked",
    ),
    ReadyReport(
        "calls-by-queue",
        N_("Calls by queue"),
        N_("Received, answered and abandoned calls of each queue by day, and how long they waited."),
        INTERACTIONS,
        {
            "period": "last_week",
            "compare": "previous",
            "group": "queue,day",
            "measures": "count,sum:is_answered,sum:is_abandoned,abandon_rate,service_level,"
            "avg:wait,max:wait,avg:talk",
            **CALLS,
        },
        "stacked",
    ),
    ReadyReport(
        "abandoned",
        N_("Abandoned contacts"),
        N_("Who gave up, in which queue and after how long."),
        INTERACTIONS,
        {
            "period": "last_week",
            "columns": "created,channel,queue,contact,wait,reason,id",
            "outcome": "abandoned",
        },
    ),
    ReadyReport(
        "response-and-handling",
        N_("First response and handling time"),
        N_("How long customers wait for the first answer and how long the work takes, by queue and user."),
        ACTIVITIES,
        {
            "period": "last_week",
            "group": "queue,user",
            "measures": "count,avg:interaction.wait,median:interaction.wait,p90:interaction.wait,"
            "avg:handling,median:handling,avg:interaction.talk",
        },
    ),
    ReadyReport(
        "accepted-rejected-ignored",
        N_("Accepted, rejected and ignored by queue"),
        N_("How many interactions each user accepted, rejected and ignored in each queue."),
        USER_EVENTS,
        {
            "period": "last_week",
            "group": "interaction.queue,user,kind",
            "measures": "count:interaction,count",
            "kind": ["accepted", "rejected", "ignored"],
        },
    ),
    ReadyReport(
        "rejections",
        N_("Rejections and ignored offers"),
        N_("Offers that a user accepted, rejected, ignored or missed, and the average talk time."),
        USER_EVENTS,
        {
            "period": "last_week",
            "compare": "previous",
            "group": "user",
            "measures": "sum:is_offered,sum:is_accepted,sum:is_rejected,sum:is_ignored,sum:is_missed,"
            "avg:interaction.talk",
        },
        "stacked",
    ),
    ReadyReport(
        "transfers",
        N_("Transfers"),
        N_("Who transferred interactions, from which queue."),
        USER_EVENTS,
        {
            "period": "last_week",
            "compare": "previous",
            "group": "interaction.queue,user",
            "measures": "count,count:interaction,avg:interaction.wait,avg:interaction.talk",
            "kind": "transferred",
        },
    ),
    ReadyReport(
        "talk-by-user",
        N_("Average talk time by user"),
        N_("Talk time of the interactions that each user accepted; each counts once."),
        USER_EVENTS,
        {
            "period": "last_week",
            "compare": "previous",
            "group": "user",
            "measures": "count:interaction,avg:interaction.talk,median:interaction.talk,sum:interaction.talk",
            "kind": "accepted",
        },
        "bar",
    ),
    ReadyReport(
        "load-by-hour",
        N_("Load by hour of the week"),
        N_("How many contacts come in each hour of the week: for planning of shifts."),
        INTERACTIONS,
        {
            "period": "last_30_days",
            "group": "hour_of_week",
            "measures": "count,sum:is_answered,sum:is_abandoned,avg:wait",
            "is_received": "1",
        },
        "heat",
    ),
    ReadyReport(
        "events-of-interaction",
        N_("User events of an interaction"),
        N_("What happened to an interaction: which user did what, when and how often."),
        USER_EVENTS,
        {
            "period": "last_7_days",
            "columns": "time,interaction.id,kind,user,interaction.queue,interaction.talk",
            "sort": "time",
        },
    ),
    ReadyReport(
        "pauses",
        N_("Pauses"),
        N_("How often and how long each user paused, by type of pause, paid and unpaid."),
        TIME_IN_STATE,
        {
            "period": "last_week",
            "compare": "previous",
            "group": "user,pause",
            "measures": "count,sum:seconds,avg:seconds,max:seconds,sum:paid_pause,sum:unpaid_pause",
            "layer": "state",
            "state": "pause",
        },
    ),
    ReadyReport(
        "sign-in-times",
        N_("Sign-in times for payroll"),
        N_("A row a person and day: signed in and out, ready, pauses paid and unpaid, corrections."),
        ATTENDANCE,
        {
            "period": "last_month",
            "columns": "user,first,last,signed_in,ready,paid_pause,unpaid_pause,worked,inferred,corrections",
            "sort": "first",
        },
    ),
    ReadyReport(
        "hours-for-payroll",
        N_("Hours for payroll"),
        N_("Signed-in time, ready time and pauses of each person by day, with totals."),
        ATTENDANCE,
        {
            "period": "last_month",
            "group": "user,day",
            "measures": "sum:signed_in,sum:ready,sum:paid_pause,sum:unpaid_pause,sum:worked,sum:corrections",
        },
    ),
    ReadyReport(
        "tickets-by-user",
        N_("Tickets edited and closed"),
        N_("How many tickets each user edited, closed and reopened."),
        USER_EVENTS,
        {
            "period": "last_week",
            "compare": "previous",
            "group": "user",
            "measures": "count:interaction,sum:is_updated,sum:is_closed,sum:is_reopened",
            "type": ["ticket.updated", "ticket.closed", "ticket.reopened"],
        },
        "bar",
    ),
    ReadyReport(
        "tickets",
        N_("Tickets by queue"),
        N_("Created and closed tickets of each queue, edits, first response and how long they were open."),
        TICKETS,
        {
            "period": "last_month",
            "compare": "previous",
            "group": "queue",
            "measures": "count,sum:is_closed,sum:edits,sum:reopened,avg:first_response,avg:open,avg:handling",
        },
        "stacked",
    ),
    ReadyReport(
        "visits",
        N_("Visits of web sites"),
        N_("Visits by web site and day: pages, time on the site, and how many were invited and said yes."),
        VISITS,
        {
            "period": "last_week",
            "compare": "previous",
            "group": "site,day",
            "measures": "count,avg:pages,avg:duration,sum:is_invited,accept_rate",
        },
        "stacked",
    ),
    ReadyReport(
        "invitations",
        N_("Invitations and answers"),
        N_("Invitations to a chat by rules and by hand, and what visitors answered."),
        INVITATIONS,
        {
            "period": "last_week",
            "compare": "previous",
            "group": "how",
            "measures": "count,sum:is_shown,sum:is_accepted,sum:is_rejected,accept_rate,avg:wait",
        },
    ),
    ReadyReport(
        "rule-runs",
        N_("Runs of rules"),
        N_("How often each rule was evaluated and triggered, and what became of its actions."),
        RULE_RUNS,
        {
            "period": "last_week",
            "compare": "previous",
            "group": "of_rule.name",
            "measures": "count,sum:acted,sum:done,sum:failed,sum:held,avg:late,max:late",
        },
        "stacked",
    ),
)
BY_KEY = {each.key: each for each in REPORTS}


def sources() -> dict[str, Source]:
    """Return the data sources of reports and of views of lists by name."""
    return {**SOURCES, **{each.name: each for each in (EVENTS, *LOGS)}}


READERS = tuple(sorted({each.permission for each in SOURCES.values()}))  # one of them opens a report
