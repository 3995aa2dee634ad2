"""References of a definition: collected from every part, and replaced without touching anything else."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.rulelang import references, schema
from dashboard.rulelang.actions import ACTIONS, Recipients
from dashboard.rulelang.validation import ROOT, ErrorPath
from dashboard.rulelang.values import ChannelId
from tests.rulelang.make import defined

TO: dict[str, Any] = {"users": [4], "teams": [5], "accesses": [6], "roles": ["owner"]}
RULE: dict[str, Any] = {
    "types": ["chat.queued"],
    "if": {
        "all": [
            {"field": "queue", "op": "one_of", "value": [7, 8]},
            {"any": [{"field": "user", "op": "changed_from_to", "value": [3, None]}]},
            {"field": "time", "op": "in_calendar", "value": "Brno"},
            {"field": "time", "op": "open_ago", "value": ["Prague", 60]},
            {"field": "data.direction", "op": "one_of", "value": ["in"]},
        ]
    },
    "wait": {"seconds": 60, "calendar": "Vienna", "unless": ["chat.accepted"]},
    "then": [
        {
            "do": "notify",
            "to": {"users": [4], "teams": [5], "accesses": [6], "roles": ["owner"]},
            "title": "T",
        },
        {"do": "webhook", "channel": 1},
        {"do": "tag", "tags": ["7"]},
    ],
}


def test_references_of_all_parts_are_collected() -> None:
    assert references.collected(RULE) == {
        "queue": {7, 8},
        "user": {3, 4},
        "team": {5},
        "access": {6},
        "channel": {1},
        "calendar": {"Brno", "Prague", "Vienna"},
    }


def test_replacing_by_the_same_value_changes_nothing() -> None:
    assert references.replaced(RULE, lambda _meaning, value: value) == RULE


def test_a_value_without_a_replacement_is_left_out() -> None:
    made = references.replaced(RULE, lambda meaning, value: None if value in (7, 3, 4) else value)
    assert made["if"]["all"][0]["value"] == [8]
    assert made["if"]["all"][1]["any"][0]["value"] == []
    assert made["then"][0]["to"] == {"users": [], "teams": [5], "accesses": [6], "roles": ["owner"]}
    assert RULE["then"][0]["to"]["users"] == [4]


@pytest.mark.parametrize("raw", [None, [], {"if": 3, "then": 4, "wait": 5}, {"then": [None, {"do": []}]}])
def test_what_cannot_be_understood_refers_to_nothing(raw: Any) -> None:
    assert references.collected(raw) == {}


@pytest.mark.parametrize("name", ACTIONS)
def test_references_of_every_action_are_found_by_their_kinds(name: str) -> None:
    action, found = {"do": name}, {}
    for part in ACTIONS[name].params:
        if isinstance(part.kind, ChannelId):
            action[part.name], found["channel"] = 1, {1}
        if isinstance(part.kind, Recipients):
            action[part.name], found["user"] = {"users": [3]}, {3}
    assert references.collected({"then": [action]}) == found


def test_a_definition_refers_to_what_its_json_refers_to() -> None:
    rule = {"types": ["chat.queued"], "then": [{"do": "webhook", "channel": 1}], "zone": "Europe/Prague"}
    assert schema.refers_to(defined(rule)) == {"channel": {1}}


def test_an_error_path_is_its_keys_and_reads_as_text() -> None:
    path = ROOT / "then" / 0 / "to" / "roles"
    assert (path.keys, path.part, str(path)) == (("then", 0, "to", "roles"), "then", "then.0.to.roles")
    assert path == ErrorPath("then", 0, "to", "roles") == "then.0.to.roles"
    assert path.is_within(("then", 0))
    assert not path.is_within(("then", 1))
    assert (ROOT.part, ROOT) == ("", "")
