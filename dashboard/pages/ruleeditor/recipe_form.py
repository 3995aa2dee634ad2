"""Recipes as forms: sentences with fields, and the rule that a posted one makes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from flask_babel import gettext as _

from dashboard.access.scope import Scope
from dashboard.i18n.message import N_
from dashboard.pages.ruleeditor import form_values, queries, typed_rule, widgets
from dashboard.pages.ruleeditor.form_values import Form
from dashboard.pages.ruleeditor.queries import Choice
from dashboard.pages.ruleeditor.widgets import Control
from dashboard.rulelang.rate_limits import DAY_S, HOUR_S, Often
from dashboard.rulelang.validation import ErrorPath
from dashboard.rules import recipes
from dashboard.rules.recipes import RECIPES, Hole, HoleKind
from dashboard.ruletext import names, sentences

PERIODS = (900, HOUR_S, DAY_S)  # seconds between two notices
ME = "me"
ROLES = {
    ME: N_("me"),
    "user": N_("the event's user"),
    "leads": N_("the user's team leads"),
    "admins": N_("rule administrators"),
}
ANY = {HoleKind.QUEUE: N_("any queue"), HoleKind.TEAM: N_("any team")}
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")


def _choices(scope: Scope) -> dict[HoleKind, list[Choice]]:
    return {HoleKind.QUEUE: queries.queue_choices(scope), HoleKind.TEAM: queries.team_choices(scope)}


class Sentence(NamedTuple):
    """A recipe on the page: texts and fields in the order of the reader's language, and (field, error)s."""

    key: str
    name: str
    parts: list[str | Control]
    errors: list[tuple[str, str]]


def all_of(
    scope: Scope, posted: Form | None = None, errors: Mapping[ErrorPath, str] | None = None
) -> list[Sentence]:
    """Return the recipes; the `posted` one as it was typed, with its errors."""
    choices = _choices(scope)
    typed = posted.get("recipe") if posted is not None else None
    return [
        _sentence(key, choices, posted, errors or {}) if key == typed else _sentence(key, choices, None, {})
        for key in RECIPES
    ]


def _sentence(
    key: str,
    choices: Mapping[HoleKind, list[Choice]],
    typed: Form | None,
    errors: Mapping[ErrorPath, str],
) -> Sentence:
    recipe, found, controls = RECIPES[key], dict(errors), {}
    said: list[tuple[str, str]] = []
    holes = (*recipe.holes, *recipes.COMMON)
    for hole in sorted(holes, key=lambda each: not each.place):  # conditions get what the others left
        control = _control(key, hole, choices, typed)
        mine = [path for path in found if path.is_within(_keys(hole))]
        for path in mine[:1]:
            control = control._replace(error=found[path])
            said.append((control.name, f"{control.label}: {found[path]}"))
        for path in mine:
            del found[path]
        controls[hole.name] = control
    said += [("", text) for text in dict.fromkeys(found.values())]
    pieces = _PLACEHOLDER.split(_(recipe.sentence))
    parts = [controls[piece] if n % 2 else piece for n, piece in enumerate(pieces) if piece]
    return Sentence(key, _(recipe.name), parts, said)


def _keys(hole: Hole) -> tuple[str | int, ...]:
    """Return the place of a hole as errors name it, without the names of groups."""
    return tuple(step for step in hole.place if step not in typed_rule.HOWS) or ("if",)


def _control(key: str, hole: Hole, choices: Mapping[HoleKind, list[Choice]], typed: Form | None) -> Control:
    name, label = f"{key}.{hole.name}", _(hole.label)
    if hole.kind is HoleKind.RECIPIENTS:
        return widgets.select(name, label, _recipients(choices), typed.get(name, "") if typed else ME)
    value = _typed(typed, name, hole) if typed is not None else recipes.default(key, hole)
    if hole.kind is HoleKind.SECONDS:
        return widgets.seconds(name, value, label)
    if hole.kind is HoleKind.FREQUENCY:
        return widgets.select(name, label, _frequencies(), value)
    if hole.kind is HoleKind.TYPE:
        types = [(type_, names.type_label(type_)) for type_ in RECIPES[key].types]
        return widgets.select(name, label, types, value)
    if hole.kind in ANY:
        return widgets.select(name, label, choices[hole.kind], value, _(ANY[hole.kind]))
    kind = "number" if hole.kind is HoleKind.NUMBER else "text"
    return Control(name, kind, label, form_values.shown(value), limit=120)


def _recipients(choices: Mapping[HoleKind, list[Choice]]) -> list[Choice]:
    roles = [(role, _(label)) for role, label in ROLES.items()]
    teams = choices[HoleKind.TEAM]
    return roles + [(f"team:{ident}", _("the team %(name)s", name=name)) for ident, name in teams]


def _frequencies() -> list[Choice]:
    periods = [(str(each), _("at most once every %(time)s", time=sentences.period(each))) for each in PERIODS]
    return [(str(Often.ALWAYS), _("every time")), *periods]


def _typed(form: Form, name: str, hole: Hole) -> Any:
    """Return the value of a field as it was typed, for a wrong one the text."""
    if hole.kind is HoleKind.SECONDS:
        return form_values.seconds(form, name)
    text = form_values.text(form, name)
    if hole.kind is HoleKind.NUMBER:
        return form_values.number(text)
    return form_values.whole(text) if hole.kind in (*ANY, HoleKind.FREQUENCY) else text


def unlisted(scope: Scope, form: Form) -> dict[ErrorPath, str]:
    """Return the error of a posted queue or team that the viewer may not choose."""
    choices, key = _choices(scope), form["recipe"]
    return {
        ErrorPath(*_keys(hole)): str(_("Choose from the list."))
        for hole in RECIPES[key].holes
        if hole.kind in ANY
        and form_values.text(form, f"{key}.{hole.name}")
        not in ("", *(value for value, _label in choices[hole.kind]))
    }


def definition(form: Form, owner: bool, viewer_id: int) -> dict[str, Any] | None:
    """Return what a posted recipe makes, unchecked; None for an unknown one. `owner`: the rule is the
    viewer's own."""
    key = form.get("recipe", "")
    recipe = RECIPES.get(key)
    if recipe is None:
        return None
    values = {
        hole.name: _typed(form, f"{key}.{hole.name}", hole) for hole in (*recipe.holes, *recipes.COMMON)
    }
    return recipes.made(key, {**values, "to": _to(str(values["to"]), owner, viewer_id)}, _)


def _to(chosen: str, owner: bool, viewer_id: int) -> dict[str, Any]:
    kind, _colon, ident = chosen.partition(":")
    if kind == "team":
        return {"teams": [form_values.whole(ident)]}
    if chosen == ME:
        return {"roles": ["owner"]} if owner else {"users": [viewer_id]}
    return {"roles": [chosen]} if chosen in ROLES else {}
