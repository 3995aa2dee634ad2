"""The page of the editor, or its form alone: everything that the template shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from flask import Response, g, request, url_for
from flask_babel import gettext as _

from dashboard import catalog, i18n
from dashboard.access.permissions import Permission
from dashboard.i18n import formats, zone
from dashboard.i18n.message import N_, Message
from dashboard.models import Rule, RuleDraft
from dashboard.pages.ruleeditor import action_widgets, codec, commands, form, preview, queries, whens, widgets
from dashboard.pages.ruleeditor.queries import Offered
from dashboard.pages.ruleeditor.typed_rule import TypedDefinition, TypedRule
from dashboard.pages.ruleeditor.warnings import warnings
from dashboard.pages.ruleeditor.whens import When
from dashboard.pages.ruleeditor.widgets import Option
from dashboard.rulelang import declared, text_templates
from dashboard.rulelang.actions import COMMON
from dashboard.rulelang.matcher import State
from dashboard.rulelang.outcomes import RUN_LABELS
from dashboard.rulelang.schema import LOOPS, Definition
from dashboard.rulelang.triggers import OPTIONS, fitting
from dashboard.rulelang.validation import ROOT, ErrorPath
from dashboard.rulelang.values import Part
from dashboard.rules import permissions
from dashboard.rules.timing import pending_waits
from dashboard.ruletext import names
from dashboard.ruletext.run_scope import BADGES
from dashboard.web import forms as common
from dashboard.web import lists
from dashboard.web.page import render

STATES = {State.OFF: N_("Off"), State.SHADOW: N_("Dry run"), State.ON: N_("On"), State.PAUSED: N_("Paused")}
LABELS = {
    "name": N_("Name"),
    "description": N_("Description"),
    "group": N_("Group"),
    "position": N_("Order"),
    "state": N_("State"),
    "rule": N_("The rule in words"),
}


PLACES = {**LABELS, "types": N_("Event type"), "zone": N_("Time zone")}


class Editing(NamedTuple):
    """A rule in the editor: the stored one (None: a new one), the typed one, and the messages to show.

    `errors` are sentences by place, `waiting` a draft that is not shown, `differing` what somebody else
    changed, `existing` how many open subjects a deadline could be for, `pending` how many waits an edit could
    change, `checked` that nothing is wrong.
    """

    rule: Rule | None
    typed: TypedRule
    errors: Mapping[ErrorPath, str] = {}
    focus: str = ""
    waiting: RuleDraft | None = None
    differing: list[common.Both] | None = None
    existing: int = 0
    pending: int = 0
    checked: bool = False

    @property
    def ident(self) -> int:
        return int(self.rule.id) if self.rule else 0

    @property
    def personal(self) -> bool:
        return self.rule.owner_id is not None if self.rule else self.typed["list"] == "my"

    @property
    def owner(self) -> int | None:
        if self.rule:
            found: int | None = self.rule.owner_id
            return found
        return int(g.user.id) if self.personal else None

    @property
    def url(self) -> str:
        if self.rule:
            return url_for("ruleeditor.edit", ident=self.rule.id)
        return url_for("ruleeditor.new", list="my" if self.personal else "system")


def stored(rule: Rule) -> TypedRule:
    """Return the form of a stored rule."""
    return form.typed(
        rule.definition,
        name=rule.name,
        description=rule.description,
        group=rule.group_id,
        position=rule.position,
        state=rule.state,
        version=rule.version,
        seen=commands.mark(rule),
    )


def stored_definition(raw: Any) -> TypedDefinition:
    """Return the form of a stored definition."""
    return form.typed(raw)["definition"]


def differing(now: TypedRule, typed: TypedRule) -> list[common.Both]:
    """Return the stored and the typed values in words, where they differ."""
    return common.both(LABELS, _shown(now), _shown(typed))


def _shown(typed: TypedRule) -> dict[str, Any]:
    groups = dict(queries.groups())
    return {
        "name": typed["name"],
        "description": typed["description"],
        "position": typed["position"],
        "group": groups.get(str(typed["group"] or ""), ""),
        "state": _(STATES[State(typed["state"])] if typed["state"] in STATES else typed["state"]),
        "rule": preview.sentence(typed["definition"], g.scope),
    }


def show(editing: Editing, status: int = 200) -> Response:
    """Answer with the page, or with the form alone when htmx asks for it."""
    return render("ruleeditor/edit.html", {"rule"}, status=status, **_context(editing))


def _context(editing: Editing) -> dict[str, Any]:
    typed, definition, errors = editing.typed, editing.typed["definition"], editing.errors
    sought = lists.needle(request.form, "find")
    when, sought_type = whens.when_of(typed), lists.needle(request.form, "find_type")
    offered = queries.offered(g.scope, definition, sought)
    texts, event = preview.texts(definition, g.scope)
    rule = editing.rule
    site_zone = i18n.site_zone()
    return {
        "editing": editing,
        "viewer_id": g.user.id,
        "rule": rule,
        "missing": [Message.from_json(each).render(_) for each in rule.missing] if rule else [],
        "typed": typed,
        "errors": errors,
        "focus": editing.focus,
        "summary": [(target(path), _at(path, text, definition)) for path, text in errors.items()],
        "say": preview.sentence(definition, g.scope),
        "when": when,
        "whens": [Option(each, _(label), each == when) for each, label in whens.LABELS.items()],
        "find_type": sought_type,
        "types": _types(editing, when, sought_type),
        "block": widgets.conditions(definition, offered, site_zone, errors),
        "actions": action_widgets.rows(definition, offered, errors, texts),
        "limits": {
            name: action_widgets.options(definition, offered, errors)[name]
            for name in whens.options(when, definition)
        },
        "more": _more(editing, offered),
        "unless": _unless(editing, sought_type),
        "event": event,
        "find": sought,
        "offered": offered,
        "names": _placeholders(definition),
        "warnings": _warnings(editing),
        "states": _states(editing),
        "others": queries.others(g.scope, editing.ident),
        "runs": _runs(rule),
        "labels": RUN_LABELS,
        "draft": queries.draft(g.user.id, editing.ident),
        "kinds": BADGES,
        "zone": zone(),
        "stamp": lambda ms: formats.stamp(ms // 1000, zone()),
        "site_zone": site_zone,
        "traces": rule is not None and permissions.can_see_traces(g.scope, rule.owner_id),
        "trial": g.scope.can(Permission.RULES_TRACES) or g.scope.can(Permission.RULES_OWN),
        "backtest": g.scope.can(Permission.RULES_BACKTEST),
        "order": _order(editing),
        "pending_choices": [(str(each), _(text)) for each, text in pending_waits.CHOICES.items()],
    }


def target(path: ErrorPath) -> str:
    """Return the name of the field at which an error is shown."""
    if path.part == "types" or path == "wait.unless":
        return f"{path}.0" if path.part == "wait" else "types.0"
    if path.part != "if":
        return codec.error_field(path)
    part = {"field": "field", "op": "op", "value": "v0"}.get(str(path.keys[-1]))
    return ".".join(map(str, [*path.keys[:-1], part] if part else [*path.keys, "how"]))


def _at(path: ErrorPath, text: str, definition: TypedDefinition) -> str:
    """Return an error with the name of the field that it is about."""
    numbers = [key + 1 for key in path.keys if isinstance(key, int)]
    place = ""
    if path.part in PLACES:
        place = str(_(PLACES[str(path.part)]))
    elif path.part == "then" and numbers:
        place = str(_("Action %(number)s", number=numbers[0]))
        label = _part_label(path.keys[2:3], _action_parts(definition, numbers[0] - 1))
        place = str(_("%(place)s, %(part)s", place=place, part=label)) if label else place
    elif path.part in OPTIONS:
        place = _part_label(path.keys[1:2], declared.parts(OPTIONS[str(path.part)].cls))
    elif path.part == "if" and numbers:
        place = str(_("Condition %(number)s", number=".".join(map(str, numbers))))
    return str(_("%(place)s: %(problem)s", place=place, problem=text)) if place else text


def _action_parts(definition: TypedDefinition, n: int) -> tuple[Part, ...]:
    """Return the parameters of a typed action, those of every action included."""
    then = definition["then"]
    return (*codec.params_of(then[n]), *COMMON) if n < len(then) else ()


def _part_label(keys: tuple[str | int, ...], parts: Sequence[Part]) -> str:
    return next((str(_(part.label)) for part in parts if part.name in keys and part.label), "")


def _types(editing: Editing, when: When, sought: str) -> list[dict[str, Any]]:
    chosen = editing.typed["definition"]["types"]
    groups = queries.types(editing.personal, chosen, partial(whens.fits, when), sought)
    known = {name for _label, each in groups for name, _text, _needs in each}
    rows: list[dict[str, Any]] = []
    for n, name in enumerate(chosen):
        of_own, other = form.choice(name, form.CUSTOM)
        rows.append(
            {
                "n": n,
                "value": of_own,
                "other": other,
                "own": of_own == form.CUSTOM,
                "groups": groups,
                "unknown": name if name and name not in known and of_own != form.CUSTOM else "",
            }
        )
    return rows


def _more(editing: Editing, offered: Offered) -> dict[str, Any]:
    """Return the settings of the whole rule: group, order, zone, loops."""
    typed, definition = editing.typed, editing.typed["definition"]
    loops = [(str(each), _(label)) for each, label in LOOPS.items()]
    group = widgets.select("group", _("Group"), offered.groups, typed["group"], _("None"))
    return {
        "group": None if editing.personal else group._replace(error=editing.errors.get(ROOT / "group", "")),
        "loop": widgets.select("loop", _("Events triggered by rules"), loops, definition["loop"]),
        "stop": definition["stop"],
        "zone": definition["zone"],
    }


def _order(editing: Editing) -> list[tuple[str, list[tuple[str, bool]]]]:
    """Return the rules that are evaluated for each type, this one included, in order."""
    place = editing.typed["position"]
    key = editing.owner is not None, place if isinstance(place, int) else 0, editing.ident or 2**31
    types = [name for name in dict.fromkeys(editing.typed["definition"]["types"]) if catalog.find(name)]
    rows = [(name, queries.in_order(g.scope, name, editing.ident, key)) for name in types]
    return [(names.type_label(name), order) for name, order in rows if len(order) > 1]


def _unless(editing: Editing, sought: str) -> list[list[tuple[str, list[Option]]]]:
    """Return a list of types for each event that ends the wait."""
    wait = editing.typed["definition"].get("wait") or {}
    chosen = wait.get("unless", []) if "wait" in fitting(editing.typed["definition"]["types"]) else []
    groups = queries.types(False, chosen, lambda _name: True, sought) if chosen else []
    return [
        [
            (label, [Option(name, text, name == each) for name, text, _needs in group])
            for label, group in groups
        ]
        for each in chosen
    ]


def _placeholders(definition: TypedDefinition) -> list[tuple[str, str]]:
    known = [name for name in definition["types"] if catalog.find(name)]
    return [(name, _(label)) for name, label in text_templates.names(known).items()]


def _warnings(editing: Editing) -> list[str]:
    if request.method == "POST" and not editing.checked:
        return []
    found = preview.checked(editing.typed["definition"], None)
    if not isinstance(found, Definition):
        return []
    return warnings(g.scope, editing.rule, editing.owner, editing.typed["name"], found)


def _states(editing: Editing) -> list[Option]:
    now = editing.rule.state if editing.rule else "off"
    offered = [
        state
        for state in STATES
        if state == now or (state != State.PAUSED and permissions.can_switch(g.scope, editing.owner, state))
    ]
    return [Option(str(state), _(STATES[state]), state == editing.typed["state"]) for state in offered]


def _runs(rule: Rule | None) -> list[queries.Shown]:
    return (
        queries.runs(rule.id)
        if rule is not None and permissions.can_see_traces(g.scope, rule.owner_id)
        else []
    )
