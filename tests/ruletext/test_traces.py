"""A trace as a reader sees it: values met, errors, what was not asked, and the first that failed."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from dashboard.rulelang import fields
from dashboard.rulelang.compiler import compile_tree
from dashboard.rulelang.predicates import Context
from dashboard.rulelang.text_templates import Names
from dashboard.ruletext import traces
from dashboard.ruletext.traces import Line, Reader
from tests.rulelang.make import event, parsed

CALL = "call.accepted"
NAMES = Names(users={7: "Jana"}, queues={3: "Support"})
MASKED, WHOLE = Reader(NAMES, "Europe/Prague", full=False), Reader(NAMES, "Europe/Prague", full=True)


def stored(raw: dict[str, Any], *types: str, **facts: Any) -> dict[str, Any]:
    types = types or ("custom.sale",)
    made = compile_tree(parsed(raw, *types), fields.fields(types), Context(zone="Europe/Prague"))
    return made.explain(event(facts.pop("data", {}), types[0], **facts)).as_json()


def shown(
    app: Flask, raw: dict[str, Any], *types: str, reader: Reader = WHOLE, **facts: Any
) -> tuple[Line, ...]:
    with app.test_request_context():
        trace = stored(raw, *types, **facts)
        return traces.line(trace, types or ("custom.sale",), reader).children


def condition(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"all": [{"field": field, "op": op, **({} if value is None else {"value": value})}]}


CHANGED = {"changes": {"data.status": ("new", "open")}}
SAID: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "what was met": (condition("user", "one_of", [7]), {"user": 7}, "yes", "User (Jana) is one of Jana"),
    "a stranger": (condition("user", "one_of", [7]), {"user": 8}, "no", "(another user) is one of Jana"),
    "nothing": (condition("session", "is", "x"), {}, "no", "Session (empty) is x"),
    "a time of day": (
        condition("time.clock", "clock_between", ["08:00", "10:00"]),
        {},
        "yes",
        "Time of day (09:00) is from 08:00 to 10:00",
    ),
    "a weekday": (condition("time.weekday", "weekday_of", [2]), {}, "no", "(Mon 2) is one of Tue"),
    "a change": (condition("data.status", "changed"), CHANGED, "yes", "(new → open) changed"),
    "no change": (condition("data.status", "changed"), {}, "no", "(unchanged) changed"),
    "an error": (condition("data.list", "is", "x"), {"data": {"list": ["a"]}}, "error", "(a) is x"),
}


@pytest.mark.parametrize("name", SAID)
def test_condition_is_shown_with_its_value(name: str, app: Flask) -> None:
    raw, facts, mark, text = SAID[name]
    (line,) = shown(app, raw, **facts)
    assert line.mark == mark
    assert line.text.endswith(text)
    assert bool(line.error) == (mark == "error")


def test_duration_is_shown_as_duration(app: Flask) -> None:
    (line,) = shown(app, condition("data.wait_s", "gt", 60), CALL, data={"wait_s": 75}, user=7)
    assert line.text == "Waiting time (0:01:15) > 0:01:00"


@pytest.mark.parametrize(
    ("field", "contact", "plain", "masked"),
    [
        ("contact.phone", {"phone": "+420123456214"}, "+420123456214", "+420 ••• ••• 214"),
        ("contact.email", {"email": "eva@example.org"}, "eva@example.org", "e•••@example.org"),
        ("contact.name", {"name": "Eva"}, "Eva", "E•••"),
    ],
)
def test_contacts_are_masked_for_whom_they_are_not(
    field: str, contact: dict[str, str], plain: str, masked: str, app: Flask
) -> None:
    raw = condition(field, "is_not_empty")
    (whole,) = shown(app, raw, contact=contact)
    (hidden,) = shown(app, raw, contact=contact, reader=MASKED)
    assert f"({plain})" in whole.text
    assert f"({masked})" in hidden.text
    assert plain not in hidden.text


def test_removed_field_is_shown_by_its_name(app: Flask) -> None:
    lost = {
        "field": "gone.field",
        "op": "was",
        "operands": ["x"],
        "seen": None,
        "empty": "absent",
        "error": "The field of this condition no longer exists.",
    }
    trace = {"outcome": None, "how": "all", "children": [{**lost, "outcome": None}]}
    with app.test_request_context():
        (line,) = traces.line(trace, (), WHOLE).children
    assert line.text == "gone.field (no longer exists)"
    assert line.error == "The field of this condition no longer exists."


def test_what_was_not_needed_is_marked_and_groups_are_nested(app: Flask) -> None:
    empty, full = ({"field": "user", "op": op} for op in ("is_empty", "is_not_empty"))
    queue = {"field": "queue", "op": "one_of", "value": [3]}
    raw = {"all": [queue, {"any": [empty, {"none": [full]}]}]}
    first, group = shown(app, raw, queue=4)
    assert (first.mark, first.text, first.needed) == ("no", "Queue (another queue) is one of Support", True)
    assert (group.is_group, group.text, group.needed) == (True, "Any of:", False)
    assert [line.is_group for line in group.children] == [False, True]
    assert not any(line.needed for line in group.children)


A, B = {"field": "data.a", "op": "is", "value": "1"}, {"field": "data.b", "op": "is", "value": "1"}
# What decided against the rule, by its path; None where it matches.
FAILED: list[tuple[dict[str, Any], dict[str, str], str | None]] = [
    ({"all": [A, B]}, {"a": "1", "b": "1"}, None),
    ({"all": [A, B]}, {"a": "0", "b": "0"}, "0"),
    ({"all": [A, B]}, {"a": "1", "b": "0"}, "1"),
    ({"all": [A, {"all": [B]}]}, {"a": "1", "b": "0"}, "1.0"),
    ({"any": [A, B]}, {"a": "0", "b": "0"}, ""),
    ({"any": [A]}, {"a": "0"}, "0"),
    ({"none": [A, B]}, {"a": "0", "b": "1"}, "1"),
    ({"all": [{"none": [A]}]}, {"a": "1"}, "0.0"),
    ({"all": [B, {"any": [A, B]}]}, {"a": "0", "b": "0"}, "0"),
]


@pytest.mark.parametrize(("raw", "data", "path"), FAILED)
def test_the_first_that_failed_is_found(raw: dict[str, Any], data: dict[str, str], path: str | None) -> None:
    found = traces.first_failed(stored(raw, data=data))
    assert (found and found["path"]) == path


def test_an_error_is_the_first_that_failed() -> None:
    found = traces.first_failed(stored({"all": [B, A]}, data={"a": "1", "b": ["x"]}))
    assert found is not None
    assert (found["path"], found["outcome"]) == ("0", None)
