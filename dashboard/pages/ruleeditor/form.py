"""The form of a rule: what is posted, as a rule that is being typed, and back; pure.

A typed rule is JSON: `name`, `description`, `list` ("my" or "system", of a new rule), `group`, `position`,
`state`, `existing` ("new" or "all": which open subjects a timer is for),
`pending` (what becomes of pending waits), `when` (the kind that was chosen, see `whens`),
`version` and `seen` (what it was made from) and `definition`,
which has the shape of `rules.definition` but holds whatever was typed.

Fields are named by their place: `types.0`, `if.how`, `if.0.1.field`, `if.0.1.op`, `if.0.1.v0`, `then.0.do`,
`then.0.title`, `wait.seconds`. A duration has its unit in `….unit`, a list typed line by line is `….lines`.
`if.0.was` says for which field and operator the values were typed.
"""

from __future__ import annotations

import re
from typing import Any, Final, cast

from dashboard.pages.ruleeditor import codec, form_values, typed_rule
from dashboard.pages.ruleeditor.form_values import Form, clean, text, whole
from dashboard.pages.ruleeditor.typed_rule import Node, TypedRule
from dashboard.rulelang import fields
from dashboard.rulelang.conditions import MAX_CONDITIONS, MAX_LEVELS
from dashboard.rulelang.fields import Field
from dashboard.rulelang.operators import OPERATORS, operators
from dashboard.rulelang.values import MAX_TYPES

TEXTS: Final = ("name", "description", "list", "state", "existing", "pending", "seen", "when")
OTHER: Final = "data."  # chosen for a field of the data that no type declares
CUSTOM: Final = "custom."
_NODE = re.compile(rf"if((?:\.\d{{1,3}}){{0,{MAX_LEVELS}}})\.(how|field)")
_TYPE = re.compile(r"types\.(\d{1,3})")
MAX_NODES: Final = 3 * MAX_CONDITIONS


def read(form: Form, zone: str) -> TypedRule:
    """Return the typed rule of a posted form; `zone` is the one its times are typed in without its own.

    Whatever is posted, nothing is raised and what was typed is kept.
    """
    types = _types(form)
    known = fields.fields(types)
    definition = {
        "types": types,
        "if": _tree(form, known, zone_of(text(form, "zone"), zone)),
        **codec.read_options(form, types),
        "then": codec.read_actions(form),
        **codec.read_general(form),
    }
    texts = {name: str(clean(text(form, name))) for name in TEXTS}
    return cast(
        TypedRule,
        {
            **texts,
            "group": whole(text(form, "group")) or None,
            "position": whole(text(form, "position")),
            "version": _version(form),
            "definition": clean(definition),
        },
    )


def typed(raw: Any, **values: Any) -> TypedRule:
    """Return a definition as a typed rule, every part of it in its place; `values` as in `read`."""
    given = clean(raw) if isinstance(raw, dict) else {}
    tree = given.get("if")
    definition = {
        "types": [each for each in _list(given.get("types")) if isinstance(each, str)] or [""],
        "if": _sound(tree) if typed_rule.how_of(tree) else {"all": []},
        **codec.typed_options(given),
        "then": [each for each in _list(given.get("then")) if isinstance(each, dict)],
        **codec.typed_general(given),
    }
    empty = {
        "name": "",
        "description": "",
        "list": "",
        "state": "off",
        "existing": "",
        "pending": "",
        "seen": "",
        "when": "",
        "group": None,
        "position": 0,
        "version": 0,
    }
    return cast(TypedRule, {**empty, **values, "definition": definition})


def choice(stored: str, prefix: str) -> tuple[str, str]:
    """Return what is chosen and what is typed beside, for names of one's own after `prefix`."""
    return (prefix, stored.removeprefix(prefix)) if stored.startswith(prefix) else (stored, "")


def _version(form: Form) -> int:
    """Return the version that the form was made from; 0 where it names none that could be."""
    found = whole(text(form, "version"))
    return found if isinstance(found, int) and 0 <= found < 2**31 else 0


def _types(form: Form) -> list[str]:
    places = sorted({int(found[1]) for name in form if (found := _TYPE.fullmatch(name))})[:MAX_TYPES]
    chosen = []
    for place in places:
        name = text(form, f"types.{place}")
        other = text(form, f"types.{place}.name").removeprefix(CUSTOM)
        chosen.append(f"{CUSTOM}{other}" if name == CUSTOM else name)
    return chosen or [""]


def _tree(form: Form, known: dict[str, Field], zone: str) -> Node:
    """Return the conditions: the nodes that are posted, by their places, without gaps."""
    found: dict[typed_rule.Path, str] = {}
    for name in form:
        if (node := _NODE.fullmatch(name)) and len(found) < MAX_NODES:
            path = tuple(int(step) for step in node[1].split(".")[1:])
            found[path] = "how" if found.get(path) == "how" else node[2]
    below: dict[typed_rule.Path, list[typed_rule.Path]] = {}
    for path in sorted(found):
        if path and found.get(path[:-1]) == "how":
            below.setdefault(path[:-1], []).append(path)

    def made(path: typed_rule.Path) -> Node:
        if path and found[path] == "field":
            return _condition(form, typed_rule.named(path), known, zone)
        how = form.get(f"{typed_rule.named(path)}.how", "all")
        return {how if how in typed_rule.HOWS else "all": [made(each) for each in below.get(path, ())]}

    return made(())


def _condition(form: Form, name: str, known: dict[str, Field], zone: str) -> Node:
    chosen, op = text(form, f"{name}.field"), text(form, f"{name}.op")
    if chosen == OTHER:
        chosen += text(form, f"{name}.path").removeprefix(OTHER)
    field = fields.find(chosen, known)
    before = _before(form, name, known, zone)
    if field is None:
        return {**before, "field": chosen, "op": op}
    row = OPERATORS.get(op)
    if before.get("field") != chosen and (row is None or not row.fits(field)):
        op = operators(field)[0].name
    if (before.get("field"), before.get("op")) == (chosen, op):
        return before
    return form_values.adapted(before, field, op)


def _before(form: Form, name: str, known: dict[str, Field], zone: str) -> Node:
    """Return the condition as the values were typed for, before another field or operator was chosen."""
    path, _bar, op = form.get(f"{name}.was", "").partition("|")
    field, row = fields.find(path, known), OPERATORS.get(op)
    made: Node = {"field": path, "op": op}
    if f"{name}.kept" in form:
        return {**made, "value": form_values.kept(form[f"{name}.kept"])}
    if field is not None and row is not None and row.operands:
        made["value"] = form_values.value_of(row, field, form, name, zone)
    return made


def _sound(node: Any) -> Node:
    """Return a tree in which every node is a group of nodes or a condition with a field and an operator."""
    how = typed_rule.how_of(node)
    if how:
        return {how: [_sound(child) for child in node[how] if isinstance(child, dict)][:MAX_CONDITIONS]}
    made = {"field": str(node.get("field", "")), "op": str(node.get("op", ""))}
    return {**made, "value": node["value"]} if node.get("value") is not None else made


def zone_of(own: str, zone: str) -> str:
    """Return the zone that the times of a rule are typed in."""
    return own if form_values.is_zone(own) else zone


def _list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else []
