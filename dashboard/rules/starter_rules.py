"""The rules of the starter set, as JSON of `rulelang.schema`; names and texts are marked for translation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from dashboard.i18n.message import N_

LEADS: Mapping[str, Any] = {"roles": ["leads"]}
ADMINS: Mapping[str, Any] = {"roles": ["admins"]}
QUARTER_S, HOUR_S, DAY_S = 900, 3600, 86400


class Starter(NamedTuple):
    """A rule of the set; `definition` is its JSON form, `key` the one of the recipe that makes such rules."""

    name: str
    description: str
    definition: dict[str, Any]
    key: str = ""


def _notice(to: Mapping[str, Any], title: str, text: str, **more: Any) -> dict[str, Any]:
    return {"do": "notify", "to": dict(to), "title": title, "text": text, **more}


def _at_most(seconds: int, by: str = "subject") -> dict[str, Any]:
    return {"often": "period", "by": by, "seconds": seconds}


_EPISODE = {"often": "episode", "by": "subject"}
STARTERS: tuple[Starter, ...] = (
    Starter(
        N_("Chat unanswered for two minutes"),
        N_("A chat is waiting and no agent has accepted it."),
        {
            "types": ["chat.waiting"],
            "after": {"seconds": 120},
            "then": [
                _notice(
                    {"roles": ["leads", "admins"]},
                    N_("Chat waiting for two minutes"),
                    N_("Queue: {{ queue.name }}. Waiting for {{ chat.wait_s }}."),
                    urgent=True,
                    limit=_at_most(QUARTER_S, "rule"),
                )
            ],
        },
        "chat",
    ),
    Starter(
        N_("Call abandoned after a long wait"),
        N_("A caller hangs up after waiting over a minute."),
        {
            "types": ["call.abandoned"],
            "if": {"all": [{"field": "data.wait_s", "op": "gt", "value": 60}]},
            "then": [
                {"do": "tag", "tags": ["call-back"]},
                _notice(
                    ADMINS,
                    N_("Caller hung up while waiting"),
                    N_("{{ contact.phone }} waited {{ call.wait_s }} in {{ queue.name }}."),
                    limit=_at_most(QUARTER_S, "rule"),
                ),
            ],
        },
        "abandoned",
    ),
    Starter(
        N_("Ticket idle for four hours"),
        N_("No one is working on a ticket: its user is notified, and the team leads an hour later."),
        {
            "types": ["ticket.idle"],
            "after": {"seconds": 4 * HOUR_S},
            "then": [
                _notice(
                    {"roles": ["user"]},
                    N_("Your ticket is idle"),
                    N_(
                        "Ticket {{ event.interaction }} {{ ticket.title }}: no activity for {{ "
                        "ticket.idle_s }}."
                    ),
                    limit=_EPISODE,
                ),
                _notice(
                    LEADS,
                    N_("A ticket is idle"),
                    N_("{{ user.name }}, ticket {{ event.interaction }} {{ ticket.title }}."),
                    limit=_EPISODE,
                    delay_s=HOUR_S,
                ),
            ],
        },
        "ticket",
    ),
    Starter(
        N_("Pause over 30 minutes"),
        N_("An agent is still on a pause after half an hour."),
        {
            "types": ["agent.pause_limit_reached"],
            "after": {"seconds": 2 * QUARTER_S},
            "then": [
                _notice(
                    LEADS,
                    N_("An agent's pause is over 30 minutes"),
                    N_("{{ user.name }}, pause: {{ agent.pause }}."),
                    limit=_EPISODE,
                )
            ],
        },
        "pause",
    ),
    Starter(
        N_("Agent with too many open tickets"),
        N_("A user has five open tickets at once."),
        {
            "types": ["ticket.count_reached"],
            "count": {"number": 5, "clear": 3, "by": "agent"},
            "then": [
                _notice(
                    LEADS,
                    N_("Too many open tickets"),
                    N_("{{ user.name }} has {{ ticket.count }} open tickets."),
                )
            ],
        },
    ),
    Starter(
        N_("VIP ticket"),
        N_("A customer tagged VIP writes: the ticket is tagged and a notification is sent."),
        {
            "types": ["ticket.created", "ticket.reopened"],
            "if": {
                "any": [
                    {"field": "data.requester_tags", "op": "has_any", "value": ["VIP"]},
                    {"field": "data.tags", "op": "has_any", "value": ["VIP"]},
                ]
            },
            "then": [
                {"do": "tag", "tags": ["VIP"]},
                _notice(
                    LEADS,
                    N_("Message from a VIP"),
                    N_("Ticket {{ event.interaction }} {{ ticket.title }}."),
                    urgent=True,
                    limit={"often": "once", "by": "subject"},
                ),
            ],
        },
        "vip",
    ),
    Starter(
        N_("Ticket reopened twice"),
        N_("A solved ticket is reopened within 30 days."),
        {
            "types": ["ticket.reopened"],
            "times": {"number": 2, "seconds": 30 * DAY_S, "by": "subject"},
            "then": [
                _notice(
                    LEADS,
                    N_("A ticket was reopened twice"),
                    N_("Ticket {{ event.interaction }} {{ ticket.title }}, {{ user.name }}."),
                )
            ],
        },
    ),
    Starter(
        N_("Poor survey rating"),
        N_("A customer gives a rating of 2 or lower."),
        {
            "types": ["survey.answered"],
            "if": {"all": [{"field": "data.rating", "op": "le", "value": 2}]},
            "then": [
                {"do": "tag", "tags": ["poor-rating"]},
                _notice(
                    {"roles": ["leads", "admins"]},
                    N_("A poor rating"),
                    N_("{{ survey.rating }} for {{ user.name }}: {{ survey.comment }}"),
                ),
            ],
        },
        "rating",
    ),
    Starter(
        N_("Mail cannot be fetched"),
        N_("Mail fetching fails three times within an hour."),
        {
            "types": ["mail_in.connection_failed", "mail_in.login_failed", "mail_in.download_failed"],
            "times": {"number": 3, "seconds": HOUR_S, "by": "rule"},
            "then": [
                _notice(
                    ADMINS,
                    N_("Mail cannot be fetched"),
                    N_("{{ mail_in.server }}: {{ mail_in.error }}"),
                    urgent=True,
                    limit=_at_most(3 * HOUR_S, "rule"),
                )
            ],
        },
    ),
    Starter(
        N_("Article out of date"),
        N_("An article of the knowledge base is due for review."),
        {
            "types": ["article.stale"],
            "then": [
                _notice(
                    {"roles": ["user", "admins"]},
                    N_("An article is out of date"),
                    N_("{{ article.title }} ({{ article.folder }}): {{ article.reviewed_at }}."),
                    limit=_at_most(7 * DAY_S),
                )
            ],
        },
    ),
    Starter(
        N_("Failed sign-ins"),
        N_("Five failed sign-ins of one user within ten minutes."),
        {
            "types": ["agent.sign_in_failed", "auth.sign_in_failed"],
            "times": {"number": 5, "seconds": 600, "by": "agent"},
            "then": [
                _notice(
                    ADMINS,
                    N_("Failed sign-ins"),
                    N_("{{ user.name }}: five failed sign-ins, the last at {{ event.time }}."),
                    urgent=True,
                    limit=_at_most(HOUR_S, "agent"),
                )
            ],
        },
    ),
    Starter(
        N_("Auto-reply to a new ticket"),
        N_("The customer is notified that the request was received."),
        {
            "types": ["ticket.created"],
            "if": {
                "any": [
                    {"field": "contact.email", "op": "is_not_empty"},
                    {"field": "data.requester_email", "op": "is_not_empty"},
                ]
            },
            "then": [
                {
                    "do": "email",
                    "to": {"roles": ["contact"]},
                    "subject": N_("We have received your request: {{ ticket.title }}"),
                    "text": N_(
                        "Hello,\n\nWe have received your request {{ event.interaction }} and will reply as "
                        "soon as we can.\n\nThis is an automated message."
                    ),
                    "limit": _at_most(QUARTER_S, "recipient"),
                }
            ],
        },
    ),
    Starter(
        N_("Call unanswered for a minute"),
        N_("A call is waiting and no agent has accepted it."),
        {
            "types": ["call.waiting"],
            "after": {"seconds": 60},
            "then": [
                _notice(
                    {"roles": ["leads", "admins"]},
                    N_("A call is waiting too long"),
                    N_("Queue: {{ queue.name }}. Waiting for {{ call.wait_s }}."),
                    urgent=True,
                    limit=_EPISODE,
                )
            ],
        },
        "call",
    ),
    Starter(
        N_("Many calls wait too long"),
        N_("Within half an hour five callers wait over 20 seconds, until they are answered or hang up."),
        {
            "types": ["call.accepted", "call.abandoned"],
            "if": {"all": [{"field": "data.wait_s", "op": "gt", "value": 20}]},
            "times": {"number": 5, "seconds": 2 * QUARTER_S, "by": "rule"},
            "then": [
                _notice(
                    {"roles": ["leads", "admins"]},
                    N_("Many calls wait too long"),
                    N_("The last one waited {{ call.wait_s }} in {{ queue.name }}."),
                    limit=_at_most(HOUR_S, "rule"),
                )
            ],
        },
        "queue",
    ),
    Starter(
        N_("Agent idle for 20 minutes"),
        N_("An agent is ready and has had no work for 20 minutes."),
        {
            "types": ["agent.idle"],
            "after": {"seconds": 1200},
            "then": [_notice(LEADS, N_("An agent is idle"), N_("{{ user.name }}: no work."), limit=_EPISODE)],
        },
        "agent",
    ),
    Starter(
        N_("Follow-up due"),
        N_("The time of a ticket's follow-up has come."),
        {
            "types": ["ticket.followup_due"],
            "after": {"seconds": 0},
            "then": [
                _notice(
                    {"roles": ["user"]},
                    N_("A follow-up is due"),
                    N_("Ticket {{ event.interaction }} {{ ticket.title }}."),
                )
            ],
        },
        "followup",
    ),
    Starter(
        N_("Source silent"),
        N_("A source sends no events at a time at which it usually does."),
        {
            "types": ["source.silent"],
            "then": [
                _notice(
                    ADMINS,
                    N_("A source is silent"),
                    N_("{{ data.name }}: no events for {{ data.silent_s }}."),
                    urgent=True,
                    limit=_at_most(QUARTER_S, "rule"),
                )
            ],
        },
        "silent",
    ),
    Starter(
        N_("Disk space low"),
        N_("Little space is left on the disk with the data of Stopa."),
        {
            "types": ["system.disk_low"],
            "then": [
                _notice(
                    ADMINS,
                    N_("Disk space low"),
                    N_("{{ data.disk_free_mb }} MB left in {{ data.folder }}."),
                    urgent=True,
                    limit=_at_most(HOUR_S, "rule"),
                )
            ],
        },
        "disk",
    ),
)
