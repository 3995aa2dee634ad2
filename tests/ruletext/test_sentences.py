"""A rule in plain sentences, for each reader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, g
from flask_babel import force_locale

from dashboard.access import scope as scopes
from dashboard.access.permissions import Permission
from dashboard.i18n import formats
from dashboard.models import User
from dashboard.rulelang import schema
from dashboard.rulelang.lint import Findings
from dashboard.rulelang.operators import OPERATORS
from dashboard.rulelang.rate_limits import PERIODS
from dashboard.rulelang.schema import Definition
from dashboard.rulelang.text_templates import Names
from dashboard.rules import starter
from dashboard.ruletext import names, sentences
from dashboard.settings import LOCALES
from tests import make
from tests.rulelang.make import defined

TAG: dict[str, Any] = {"do": "tag", "tags": ["vip"]}
NAMES = Names(
    users={3: "Jana Malá"},
    teams={5: "Night"},
    queues={2: "Web chat"},
    accesses={6: "Lead"},
    channels={1: "Alerts"},
    rules={8: "First"},
    zone="Europe/Prague",
)


@pytest.fixture
def english(app: Flask) -> Iterator[None]:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        yield


def said(raw: dict[str, Any]) -> sentences.Words:
    return sentences.words(defined({"types": ["chat.queued"], "then": [TAG], **raw}), NAMES)


QUARTER = {"often": "period", "by": "subject", "seconds": 900}
CASES: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "When “Chat queued” occurs, then add the tags “vip”."),
    (
        {"types": ["chat.queued", "call.queued"]},
        "When “Chat queued” or “Call queued” occurs, then add the tags “vip”.",
    ),
    (
        {"if": {"all": [{"field": "queue", "op": "one_of", "value": [2, 9]}]}},
        "When “Chat queued” occurs, if Queue is one of Web chat, another queue, then add the tags “vip”.",
    ),
    (
        {"wait": {"seconds": 120, "unless": ["chat.accepted"]}},
        "When it has been 0:02:00 since “Chat queued” without “Chat accepted”, then add the tags “vip”.",
    ),
    (
        {"wait": {"seconds": 120, "calendar": "Brno"}},
        "When it has been 0:02:00 of working hours (Brno) since “Chat queued”, then add the tags “vip”.",
    ),
    (
        {"times": {"number": 3, "seconds": 600, "by": "agent"}},
        "When “Chat queued” occurs 3 times within 0:10:00 per agent, then add the tags “vip”.",
    ),
    (
        {"types": ["ticket.idle"], "after": {"seconds": 14400, "calendar": "Brno"}},
        "When “Ticket idle” occurs after 4:00:00 of working hours (Brno), then add the tags “vip”.",
    ),
    (
        {"times": {"number": 2, "seconds": 2592000}},
        "When “Chat queued” occurs 2 times within 30 days per item, then add the tags “vip”.",
    ),
    ({"types": ["task.due"]}, "When “Task due” occurs, then add the tags “vip”."),
    (
        {"types": ["chat.count_reached"], "count": {"number": 5, "by": "queue"}},
        "When “Number of chats reached” occurs with 5 per queue, then add the tags “vip”.",
    ),
    (
        {"types": ["schedule.reached"], "schedule": {"at": ["08:00", "12:00"], "days": [1, 2]}},
        "When it is 08:00 or 12:00 on Mon and Tue, then add the tags “vip”.",
    ),
    (
        {"types": ["schedule.reached"], "schedule": {"at": ["08:00"]}},
        "When it is 08:00 on any day, then add the tags “vip”.",
    ),
    (
        {"types": ["schedule.reached"], "schedule": {"at": ["08:00"], "calendar": "Brno"}},
        "When it is 08:00 on a working day (Brno), then add the tags “vip”.",
    ),
    (
        {"then": [{**TAG, "limit": QUARTER}]},
        "When “Chat queued” occurs, then add the tags “vip”, at most once every 15 minutes per item.",
    ),
    (
        {"then": [{**TAG, "limit": QUARTER}, {"do": "note", "text": "x", "delay_s": 60}]},
        (
            "When “Chat queued” occurs, then add the tags “vip” (at most once every 15 "
            "minutes per item), then add a note after 0:01:00."
        ),
    ),
    (
        {
            "then": [
                {
                    "do": "notify",
                    "title": "T",
                    "to": {"users": [3, 4], "teams": [5], "accesses": [6], "roles": ["leads"]},
                }
            ]
        },
        (
            "When “Chat queued” occurs, then notify the user's team leads, Jana Malá, another user, "
            "the team Night, and everyone with the role Lead."
        ),
    ),
    (
        {"then": [{"do": "webhook", "channel": 1}, {"do": "emit", "type": "custom.late"}]},
        "When “Chat queued” occurs, then call Alerts, then record the event custom.late.",
    ),
    (
        {"then": [{"do": "email", "addresses": ["a@b.cz"], "subject": "S", "text": "T"}]},
        "When “Chat queued” occurs, then send an email to a@b.cz.",
    ),
    (
        {"then": [{"do": "email", "to": {"roles": ["contact"]}, "subject": "S", "text": "T"}]},
        "When “Chat queued” occurs, then send an email to the customer.",
    ),
    (
        {
            "then": [
                {"do": "notify", "title": "T", "to": {"users": [3]}, "again": {"seconds": 300, "times": 3}}
            ]
        },
        (
            "When “Chat queued” occurs, then notify Jana Malá, repeat every 5 minutes until read, "
            "up to 3 times."
        ),
    ),
    (
        {
            "then": [
                {"do": "notify", "title": "T", "to": {"users": [3]}, "again": {"seconds": 5400, "times": 1}}
            ]
        },
        "When “Chat queued” occurs, then notify Jana Malá, repeat every 1:30:00 until read, up to 1 time.",
    ),
)


@pytest.mark.usefixtures("english")
def test_a_rule_reads_as_one_plain_sentence() -> None:
    assert [said(raw).whole for raw, _text in CASES] == [text for _raw, text in CASES]


VALUES: tuple[tuple[dict[str, Any], str], ...] = (
    ({"field": "time", "op": "more_than_ago", "value": 600}, "Time of the event is more than 0:10:00 ago"),
    ({"field": "time", "op": "on_date", "value": "2026-03-02"}, "Time of the event is on 2 Mar 2026"),
    (
        {"field": "time", "op": "before", "value": 1772438400000},
        "Time of the event is before 2 Mar 2026 09:00:00",
    ),
    ({"field": "time.weekday", "op": "weekday_of", "value": [1, 7]}, "Day of the week is one of Mon, Sun"),
    (
        {"field": "time.clock", "op": "clock_between", "value": ["08:00", "18:00"]},
        "Time of day is from 08:00 to 18:00",
    ),
    (
        {"field": "time", "op": "in_calendar", "value": "Brno"},
        "Time of the event is within the working hours of Brno",
    ),
    (
        {"field": "user", "op": "changed_from_to", "value": [None, 3]},
        "User changed from anything to Jana Malá",
    ),
    (
        {"field": "user.team", "op": "has_any", "value": [5, 7]},
        "User's teams includes any of Night, a deleted team",
    ),
    ({"field": "type", "op": "one_of", "value": ["chat.queued"]}, "Event type is one of Chat queued"),
    (
        {"field": "interaction", "op": "longer_than", "value": 1234},
        "Interaction is longer than 1,234 characters",
    ),
    (
        {"field": "data.custom.plan", "op": "is", "value": "<b>gold</b>"},
        "Other data field “data.custom.plan” is <b>gold</b>",
    ),
)


@pytest.mark.usefixtures("english")
def test_values_of_conditions_read_as_what_they_are() -> None:
    found = [said({"if": {"all": [condition]}}).conditions for condition, _text in VALUES]
    assert found == [text for _condition, text in VALUES]


def test_lists_of_values_have_the_commas_of_the_language(app: Flask) -> None:
    condition = {"field": "time.weekday", "op": "weekday_of", "value": [1, 7]}
    with app.test_request_context(), force_locale("ja"):
        assert said({"if": {"all": [condition]}}).conditions == "曜日が月、日のいずれかである"
    assert (formats.listed([]), formats.listed(["one"])) == ("", "one")


@pytest.mark.usefixtures("english")
def test_labels_of_operators() -> None:
    assert sentences.operator_label("between") == "is between … and …"
    assert sentences.operator_label("gone") == "gone"
    assert all(sentences.operator_label(name) for name in OPERATORS)


@pytest.mark.usefixtures("english")
def test_findings_are_shown_at_every_rule_concerned() -> None:
    found = Findings((1,), {2: {"chat.queued": 8, "call.queued": 8}}, ((8, 2), (5,)))
    told = sentences.findings(found, {8: "First", 2: "Second"})
    first = (
        "For “Chat queued” and “Call queued”, rule “First” always runs first and skips the remaining rules."
    )
    ring = "These rules trigger each other in a loop: First → Second → First."
    assert told == {
        1: ["The conditions contradict each other, so this rule never matches."],
        2: [first, ring],
        8: [ring],
        5: ["This rule triggers itself through the event it records."],
    }


@pytest.mark.parametrize("locale", LOCALES)
def test_every_rule_has_a_sentence_in_every_language(app: Flask, locale: str) -> None:
    with app.test_request_context(headers={"Accept-Language": locale}):
        whole = [said(raw).whole for raw, _text in CASES]
        whole += [sentences.words(defined(each.definition), NAMES).whole for each in starter.drafts(str)]
        periods = [sentences.period(seconds) for seconds in PERIODS]
    assert all(text and "%(" not in text for text in whole)
    assert len(set(periods)) == len(PERIODS)


@pytest.fixture
def named(app: Flask) -> Definition:
    """A definition that names one of each, all outside the scope of a plain agent."""
    boss, queue = make.user("boss", name="Boss"), make.queue("sales")
    found = schema.load(
        {
            "types": ["chat.queued"],
            "if": {
                "all": [
                    {"field": "user", "op": "one_of", "value": [boss.id]},
                    {"field": "queue", "op": "one_of", "value": [queue.id]},
                ]
            },
            "then": [{"do": "notify", "title": "T", "to": {"users": [boss.id]}}],
        }
    )
    assert isinstance(found, Definition)
    return found


def seen_by(app: Flask, user: User, found: Definition) -> str:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        g.user = user
        return sentences.words(found, names.names(scopes.of_user(user), [found])).whole


def test_names_are_those_of_the_viewers_scope(app: Flask, named: Definition) -> None:
    assert "User is one of Boss and Queue is one of Sales, then notify Boss" in seen_by(
        app, make.administrator(), named
    )
    agent = make.user("agent", access=make.access([Permission.RULES_VIEW]))
    whole = seen_by(app, agent, named)
    assert "User is one of another user and Queue is one of another queue, then notify another user" in whole
