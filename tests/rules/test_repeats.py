"""Notices that come again until they are read: when, how often, with what beside them, and why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from flask import Flask

from dashboard.jobs import worker
from dashboard.models import Channel, Notification, Profile, Rule, RuleMute, Run, Step, User
from dashboard.pages.inbox import commands as inbox
from dashboard.rulelang import schema
from dashboard.rulelang.schema import Definition
from dashboard.rules import internal_actions, runs
from tests import make
from tests.rulelang.make import SITE
from tests.rules.engine import NOON, event, notices, notify, outcomes, rule, steps, take

AGAIN = {"seconds": 300, "times": 2}


@pytest.fixture
def at(app: Flask) -> Iterator[Callable[[float], None]]:
    """Let the worker do at so many seconds after NOON what is due by then."""
    with time_machine.travel(NOON / 1000, tick=False) as clock:

        def move(seconds: float) -> None:
            clock.move_to(NOON / 1000 + seconds)
            worker.drain()

        yield move


def unread(user: User) -> list[bool]:
    """Return of each notice whether it is new, in order."""
    query = Notification.select(Notification.read_ms).where(Notification.user_id == user.id)
    return [row[0] is None for row in query.order_by(Notification.id).tuples()]


def read(user: User) -> None:
    inbox.read_all(user.id)


def ends() -> list[tuple[Any, ...]]:
    """Return state and reason of the repetitions."""
    query = Step.select(Step.state, Step.error).where(Step.repetition > 0)
    return list(query.order_by(Step.id).tuples())


def test_an_unread_notice_comes_again_on_top_and_then_no_more(at: Callable[[float], None]) -> None:
    jana, petr = make.user("jana"), make.user("petr")
    one = rule(notify(jana, petr, again=AGAIN))
    assert take(event()) == [(one.id, "waiting")]
    at(299)
    assert (unread(jana), unread(petr)) == ([True], [True])
    at(300)
    assert (unread(jana), unread(petr)) == ([False, True], [False, True])
    assert outcomes(one) == [(one.id, "waiting")]
    at(600)
    assert unread(jana) == [False, False, True]
    assert outcomes(one) == [(one.id, "done")]
    at(86_400)
    assert (len(unread(jana)), len(unread(petr))) == (3, 3)


def test_what_is_read_does_not_come_again_and_the_run_says_so(at: Callable[[float], None]) -> None:
    jana, petr = make.user("jana"), make.user("petr")
    one = rule(notify(jana, petr, again=AGAIN))
    take(event())
    read(jana)
    at(300)
    assert (unread(jana), unread(petr)) == ([False], [False, True])
    assert ("cancelled", internal_actions.READ) in ends()
    read(petr)
    at(600)
    assert unread(petr) == [False, False]
    assert outcomes(one) == [(one.id, "done")]


def snooze(user: User) -> None:
    ids = [row[0] for row in Notification.select(Notification.id).tuples()]
    inbox.snooze(user.id, ids, "hour", "UTC")


def mute(user: User) -> None:
    RuleMute.create(rule=Rule.get(), user_id=user.id)


def leave(user: User) -> None:
    User.update(deactivated_ts=1).where(User.id == user.id).execute()


def switch_off(_user: User) -> None:
    Rule.update(state="off").execute()


def close(_user: User) -> None:
    take(event("ticket.closed", 10, interaction="t1", user="jana"))


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (snooze, internal_actions.READ),
        (mute, internal_actions.MUTED),
        (leave, internal_actions.LEFT),
        (switch_off, runs.NO_LONGER_ON),
        (close, runs.SUBJECT_ENDED),
    ],
)
def test_cancelled_repetition_shows_its_reason(
    at: Callable[[float], None], act: Callable[[User], None], why: str
) -> None:
    jana = make.user("jana")
    one = rule(notify(jana, again=AGAIN), ["ticket.updated"])
    take(event("ticket.updated", interaction="t1", user="jana"))
    act(jana)
    at(600)
    assert ends() == [("cancelled", why)]
    assert len(notices(jana)) == 1
    assert Run.get(Run.rule_id == one.id).outcome == "done"


def test_what_goes_beside_the_notice_goes_again_as_the_profile_says_then(at: Callable[[float], None]) -> None:
    jana = make.user("jana", email="jana@example.org")
    room = Channel.create(name="Room", kind="chat", address="https://x.example", created_ts=1)
    profile = Profile.create(user_id=jana.id, name="Mine", is_default=True, email=True, channel=room)
    rule(notify(jana, again=AGAIN))
    take(event())
    Step.update(state="done").where(Step.action != "notify").execute()
    at(300)
    repeated = (Step.action != "notify") & (Step.repetition > 0)
    beside = Step.select().where(repeated).order_by(Step.id)
    assert [step.action for step in beside] == ["email", "chat"]
    first = Step.get((Step.action == "email") & (Step.repetition == 0))
    assert (beside[0].payload, beside[0].recipient) == (first.payload, str(jana.id))
    assert beside[0].key != first.key
    Step.update(state="done").where(Step.action != "notify").execute()
    Profile.update(email=False).where(Profile.id == profile.id).execute()
    at(600)
    assert steps(Step.action)[-1] == ("chat",)
    assert Step.select().where(Step.action == "email").count() == 2


def test_mail_that_waits_for_the_end_of_quiet_hours_waits_once(at: Callable[[float], None]) -> None:
    jana = make.user("jana", email="jana@example.org", timezone="UTC")
    Profile.create(
        user_id=jana.id, name="Mine", is_default=True, email=True, quiet_from="11:00", quiet_to="13:00"
    )
    rule(notify(jana, again=AGAIN))
    take(event())
    at(300)
    at(600)
    assert len(notices(jana)) == 3
    assert Step.select().where(Step.action == "email").count() == 1


def test_a_delayed_notice_is_repeated_from_when_it_was_given(at: Callable[[float], None]) -> None:
    jana = make.user("jana")
    one = rule(notify(jana, again=AGAIN, delay_s=60))
    take(event())
    at(60)
    assert (unread(jana), outcomes(one)) == ([True], [(one.id, "waiting")])
    at(359)
    assert len(unread(jana)) == 1
    at(360)
    assert unread(jana) == [False, True]


def test_what_is_undone_does_not_come_again(at: Callable[[float], None]) -> None:
    jana = make.user("jana")
    rule(
        [
            notify(jana, again=AGAIN),
            {"do": "notify", "to": {"users": [99_999]}, "title": "x", "on_error": "undo"},
        ]
    )
    take(event())
    at(900)
    assert (notices(jana), ends()) == ([], [])


@pytest.mark.parametrize(
    ("again", "paths"),
    [
        ({"seconds": 300, "times": 1}, []),
        ({"seconds": 86_400, "times": 10}, []),
        ({"seconds": 299, "times": 1}, ["then.0.again.seconds"]),
        ({"seconds": 86_401, "times": 1}, ["then.0.again.seconds"]),
        ({"seconds": 300, "times": 0}, ["then.0.again.times"]),
        ({"seconds": 300, "times": 11}, ["then.0.again.times"]),
        ({"seconds": "5 min", "times": True}, ["then.0.again.seconds", "then.0.again.times"]),
        ({"seconds": 300}, ["then.0.again.times"]),
        ({"seconds": 300, "times": 1, "until": "read"}, ["then.0.again"]),
        ([], ["then.0.again", "then.0.again.seconds", "then.0.again.times"]),
    ],
)
def test_how_often_and_how_soon_has_bounds(again: Any, paths: list[str]) -> None:
    notice = {"do": "notify", "to": {"roles": ["owner"]}, "title": "T", "again": again}
    found = schema.parse({"types": ["chat.queued"], "then": [notice]}, SITE)
    if isinstance(found, Definition):
        assert schema.load(schema.dump(found)) == found
        assert (found.then[0].params["again"], paths) == (again, [])
    else:
        assert list(found) == paths


def test_only_a_notice_is_repeated() -> None:
    mail = {"do": "email", "addresses": ["a@b.cz"], "subject": "S", "text": "T", "again": AGAIN}
    found = schema.parse({"types": ["chat.queued"], "then": [mail]}, SITE)
    assert not isinstance(found, Definition)
    assert list(found) == ["then.0"]
