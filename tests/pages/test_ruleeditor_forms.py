"""The form of a rule: round trips and hostile input."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from dashboard.pages.ruleeditor import edits, form_values, page
from dashboard.pages.ruleeditor import form as rule_form
from dashboard.rulelang import fields, schema
from dashboard.rulelang.actions import ACTIONS, Recipients
from dashboard.rulelang.fields import Kind
from dashboard.rulelang.operand_types import Operand
from dashboard.rulelang.operators import OPERATORS, operators
from dashboard.rulelang.validation import ErrorPath
from dashboard.rulelang.values import (
    Addresses,
    ChannelId,
    CustomType,
    Group,
    Seconds,
    TemplatesByName,
    Text,
    Texts,
    YesNo,
)
from dashboard.rulelang.values import Kind as ValueKind
from tests.pages.posted_form import posted_fields

ZONE = "Europe/Prague"
SAMPLES: dict[Operand, Any] = {
    Operand.TEXT: "VIP",
    Operand.TEXTS: ["a, b", "ž"],
    Operand.PATTERN: "^a+$",
    Operand.COUNT: 3,
    Operand.NUMBER: 2.5,
    Operand.SECONDS: 5400,
    Operand.ADDRESS: "10.0.0.1",
    Operand.NETWORKS: ["10.0.0.0/8", "::1/128"],
    Operand.INSTANT: 1_793_000_040_000,
    Operand.DATE: "2026-03-02",
    Operand.CLOCK: "24:00",
    Operand.WEEKDAYS: [1, 7],
    Operand.CALENDAR: "Brno",
}


def sample(kind: Operand, field: fields.Field) -> Any:
    """Return a value that the operand may have for the field."""
    if kind in SAMPLES:
        return SAMPLES[kind]
    one = 7 if form_values.by_id(field) else (field.choices or ("x",))[0]
    return [one] if kind is Operand.CHOICES else one


def again(raw: dict[str, Any]) -> dict[str, Any]:
    """Return a definition after it was shown in the form and posted back."""
    made: dict[str, Any] = rule_form.read(posted_fields(rule_form.typed(raw), ZONE), ZONE)["definition"]
    return made


EVERY_FIELD = fields.fields(["ticket.created", "chat.queued", "chat.invited", "email.received"])


@pytest.mark.parametrize("kind", list(Kind))
def test_every_operator_of_every_kind_of_field_comes_back_as_it_was(kind: Kind) -> None:
    of_kind = [field for field in EVERY_FIELD.values() if field.kind is kind]
    assert of_kind, "a kind without a field would test nothing"
    for field in of_kind:
        for row in operators(field):
            values = [sample(each, field) for each in row.operands]
            node: dict[str, Any] = {"field": field.path, "op": row.name}
            if values:
                node["value"] = values[0] if len(values) == 1 else values
            raw = {
                "types": ["ticket.created", "chat.queued", "chat.invited", "email.received"],
                "if": {"all": [node]},
                "then": [],
            }
            assert again(raw)["if"] == {"all": [node]}, (field.path, row.name)


FULL = {
    "types": ["chat.queued", "custom.shop.sale"],
    "if": {
        "all": [
            {"field": "queue", "op": "one_of", "value": [3, 4]},
            {
                "any": [
                    {"field": "data.order.value", "op": "is", "value": "VIP"},
                    {"none": [{"field": "user", "op": "is_me"}]},
                ]
            },
            {"field": "user", "op": "changed_from_to", "value": [None, 7]},
        ]
    },
    "wait": {"seconds": 120, "calendar": "Brno", "unless": ["chat.accepted", "chat.abandoned"]},
    "then": [
        {
            "do": "notify",
            "to": {"users": [1, 2], "teams": [3], "accesses": [4], "roles": ["leads"]},
            "title": "Chat {{ chat.position }}",
            "text": "a\nb",
            "urgent": True,
            "limit": {"often": "period", "by": "contact", "seconds": 900},
            "on_error": "undo",
            "delay_s": 60,
            "again": {"seconds": 5400, "times": 3},
        },
        {"do": "emit", "type": "custom.late", "data": {"who": "{{ user.name }}"}},
        {"do": "tag", "tags": ["one, two", "three"], "limit": {"often": "episode", "by": "rule"}},
        {"do": "webhook", "channel": 5},
        {"do": "email", "addresses": ["a@example.org"], "subject": "S", "text": "T"},
    ],
    "stop": True,
    "loop": "allow",
    "zone": "Asia/Tokyo",
}
OTHERS: list[dict[str, Any]] = [
    {**FULL, "wait": None, "times": {"number": 3, "seconds": 600, "by": "contact", "clear": 1}},
    {**FULL, "wait": None, "types": ["ticket.idle"], "after": {"seconds": 1800, "calendar": "Brno"}},
    {
        **FULL,
        "wait": None,
        "types": ["ticket.count_reached"],
        "count": {"number": 9, "clear": 4, "by": "queue"},
    },
    {
        **FULL,
        "wait": None,
        "types": ["schedule.reached"],
        "if": {"all": []},
        "schedule": {"at": ["08:00", "12:30"], "days": [1, 7], "calendar": ""},
    },
]


@pytest.mark.parametrize("raw", [FULL, *OTHERS], ids=["wait", "times", "after", "count", "schedule"])
def test_a_whole_definition_means_the_same_after_a_round_through_the_form(raw: dict[str, Any]) -> None:
    given_ = {name: part for name, part in raw.items() if part is not None}
    if "schedule" in given_ or "after" in given_ or "count" in given_:
        given_["then"] = [each for each in given_["then"] if each["do"] not in ("notify",)]
    meant = schema.load(given_)
    assert isinstance(meant, schema.Definition), meant
    assert schema.load(again(given_)) == meant
    assert schema.load(again(schema.dump(meant))) == meant


HOSTILE = [
    {"if.0.0.0.0.0.field": "x", "if.999.how": "all", "if.1.field": "data.", "if..how": "any"},
    {"if.how": "x", "if.0.how": "any", "if.0.field": "user", "if.0.1.how": "none", "if.0.1.0.field": ""},
    {"types.0": "custom.", "types.999": "x" * 9999, "types.-1": "y", "then.0.do": "nothing"},
    {"if.0.field": "data.wait_s", "if.0.op": "between", "if.0.was": "data.wait_s|between|x"},
    {"if.0.field": "time", "if.0.op": "before", "if.0.was": "time|before", "if.0.v0": "9999999-01-01T00:00"},
    {"if.0.field": "user", "if.0.was": "user|one_of", "if.0.kept": "[" * 5000},
    {"if.0.field": "user", "if.0.kept": '{"a": NaN, "b": 1e999, "c": "\\u0000\\ud800"}'},
    {"wait.seconds": "٣", "wait.seconds.unit": "year", "times.number": "1e9", "times.clear": "-"},
    {"schedule.at": ",,;\x00", "schedule.days": "0", "types.0": "schedule.reached", "count.number": "½"},
    {"then.0.do": "emit", "then.0.data.lines": ":\n\x00: x\nno colon", "then.0.delay": "9" * 400},
    {"then.0.do": "notify", "then.0.again.seconds": "x" * 999, "then.0.again.times": "٣"},
    {"then.0.do": "webhook", "then.0.channel": "١", "then.0.freq": "-5", "zone": "../etc/passwd"},
]


@pytest.mark.parametrize("posted", HOSTILE)
def test_a_hostile_form_raises_nothing_and_can_be_stored(posted: dict[str, str]) -> None:
    read = rule_form.read(MultiDict({"if.how": "all", **posted}), ZONE)
    text = json.dumps(read, allow_nan=False)
    assert "\\u0000" not in text
    schema.parse(read["definition"], None)
    for op in (
        *edits.EDITS,
        *(f"{name}:0" for name in edits.EDITS),
        "add:0.0.0.0",
        "del:99",
        "put:0.to:x",
        "x:",
    ):
        made = edits.apply_edit(read, op)
        posted_fields(made.form, ZONE)
        schema.parse(made.form["definition"], None)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["all", "any", "field", "op", "value", "do", "to", "limit", "unless", "seconds"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
PARTS = ["types", "if", "times", "after", "wait", "count", "schedule", "then", "stop", "loop", "zone"]


@given(st.dictionaries(st.sampled_from(PARTS), json_values) | json_values)
def test_any_stored_json_can_be_shown_and_posted(raw: Any) -> None:
    first = rule_form.read(posted_fields(rule_form.typed(raw), ZONE), ZONE)
    schema.parse(first["definition"], None)
    assert rule_form.read(posted_fields(first, ZONE), ZONE) == first, (
        "a second round changes nothing any more"
    )


@given(
    st.dictionaries(
        st.from_regex(r"(if|then|types|wait)(\.[0-9a-z]{1,4}){0,4}", fullmatch=True),
        st.text(max_size=8),
        max_size=12,
    )
)
def test_any_posted_names_can_be_read(posted: dict[str, str]) -> None:
    read = rule_form.read(MultiDict(posted), ZONE)
    json.dumps(read, allow_nan=False)
    posted_fields(read, ZONE)


@pytest.mark.parametrize(
    ("typed", "unit", "stored", "shown"),
    [
        ("2", "min", 120, ("2", "min")),
        ("1,5", "h", 5400, ("90", "min")),
        ("0:02:30", "s", 150, ("150", "s")),
        ("7", "d", 604800, ("1", "w")),
        ("soon", "h", "soon h", ("soon", "h")),
        ("", "h", "", ("", "min")),
    ],
)
def test_a_duration_is_a_number_and_a_unit(
    typed: str, unit: str, stored: object, shown: tuple[str, str]
) -> None:
    form = MultiDict({"x": typed, "x.unit": unit})
    assert form_values.seconds(form, "x") == stored
    assert form_values.amount(stored) == shown


def test_another_field_brings_its_first_operator_and_leaves_the_value_of_the_other() -> None:
    posted = {
        "if.how": "all",
        "types.0": "chat.queued",
        "if.0.was": "queue|one_of",
        "if.0.v0": "3",
        "if.0.field": "user",
        "if.0.op": "one_of",
    }
    (node,) = rule_form.read(MultiDict(posted), ZONE)["definition"]["if"]["all"]
    assert node == {"field": "user", "op": "one_of"}
    posted["if.0.field"] = "data.position"
    (node,) = rule_form.read(MultiDict(posted), ZONE)["definition"]["if"]["all"]
    assert node["op"] == operators(fields.fields(["chat.queued"])["data.position"])[0].name


def test_another_operator_of_the_same_kind_keeps_the_value() -> None:
    posted = {
        "if.how": "all",
        "types.0": "chat.queued",
        "if.0.was": "interaction|contains",
        "if.0.v0": "abc",
        "if.0.field": "interaction",
        "if.0.op": "starts_with",
    }
    (node,) = rule_form.read(MultiDict(posted), ZONE)["definition"]["if"]["all"]
    assert node == {"field": "interaction", "op": "starts_with", "value": "abc"}
    assert OPERATORS["starts_with"].operands == OPERATORS["contains"].operands


@pytest.mark.parametrize(
    ("path", "field"),
    [
        (("types",), "types.0"),
        (("if",), "if.how"),
        (("if", 0, 1, "value"), "if.0.1.v0"),
        (("then",), "addact"),
        (("then", 2), "then.2.do"),
        (("then", 0, "title"), "then.0.title"),
        (("then", 0, "addresses", 3), "then.0.addresses"),
        (("then", 0, "to"), "then.0.to.roles"),
        (("then", 0, "to", "users"), "then.0.to.users"),
        (("then", 0, "again"), "then.0.again.seconds"),
        (("then", 0, "again", "times"), "then.0.again.times"),
        (("then", 0, "limit", "seconds"), "then.0.freq"),
        (("then", 0, "delay_s"), "then.0.delay"),
        (("after",), "after.seconds"),
        (("schedule",), "schedule.at"),
        (("count", "clear"), "count.clear"),
    ],
)
def test_an_error_leads_to_the_field_that_it_is_about(path: tuple[str | int, ...], field: str) -> None:
    assert page.target(ErrorPath(*path)) == field


@pytest.mark.parametrize("name", ACTIONS)
def test_every_parameter_of_an_action_comes_back_from_the_form(name: str) -> None:
    values: dict[type[ValueKind], Any] = {
        Recipients: {"users": [3], "roles": ["owner"]},
        Text: "x",
        Texts: ["a", "b c"],
        YesNo: True,
        Group: {"seconds": 600, "times": 3},
        CustomType: "custom.sale",
        Seconds: 600,
        TemplatesByName: {"a": "1", "b": "{{ user.name }}"},
        ChannelId: 7,
        Addresses: ["a@b.cz", "c@d.cz"],
    }
    action = {"do": name, **{part.name: values[type(part.kind)] for part in ACTIONS[name].params}}
    common = {
        "limit": {"often": "period", "seconds": 900, "by": "contact"},
        "delay_s": 60,
        "on_error": "stop",
    }
    raw = {"types": ["ticket.created"], "then": [{**action, **common}]}
    again = rule_form.read(posted_fields(rule_form.typed(raw), ZONE), ZONE)
    assert again["definition"]["then"] == raw["then"]
