"""What the fields of the builder offer: columns, groups, measures, filters and orders of a data source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from flask_babel import gettext as _

from dashboard.access.scope import Scope
from dashboard.i18n.message import N_
from dashboard.reports import words
from dashboard.sources import display
from dashboard.sources.measures import OF_FIELDS, read_measure
from dashboard.sources.query import Column, Measure, Op, Query, Sum, operators
from dashboard.sources.types import Entity, Field, Source, Type
from dashboard.web.listing import Choice, options_of

Parameters = Mapping[str, Sequence[str]]
OPERATORS = {
    "": N_("is"),
    "not": N_("is not"),
    "gte": N_("is at least"),
    "gt": N_("is more than"),
    "lte": N_("is at most"),
    "lt": N_("is less than"),
    "blank:1": N_("has no value"),
    "blank:0": N_("has a value"),
}


class Pending(NamedTuple):
    """The filter that is being added: `options` of its value, or a text of the type of `kind`."""

    field: str
    label: str
    operators: list[tuple[str, str]]
    options: list[tuple[str, str]] | None
    hint: str
    cancel_url: str


def columns(source: Source) -> list[Column]:
    """Return the fields that can be columns."""
    return [
        Column(source.full_name(entity, field), entity, field)
        for entity in source.entities
        for field in entity.fields
        if field.label
    ]


def filterable(source: Source) -> list[Column]:
    return [each for each in columns(source) if each.field.type not in (Type.ID, Type.CONTACT)]


def groups(source: Source) -> list[tuple[str, str]]:
    fields = [
        (each.name, words.field_label(source, each))
        for each in columns(source)
        if each.field.type not in (Type.ID, Type.MOMENT, Type.DURATION, Type.NUMBER)
    ]
    return [*((each.value, _(label)) for each, label in display.BUCKETS.items()), *fields]


def with_chosen(options: list[tuple[str, str]], chosen: Iterable[str]) -> list[tuple[str, str]]:
    """Return options and, under their names, those that are chosen besides."""
    known = {value for value, _label in options}
    return [*options, *((value, value) for value in chosen if value and value not in known)]


def measures(source: Source, chosen: Sequence[str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the measures of each entity below the label of its rows, and others that are chosen."""
    offered = [
        (
            _(entity.plural),
            [
                (name, display.measure_label(source, found))
                for name in _measures(source, entity)
                if isinstance(found := read_measure(source, name, ()), Measure)
            ],
        )
        for entity in source.entities
    ]
    known = {name for _label, options in offered for name, _text in options}
    others = [(name, name) for name in chosen if name not in known]
    return [*offered, *([(_("Other"), others)] if others else [])]


def _measures(source: Source, entity: Entity) -> list[str]:
    grain = entity is source.entities[0]
    ratios = [
        name for name, (of, _ratio) in source.ratios.items() if of is entity and grain == ("." not in name)
    ]
    names = ["count", "share:count", *ratios] if grain else [f"count:{entity.name}", *ratios]
    for field in entity.fields:
        if field.type.can_be_added and (field.label or field.counted):
            sums = OF_FIELDS[:2] if field.type is Type.YES_NO else OF_FIELDS
            names += [f"{each}:{source.full_name(entity, field)}" for each in sums]
        if field.type is Type.CONTACT:
            names.append(f"{Sum.COUNT_DISTINCT}:{source.full_name(entity, field)}")
    return names


def pending(scope: Scope, source: Source, name: str, cancel_url: str) -> Pending:
    entity, field = source.fields[name]
    allowed = operators(field.type)
    ways = [
        (value, _(text))
        for value, text in OPERATORS.items()
        if (Op.BLANK if value.startswith("blank") else Op(value)) in allowed
    ]
    return Pending(
        name,
        words.field_label(source, Column(name, entity, field)),
        ways,
        _options(scope, field),
        _hint(field),
        cancel_url,
    )


def _options(scope: Scope, field: Field) -> list[tuple[str, str]] | None:
    if field.type is Type.YES_NO:
        return [("1", _("Yes")), ("0", _("No"))]
    if field.type in (Type.USER, Type.QUEUE, Type.SOURCE) or field.choices:
        return options_of(scope, field)
    return None


def _hint(field: Field) -> str:
    match field.type:
        case Type.DURATION:
            return str(_("Minutes and seconds, such as 1:30"))
        case Type.MOMENT:
            return str(_("A date, such as 2026-03-02"))
        case Type.NUMBER:
            return str(_("A whole number"))
        case _:
            return ""


def order(query: Query | None, given: Parameters) -> Choice:
    """Return the order: by a figure, or by the time of rows."""
    options = [("", _("By name"))]
    if query is not None and query.measures:
        options += [
            (
                f"-{each.name}",
                _("%(figure)s, highest first", figure=display.measure_label(query.source, each)),
            )
            for each in query.measures
        ]
    elif query is not None:
        options = [("", _("Newest first")), (query.source.moment, _("Oldest first"))]
    value = next(iter(given.get("sort", ())), "")
    return Choice("sort", _("Order"), with_chosen(options, [value]), value)
