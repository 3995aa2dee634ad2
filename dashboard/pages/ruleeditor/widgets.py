"""What a typed rule looks like as a form: rows, their lists to choose from, their fields and errors."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from flask_babel import gettext as _

from dashboard import catalog
from dashboard.catalog.fields import CHOICE_LABELS
from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.pages.ruleeditor import form, form_values, typed_rule
from dashboard.pages.ruleeditor.queries import Choice, Offered
from dashboard.pages.ruleeditor.typed_rule import Node, TypedDefinition
from dashboard.rulelang import fields
from dashboard.rulelang.conditions import MAX_LEVELS
from dashboard.rulelang.fields import Field, Kind
from dashboard.rulelang.operand_types import Operand
from dashboard.rulelang.operators import OPERATORS, Operator, operators
from dashboard.rulelang.references import FIELDS
from dashboard.rulelang.regex import MAX_PATTERN
from dashboard.rulelang.validation import ErrorPath
from dashboard.ruletext import names, sentences

FEW = 6  # choices that stand beside each other; more fold away
UNITS = {"s": N_("seconds"), "min": N_("minutes"), "h": N_("hours"), "d": N_("days"), "w": N_("weeks")}
HOWS = {"all": N_("all of these"), "any": N_("any of these"), "none": N_("none of these")}
JOINTS = {"all": N_("and"), "any": N_("or"), "none": N_("nor")}
_PLACES = (
    (N_("Time"), ("time",)),
    (N_("People and queues"), ("user", "queue")),
    (N_("Contact"), ("contact",)),
)

Errors = Mapping[ErrorPath, str]


class Option(NamedTuple):
    value: str
    label: str
    chosen: bool = False


class Control(NamedTuple):
    """A field: `kind` is text, number, clock, date, datetime-local, seconds, area, select, checks or pick
    (checks that fold away). `label` is for screen readers."""

    name: str
    kind: str
    label: str
    value: str = ""
    unit: str = ""
    options: Sequence[Option] = ()
    hint: str = ""
    limit: int = 500
    error: str = ""

    @property
    def chosen(self) -> str:
        return formats.listed(each.label for each in self.options if each.chosen)


class Row(NamedTuple):
    """A condition. `number` counts from 1 as people do; `own` says that the path is typed."""

    path: str
    name: str
    number: str
    joint: str
    fields: list[tuple[str, list[Option]]]
    own: bool
    own_path: str
    ops: list[Option]
    was: str
    controls: list[Control]
    kept: str | None
    errors: dict[str, str]
    first: bool
    last: bool


class Block(NamedTuple):
    """A group with its conditions and groups."""

    path: str
    name: str
    number: str
    joint: str
    hows: list[Option]
    inside: list[Row | Block]
    deeper: bool
    error: str
    first: bool
    last: bool


def under(errors: Errors, path: ErrorPath) -> str:
    """Return the first error of a part or of what lies within it."""
    return next((text for name, text in errors.items() if name.is_within(path.keys)), "")


def conditions(definition: TypedDefinition, offered: Offered, zone: str, errors: Errors) -> Block:
    """Return the tree of conditions as rows; `zone` is the site's, for a rule without its own."""
    known = fields.fields(definition["types"])
    zone = form.zone_of(definition.get("zone", ""), zone)
    grouped = _grouped(known)

    def made(node: Node, path: typed_rule.Path, joint: str, place: tuple[bool, bool]) -> Row | Block:
        how = typed_rule.how_of(node)
        if not how:
            return _row(node, path, joint, place, known, grouped, offered, zone, errors)
        inside = [
            made(child, (*path, n), _(JOINTS[how]) if n else "", (n == 0, n == len(node[how]) - 1))
            for n, child in enumerate(node[how])
        ]
        hows = [Option(each, _(label), each == how) for each, label in HOWS.items()]
        error = errors.get(typed_rule.named(path), "")
        deeper = len(path) + 1 < MAX_LEVELS
        return Block(
            _dotted(path), typed_rule.named(path), _number(path), joint, hows, inside, deeper, error, *place
        )

    root = made(definition["if"], (), "", (True, True))
    assert isinstance(root, Block)  # noqa: S101  a typed rule's root is a group
    return root


def _row(
    node: Node,
    path: typed_rule.Path,
    joint: str,
    place: tuple[bool, bool],
    known: dict[str, Field],
    grouped: list[tuple[str, list[tuple[str, str]]]],
    offered: Offered,
    zone: str,
    errors: Errors,
) -> Row:
    name, field = typed_rule.named(path), fields.find(node["field"], known)
    own = (field is not None and node["field"] not in known) or node["field"] == form.OTHER
    chosen = form.OTHER if own else node["field"]
    row = OPERATORS.get(node["op"])
    plain = field is not None and row is not None and row.fits(field)
    controls = []
    if plain and field is not None and row is not None:
        controls = _controls(row, field, node, name, _number(path), offered, zone, known)
    mine = {part: text for part in ("field", "op", "value") if (text := under(errors, name / part))}
    return Row(
        _dotted(path),
        name,
        _number(path),
        joint,
        _options_of_fields(grouped, chosen),
        own,
        node["field"].removeprefix(form.OTHER) if own else "",
        _ops(field, node["op"]),
        f"{node['field']}|{node['op']}",
        controls,
        json.dumps(node["value"]) if not plain and "value" in node else None,
        mine,
        *place,
    )


def _options_of_fields(
    grouped: list[tuple[str, list[tuple[str, str]]]], chosen: str
) -> list[tuple[str, list[Option]]]:
    made = [(head, [Option(path, label, path == chosen) for path, label in each]) for head, each in grouped]
    made.append((_("More"), [Option(form.OTHER, _(fields.OTHER), chosen == form.OTHER)]))
    if chosen and not any(option.chosen for _head, options in made for option in options):
        made.append((_("Not in these events"), [Option(chosen, chosen, True)]))
    return made


def _grouped(known: dict[str, Field]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return paths and labels of the fields under headings, those of the event's own data first."""
    placed: dict[str, list[tuple[str, str]]] = {_("Data of the event"): []}
    for path, field in known.items():
        first = path.partition(".")[0]
        head = next((head for head, firsts in _PLACES if first in firsts), N_("Other"))
        head = _("Data of the event") if first in ("data", "subject") else _(head)
        placed.setdefault(head, []).append((path, _(field.label)))
    return [(head, each) for head, each in placed.items() if each]


def _ops(field: Field | None, chosen: str) -> list[Option]:
    made = [
        Option(row.name, sentences.operator_label(row.name), row.name == chosen)
        for row in (operators(field) if field else ())
    ]
    if chosen and not any(each.chosen for each in made):
        made.append(Option(chosen, sentences.operator_label(chosen), True))
    return made


def _controls(
    row: Operator,
    field: Field,
    node: Node,
    name: str,
    number: str,
    offered: Offered,
    zone: str,
    known: dict[str, Field],
) -> list[Control]:
    values = form_values.parts(row, node.get("value"))
    labels = [_("Value of condition %(number)s", number=number)]
    if len(values) > 1:
        labels = [
            _("Value %(place)s of condition %(number)s", place=n + 1, number=number)
            for n in range(len(values))
        ]
    return [
        control(kind, field, f"{name}.v{n}", values[n], labels[n], offered, zone)
        for n, kind in enumerate(row.operands)
    ]


def control(
    kind: Operand, field: Field, name: str, value: Any, label: str, offered: Offered, zone: str
) -> Control:
    """Return the field in which one operand of a condition is typed or chosen."""
    if kind is Operand.SECONDS or (kind is Operand.NUMBER and field.kind is Kind.DURATION):
        return seconds(name, value, label)
    if form_values.by_line(kind, field):
        return Control(f"{name}.lines", "area", label, form_values.shown(value), hint=_("One on each line"))
    if kind is Operand.INSTANT:
        return Control(name, "datetime-local", label, form_values.local(value, zone))
    if kind is Operand.WEEKDAYS:
        days = [(str(day), names.day_name(day)) for day in range(1, 8)]
        return checks(name, label, days, value)
    if kind is Operand.CALENDAR:
        return select(name, label, offered.calendars, value, empty=_("Choose a calendar"))
    if kind in (Operand.CHOICE, Operand.CHOICES, Operand.MAYBE):
        return _picked(kind, field, name, value, label, offered)
    shown = form_values.shown(value)
    if kind is Operand.CLOCK:
        return Control(name, "clock", label, shown, limit=5)
    if kind in (Operand.NUMBER, Operand.COUNT):
        return Control(name, "number", label, shown)
    limit = MAX_PATTERN if kind is Operand.PATTERN else 500
    return Control(name, "date" if kind is Operand.DATE else "text", label, shown, limit=limit)


def _picked(kind: Operand, field: Field, name: str, value: Any, label: str, offered: Offered) -> Control:
    choices = choices_of(field, offered)
    if choices is None:
        hint = _("Empty: anything") if kind is Operand.MAYBE else ""
        return Control(name, "text", label, form_values.shown(value), hint=hint)
    chosen = (
        [form_values.shown(each) for each in form_values.entries(value)]
        if kind is Operand.CHOICES
        else [form_values.shown(value)]
    )
    gone = [each for each in chosen if each and each not in {known for known, _label in choices}]
    meaning = FIELDS.get(field.path)
    choices = choices + [(each, _(names.OTHER[meaning]) if meaning else each) for each in gone]
    if kind is Operand.CHOICES:
        return checks(name, label, choices, chosen)
    empty = _("anything") if kind is Operand.MAYBE else _("Choose")
    return select(name, label, choices, value, empty)


def choices_of(field: Field, offered: Offered) -> list[Choice] | None:
    """Return what a field may be, with labels; None for a field whose values are typed."""
    if field.path in FIELDS:
        return list(offered.of(FIELDS[field.path]))
    if field.path in offered.named:
        return list(offered.named[field.path])
    if field.path == "type":
        return [(name, _(type_.label)) for name, type_ in catalog.CATALOG.items()]
    if field.kind is Kind.CHOICE:
        return [(each, _(CHOICE_LABELS[each]) if each in CHOICE_LABELS else each) for each in field.choices]
    return None


def checks(name: str, label: str, choices: Iterable[Choice], chosen: Any) -> Control:
    """Return boxes to tick; many fold away behind what is ticked."""
    ticked = {form_values.shown(each) for each in chosen} if isinstance(chosen, list | tuple) else set()
    options = [Option(value, text, value in ticked) for value, text in choices]
    return Control(name, "checks" if len(options) <= FEW + 1 else "pick", label, options=options)


def select(
    name: str, label: str, choices: Iterable[Choice], chosen: Any, empty: str | None = None
) -> Control:
    """Return a list of which one is chosen; `empty` is the text of choosing none. What is chosen and
    no longer offered stays."""
    wanted = form_values.shown(chosen)
    options = [Option(value, text, value == wanted) for value, text in choices]
    if empty is not None:
        options.insert(0, Option("", empty, not wanted))
    if wanted and not any(each.chosen for each in options):
        options.append(Option(wanted, wanted, True))
    return Control(name, "select", label, wanted, options=options)


def seconds(name: str, value: Any, label: str) -> Control:
    """Return the number of a duration and its unit."""
    number, unit = form_values.amount(value)
    units = [Option(each, _(text), each == unit) for each, text in UNITS.items()]
    return Control(name, "seconds", label, number, unit, units)


def _dotted(path: typed_rule.Path) -> str:
    return ".".join(map(str, path))


def _number(path: typed_rule.Path) -> str:
    return ".".join(str(step + 1) for step in path)
