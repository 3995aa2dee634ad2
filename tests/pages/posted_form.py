"""The fields that a browser posts for a typed rule: what `form.read` reads, written back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dashboard.pages.ruleeditor import codec, form, form_values, typed_rule
from dashboard.pages.ruleeditor.form import CUSTOM, OTHER, TEXTS
from dashboard.pages.ruleeditor.form_values import Form
from dashboard.pages.ruleeditor.typed_rule import Action, Node, Option, TypedRule
from dashboard.rulelang import declared, fields
from dashboard.rulelang.actions import COMMON
from dashboard.rulelang.fields import Field
from dashboard.rulelang.fields import Kind as FieldKind
from dashboard.rulelang.operand_types import Operand
from dashboard.rulelang.operators import OPERATORS
from dashboard.rulelang.rate_limits import Frequency
from dashboard.rulelang.triggers import OPTIONS, fitting
from dashboard.rulelang.values import EventTypes, Kind, Seconds, TemplatesByName, YesNo


def posted_fields(typed: TypedRule, zone: str) -> Form:
    """Return what the page's form posts for a typed rule; `form.read` of it gives the rule again."""
    definition = typed["definition"]
    posted = Form()
    for name in (*TEXTS, "group", "position", "version"):
        posted.add(name, form_values.shown(typed.get(name)))
    for n, type_ in enumerate(definition["types"] or [""]):
        chosen, other = form.choice(type_, CUSTOM)
        posted.add(f"types.{n}", chosen)
        posted.add(f"types.{n}.name", other)
    known = fields.fields(definition["types"])
    _write_node(definition["if"], (), known, form.zone_of(definition.get("zone", ""), zone), posted)
    _write_options(definition, posted)
    _write_actions(definition["then"], posted)
    if definition.get("stop"):
        posted.add("stop", "1")
    posted.add("loop", definition.get("loop", "once"))
    posted.add("zone", definition.get("zone", ""))
    return posted


def _write_node(node: Node, path: typed_rule.Path, known: dict[str, Field], zone: str, posted: Form) -> None:
    name, how = typed_rule.named(path), typed_rule.how_of(node)
    if how:
        posted.add(f"{name}.how", how)
        for n, child in enumerate(node[how]):
            _write_node(child, (*path, n), known, zone, posted)
        return
    field = fields.find(node["field"], known)
    own = field is not None and not field.declared and node["field"] not in known
    posted.add(f"{name}.field", OTHER if own else node["field"])
    posted.add(f"{name}.path", node["field"].removeprefix(OTHER) if own else "")
    posted.add(f"{name}.op", node["op"])
    posted.add(f"{name}.was", f"{node['field']}|{node['op']}")
    if field is None or not _is_plain(node, known):
        if "value" in node:
            posted.add(f"{name}.kept", json.dumps(node["value"]))
        return
    row = OPERATORS[node["op"]]
    for n, part in enumerate(form_values.parts(row, node.get("value"))):
        _write_operand(posted, f"{name}.v{n}", row.operands[n], field, part, zone)


def _write(kind: Kind, posted: Form, name: str, value: Any) -> None:
    """Add the fields that the form posts for a value; `read` of them gives it again."""
    if kind.parts():
        given = value if isinstance(value, dict) else {}
        for each in kind.parts():
            _write(each.kind, posted, f"{name}.{each.form_name}", given.get(each.name))
    elif isinstance(kind, Seconds):
        _write_seconds(posted, name, value)
    elif isinstance(kind, (*codec.BY_LINE, TemplatesByName)):
        posted.add(f"{name}.lines", codec.typed_text(kind, value))
    elif isinstance(kind, codec.LISTS):
        posted.setlist(name, [form_values.shown(each) for each in form_values.entries(value)])
    elif isinstance(kind, EventTypes):
        for n, each in enumerate(form_values.entries(value)):
            posted.add(f"{name}.{n}", form_values.shown(each))
    elif isinstance(kind, Frequency):
        posted.add(f"{name}.freq", codec.frequency(value))
        posted.add(f"{name}.by", codec.counted_for(value))
    elif not isinstance(kind, YesNo):
        posted.add(name, codec.typed_text(kind, value))
    elif value:
        posted.add(name, "1")


def _write_seconds(posted: Form, name: str, value: Any) -> None:
    """Add a duration: its number and its unit."""
    typed, unit = form_values.amount(value)
    posted.add(name, typed)
    posted.add(f"{name}.unit", unit)


def _write_options(definition: Mapping[str, Any], posted: Form) -> None:
    """Add what the form posts for the options of a definition."""
    for name in fitting(definition["types"]):
        given: Option = definition.get(name) or {}
        for part in declared.parts(OPTIONS[name].cls) if given else ():
            _write(part.kind, posted, f"{name}.{part.form_name}", given.get(part.name))


def _write_actions(actions: Sequence[Action], posted: Form) -> None:
    """Add what the form posts for actions."""
    for n, action in enumerate(actions):
        posted.add(f"then.{n}.do", str(action.get("do", "")))
        for part in (*codec.params_of(action), *COMMON):
            value = action.get(part.name, part.default)
            _write(part.kind, posted, codec.field_name(f"then.{n}", part), value)


def _write_operand(posted: Form, name: str, kind: Operand, field: Field, value: Any, zone: str) -> None:
    """Add what the form posts for one operand of a condition."""
    if kind is Operand.SECONDS or (kind is Operand.NUMBER and field.kind is FieldKind.DURATION):
        _write_seconds(posted, name, value)
    elif kind is Operand.INSTANT:
        posted.add(name, form_values.local(value, zone))
    elif form_values.by_line(kind, field):
        posted.add(f"{name}.lines", form_values.shown(value))
    elif kind in (Operand.CHOICES, Operand.WEEKDAYS):
        posted.setlist(name, [form_values.shown(each) for each in form_values.entries(value)])
    else:
        posted.add(name, form_values.shown(value))


def _is_plain(node: Node, known: dict[str, Field]) -> bool:
    """Say whether a condition's values can be typed: its field is there and its operator fits."""
    field, row = fields.find(str(node.get("field", "")), known), OPERATORS.get(str(node.get("op", "")))
    return field is not None and row is not None and row.fits(field)
