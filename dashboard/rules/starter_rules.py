"""The rules of the starter set, as JSON of `rulelang.schema`; names and texts are marked for translation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from dashboard.i18n.message import N_

LEADS: Mapping[str, Any] = {"roles": ["leads"]}
ADMINS: Mapping[str, Any] = {"roles": ["admins"]}
BOTH: Mapping[str, Any] = {"roles": ["leads", "admins"]}
QUARTER_S, HOUR_S, DAY_S = 900, 3600, 86400


class Starter(NamedTuple):
    """A rule of the set; `definition` is its JSON form, `key` the one of the recipe that makes such rules."""

    name: str
    description: str
    definition: dict[str, Any]
    key: str = ""


def _notice(to: Mapping[str, Any], title: str, text: str, **more: Any) -> dict[str, Any]:
    return {"do": "notify", "to": dict(to), "title": title, "text": text, **more}


def _alert(
    types: str, to: Mapping[str, Any], title: str, text: str, urgent: bool = True, **more: Any
) -> dict[str, Any]:
    """Return the rule that notifies of each event of `types`, which are separated by blanks; `more` are its
    other parts, and the limit of the notification."""
    notice = _notice(to, title, text, limit=more.pop("limit"), **({"urgent": True} if urgent else {}))
    return {"types": types.split(), **more, "then": [notice]}


def _at_most(seconds: int, by: str = "subject") -> dict[str, Any]:
    return {"often": "period", "by": by, "seconds": seconds}


_EPISODE = {"often": "episode", "by": "subject"}
STARTERS: tuple[Starter, ...] = (
    Starter(
        N_("Chat unanswered for two minutes"),
        N_("A chat is waiting and no agent has accepted it."),
        _alert(
            "chat.waiting",
            BOTH,
            N_("Chat waiting for two minutes"),
            N_("Queue: {{ queue.name }}. Waiting for {{ chat.wait_s }}."),
            limit=_at_most(QUARTER_S, "rule"),
            after={"seconds": 120},
        ),
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
        _alert(
            "agent.pause_limit_reached",
            LEADS,
            N_("An agent's pause is over 30 minutes"),
            N_("{{ user.name }}, pause: {{ agent.pause }}."),
            urgent=False,
            limit=_EPISODE,
            after={"seconds": 2 * QUARTER_S},
        ),
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
                    BOTH,
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
        _alert(
            "mail_in.connection_failed mail_in.login_failed mail_in.download_failed",
            ADMINS,
            N_("Mail cannot be fetched"),
            N_("{{ mail_in.server }}: {{ mail_in.error }}"),
            limit=_at_most(3 * HOUR_S, "rule"),
            times={"number": 3, "seconds": HOUR_S, "by": "rule"},
        ),
    ),
    Starter(
        N_("Article out of date"),
        N_("An article of the knowledge base is due for review."),
        _alert(
            "article.stale",
            {"roles": ["user", "admins"]},
            N_("An article is out of date"),
            N_("{{ article.title }} ({{ article.folder }}): {{ article.reviewed_at }}."),
            urgent=False,
            limit=_at_most(7 * DAY_S),
        ),
    ),
    Starter(
        N_("Failed sign-ins"),
        N_("Five failed sign-ins of one user within ten minutes."),
        _alert(
            "agent.sign_in_failed auth.sign_in_failed",
            ADMINS,
            N_("Failed sign-ins"),
            N_("{{ user.name }}: five failed sign-ins, the last at {{ event.time }}."),
            limit=_at_most(HOUR_S, "agent"),
            times={"number": 5, "seconds": 600, "by": "agent"},
        ),
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
        _alert(
            "call.waiting",
            BOTH,
            N_("A call is waiting too long"),
            N_("Queue: {{ queue.name }}. Waiting for {{ call.wait_s }}."),
            limit=_EPISODE,
            after={"seconds": 60},
        ),
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
                    BOTH,
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
        _alert(
            "source.silent",
            ADMINS,
            N_("A source is silent"),
            N_("{{ data.name }}: no events for {{ data.silent_s }}."),
            limit=_at_most(QUARTER_S, "rule"),
        ),
        "silent",
    ),
    Starter(
        N_("Disk space low"),
        N_("Little space is left on the disk with the data of Stopa."),
        _alert(
            "system.disk_low",
            ADMINS,
            N_("Disk space low"),
            N_("{{ data.disk_free_mb }} MB left in {{ data.folder }}."),
            limit=_at_most(HOUR_S, "rule"),
        ),
        "disk",
    ),
)
