"""Whom a rule tells, by which way, and what each of them may read."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from dashboard.access.permissions import Permission as P
from dashboard.models import (
    Channel,
    Notification,
    Profile,
    RuleMute,
    Step,
    Team,
    TeamLead,
    TeamMember,
    User,
)
from tests import make
from tests.rules.engine import LOG, NOON, event, notices, notify, rule, steps, take

pytestmark = pytest.mark.usefixtures("db")

EVERYTHING = ("all_users", "all_queues")


def channel(kind: str = "chat", **more: Any) -> Channel:
    return Channel.create(
        name=f"Channel {kind}", kind=kind, address="https://x.example", created_ts=1, **more
    )


# Who is told


def test_recipients_are_resolved_when_the_rule_runs_and_notified_once() -> None:
    access = make.access([P.HOME_VIEW])
    jana, petr, lead = make.user("jana", access=access), make.user("petr", access=access), make.user("lead")
    gone, admin = make.user("gone", access=access, deactivated_ts=1), make.administrator("admin")
    team = Team.create(name="North")
    TeamMember.create(team=team, user=jana)
    TeamLead.create(team=team, user=lead)
    to = {
        "users": [jana.id, gone.id, 99_999],
        "teams": [team.id],
        "accesses": [access.id],
        "roles": ["user", "leads", "admins"],
    }
    rule({"do": "notify", "to": to, "title": "x"})
    take(event(user="jana", interaction="c1"))
    told = [row[0] for row in Notification.select(Notification.user_id).order_by(Notification.id).tuples()]
    assert told == [jana.id, petr.id, lead.id, admin.id]


def test_the_owner_of_a_sites_rule_is_its_author() -> None:
    author = make.user("author")
    rule({"do": "notify", "to": {"roles": ["owner"]}, "title": "x"}, updated_by=author.id)
    take(event())
    assert len(notices(author)) == 1


def test_every_reader_gets_what_that_reader_may_see() -> None:
    full = make.user("full", access=make.access([P.PII_UNMASK], EVERYTHING))
    masked, outside = make.administrator("admin"), make.user("outside")
    User.update(access=make.access([P.HOME_VIEW], EVERYTHING)).where(User.id == masked.id).execute()
    title = "{{ contact.name }} {{ contact.phone }} {{ data.value }}"
    rule(notify(full, masked, outside, title=title))
    take(event(interaction="c", contact={"name": "Eva", "phone": "+420123456789"}, data={"value": "5"}))
    assert notices(full) == ["Eva +420123456789 5"]
    assert notices(masked) == ["E••• +420 ••• ••• 789 5"]
    assert notices(outside) == ["••• ••• •••"]


def test_outgoing_texts_show_what_the_author_may_see() -> None:
    author = make.user("author", access=make.access([P.HOME_VIEW], EVERYTHING))
    chat = {"do": "chat", "channel": channel().id, "text": "{{ contact.phone }} {{ data.value }}"}
    told: dict[str, Any] = {"contact": {"phone": "+420123456789"}, "data": {"value": "5"}}
    rule(chat, updated_by=author.id)
    rule(chat, updated_by=None)
    take(event(**told))
    assert [row[0]["text"] for row in steps(Step.payload)] == ["+420 ••• ••• 789 5", "••• •••"]


@pytest.mark.parametrize(
    "hostile",
    ["{{7*7}}", "{{ contact.name }}", "{event.__class__}", "%(name)s", "a\r\nBcc: x@example.org", "<b>x</b>"],
)
def test_hostile_texts_stay_as_typed_on_one_line(hostile: str) -> None:
    reader = make.user("reader", access=make.access([P.PII_UNMASK], EVERYTHING))
    rule(
        [
            notify(reader, title="Said: {{ data.text }}"),
            {"do": "email", "to": {"users": [reader.id]}, "subject": "{{ data.text }}", "text": "x"},
            LOG,
        ]
    )
    User.update(email="reader@example.org").where(User.id == reader.id).execute()
    take(event(data={"text": hostile}))
    shown = hostile.replace("\r\n", " ")
    assert notices(reader) == [f"Said: {shown}"]
    assert Step.get(Step.action == "email").payload["subject"] == shown


def test_user_who_muted_a_rule_is_not_notified() -> None:
    jana, petr = make.user("jana"), make.user("petr")
    one, both = rule(notify(jana)), rule(notify(jana, petr))
    for each in (one, both):
        RuleMute.create(rule=each, user_id=jana.id)
    assert take(event()) == [(one.id, "muted"), (both.id, "done")]
    assert (notices(jana), len(notices(petr))) == ([], 1)


# How a reader wants to be told


@time_machine.travel(NOON / 1000, tick=False)
def test_a_profile_adds_mail_and_chat_to_the_notice() -> None:
    jana = make.user("jana", email="jana@example.org")
    Profile.create(user_id=jana.id, name="Mine", is_default=True, email=True, channel=channel())
    one = rule(notify(jana, title="Look", text="here"))
    assert take(event()) == [(one.id, "waiting")]
    assert steps() == [("notify", "done"), ("email", "waiting"), ("chat", "waiting")]
    mail, chat = Step.get(Step.action == "email"), Step.get(Step.action == "chat")
    facts = [["Time of the event", "2 Mar 2026 12:00:00 UTC"]]
    words = {"subject": "Look", "text": "here", "about": "custom", "facts": facts}
    assert mail.payload == {"to": jana.email, "user": jana.id, "locale": "en", "url": "", **words}
    assert (chat.payload, chat.channel_id) == ({"title": "Look", "text": "here"}, Channel.get().id)
    assert (mail.due_ms, chat.due_ms) == (NOON, NOON)


@time_machine.travel(NOON / 1000, tick=False)
def test_in_quiet_hours_only_the_inbox_and_what_is_urgent_come_at_once() -> None:
    jana = make.user("jana", email="jana@example.org", timezone="Europe/Prague")
    Profile.create(
        user_id=jana.id, name="Mine", is_default=True, email=True, quiet_from="12:00", quiet_to="14:00"
    )
    rule([notify(jana), notify(jana, urgent=True)])
    take(event())
    due = [
        row[0] for row in Step.select(Step.due_ms).where(Step.action == "email").order_by(Step.id).tuples()
    ]
    assert due == [NOON + 3_600_000, NOON]
    assert len(notices(jana)) == 2


def test_a_channel_that_is_off_keeps_nobody_from_the_inbox() -> None:
    jana = make.user("jana")
    Profile.create(user_id=jana.id, name="Mine", is_default=True, channel=channel(active=False))
    one = rule(notify(jana))
    assert take(event()) == [(one.id, "done")]


# Outward actions


def test_mail_goes_to_each_address_once_and_to_nobody_without_one() -> None:
    jana, petr = make.user("jana", email="Same@example.org"), make.user("petr")
    to, more = {"users": [jana.id, petr.id]}, ["same@example.org", "b@example.org"]
    rule({"do": "email", "to": to, "addresses": more, "subject": "x", "text": "y"})
    take(event())
    assert [row[0]["to"] for row in steps(Step.payload)] == ["Same@example.org", "b@example.org"]


def test_webhook_gets_the_event_as_the_author_may_see_it() -> None:
    hook = channel("webhook")
    full = make.user("full", access=make.access([P.PII_UNMASK], EVERYTHING))
    some = make.user("some", access=make.access([P.HOME_VIEW], EVERYTHING))
    for author in (full, some, None):
        rule({"do": "webhook", "channel": hook.id, "text": "hi"}, updated_by=author and author.id, name="R")
    take(event(user="full", interaction="c1", data={"value": 5}))
    bodies = [row[0] for row in steps(Step.payload)]
    seen = [set(body["event"]) for body in bodies]
    named = {"id", "type", "time", "source", "interaction", "user"}
    assert seen == [named | {"data"}, named, {"id", "type", "time"}]
    assert {body["type"] for body in bodies} == {"rule.matched"}
    assert bodies[0]["rule"]["name"] == "R"
    assert bodies[0]["event"]["time"] == "2026-03-02T12:00:00.000+00:00"


def test_an_invitation_names_the_visitor() -> None:
    make.user("full", access=make.access([P.PII_UNMASK], EVERYTHING))
    rule({"do": "invite", "channel": channel("webhook").id, "text": "May I help?"}, ["visitor.page_viewed"])
    take(event("visitor.page_viewed", session="s1", data={"url": "/price"}))
    [(body,)] = steps(Step.payload)
    assert (body["action"], body["session"], body["text"]) == ("chat.invite", "s1", "May I help?")
