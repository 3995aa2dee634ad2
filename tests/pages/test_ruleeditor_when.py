"""The kind of "when", of which the editor asks first: what it offers, and what it makes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from dashboard.models import Rule
from dashboard.pages.ruleeditor import form, whens
from dashboard.pages.ruleeditor.whens import When
from tests import make
from tests.pages.html import Page
from tests.pages.typed import Fields, posted
from tests.rules.engine import event, send

LOG = [{"do": "log", "text": "x"}]


@pytest.fixture
def editor(client: FlaskClient) -> FlaskClient:
    make.sign_in(client, make.administrator())
    return client


# A kind, a type that fits, what else is typed, and the option of the saved rule.
KINDS: list[tuple[When, str, dict[str, str], str]] = [
    (When.HAPPENS, "chat.queued", {}, ""),
    (
        When.ABSENT,
        "chat.queued",
        {"wait.seconds": "2", "wait.seconds.unit": "min", "wait.unless.0": "chat.accepted"},
        "wait",
    ),
    (When.COUNT, "call.abandoned", {"times.number": "5"}, "times"),
    (When.COUNT, "chat.count_reached", {"count.number": "6"}, "count"),
    (When.SCHEDULE, "schedule.reached", {"schedule.at": "09:30"}, "schedule"),
    (When.LASTS, "chat.waiting", {"after.seconds": "90", "after.seconds.unit": "s"}, "after"),
]
OPTIONS = ("times", "wait", "count", "schedule", "after")


def test_each_kind_shows_its_fields_and_types_and_makes_its_rule(editor: FlaskClient) -> None:
    for n, (when, type_, typed, option) in enumerate(KINDS):
        fields = Fields(editor.get("/rules/new?list=system").text).found
        for name, value in {"when": str(when), "op": "when", "name": f"{n}"}.items():
            fields[name] = value
        page = editor.post("/rules/new", data=fields).text
        fields = Fields(page).found
        assert fields["when"] == when
        if when is not When.SCHEDULE:
            (listed,) = re.findall(r'<select id="f-types.0".*?</select>', page, re.DOTALL)
            offered = {each.attributes["value"] for each in Page(listed).elements if each.tag == "option"}
            assert type_ in offered
            assert ("ticket.idle" in offered, "agent.signed_in" in offered) == (
                when is When.LASTS,
                when is not When.LASTS,
            )
        fields["op"], fields["types.0"] = "type:0", type_
        page = editor.post("/rules/new", data=fields).text
        shown = {name for name in OPTIONS if re.search(rf'name="{name}\.', page)}
        assert shown == ({option} if option else set()), when
        fields = Fields(page).found
        for name, value in {**typed, "op": "addact"}.items():
            fields[name] = value
        fields = Fields(editor.post("/rules/new", data=fields).text).found
        for name, value in {"then.0.do": "log", "then.0.text": "x", "op": "save"}.items():
            fields[name] = value
        answer = editor.post("/rules/new", data=fields)
        assert answer.status_code == 302, Page(answer.text).text
        saved = Rule.get(Rule.name == f"{n}")
        assert saved.definition["types"] == [type_]
        assert {name for name in OPTIONS if saved.definition.get(name)} == ({option} if option else set())
        again = Fields(editor.get(answer.location).text).found
        assert again["when"] == when, "the kind of a stored rule follows from it"


def test_the_list_has_the_events_that_arrive_and_the_search_finds_the_rest(editor: FlaskClient) -> None:
    send(event("chat.queued", interaction="C-1"))
    typed = {"types.0": ""}
    page = editor.post("/rules/new", data=posted(op="keep", typed=typed, when="happens")).text
    assert 'value="chat.queued"' in page
    assert 'value="call.abandoned"' not in page
    assert (
        'value="chat.waiting"'
        in editor.post("/rules/new", data=posted(op="keep", typed=typed, when="lasts")).text
    )
    for sought in ("call aband", "CALL.ABANDONED"):
        found = editor.post(
            "/rules/new", data=posted(op="keep:types", typed={**typed, "find_type": sought})
        ).text
        assert 'value="call.abandoned"' in found
        assert 'value="chat.queued"' not in found
    kept = editor.post("/rules/new", data=posted(op="keep", typed={"types.0": "call.abandoned"})).text
    assert '<option value="call.abandoned" selected' in kept, "what is chosen stays"


WRONG = [
    ("absent", {"wait.seconds": "60", "wait.unless.0": ""}, "wait.unless.0", "Choose the event that is"),
    ("absent", {"wait.seconds": "", "wait.unless.0": "chat.accepted"}, "wait.seconds", "Delay: Enter a"),
    ("count", {"times.number": ""}, "times.number", "Enter how many events."),
    ("happens", {"then.0.text": ""}, "then.0.text", "Action 1, Text: Enter text."),
    ("happens", {"types.0": ""}, "types.0", "Event type: Choose at least one event type."),
]


def test_errors_name_their_field_once(editor: FlaskClient) -> None:
    for when, typed, field, text in WRONG:
        says = {"types": ["chat.queued"], "then": LOG}
        answer = editor.post("/rules/new", data=posted(says=says, typed=typed, when=when))
        assert answer.status_code == 422, (when, typed)
        (link,) = re.findall(r'<a href="#f-([^"]*)">([^<]*)</a>', answer.text)
        assert (link[0], text in link[1]) == (field, True), link
        assert f'id="f-{field}"' in answer.text
        assert "“”" not in answer.text
    assert not Rule.select().exists()


TURNS: list[tuple[dict[str, Any], str, list[str], set[str]]] = [
    ({"types": ["chat.queued"], "times": {"number": 3}}, "happens", ["chat.queued"], set()),
    ({"types": ["chat.queued"], "times": {"number": 3}}, "absent", ["chat.queued"], {"wait"}),
    ({"types": ["chat.queued", "chat.accepted"]}, "lasts", [""], set()),
    ({"types": ["chat.waiting"], "after": {"seconds": 5}}, "happens", [""], set()),
    ({"types": ["chat.waiting"], "after": {"seconds": 5}}, "schedule", ["schedule.reached"], {"schedule"}),
    ({"types": ["chat.queued"], "times": {"number": 3}}, "nonsense", ["chat.queued"], {"times"}),
]


def test_another_kind_drops_what_does_not_suit_it() -> None:
    for raw, when, types, options in TURNS:
        typed = form.typed(raw, when=when)
        whens.turn(typed)
        assert typed["definition"]["types"] == types, (raw, when)
        assert options == set(OPTIONS) & set(typed["definition"]), (raw, when)
    late = form.typed({"types": ["chat.queued"], "wait": {"seconds": 60}})
    assert whens.when_of(late) is When.HAPPENS
    assert whens.options(When.HAPPENS, late["definition"]) == {"wait"}, "a stored delay stays to be seen"
