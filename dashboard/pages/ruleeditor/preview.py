"""How a typed rule reads: the sentence of what can be read of it, and its texts for the latest event."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flask_babel import gettext as _

from dashboard import catalog
from dashboard.access.scope import Scope
from dashboard.pages.ruleeditor import codec, edits, form_values, queries
from dashboard.rulelang import schema as definitions
from dashboard.rulelang import text_templates
from dashboard.rulelang.actions import ACTIONS, COMMON
from dashboard.rulelang.schema import Definition
from dashboard.rulelang.triggers import OPTIONS, origin
from dashboard.rulelang.validation import AvailableReferences, ErrorPath, Errors
from dashboard.rulelang.values import Text
from dashboard.rules import event_facts
from dashboard.ruletext import names as rule_names
from dashboard.ruletext import sentences

Keys = tuple[str | int, ...]
ROUNDS = 20  # parts left out one after the other until the rest can be read


def checked(definition: dict[str, Any], site: AvailableReferences | None) -> Definition | Errors:
    """Return the definition of what is typed, or its errors; rows without a type do not count."""
    return definitions.parse({**definition, "types": [each for each in definition["types"] if each]}, site)


def said(definition: dict[str, Any], scope: Scope) -> str:
    """Return the plain sentence of a typed rule, without what cannot be read yet."""
    if not any(map(catalog.find, definition["types"])):
        return str(_("Choose what this rule is about: when something happens, it looks at your conditions."))
    found = readable(definition)
    if found is None:
        return str(_("Go on filling in: this rule cannot be put into words yet."))
    return sentences.words(found, rule_names.names(scope, [found])).whole


def readable(definition: dict[str, Any]) -> Definition | None:
    """Return the rule without the parts that cannot be read, None where nothing is left."""
    types = [each for each in definition["types"] if catalog.find(each)]
    left: Any = {**definition, "types": [each for each in types if origin(each) == origin(types[0])]}
    if not left["then"]:
        left["then"] = [{"do": "log", "text": "…"}]
    for _round in range(ROUNDS):
        found = checked(left, None)
        if isinstance(found, Definition):
            return found
        left = _without(left, found)
    return None


def _without(definition: dict[str, Any], errors: Collection[ErrorPath]) -> dict[str, Any]:
    """Return a definition without the parts that errors are about."""
    left = dict(definition)
    bad = {_place(path) for path in errors}
    left["if"] = _pruned(definition["if"], (), bad)
    left["then"] = [
        _mended(action, n, errors) if ("then", n) in bad else action
        for n, action in enumerate(definition["then"])
    ]
    for name in (*OPTIONS, "loop", "zone"):
        if any(path.part == name for path in errors):
            left.pop(name, None)
    return left


def _mended(action: dict[str, Any], n: int, errors: Collection[ErrorPath]) -> dict[str, Any]:
    """Return an action that can be read: what is missing stands as "…"."""
    row = ACTIONS.get(str(action.get("do")))
    if row is None:
        return {"do": "log", "text": "…"}
    bad = {path.keys[2] for path in errors if path.is_within(("then", n)) and len(path.keys) > 2}
    made: dict[str, Any] = {"do": row.name}
    for part in (*row.params, *COMMON):
        if part.name in action and part.name not in bad:
            made[part.name] = action[part.name]
        elif part.required and part.kind.filler is not None:
            made[part.name] = part.kind.filler
    if row.any_of and not any(name in made for name in row.any_of):
        part = next(each for each in row.params if each.name in row.any_of)
        made[part.name] = part.kind.filler
    return made


def _place(path: ErrorPath) -> Keys:
    """Return the condition or action that an error's path lies in."""
    if path.part == "then":
        return path.keys[:2]
    return ("if", *(key for key in path.keys if isinstance(key, int))) if path.part == "if" else path.keys


def _pruned(node: dict[str, Any], path: edits.Path, bad: Collection[Keys]) -> dict[str, Any]:
    how = edits.how_of(node)
    inside = [
        _pruned(child, (*path, n), bad) if edits.how_of(child) else child
        for n, child in enumerate(node[how])
        if edits.how_of(child) or ("if", *path, n) not in bad
    ]
    return {how: [child for child in inside if not edits.how_of(child) or child[edits.how_of(child)]]}


def texts(definition: dict[str, Any], scope: Scope) -> tuple[dict[str, str], str]:
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
