"""Reads measures: counts and sums, the ratios that entities declare, shares and running totals. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.i18n.message import N_, Message, message
from dashboard.sources.query import Group, Measure, Sum
from dashboard.sources.types import Entity, Source

UNKNOWN_MEASURE = N_("Unknown measure. Use one of %(names)s.")
UNKNOWN_ENTITY = N_("Nothing of that name can be counted. Use one of %(names)s.")
UNKNOWN_FIELD = N_("This source has no such field. Use one of %(names)s.")
NOT_ADDED = N_("This field has no sum. Use one of %(names)s.")
NOT_OF_A_SUM = N_("A share and a running total are of count or sum, such as share:count.")
NEEDS_TIME = N_("A running total needs a group by time. Use one of hour, day, week, month.")
WRITTEN = ("count:ENTITY", "count_distinct:FIELD", "share:MEASURE", "running:MEASURE")
OF_FIELDS = (Sum.SUM, Sum.AVG, Sum.MIN, Sum.MAX, Sum.MEDIAN, Sum.P90)


def read_measure(source: Source, text: str, groups: Sequence[Group]) -> Measure | Message:
    """Return the measure that `text` names, such as sum:talk, or why there is none."""
    if text in source.ratios:
        return _ratio(source, text)
    kind, _, of = text.partition(":")
    if kind not in list(Sum) or kind == Sum.RATIO:
        names = (*(each for each in Sum if each is not Sum.RATIO), *sorted(source.ratios))
        return message(UNKNOWN_MEASURE, names=", ".join(names))
    match Sum(kind):
        case Sum.COUNT:
            entity = source.by_name.get(of) if of else source.entities[0]
            if entity is None:
                return message(UNKNOWN_ENTITY, names=", ".join(source.by_name))
            if entity is source.entities[0] and source.counted:
                return Measure(text, Sum.SUM, *source.fields[source.counted])
            return Measure(text, Sum.COUNT, entity)
        case Sum.COUNT_DISTINCT:
            if of not in source.usable:
                return message(UNKNOWN_FIELD, names=", ".join(sorted(source.fields)))
            return Measure(text, Sum.COUNT_DISTINCT, *source.fields[of])
        case Sum.SHARE | Sum.RUNNING:
            return _of_total(source, text, Sum(kind), of, groups)
        case _:
            known = source.fields.get(of)
            if known is None or not known[1].type.can_be_added:
                return message(NOT_ADDED, names=", ".join(_added(source)))
            return Measure(text, Sum(kind), *known)


def _ratio(source: Source, text: str) -> Measure:
    entity, ratio = source.ratios[text]
    parts = [read_measure(source, _within(source, entity, part), ()) for part in (ratio.part, ratio.whole)]
    assert not any(isinstance(part, Message) for part in parts), text  # noqa: S101 - declared so
    of = tuple(part for part in parts if isinstance(part, Measure))
    return Measure(text, Sum.RATIO, entity, of=of, ratio=ratio)


def _within(source: Source, entity: Entity, text: str) -> str:
    """Return the name in the source of a measure that is named as within its entity."""
    if entity is source.entities[0]:
        return text
    kind, _, of = text.partition(":")
    return f"{kind}:{entity.name}.{of}" if of else f"{kind}:{entity.name}"


def _of_total(source: Source, text: str, kind: Sum, of: str, groups: Sequence[Group]) -> Measure | Message:
    if of.partition(":")[0] not in (Sum.COUNT, Sum.SUM):
        return Message(NOT_OF_A_SUM)
    if kind is Sum.RUNNING and not any(each.bucket and not each.bucket.is_cyclic for each in groups):
        return Message(NEEDS_TIME)
    part = read_measure(source, of, groups)
    return part if isinstance(part, Message) else Measure(text, kind, part.entity, part.field, of=(part,))


def _added(source: Source) -> list[str]:
    return sorted(name for name, (_, field) in source.fields.items() if field.type.can_be_added)
