"""What a run does: whom it tells and what each may read, what fails and what that means for the rest."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import time_machine

from dashboard.access.permissions import Permission as P
from dashboard.db import database
from dashboard.models import (
    AuditEntry,
    Channel,
    Event,
    Mark,
    Notification,
    Profile,
    Rule,
    RuleMute,
    Run,
    Step,
    Team,
    TeamLead,
    TeamMember,
    User,
)
from dashboard.rules import inside, runs, store
from tests import make
from tests.rules.engine import LOG, NOON, digest, event, notices, notify, outcomes, rule, send, steps, take

pytestmark = pytest.mark.usefixtures("db")

NOTE = {"do": "note", "text": "seen"}
LOST = {"do": "notify", "to": {"users": [99_999]}, "title": "nobody"}
EVERYTHING = ("all_users", "all_queues")


def channel(kind: str = "chat", **more: Any) -> Channel:
    return Channel.create(
        name=f"Channel {kind}", kind=kind, address="https://x.example", created_ts=1, **more
    )


def states() -> list[tuple[str, str, str]]:
    return steps(Step.action, Step.state, Step.error)


# Who is told


def test_recipients_are_found_when_the_rule_runs_and_told_once() -> None:
    access = make.access([P.HOME_VIEW])
    jana, petr, lead = make.user("jana", access=access), make.user("petr", access=access), make.user("lead")
    gone, admin = make.user("gone", access=access, deactivated_ts=1), make.administrator("admin")
    team = Team.create(name="North")
    TeamMember.create(team=team, user=jana)
    TeamLead.create(team=team, user=lead)
    to = {"users": [jana.id, gone.id, 99_999], "teams": [team.id], "accesses": [access.id],
          "roles": ["user", "leads", "admins"]}  # fmt: skip
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


def test_what_leaves_the_house_shows_what_the_rules_author_may_see() -> None:
    author = make.user("author", access=make.access([P.HOME_VIEW], EVERYTHING))
    chat = {"do": "chat", "channel": channel().id, "text": "{{ contact.phone }} {{ data.value }}"}
    told = {"contact": {"phone": "+420123456789"}, "data": {"value": "5"}}
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
    rule([notify(reader, title="Said: {{ data.text }}"), {"do": "email", "to": {"users": [reader.id]},
         "subject": "{{ data.text }}", "text": "x"}, LOG])  # fmt: skip
    User.update(email="reader@example.org").where(User.id == reader.id).execute()
    take(event(data={"text": hostile}))
    shown = hostile.replace("\r\n", " ")
    assert notices(reader) == [f"Said: {shown}"]
    assert Step.get(Step.action == "email").payload["subject"] == shown


def test_who_muted_a_rule_is_not_told_by_it() -> None:
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
    words = {"subject": "Look", "text": "here"}
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


def test_a_webhook_is_told_the_event_as_the_author_may_see_it() -> None:
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


@pytest.mark.parametrize(
    ("change", "why"),
    [({"active": False}, "switched off"), ({"kind": "webhook"}, "gone")],
)
def test_a_channel_that_cannot_be_used_fails_its_step_alone(change: dict[str, Any], why: str) -> None:
    one = rule([{"do": "chat", "channel": channel().id, "text": "x"}, NOTE])
    Channel.update(**change).execute()
    assert take(event()) == [(one.id, "partly")]
    assert [(action, state) for action, state, _error in states()] == [("chat", "failed"), ("note", "done")]
    assert why in states()[0][2]


# Failures and what they mean for the rest


@pytest.mark.parametrize(
    ("on_error", "expected", "marks", "outcome"),
    [
        ("continue", ["done", "failed", "done"], 2, "partly"),
        ("stop", ["done", "failed", "cancelled"], 1, "partly"),
        ("undo", ["cancelled", "failed", "cancelled"], 0, "failed"),
    ],
)
def test_the_policy_of_a_failed_action_decides_about_the_others(
    on_error: str, expected: list[str], marks: int, outcome: str
) -> None:
    one = rule([NOTE, {**LOST, "on_error": on_error}, NOTE])
    assert take(event()) == [(one.id, outcome)]
    assert ([state for _action, state, _error in states()], Mark.select().count()) == (expected, marks)
    assert states()[1][2] == "None of the recipients is there and active."


def test_a_run_that_fails_is_an_event() -> None:
    one = rule(LOST)
    take(event())
    row = Event.get(Event.type == "rule.run_failed")
    assert one.name in row.data
    assert outcomes() == [(one.id, "failed")]


def test_what_is_undone_records_no_event_and_tells_nobody() -> None:
    jana = make.user("jana")
    rule([notify(jana), {"do": "emit", "type": "custom.b"}, LOG, {**LOST, "on_error": "undo"}])
    take(event())
    assert notices(jana) == []
    assert Event.select().where(Event.type == "custom.b").count() == 0
    assert AuditEntry.select().where(AuditEntry.action == "rule.logged").count() == 0


def test_tags_are_given_once_and_taken_away() -> None:
    rule({"do": "tag", "tags": ["a", "b"]}, types=["custom.a"])
    rule({"do": "untag", "tags": ["a"]}, types=["custom.b"])
    take(
        event("custom.a", interaction="c1"),
        event("custom.a", interaction="c1"),
        event("custom.a", interaction="c2"),
    )
    take(event("custom.b", interaction="c1"))
    given = sorted(Mark.select(Mark.subject, Mark.text).tuples())
    assert given == [("interaction:pbx:c1", "b"), ("interaction:pbx:c2", "a"), ("interaction:pbx:c2", "b")]


def test_an_event_that_an_administrator_switched_off_cannot_be_emitted() -> None:
    from dashboard.events import switches

    switches.choose("custom.b", switches.Choice(recorded=False, in_rules=False))
    one = rule({"do": "emit", "type": "custom.b"})
    assert take(event()) == [(one.id, "failed")]


# What waits


@pytest.fixture
def delayed() -> Rule:
    return rule({**NOTE, "delay_s": 600}, ["ticket.updated"])


def wait_for(name: str = "t1") -> Step:
    make.user("jana")
    take(event("ticket.updated", interaction=name, user="jana"))
    return Step.get()


def test_a_delayed_action_is_planned_and_done_later(delayed: Rule) -> None:
    step = wait_for()
    assert outcomes(delayed) == [(delayed.id, "waiting")]
    assert (step.state, step.due_ms - step.made_ms) == ("waiting", 600_000)
    assert (runs.cancelled(step), Mark.select().count()) == ("", 0)
    inside.do(step)
    Step.update(state="done").execute()
    runs.settle(step.run_id)
    assert outcomes(delayed) == [(delayed.id, "done")]
    assert Mark.get().subject == "interaction:pbx:t1"


def test_a_delayed_action_is_cancelled_when_the_rule_is_off_or_gone(delayed: Rule) -> None:
    step = wait_for()
    Rule.update(state="off").execute()
    assert "no longer switched on" in runs.cancelled(step)
    Rule.delete().execute()
    assert "deleted" in runs.cancelled(step)


def test_a_delayed_action_is_cancelled_when_its_subject_has_ended(delayed: Rule) -> None:
    step = wait_for()
    take(event("ticket.closed", 5, interaction="t1", user="jana"))
    assert "ended" in runs.cancelled(step)
    take(event("ticket.reopened", 6, interaction="t1", user="jana"))
    assert runs.cancelled(step) == ""


def test_what_began_after_the_end_is_not_cancelled_by_it() -> None:
    make.user("jana")
    rule({**NOTE, "delay_s": 600}, ["ticket.closed"])
    take(event("ticket.closed", interaction="t1", user="jana"))
    assert runs.cancelled(Step.get()) == ""


@pytest.mark.parametrize(
    ("ends", "outcome"),
    [
        (["done", "done"], "done"),
        (["done", "dead"], "partly"),
        (["uncertain", "failed"], "partly"),
        (["dead", "failed"], "failed"),
        (["held", "done"], "done"),
        (["cancelled", "cancelled"], "cancelled"),
        (["held", "held"], "throttled"),
        (["waiting", "done"], "waiting"),
        (["running", "dead"], "waiting"),
    ],
)
def test_a_run_comes_to_what_its_steps_come_to(ends: list[str], outcome: str) -> None:
    one = rule([{**NOTE, "delay_s": 5}, {**NOTE, "delay_s": 5}])
    take(event())
    for step, state in zip(Step.select().order_by(Step.id), ends, strict=True):
        Step.update(state=state).where(Step.id == step.id).execute()
    runs.settle(Run.get().id)
    digest()
    assert outcomes(one) == [(one.id, outcome)]
    assert Event.select().where(Event.type == "rule.run_failed").count() == (outcome == "failed")


def test_a_pattern_that_would_explode_holds_up_nothing() -> None:
    rule(LOG, **{"if": {"all": [{"field": "data.text", "op": "matches", "value": "(a+)+$"}]}})
    calm = rule(LOG)
    send(event(data={"text": "a" * 30_000 + "b"}))
    digest()
    assert (calm.id, "done") in outcomes()
    assert store.live().rules.keys() >= {calm.id}


def test_steps_that_end_at_the_same_time_end_their_run() -> None:
    one = rule([{**NOTE, "delay_s": 5}, {**NOTE, "delay_s": 5}])
    for number in range(5):
        take(event(interaction=str(number)))
    pairs = [[step.id for step in Step.select().where(Step.run == run.id)] for run in Run.select()]
    start = Barrier(2)

    def end(side: int) -> None:
        with database.connection_context():
            for pair in pairs:
                start.wait()
                with database.atomic():
                    Step.update(state="done").where(Step.id == pair[side]).execute()
                    runs.settle(Step.get_by_id(pair[side]).run_id)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(end, (0, 1)))
    assert outcomes(one) == [(one.id, "done")] * 5
