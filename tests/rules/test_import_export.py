"""Rules as a file: what goes out, what comes in, and what a file cannot do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask

from dashboard.access import scope as scopes
from dashboard.access.permissions import Permission
from dashboard.i18n.message import Message
from dashboard.models import AuditEntry, Queue, Rule, RuleGroup, RuleVersion, Team, User
from dashboard.models.access import Access
from dashboard.models.notify import Calendar, Channel
from dashboard.rulelang import schema
from dashboard.rulelang.schema import Definition
from dashboard.rules import import_export
from tests import make

SECRET = "s3cr3t-of-the-channel"
ADDRESS = "https://hooks.example.org/T0/B0/x"
TAG: dict[str, Any] = {"do": "tag", "tags": ["vip"]}


def furnished() -> dict[str, Any]:
    """Make a site with one of each thing and return a definition that names them all."""
    user, queue = User.get(User.login == "jana"), make.queue("support")
    team, access = Team.create(name="Night"), Access.create(name="Lead", permissions=[])
    hook = Channel.create(name="Alerts", kind="webhook", address=ADDRESS, secret=SECRET, created_ts=0)
    Calendar.create(name="Brno", zone="Europe/Prague")
    return {
        "types": ["chat.queued"],
        "if": {
            "all": [
                {"field": "queue", "op": "one_of", "value": [queue.id]},
                {
                    "any": [
                        {"field": "user", "op": "changed_from_to", "value": [None, user.id]},
                        {"field": "user.team", "op": "has_any", "value": [team.id]},
                    ]
                },
            ]
        },
        "wait": {"seconds": 120, "calendar": "Brno", "unless": ["chat.accepted"]},
        "then": [
            {
                "do": "notify",
                "title": "T",
                "to": {"users": [user.id], "teams": [team.id], "accesses": [access.id], "roles": ["leads"]},
            },
            {"do": "webhook", "channel": hook.id, "text": "{{ event.time }}"},
        ],
    }


def stored(raw: dict[str, Any], **more: Any) -> Rule:
    found = schema.load(raw)
    assert isinstance(found, Definition), found
    values = {"name": "Chat waits", "created_ts": 0, "updated_ts": 0, **more}
    made: Rule = Rule.create(definition=schema.dump(found), **values)
    return made


def file(*rules: Any, version: Any = 1) -> bytes:
    return json.dumps({"stopa_rules": version, "rules": list(rules)}).encode()


def read(data: bytes, user: User, personal: bool = False) -> tuple[import_export.Incoming, ...]:
    found = import_export.read(data, scopes.of_user(user), personal)
    assert not isinstance(found, Message), found
    return found


def one(raw: dict[str, Any], user: User, **more: Any) -> import_export.Incoming:
    return read(file({"name": "R", "definition": raw, **more}), user)[0]


def said(row: import_export.Incoming) -> str:
    return " ".join(each.render() for each in row.warnings)


@pytest.fixture
def jana(app: Flask) -> User:
    return make.administrator("jana")


def test_a_file_brings_back_the_same_rules(jana: User) -> None:
    group = RuleGroup.create(name="Waiting")
    rule = stored(furnished(), description="As agreed.", group=group)
    row = read(import_export.export([rule], scopes.of_user(jana)), jana)[0]
    assert (row.name, row.description, row.group, row.error) == ("Chat waits", "As agreed.", "Waiting", None)
    assert row.warnings == ()
    assert row.definition is not None
    assert schema.dump(row.definition) == rule.definition


def test_a_file_keeps_the_customer_and_the_repetitions(jana: User) -> None:
    then = [
        {"do": "email", "to": {"roles": ["contact"]}, "subject": "S", "text": "T"},
        {"do": "notify", "to": {"roles": ["owner"]}, "title": "T", "again": {"seconds": 300, "times": 3}},
    ]
    rule = stored({"types": ["ticket.created"], "then": then})
    row = read(import_export.export([rule], scopes.of_user(jana)), jana)[0]
    assert row.warnings == ()
    assert row.definition is not None
    assert schema.dump(row.definition) == rule.definition


def test_a_file_has_names_and_neither_ids_nor_secrets(jana: User) -> None:
    text = import_export.export([stored(furnished())], scopes.of_user(jana)).decode()
    found = json.loads(text)["rules"][0]["definition"]
    assert found["if"]["all"][0]["value"] == ["support"]
    assert found["if"]["all"][1]["any"][0]["value"] == [None, "jana"]
    assert found["then"][0]["to"] == {
        "users": ["jana"],
        "teams": ["Night"],
        "accesses": ["Lead"],
        "roles": ["leads"],
    }
    assert found["then"][1]["channel"] == "Alerts"
    assert SECRET not in text
    assert ADDRESS not in text


def test_who_is_outside_of_the_scope_is_not_named(jana: User) -> None:
    viewer = make.user("viewer", access=make.access([Permission.RULES_VIEW], ["all_queues"]))
    text = import_export.export([stored(furnished())], scopes.of_user(viewer)).decode()
    assert "jana" not in text
    row = read(text.encode(), jana)[0]
    assert row.definition is not None
    assert "“?”" in said(row)


def test_what_comes_in_is_added_off_with_its_group(jana: User) -> None:
    raw = furnished()
    rows = read(import_export.export([stored(raw, state="on")], scopes.of_user(jana)), jana)
    made = import_export.add([rows[0], import_export.Incoming("Bad", error=Message("no"))], jana.id, None)
    assert [(row.name, row.state, row.owner_id, row.version) for row in made] == [
        ("Chat waits", "off", None, 1)
    ]
    assert RuleVersion.select().where(RuleVersion.rule == made[0]).count() == 1
    assert AuditEntry.get(AuditEntry.action == "rule.created").target_id == str(made[0].id)


def test_a_group_is_made_for_the_sites_rules_and_not_for_ones_own(jana: User) -> None:
    row = one({"types": ["chat.queued"], "then": [TAG]}, jana, group="New")
    assert import_export.add([row], jana.id, jana.id)[0].group is None
    assert not RuleGroup.select().exists()
    assert import_export.add([row], jana.id, None)[0].group.name == "New"


@pytest.mark.parametrize(
    ("more", "left", "told"),
    [
        pytest.param(
            {"if": {"all": [{"field": "user", "op": "one_of", "value": ["nobody"]}]}},
            {"all": []},
            "User “nobody”",
            id="a condition on an unknown user goes",
        ),
        pytest.param(
            {"if": {"all": [{"field": "queue", "op": "one_of", "value": ["support", "x"]}]}},
            None,
            "Queue “x”",
            id="of a list the unknown goes",
        ),
        pytest.param(
            {"if": {"all": [{"any": [{"field": "user", "op": "changed_from_to", "value": [None, "x"]}]}]}},
            {"all": []},
            "User “x”",
            id="a group that loses everything goes",
        ),
        pytest.param(
            {"if": {"all": [{"field": "nose", "op": "is", "value": "x"}]}},
            {"all": []},
            "don't have this field",
            id="a condition on an unknown field goes",
        ),
        pytest.param(
            {"if": {"all": [{"field": "time", "op": "in_calendar", "value": "Mars"}]}},
            {"all": []},
            "calendar",
            id="a condition on an unknown calendar goes",
        ),
        pytest.param(
            {"wait": {"seconds": 60, "calendar": "Mars"}},
            {"all": []},
            "The calendar",
            id="an unknown calendar goes, the wait stays",
        ),
        pytest.param({"times": {"number": 0}}, {"all": []}, "The part “times”", id="a wrong part goes"),
        pytest.param({"extra": 1}, {"all": []}, "Unknown rule part", id="an unknown part goes"),
        pytest.param(
            {"types": ["chat.queued", "nothing.happened"]},
            {"all": []},
            "An event type",
            id="an unknown type goes",
        ),
        pytest.param(
            {"types": ["chat.queued", "ticket.idle"]},
            {"all": []},
            "An event type",
            id="a type that cannot stand beside the first goes",
        ),
        pytest.param({"then": [TAG, {"do": "sing"}]}, {"all": []}, "Action 2", id="an unknown action goes"),
        pytest.param(
            {"then": [{"do": "webhook", "channel": "x"}, TAG]},
            {"all": []},
            "Channel “x”",
            id="an action on an unknown channel goes",
        ),
        pytest.param(
            {"then": [{"do": "notify", "title": "T", "to": {"users": ["x"]}}, TAG]},
            {"all": []},
            "User “x”",
            id="a notice to nobody goes",
        ),
        pytest.param(
            {"then": [{"do": "note", "text": "#NONSENSE#"}]},
            {"all": []},
            "#NONSENSE#",
            id="an unknown variable stays and is told",
        ),
    ],
)
def test_invalid_parts_are_left_out_and_reported(
    jana: User, more: dict[str, Any], left: dict[str, Any] | None, told: str
) -> None:
    queue = make.queue("support")
    row = one({"types": ["chat.queued"], "then": [TAG], **more}, jana)
    assert row.definition is not None, row.error
    expected = left or {"all": [{"field": "queue", "op": "one_of", "value": [queue.id]}]}
    assert schema.dump(row.definition)["if"] == expected
    assert told in said(row)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        pytest.param({"then": [TAG]}, "Choose at least one event type.", id="no type"),
        pytest.param({"types": ["x"], "then": [TAG]}, "Unknown event type “x”.", id="no known type"),
        pytest.param(
            {"types": ["chat.queued"], "then": [{"do": "webhook", "channel": "x"}]},
            "Add at least one action.",
            id="no action is left",
        ),
        pytest.param(
            {"types": ["ticket.idle"], "then": [TAG]},
            "Enter a duration. These event types depend on time.",
            id="no length",
        ),
        pytest.param([1], "Choose at least one event type.", id="no definition"),
    ],
)
def test_a_rule_without_what_it_needs_is_not_added(jana: User, raw: Any, reason: str) -> None:
    row = one(raw, jana)
    assert row.definition is None
    assert row.error is not None
    assert reason in row.error.render()


def test_rules_beside_a_bad_one_come_in(jana: User) -> None:
    whole = {"name": "Good", "definition": {"types": ["chat.queued"], "then": [TAG]}}
    rows = read(file({"name": "Bad"}, None, 7, {"name": "x" * 121}, {"name": "a\nb"}, whole), jana)
    assert [row.definition is not None for row in rows] == [False] * 5 + [True]
    assert all(row.error is not None for row in rows[:5])


def test_ones_own_rules_take_no_types_of_the_site(jana: User) -> None:
    raw = {"types": ["auth.signed_in", "chat.queued"], "then": [TAG]}
    row = read(file({"name": "R", "definition": raw}), jana, personal=True)[0]
    assert row.definition is not None
    assert row.definition.types == ("chat.queued",)


def test_who_may_not_call_out_gets_the_rest(app: Flask) -> None:
    user = make.user("agent", access=make.access([Permission.RULES_OWN]))
    hook = Channel.create(name="Alerts", kind="webhook", address=ADDRESS, created_ts=0)
    raw = {"types": ["chat.queued"], "then": [{"do": "webhook", "channel": hook.name}, TAG]}
    row = read(file({"name": "R", "definition": raw}), user, personal=True)[0]
    assert row.definition is not None
    assert [each.do for each in row.definition.then] == ["tag"]
    assert "You don't have permission" in said(row)


def test_variables_of_smartertrack_become_placeholders(jana: User) -> None:
    notice = {
        "do": "notify",
        "to": {"roles": ["leads"]},
        "title": "#TICKETNUMBER# idle",
        "text": "#Customer_Name#: #SUBJECT# since #IDLETIME#, #C#",
    }
    row = one({"types": ["ticket.idle"], "after": {"seconds": 60}, "then": [notice]}, jana)
    assert row.definition is not None
    params = row.definition.then[0].params
    assert params["title"] == "{{ ticket.number }} idle"
    assert params["text"] == "{{ contact.name }}: {{ ticket.title }} since {{ ticket.idle_s }}, #C#"


def test_a_queue_without_name_here_is_unknown(jana: User) -> None:
    Queue.delete().execute()
    raw = {
        "types": ["chat.queued"],
        "if": {"all": [{"field": "queue", "op": "one_of", "value": [1]}]},
        "then": [TAG],
    }
    assert "Queue “1”" in said(one(raw, jana))
