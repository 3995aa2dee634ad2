"""Previews of a typed rule: its sentence, and its texts for the latest event."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from flask_babel import gettext as _

from dashboard import catalog
from dashboard.access.scope import Scope
from dashboard.pages.ruleeditor import codec, form_values, queries, typed_rule
from dashboard.rulelang import schema as definitions
from dashboard.rulelang import text_templates
from dashboard.rulelang.actions import ACTIONS, COMMON, ActionConfig
from dashboard.rulelang.conditions import Condition, Group, Node
from dashboard.rulelang.describe import UNSET
from dashboard.rulelang.operators import OPERATORS
from dashboard.rulelang.schema import Definition
from dashboard.rulelang.triggers import OPTIONS, origin
from dashboard.rulelang.validation import ROOT, AvailableReferences, ErrorPath, Errors
from dashboard.rulelang.values import Text
from dashboard.rules import event_facts
from dashboard.ruletext import names as rule_names
from dashboard.ruletext import sentences

Keys = tuple[str | int, ...]
ROUNDS = 20  # checks until what cannot be read yet is known
# Stand-ins for a condition and an action that cannot be read yet; every event type has the field.
CONDITION = {"field": "interaction", "op": "is_not_empty"}
ACTION = {"do": "log", "text": "…"}


def checked(definition: Mapping[str, Any], site: AvailableReferences | None) -> Definition | Errors:
    """Return the definition of a typed rule, or its errors; rows without a type are ignored."""
    typed = {**definition, "types": [each for each in definition["types"] if each]}
    if "wait" in typed:
        typed["wait"] = {**typed["wait"], "unless": [each for each in typed["wait"]["unless"] if each]}
    return definitions.parse(typed, site)


class Preview(NamedTuple):
    """A typed rule: `read` with stand-ins for what cannot be read yet, `shown` with gaps in their place."""

    read: Definition
    shown: Definition


def sentence(definition: Mapping[str, Any], scope: Scope) -> str:
    """Return the plain sentence of a typed rule; what has not been chosen yet reads "…"."""
    if not any(map(catalog.find, definition["types"])):
        return str(_("Choose what this rule is about: when something happens, it looks at your conditions."))
    found = readable(definition)
    if found is None:
        return str(_("Go on filling in: this rule cannot be put into words yet."))
    return sentences.words(found.shown, rule_names.names(scope, [found.read])).whole


def readable(definition: Mapping[str, Any]) -> Preview | None:
    """Return what can be read of a typed rule, None where nothing can."""
    types = [each for each in definition["types"] if catalog.find(each)]
    typed: dict[str, Any] = {
        **definition,
        "types": [each for each in types if origin(each) == origin(types[0])],
        "if": _without_empty_groups(definition["if"]),
    }
    errors: set[ErrorPath] = set()
    for _round in range(ROUNDS):
        found = checked(_completed(typed, errors), None)
        if isinstance(found, Definition):
            tree = (
                found.tree if ROOT / "if" in errors else _open_group(found.tree, typed["if"], ("if",), errors)
            )
            then = tuple(
                _open_action(each, action, n, errors)
                for n, (each, action) in enumerate(zip(found.then, typed["then"], strict=False))
            )
            return Preview(found, replace(found, tree=tree, then=then))
        errors |= set(found)
    return None


def _completed(typed: dict[str, Any], errors: Collection[ErrorPath]) -> dict[str, Any]:
    """Return a typed rule with stand-ins for the conditions and actions that errors are about."""
    made = {
        **typed,
        "if": _completed_node(typed["if"], ("if",), {_place(path) for path in errors}),
        "then": [_completed_action(action, n, errors) for n, action in enumerate(typed["then"])] or [ACTION],
    }
    for name in (*OPTIONS, *(part.name for part in definitions.GENERAL), "if"):
        if any(path.part == name and (name != "if" or path == ROOT / "if") for path in errors):
            made.pop(name, None)
    return made


def _completed_node(node: dict[str, Any], place: Keys, bad: Collection[Keys]) -> dict[str, Any]:
    how = typed_rule.how_of(node)
    if place in bad and len(place) > 1:
        return CONDITION
    return (
        {how: [_completed_node(each, (*place, n), bad) for n, each in enumerate(node[how])]} if how else node
    )


def _completed_action(action: dict[str, Any], n: int, errors: Collection[ErrorPath]) -> dict[str, Any]:
    row = ACTIONS.get(str(action.get("do")))
    if row is None:
        return ACTION
    gaps = _gaps(action, n, errors)
    if not gaps:
        return action
    made: dict[str, Any] = {"do": row.name}
    for part in (*row.params, *COMMON):
        if part.name in action and part.name not in gaps:
            made[part.name] = action[part.name]
        elif part.required or part.name in row.any_of[:1]:
            made[part.name] = part.kind.filler
    return made


def _gaps(action: dict[str, Any], n: int, errors: Collection[ErrorPath]) -> set[str]:
    """Return the parameters of an action that cannot be read yet."""
    return {str(path.keys[2]) for path in errors if path.is_within(("then", n)) and len(path.keys) > 2}


def _open_group(group: Group, typed: Any, place: Keys, errors: Collection[ErrorPath]) -> Group:
    """Return a tree with gaps in place of the stand-ins."""
    children: list[Node] = []
    for n, (node, inside) in enumerate(zip(group.children, typed_rule.children(typed), strict=True)):
        below = (*place, n)
        if isinstance(node, Group):
            children.append(_open_group(node, inside, below, errors))
        else:
            wrong = {path.keys[-1] for path in errors if _place(path) == below}
            children.append(_open_condition(inside, wrong) if wrong else node)
    return replace(group, children=tuple(children))


def _open_condition(typed: dict[str, Any], wrong: Collection[str | int]) -> Condition:
    """Return what has been chosen of a condition; its operands are open, and its operator unless it fits."""
    row = OPERATORS.get(str(typed.get("op"))) if "value" in wrong else None
    field = str(typed.get("field") or "")
    return (
        Condition(field, "", ()) if row is None else Condition(field, row.name, (UNSET,) * len(row.operands))
    )


def _open_action(
    found: ActionConfig, typed: dict[str, Any], n: int, errors: Collection[ErrorPath]
) -> ActionConfig:
    """Return an action without what cannot be read yet; one without a name where none is chosen."""
    if str(typed.get("do")) not in ACTIONS:
        return ActionConfig("", {})
    gaps = _gaps(typed, n, errors)
    return replace(found, params={name: each for name, each in found.params.items() if name not in gaps})


def _place(path: ErrorPath) -> Keys:
    """Return the condition or action that an error's path lies in."""
    if path.part == "then":
        return path.keys[:2]
    return ("if", *(key for key in path.keys if isinstance(key, int))) if path.part == "if" else path.keys


def _without_empty_groups(node: dict[str, Any]) -> dict[str, Any]:
    how = typed_rule.how_of(node)
    if not how:
        return node
    inside = (_without_empty_groups(each) for each in node[how])
    return {how: [each for each in inside if not typed_rule.how_of(each) or typed_rule.children(each)]}


def texts(definition: Mapping[str, Any], scope: Scope) -> tuple[dict[str, str], str]:
    """Return the texts of the actions as they read for the latest event in the viewer's scope, by path, and
    which event that is; nothing where there is none or no text has placeholders."""
    templates = {
        f"then.{n}.{param.name}": form_values.shown(action.get(param.name))
        for n, action in enumerate(definition["then"])
        for param in codec.params_of(action)
        if isinstance(param.kind, Text) and "{{" in form_values.shown(action.get(param.name))
    }
    ident = queries.latest(scope, filter(None, definition["types"])) if templates else None
    seen = event_facts.of_event(ident) if ident is not None else None
    if seen is None:
        return {}, ""
    ids = [each for each in (seen["user"],) if isinstance(each, int)]
    queues = [each for each in (seen["queue"],) if isinstance(each, int)]
    teams = seen["user.team"] if isinstance(seen["user.team"], list) else []
    names = rule_names.names(scope, users=ids, queues=queues, teams=teams)
    rendered = {
        path: text_templates.render(text[: form_values.TYPED_MAX], seen, names, scope)
        for path, text in templates.items()
    }
    return rendered, text_templates.render("{{ event.type }}, {{ event.time }}", seen, names, scope)
