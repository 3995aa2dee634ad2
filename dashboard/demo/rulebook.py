"""Rules of the demo data: some of the starter set, two of what there is to find, two personal ones."""

from __future__ import annotations

from typing import Any

from flask import current_app

from dashboard import clock
from dashboard.db import database
from dashboard.demo import finds
from dashboard.models import Calendar, CalendarDay, Profile, Rule, RuleGroup, User
from dashboard.rulelang.matcher import State
from dashboard.rules import import_export, starter

OFFICE = {str(day): [["08:00", "18:00"]] for day in range(1, 6)}
HOLIDAYS = (("12-24", "Christmas Eve"), ("12-25", "Christmas Day"), ("12-26", "Second Day of Christmas"))
GROUP = "Waiting customers"
ON, SHADOW = (0, 1, 5), (2, 3)  # indexes in the starter set: turned on, and in dry run
OWN: tuple[tuple[str, str, dict[str, Any]], ...] = (  # owner, "" for rules of the site; name; rule
    (
        "",
        "VIP gave up",
        {
            "types": ["call.abandoned"],
            "if": {"all": [{"field": "contact.phone", "op": "is", "value": finds.VIP["phone"]}]},
            "then": [
                {
                    "do": "notify",
                    "to": {"roles": ["leads", "admins"]},
                    "title": "A VIP gave up",
                    "text": "{{ contact.name }} waited {{ call.wait_s }} in {{ queue.name }}.",
                    "urgent": True,
                }
            ],
        },
    ),
    (
        "",
        "Ticket idle for three days",
        {
            "types": ["ticket.idle"],
            "after": {"seconds": finds.IDLE_S},
            "then": [
                {
                    "do": "notify",
                    "to": {"roles": ["leads", "admins"]},
                    "title": "A ticket has been idle for three days",
                    "text": "Ticket {{ ticket.number }} {{ ticket.title }}.",
                }
            ],
        },
    ),
    (
        "",
        "Invite idle visitors",
        {
            "types": ["visitor.idle"],
            "then": [
                {
                    "do": "invite",
                    "text": "Dobrý den, mohu vám s něčím pomoci?",
                    "texts": {"en": "Hello, can I help you?", "ja": "何かお困りですか？"},
                }
            ],
        },
    ),
    (
        "lead",
        "Rejected twice",
        {
            "types": ["call.rejected", "chat.rejected"],
            "times": {"number": 2, "seconds": 14_400, "by": "agent"},
            "then": [
                {
                    "do": "notify",
                    "to": {"roles": ["owner"]},
                    "title": "{{ user.name }} has rejected twice",
                    "text": "The second time at {{ event.time }} in {{ queue.name }}.",
                    "limit": {"often": "period", "by": "agent", "seconds": 3600},
                }
            ],
        },
    ),
    (
        "novakova",
        "A chat came back to me",
        {
            "types": ["chat.reopened"],
            "if": {"all": [{"field": "user", "op": "is_me"}]},
            "then": [
                {
                    "do": "notify",
                    "to": {"roles": ["owner"]},
                    "title": "A chat goes on",
                    "text": "{{ contact.name }} in {{ queue.name }}.",
                }
            ],
        },
    ),
)


def make(author: User, locale: str) -> None:
    """Add a calendar, group, rules and profile at the first run; does nothing if there are rules."""
    if Rule.select().exists():
        return
    with database.atomic():
        _calendar()
        group = RuleGroup.create(name=GROUP)
        site = starter.make(author.id, None, locale)
        for place, row in enumerate(site):
            state = State.ON if place in ON else State.SHADOW if place in SHADOW else State.OFF
            where = group if place in ON[:2] else None
            Rule.update(state=state, group=where).where(Rule.id == row.id).execute()
        for login, name, raw in OWN:
            owner = User.get(User.login == login).id if login else None
            exported = import_export.built_in(name, "", raw)
            (row,) = import_export.add([exported], owner or author.id, owner)
            Rule.update(state=State.ON).where(Rule.id == row.id).execute()
        Profile.create(
            user_id=User.get(User.login == "lead").id,
            name="Standard",
            is_default=True,
            quiet_from="20:00",
            quiet_to="06:00",
            quiet_days=[7],
        )


def _calendar() -> None:
    zone = current_app.config["STOPA"].timezone
    row = Calendar.create(name="Office", zone=zone, hours=OFFICE)
    year = clock.local_date(clock.now_s(), zone).year
    for on, name in HOLIDAYS:
        CalendarDay.create(calendar=row, on=f"{year}-{on}", name=name)
