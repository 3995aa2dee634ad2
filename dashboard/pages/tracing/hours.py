"""The hours of a day: links that limit the page to one, and what the list says between its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from flask import url_for

from dashboard import clock
from dashboard.clock import Slot, Span
from dashboard.i18n.formats import clock_short, date_long
from dashboard.intervals import clip, subtract, union
from dashboard.intervals import load as seconds
from dashboard.pages.tracing import listing
from dashboard.pages.tracing.axis import labels_of
from dashboard.pages.tracing.forms import TraceQuery
from dashboard.pages.tracing.listing import Row
from dashboard.tracing import load
from dashboard.tracing.load import ActivityRow
from dashboard.tracing.statistics import base_sets, cut_rows
from dashboard.tracing.trace import Trace
from dashboard.tracing.types import Kind

FREE_S = 300  # of free time that the list shows


class HourLink(NamedTuple):
    """A link that limits the page to an hour; `name` is 10:00–11:00."""

    name: str
    url: str


class Hours(NamedTuple):
    """Links to the hours of a day in which something is recorded, by the labels that an axis gives them.

    `before` and `after` are the neighbours of the hour that is shown, None without one.
    """

    links: Mapping[str, HourLink] = {}
    before: HourLink | None = None
    after: HourLink | None = None


class Group(NamedTuple):
    """Rows that begin in one hour, or in one day of a week; `number` and `busy` count the whole list.

    `label` is "" for rows that began before the period.
    """

    label: str
    url: str
    number: int
    busy: int
    rows: Sequence[Row]


def links(trace: Trace, asked: TraceQuery) -> Hours:
    """Return the links of a day; none for a week."""
    whole = asked.whole
    if asked.unit != "day" or whole.start > trace.as_of:
        return Hours()
    rows = trace.intervals
    if trace.span != whole:
        rows = load.intervals(trace.scope, trace.person.id, whole, trace.at)
    if not rows:
        return Hours()
    first = min(row.start for row in rows)
    last = max(trace.as_of if row.end is None else row.end for row in rows)
    used = [slot for slot in clock.hours(whole, trace.zone) if slot.start < last and slot.end > first]
    found = {slot.label: _hour(slot) for slot in used}  # a repeated hour is one link
    order = [HourLink(f"{since}–{until}", _url(asked, since, until)) for since, until in found.values()]
    by_hour = dict(zip(found, order, strict=True))
    here = next((at for at, link in enumerate(order) if link.name == asked.hours), None)
    others = [slot for slot in used if by_hour[slot.label].name != asked.hours]
    return Hours(
        {label: by_hour[slot.label] for slot in others for label in labels_of(slot)},
        order[here - 1] if here else None,
        order[here + 1] if here is not None and here + 1 < len(order) else None,
    )


def _hour(slot: Slot) -> tuple[str, str]:
    return f"{slot.label}:00", f"{int(slot.label) + 1:02}:00"


def _url(asked: TraceQuery, since: str, until: str) -> str:
    limited = asked.query(since=since, until=until, all_day=False, after=None, before=None, page=1)
    return url_for("tracing.index", **limited)


def groups(
    trace: Trace, asked: TraceQuery, shown: listing.Page, chosen: Sequence[ActivityRow]
) -> list[Group]:
    """Return the rows of a page by hour, or day of a longer period, with the free time of a day between.

    `chosen` are the activities of the whole list. Free time is left out of a filtered list, and a folded list
    has each day without its rows.
    """
    rows: list[Row] = shown.rows
    if asked.unit == "day" and not asked.filtered:
        free = [row for row in _free(trace) if shown.window[0] <= row.start < shown.window[1]]
        rows = sorted([*rows, *free], key=lambda row: row.key, reverse=asked.descending)
    parts = _parts(trace, asked)
    starts = [row.start for row in chosen]
    starts += [row.start for row in listing.listed_pauses(trace, asked)]
    work = _work(trace, {row.id for row in chosen})
    if asked.folded:
        days = [_group(part, [], starts, work) for part in parts]
        return [day for day in days if day.number]
    return [
        _group(part, list(inside), starts, work)
        for part, inside in groupby(rows, key=lambda row: _part_of(row.start, parts))
    ]


class _Part(NamedTuple):
    span: Span
    label: str
    url: str


def _parts(trace: Trace, asked: TraceQuery) -> list[_Part]:
    """Return what came before the period, and its hours or days."""
    before = _Part(Span(0, trace.span.start), "", "")
    if asked.unit != "day":
        return [before, *(_day(asked, trace.zone, span) for span in _days(trace))]
    hours = [
        _Part(Span(slot.start, slot.end), clock_short(slot.start, trace.zone), _url(asked, *_hour(slot)))
        for slot in clock.hours(trace.span, trace.zone)
    ]
    return [before, *hours]


def _days(trace: Trace) -> list[Span]:
    return [clock.day(day, trace.zone) for day in clock.local_dates(trace.span, trace.zone)]


def _day(asked: TraceQuery, zone: str, span: Span) -> _Part:
    day = clock.local_date(span.start, zone)
    url = url_for("tracing.index", **asked.query(unit="day", date=day, after=None, before=None, page=1))
    return _Part(span, date_long(day), url)


def _part_of(start: int, parts: Sequence[_Part]) -> _Part:
    return next((part for part in reversed(parts) if part.span.start <= start), parts[0])


def _group(part: _Part, rows: list[Row], starts: Sequence[int], work: Sequence[tuple[int, int]]) -> Group:
    number = sum(part.span.start <= start < part.span.end for start in starts)
    busy = seconds(clip(work, *part.span)) if part.label else 0
    return Group(part.label, part.url, number, busy, rows)


def _work(trace: Trace, ids: set[int]) -> list[tuple[int, int]]:
    """Return the time with work of these activities, overlaps once."""
    rows = [row for row in trace.intervals if row.kind == Kind.HANDLING and row.activity_id in ids]
    cuts = cut_rows(rows, trace.span.start, min(trace.span.end, trace.as_of), trace.horizons)
    return union((start, end) for _, start, end in cuts[Kind.HANDLING] if start < end)


def _free(trace: Trace) -> list[Row]:
    """Return the stretches of free time longer than FREE_S: ready, no work, nothing rings."""
    cuts = cut_rows(trace.intervals, trace.span.start, min(trace.span.end, trace.as_of), trace.horizons)
    base = base_sets(cuts, trace.never_signed_in)
    return [
        Row((start, 2, start), f"f{start}", start, end, end - start, end - start, 0, 0, "free")
        for start, end in subtract(base.ready, union(base.busy + base.ring))
        if end - start > FREE_S
    ]
