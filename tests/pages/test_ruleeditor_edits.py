"""What the buttons of the rule editor do to a typed rule."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.pages.ruleeditor import edits
from dashboard.pages.ruleeditor import form as rule_form

NODE = {"field": "", "op": ""}
TREE: dict[str, Any] = {
    "all": [{"field": "user", "op": "is_me"}, {"any": [{"field": "queue", "op": "is_empty"}, NODE]}]
}
ACTS: list[tuple[str, dict[str, Any], str]] = [
    ("add:", {"all": [*TREE["all"], NODE]}, "if.2.field"),
    ("add:1", {"all": [TREE["all"][0], {"any": [*TREE["all"][1]["any"], NODE]}]}, "if.1.2.field"),
    ("add:0", TREE, ""),
    ("grp:", {"all": [*TREE["all"], {"any": [NODE]}]}, "if.2.0.field"),
    (
        "grp:1",
        {"all": [TREE["all"][0], {"any": [*TREE["all"][1]["any"], {"any": [NODE]}]}]},
        "if.1.2.0.field",
    ),
    ("grp:1.2", TREE, ""),
    ("del:0", {"all": [TREE["all"][1]]}, "if.0.how"),
    ("del:1", {"all": [TREE["all"][0]]}, "if.0.field"),
    ("del:1.1", {"all": [TREE["all"][0], {"any": [TREE["all"][1]["any"][0]]}]}, "if.1.0.field"),
    ("del:", TREE, ""),
    ("dn:0", {"all": TREE["all"][::-1]}, "dn:1"),
    ("up:0", TREE, ""),
    ("up:1.1", {"all": [TREE["all"][0], {"any": TREE["all"][1]["any"][::-1]}]}, "up:1.0"),
    ("nonsense:0", TREE, ""),
]


@pytest.mark.parametrize(("op", "tree", "focus"), ACTS)
def test_an_act_on_the_conditions(op: str, tree: dict[str, Any], focus: str) -> None:
    before = rule_form.typed({"types": ["chat.queued"], "if": TREE, "then": []})
    made = edits.apply_edit(before, op)
    assert (made.form["definition"]["if"], made.focus) == (tree, focus)
    assert before["definition"]["if"] == TREE, "the form before stays for undo"


def test_acts_on_actions_types_and_waits() -> None:
    form = rule_form.typed({"types": ["chat.queued"], "then": [{"do": "log", "text": "a"}]})
    form, focus = edits.apply_edit(form, "addact")
    assert focus == "then.1.do"
    form, focus = edits.apply_edit(form, "upact:1")
    assert [each["do"] for each in form["definition"]["then"]] == ["notify", "log"]
    assert focus == "upact:0"
    form, _focus = edits.apply_edit(form, "delact:0")
    form, focus = edits.apply_edit(form, "put:0.text:user.name")
    assert form["definition"]["then"] == [{"do": "log", "text": "a {{ user.name }}"}]
    assert focus == "then.0.text"
    form, focus = edits.apply_edit(form, "addtype")
    assert (form["definition"]["types"], focus) == (["chat.queued", ""], "types.1")
    form, focus = edits.apply_edit(form, "deltype:0")
    assert form["definition"]["types"] == [""]
    assert edits.apply_edit(form, "deltype:0").form["definition"]["types"] == [""], "the last one stays"
    form, focus = edits.apply_edit(form, "addunless")
    assert (form["definition"]["wait"]["unless"], focus) == ([""], "wait.unless.0")
    assert edits.apply_edit(form, "delunless:0").form["definition"]["wait"]["unless"] == []


def test_there_is_an_end_to_adding() -> None:
    form = rule_form.typed({"types": ["chat.queued"]})
    for _ in range(150):
        form = edits.apply_edit(
            edits.apply_edit(edits.apply_edit(form, "add:").form, "addact").form, "addtype"
        ).form
    made = form["definition"]
    assert (len(made["if"]["all"]), len(made["then"]), len(made["types"])) == (100, 20, 20)
