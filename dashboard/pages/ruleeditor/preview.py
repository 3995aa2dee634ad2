"""How a typed rule reads: the sentence of what can be read of it, and its texts for the latest event."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flask_babel import gettext as _

from dashboard import catalog
from dashboard.access.scope import Scope
from dashboard.pages.ruleeditor import edits, form_values, queries
from dashboard.rulelang import schema as definitions
from dashboard.rulelang import text_templates
from dashboard.rulelang.action_config import AvailableReferences
from dashboard.rulelang.actions import ACTIONS, Param, ParamKind
from dashboard.rulelang.schema import Definition
from dashboard.rulelang.triggers import origin
from dashboard.rulelang.validation import Errors
from dashboard.rules import event_facts
from dashboard.ruletext import names as rule_names
from dashboard.ruletext import sentences

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
        left = _without(left, list(found))
    return None


def _without(definition: dict[str, Any], errors: list[str]) -> dict[str, Any]:
    """Return a definition without the parts that errors are about."""
    left = dict(definition)
    bad = {_place(path) for path in errors}
    left["if"] = _pruned(definition["if"], (), bad)
    left["then"] = [
        _mended(action, n, errors) if f"then.{n}" in bad else action
        for n, action in enumerate(definition["then"])
    ]
    for name in ("times", "wait", "after", "count", "schedule", "loop", "zone"):
        if any(path.partition(".")[0] == name for path in errors):
            left.pop(name, None)
    return left


def _mended(action: dict[str, Any], n: int, errors: list[str]) -> dict[str, Any]:
    """Return an action that can be read: what is missing stands as "…"."""
    row = ACTIONS.get(str(action.get("do")))
    if row is None:
        return {"do": "log", "text": "…"}
    made: dict[str, Any] = {"do": row.name}
    fillers: dict[ParamKind, Any] = {
        ParamKind.TO: {"roles": ["owner"]},
        ParamKind.LINE: "…",
        ParamKind.TEXT: "…",
        ParamKind.TAGS: ["…"],
        ParamKind.TYPE: "custom.event",
        ParamKind.CHANNEL: 2**31 - 1,
    }
    bad = {path.split(".")[2] for path in errors if path.startswith(f"then.{n}.")}
    for param in row.params:
        if param.name not in bad and param.name in action:
            made[param.name] = action[param.name]
        elif param.required and param.kind in fillers:
            made[param.name] = fillers[param.kind]
    if row.name == "email" and "to" not in made and "addresses" not in made:
        made["to"] = fillers[ParamKind.TO]
    kept = {"limit": "limit", "on_error": "on_error", "delay_s": "delay_s"}
    return made | {name: action[name] for name in kept if name in action and name not in bad}


def params_of(action: dict[str, Any]) -> tuple[Param, ...]:
    """Return the parameters of an action that is being typed; none of an unknown one."""
    row = ACTIONS.get(str(action.get("do")))
    return row.params if row else ()


def _place(path: str) -> str:
    """Return the condition or action that an error's path lies in."""
    steps = path.split(".")
    if steps[0] == "then":
        return ".".join(steps[:2])
    return ".".join(step for step in steps if step == "if" or step.isdigit()) if steps[0] == "if" else path


def _pruned(node: dict[str, Any], path: edits.Path, bad: Collection[str]) -> dict[str, Any]:
    how = edits.how_of(node)
    inside = [
        _pruned(child, (*path, n), bad) if edits.how_of(child) else child
        for n, child in enumerate(node[how])
        if edits.how_of(child) or edits.named((*path, n)) not in bad
    ]
    return {how: [child for child in inside if not edits.how_of(child) or child[edits.how_of(child)]]}


def texts(definition: dict[str, Any], scope: Scope) -> tuple[dict[str, str], str]:
    """Return the texts of the actions as they read for the latest event in the viewer's scope, by path, and
    which event that is; nothing where there is none or no text has placeholders."""
    templates = {
        f"then.{n}.{param.name}": form_values.shown(action.get(param.name))
        for n, action in enumerate(definition["then"])
        for param in params_of(action)
        if param.kind in (ParamKind.LINE, ParamKind.TEXT)
        and "{{" in form_values.shown(action.get(param.name))
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
