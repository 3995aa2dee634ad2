"""What a rule says, its JSON form, and what the check on save has to say about it."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.rulelang import schema
from dashboard.rulelang.matcher import Loop, State
from dashboard.rulelang.predicates import Context
from dashboard.rulelang.rate_limits import By, Limit, Often, Times
from dashboard.rulelang.schema import After, AvailableReferences, Definition, Wait
from tests.rulelang.make import SITE
from tests.rulelang.make import defined as good

TAG: dict[str, Any] = {"do": "tag", "tags": ["vip"]}


def raw(types: list[Any] | None = None, **parts: Any) -> dict[str, Any]:
    return {"types": types or ["chat.queued"], "then": [TAG], **parts}


def errors(made: Any, site: AvailableReferences | None = SITE) -> dict[str, str]:
    found = schema.parse(made, site)
    return {} if isinstance(found, Definition) else {path: said.render() for path, said in found.items()}


def action(**params: Any) -> dict[str, Any]:
    return raw(then=[params])


def test_every_part_of_a_rule_is_read() -> None:
    found = good(
        {
            "types": ["chat.queued"],
            "if": {"all": [{"field": "queue", "op": "one_of", "value": [7]}]},
            "wait": {"seconds": 120, "calendar": "Brno", "unless": ["chat.accepted"]},
            "then": [
                {
                    "do": "notify",
                    "to": {"users": [4, 3, 3], "roles": ["owner"]},
                    "title": "T",
                    "limit": {"often": "period", "by": "contact", "seconds": 900},
                    "on_error": "stop",
                    "delay_s": 60,
                },
                {"do": "webhook", "channel": 1},
            ],
            "stop": True,
            "loop": "allow",
            "zone": "Europe/Prague",
        }
    )
    assert found.wait == Wait(120, "Brno", ("chat.accepted",))
    assert (found.stop, found.loop, found.zone) == (True, Loop.ALLOW, "Europe/Prague")
    first, second = found.then
    assert first.params["to"] == {"users": [3, 4], "teams": [], "accesses": [], "roles": ["owner"]}
    assert first.params["urgent"] is False
    assert (first.limit, first.on_error, first.delay_s) == (Limit(Often.PERIOD, By.CONTACT, 900), "stop", 60)
    assert second.params == {"channel": 1}


def test_a_type_under_an_alias_is_kept_under_its_own_name() -> None:
    assert good(raw(["call.answered", "call.accepted"])).types == ("call.accepted",)


@pytest.mark.parametrize(
    ("types", "parts", "path"),
    [
        pytest.param([], {}, "types", id="a rule needs a type"),
        pytest.param(["nothing.happened"], {}, "types", id="a type must exist"),
        pytest.param([None], {}, "types", id="a type is a text"),
        pytest.param(["event.viewed"], {}, "types", id="some types are not for rules"),
        pytest.param(
            ["chat.queued", "ticket.idle"],
            {"after": {"seconds": 60}},
            "types",
            id="deadlines stand by themselves",
        ),
        pytest.param(
            ["chat.queued", "ticket.count_reached"],
            {"count": {"number": 2}},
            "types",
            id="counters stand by themselves",
        ),
        pytest.param(["ticket.idle"], {}, "after", id="idle needs a length"),
        pytest.param(
            ["ticket.idle"], {"after": {"seconds": 0}}, "after.seconds", id="idle for nothing is none"
        ),
        pytest.param(
            ["ticket.idle"],
            {"after": {"seconds": 60, "calendar": "Mars"}},
            "after.calendar",
            id="a calendar must exist",
        ),
        pytest.param(
            ["ticket.idle"],
            {"after": {"seconds": 60}, "wait": {"seconds": 60}},
            "wait",
            id="a deadline does not wait",
        ),
        pytest.param(["chat.queued"], {"after": {"seconds": 60}}, "after", id="after is for deadlines"),
        pytest.param(["chat.queued"], {"count": {"number": 5}}, "count", id="count is for counters"),
        pytest.param(
            ["chat.queued"], {"schedule": {"at": ["08:00"]}}, "schedule", id="a schedule is for the calendar"
        ),
        pytest.param(["ticket.count_reached"], {}, "count", id="a counter needs a number"),
        pytest.param(
            ["ticket.count_reached"],
            {"count": {"number": 5, "clear": 5}},
            "count.clear",
            id="a counter clears below its number",
        ),
        pytest.param(
            ["agent.capacity_reached"],
            {"count": {"number": 5, "by": "queue"}},
            "count.by",
            id="capacity is an agent's",
        ),
        pytest.param(["schedule.reached"], {}, "schedule", id="the calendar needs times"),
        pytest.param(
            ["schedule.reached"], {"schedule": {"at": ["24:00"]}}, "schedule.at", id="a day ends before 24:00"
        ),
        pytest.param(
            ["schedule.reached"],
            {"schedule": {"at": ["８:00"]}},
            "schedule.at",
            id="a time is in plain digits",
        ),
        pytest.param(
            ["schedule.reached"],
            {"schedule": {"at": ["08:00"], "days": []}},
            "schedule.days",
            id="a schedule needs a day",
        ),
        pytest.param(
            ["chat.queued"], {"times": {"number": 0, "seconds": 60}}, "times.number", id="no times is none"
        ),
        pytest.param(
            ["chat.queued"],
            {"times": {"number": 2, "seconds": 10**9}},
            "times.seconds",
            id="a window has an end",
        ),
        pytest.param(
            ["chat.queued"],
            {"times": {"number": 2, "seconds": 60, "clear": 2}},
            "times.clear",
            id="a window clears below its number",
        ),
        pytest.param(
            ["chat.queued"],
            {"times": {"number": 2, "seconds": 60}, "wait": {"seconds": 5}},
            "wait",
            id="times and wait exclude each other",
        ),
        pytest.param(
            ["chat.queued"],
            {"wait": {"seconds": 5, "unless": ["x"]}},
            "wait.unless",
            id="what ends a wait must exist",
        ),
        pytest.param(["chat.queued"], {"zone": "Mars/Olympus"}, "zone", id="a zone must exist"),
        pytest.param(["chat.queued"], {"zone": "localtime"}, "zone", id="not the machine's zone"),
        pytest.param(["chat.queued"], {"loop": "forever"}, "loop", id="a policy is one of three"),
        pytest.param(["chat.queued"], {"stop": "yes"}, "stop", id="stop is yes or no"),
        pytest.param(["chat.queued"], {"then": []}, "then", id="a rule needs an action"),
        pytest.param(["chat.queued"], {"colour": 1}, "", id="an unknown part is refused"),
        pytest.param(
            ["chat.queued"],
            {"if": {"all": [{"field": "time", "op": "in_calendar", "value": "Mars"}]}},
            "if.0.value",
            id="a condition's calendar must exist",
        ),
        pytest.param(
            ["chat.queued"],
            {"if": {"all": [{"any": [{"field": "nose", "op": "is"}]}]}},
            "if.0.0.field",
            id="a condition's field must exist",
        ),
    ],
)
def test_errors_are_keyed_by_path(types: list[Any], parts: dict[str, Any], path: str) -> None:
    assert list(errors({**raw(), "types": types, **parts})) == [path]


TO = {"to": {"roles": ["owner"]}}


@pytest.mark.parametrize(
    ("made", "path"),
    [
        pytest.param({"do": "sing"}, "do", id="an action is one of the table"),
        pytest.param({"do": "notify", "title": "T"}, "to", id="a notice needs somebody"),
        pytest.param({"do": "notify", **TO}, "title", id="a notice needs a title"),
        pytest.param({"do": "notify", **TO, "title": "a\nb"}, "title", id="a title has one line"),
        pytest.param({"do": "notify", **TO, "title": "x" * 201}, "title", id="a title has an end"),
        pytest.param({"do": "notify", **TO, "title": "{{ 7*7 }}"}, "title", id="an expression is no name"),
        pytest.param(
            {"do": "notify", **TO, "title": "{{ ticket.number }}"},
            "title",
            id="a placeholder suits the types",
        ),
        pytest.param(
            {"do": "notify", "to": {"users": [9]}, "title": "T"},
            "to.users",
            id="a user must be one that the author may see",
        ),
        pytest.param(
            {"do": "notify", "to": {"roles": ["king"]}, "title": "T"}, "to.roles", id="a role is one of four"
        ),
        pytest.param({"do": "email", "subject": "S", "text": "T"}, "to", id="mail needs somebody"),
        pytest.param(
            {"do": "email", "addresses": ["a@b"], "subject": "S", "text": "T"},
            "addresses.0",
            id="an address has a domain",
        ),
        pytest.param(
            {"do": "email", "addresses": ["a@b.cz\r\nBcc: c@d.cz"], "subject": "S", "text": "T"},
            "addresses.0",
            id="an address has no break",
        ),
        pytest.param(
            {"do": "email", **TO, "subject": "S\r\nBcc: c@d.cz", "text": "T"},
            "subject",
            id="a subject has no break",
        ),
        pytest.param({"do": "webhook"}, "channel", id="a webhook needs a channel"),
        pytest.param({"do": "webhook", "channel": 9}, "channel", id="a channel must exist"),
        pytest.param({"do": "webhook", "channel": 2}, "channel", id="a channel must be of the kind"),
        pytest.param({"do": "tag", "tags": []}, "tags", id="a tag is needed"),
        pytest.param({"do": "tag", "tags": ["x" * 61]}, "tags.0", id="a tag has an end"),
        pytest.param({"do": "note", "text": " "}, "text", id="a note is not empty"),
        pytest.param({"do": "note", "text": "a\x00b"}, "text", id="a text can be stored"),
        pytest.param({"do": "emit", "type": "call.closed"}, "type", id="a rule records custom events only"),
        pytest.param(
            {"do": "emit", "type": "custom.x", "data": {"A b": "1"}}, "data", id="a field has a plain name"
        ),
        pytest.param(
            {**TAG, "limit": {"often": "period", "seconds": 61}},
            "limit.seconds",
            id="a period is one of the list",
        ),
        pytest.param({**TAG, "limit": {"often": "sometimes"}}, "limit.often", id="a limit is one of four"),
        pytest.param({**TAG, "on_error": "panic"}, "on_error", id="a policy for errors is one of three"),
        pytest.param({**TAG, "delay_s": -1}, "delay_s", id="a delay is not before"),
        pytest.param({**TAG, "volume": 11}, "", id="an unknown parameter is refused"),
    ],
)
def test_errors_of_an_action_are_keyed_by_path(made: dict[str, Any], path: str) -> None:
    assert list(errors(action(**made))) == ["then.0" + ("." if path else "") + path]


def test_without_the_right_no_action_calls_out() -> None:
    shut = AvailableReferences(channels={1: "webhook"})
    assert list(errors(action(do="webhook", channel=1), shut)) == ["then.0.do"]


def test_ones_own_rule_is_about_ones_own_work() -> None:
    assert list(errors(raw(["auth.signed_in"]), AvailableReferences(personal=True))) == ["types"]


@pytest.mark.parametrize(
    ("type_", "use", "allowed"),
    [
        ("chat.queued", False, False),
        ("event.viewed", True, True),
    ],
)
def test_an_administrators_choice_about_a_type_holds(type_: str, use: bool, allowed: bool) -> None:
    assert (errors(raw([type_]), AvailableReferences(switched={type_: use})) == {}) is allowed


def test_a_stored_rule_is_read_though_what_it_names_is_gone() -> None:
    made = action(do="webhook", channel=99)
    assert isinstance(schema.load(made), Definition)
    assert list(errors(made)) == ["then.0.channel"]


def test_what_is_due_needs_no_length() -> None:
    assert good(raw(["task.due"])).after == After(0)


def test_definition_lists_what_it_emits_and_refers_to() -> None:
    found = good(
        {
            "types": ["chat.queued"],
            "if": {"all": [{"field": "time", "op": "in_calendar", "value": "Brno"}]},
            "then": [
                {"do": "emit", "type": "custom.a"},
                {"do": "log", "text": "x"},
                {"do": "webhook", "channel": 1},
            ],
        }
    )
    assert schema.emits(found) == ("custom.a", "rule.logged")
    assert schema.refers_to(found)["calendar"] == {"Brno"}
    assert schema.refers_to(found)["channel"] == {1}


def test_the_matcher_gets_what_the_row_and_the_definition_say() -> None:
    found = good(raw(stop=True))
    row = {"id": 1, "version": 2, "position": 3, "group": 4, "owner": 5, "state": "shadow"}
    spec = schema.spec(row, found, Context(zone="UTC", owner=5))
    assert (spec.id, spec.version, spec.position, spec.group, spec.owner) == (1, 2, 3, 4, 5)
    assert (spec.state, spec.stop, spec.types, spec.loop) == (State.SHADOW, True, ("chat.queued",), Loop.ONCE)


def test_times_are_kept_by_what_they_are_counted_for() -> None:
    assert good(raw(times={"number": 3, "seconds": 600, "by": "agent"})).times == Times(3, 600, By.AGENT)
