"""Figures made from others: ratios, shares of the total, running totals and the period before. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dashboard.clock import Span
from dashboard.sources import period
from dashboard.sources.query import Compared, Measure, Query, Sum, compared_name

Key = tuple[Any, ...]
Values = dict[str, Any]


class Groups(NamedTuple):
    """The figures of groups by the values of their groups, those of all rows, and whether groups overlap."""

    by_key: dict[Key, Values]
    total: Values
    overlap: bool


def derived(query: Query, found: Groups) -> Groups:
    """Return the figures of the query's measures, made from those that they are of."""
    total = {each.name: _figure(each, found.total, found.total) for each in query.measures}
    by_key = {
        key: {each.name: _figure(each, values, found.total) for each in query.measures}
        for key, values in found.by_key.items()
    }
    for each in query.measures:
        if each.sum is Sum.RUNNING:
            _run(query, by_key, each.name)
    return Groups(by_key, total, found.overlap)


def _figure(measure: Measure, values: Mapping[str, Any], total: Mapping[str, Any]) -> Any:
    match measure.sum:
        case Sum.RATIO:
            part, whole = (values[each.name] for each in measure.of)
            return _divided(part, whole)
        case Sum.SHARE:
            return _divided(values[measure.of[0].name], total[measure.of[0].name])
        case Sum.RUNNING:
            return values[measure.of[0].name]
        case _:
            return values[measure.name]


def _divided(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None


def _run(query: Query, by_key: dict[Key, Values], name: str) -> None:
    """Add up a figure along the buckets of time, apart for each value of the other groups."""
    timed = [n for n, each in enumerate(query.groups) if each.bucket and not each.bucket.is_cyclic]
    sums: dict[Key, Any] = {}
    for key in sorted(by_key, key=lambda key: [key[n] for n in timed]):
        other = tuple(value for n, value in enumerate(key) if n not in timed)
        sums[other] = by_key[key][name] = sums.get(other, 0) + by_key[key][name]


def aligned(query: Query, before: Span, by_key: Mapping[Key, Values]) -> dict[Key, Values]:
    """Return the figures of the period `before` by the groups of the query's period.

    A bucket of time becomes the one in the same place of that period; without such a one it is left out.
    """
    axes = [
        period.aligned(each.bucket, before, query.span, query.zone) if each.bucket else None
        for each in query.groups
    ]
    moved = {}
    for key, values in by_key.items():
        place = [value if axis is None else axis.get(value) for axis, value in zip(axes, key, strict=True)]
        if all(axis is None or value is not None for axis, value in zip(axes, place, strict=True)):
            moved[tuple(place)] = values
    return moved


def compared(query: Query, now: Groups, then: Groups) -> Groups:
    """Return the figures of two periods by the same groups: those of `now`, and what changed."""
    return Groups(
        {
            key: _beside(query.measures, values, then.by_key.get(key, {}))
            for key, values in now.by_key.items()
        },
        _beside(query.measures, now.total, then.total),
        now.overlap,
    )


def _beside(measures: Sequence[Measure], now: Values, then: Values) -> Values:
    found = dict(now)
    for name in (each.name for each in measures):
        new, old = now[name], then.get(name)
        difference = None if new is None or old is None else new - old
        found[compared_name(name, Compared.PREVIOUS)] = old
        found[compared_name(name, Compared.DIFFERENCE)] = difference
        found[compared_name(name, Compared.CHANGE)] = _divided(difference, old)
    return found


def ordered(query: Query, found: dict[Key, Values]) -> list[tuple[Key, Values]]:
    """Return the groups in the order of their values, or of what the query is sorted by; blanks last."""
    ordered = sorted(found.items(), key=lambda item: [_rank(value) for value in item[0]])
    if query.sort is not None:
        names = [each.name for each in query.groups]
        name = query.sort.name

        def value(item: tuple[Key, Values]) -> Any:
            return item[0][names.index(name)] if name in names else item[1][name]

        known = [item for item in ordered if value(item) is not None]
        known.sort(key=value, reverse=query.sort.descending)
        ordered = known + [item for item in ordered if value(item) is None]
    return ordered[: query.limit]


def _rank(value: Any) -> tuple[bool, Any]:
    return (value is None, 0 if value is None else value)
