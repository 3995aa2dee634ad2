"""Starter rules: added disabled, to be read, changed and enabled.

Names and texts are in the language of the user who adds them. Source: the starter set of the editor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from flask_babel import force_locale, gettext

from dashboard.access import scope as scopes
from dashboard.access.permissions import Permission
from dashboard.catalog import CATALOG
from dashboard.db import database
from dashboard.i18n.message import N_
from dashboard.models import Rule, User
from dashboard.models.notify import Calendar
from dashboard.rulelang.actions import ACTIONS, texts
from dashboard.rules import import_export
from dashboard.settings import LOCALES

LEADS: Mapping[str, Any] = {"roles": ["leads"]}
ADMINS: Mapping[str, Any] = {"roles": ["admins"]}
QUARTER_S, HOUR_S, DAY_S = 900, 3600, 86400


class Starter(NamedTuple):
    """A rule of the set; `definition` is its JSON form."""

    name: str
    description: str
    definition: dict[str, Any]


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
)


def drafts(
    translate: Callable[[str], str], personal: bool = False, calendar: str = "", outward: bool = True
) -> list[Starter]:
    """Return the set in the language of `translate`; of `personal` rules those that suit one's own.

    With the name of a `calendar` idle time is counted in its working time. Not `outward` leaves out what
    writes to people outside the organisation.
    """
    return [_translated(each, translate, calendar) for each in _suiting(personal, outward)]


def make(author_id: int, owner_id: int | None, locale: str) -> list[Rule]:
    """Add the rules of the set that are not there yet, switched off, and return them.

    They become the site's, or `owner_id`'s own, with names in `locale`. What is there is known by its name
    in any of the languages, so that adding twice adds nothing. An author who may not let rules call out
    gets none that does.
    """
    outward = scopes.of_user(User.get_by_id(author_id)).can(Permission.RULES_OUTWARD)
    with database.atomic():
        mine = Rule.owner_id.is_null() if owner_id is None else Rule.owner_id == owner_id
        there = {row[0] for row in Rule.select(Rule.name).where(mine).tuples()}
        calendar = Calendar.select(Calendar.name).order_by(Calendar.name).limit(1).scalar() or ""
        suit = [each for each in _suiting(owner_id is not None, outward) if not there & _names(each)]
        with force_locale(locale):
            found = [_translated(each, gettext, calendar) for each in suit]
        rows = [import_export.built_in(*each) for each in found]
        return import_export.add(rows, author_id, owner_id, origin="starter")


def _suiting(personal: bool, outward: bool) -> list[Starter]:
    allowed = [each for each in STARTERS if outward or not _is_outward(each)]
    return [each for each in allowed if not personal or _is_personal(each)]


def _is_personal(starter: Starter) -> bool:
    types = starter.definition["types"]
    return not _is_outward(starter) and all(CATALOG[name].level == "personal" for name in types)


def _is_outward(starter: Starter) -> bool:
    return any(not ACTIONS[action["do"]].inside for action in starter.definition["then"])


def _names(starter: Starter) -> set[str]:
    found = set()
    for locale in LOCALES:
        with force_locale(locale):
            found.add(str(gettext(starter.name)))
    return found


def _translated(starter: Starter, translate: Callable[[str], str], calendar: str) -> Starter:
    raw = dict(starter.definition)
    if "after" in raw and calendar:
        raw["after"] = {**raw["after"], "calendar": calendar}
    raw["then"] = [
        {**action, **{key: str(translate(action[key])) for key in texts(action) if key in action}}
        for action in raw["then"]
    ]
    return Starter(str(translate(starter.name)), str(translate(starter.description)), raw)
