"""The list kit: a query on a data source as a page with filters, columns, order and files.

A page declares its `Listing`; the address is the query. Filters of the bar are one form, all others that the
address holds are chips. Everything works without scripts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from flask import Response, g, request
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.scope import Scope
from dashboard.clock import Span
from dashboard.i18n import formats, zone
from dashboard.i18n.message import N_
from dashboard.models import Queue, User
from dashboard.models import Source as EventSource
from dashboard.sources import answer, display, run
from dashboard.sources.parameters import parse
from dashboard.sources.period import NAMED, TooManyBuckets
from dashboard.sources.query import DEFAULT_PERIOD, Column, Filter, Op, Query, QueryError, cursor, sortable
from dashboard.sources.types import Field, Source, Type
from dashboard.web.deliver import file_links
from dashboard.web.lists import Head, by_name, here
from dashboard.web.page import render

PERIODS = {
    "today": N_("Today"),
    "yesterday": N_("Yesterday"),
    "this_week": N_("This week"),
    "last_week": N_("Last week"),
    "this_month": N_("This month"),
    "last_month": N_("Last month"),
    "this_quarter": N_("This quarter"),
    "last_quarter": N_("Last quarter"),
    "this_year": N_("This year"),
    "last_7_days": N_("Last 7 days"),
    "last_30_days": N_("Last 30 days"),
    "last_90_days": N_("Last 90 days"),
}
assert PERIODS.keys() == NAMED.keys()  # noqa: S101 - a period without a label fails at the start
SENTENCES = {
    Op.ANY_OF: N_("%(field)s: %(values)s"),
    Op.NOT: N_("%(field)s: not %(values)s"),
    Op.GTE: N_("%(field)s: at least %(values)s"),
    Op.GT: N_("%(field)s: more than %(values)s"),
    Op.LTE: N_("%(field)s: at most %(values)s"),
    Op.LT: N_("%(field)s: less than %(values)s"),
}
TOO_LONG = N_("This takes too long. Choose a shorter period or more filters.")
PAGING = ("after",)


@dataclass(frozen=True)
class Listing:
    """A list page: its source, the columns shown unless others are chosen, and the fields of the filter bar.

    `links` gives the address of a cell's page by column, from the row's key and the value in the database.
    """

    source: Source
    title: str
    sub: str
    columns: tuple[str, ...]
    bar: tuple[str, ...]
    count: Callable[[int], str]
    none: str
    none_hint: str
    links: Mapping[str, Callable[[int, Any], str | None]]


class Choice(NamedTuple):
    """A select of the filter bar; `options` are value and label."""

    name: str
    label: str
    options: list[tuple[str, str]]
    value: str


class Chip(NamedTuple):
    """A filter in words, and the address without it."""

    text: str
    url: str


class Heading(NamedTuple):
    label: str
    head: Head | None
    css: str


class Cell(NamedTuple):
    text: str
    url: str | None
    css: str


@dataclass(frozen=True)
class Page:
    """What the template shows of one query."""

    listing: Listing
    errors: list[str]
    period: str
    periods: list[tuple[str, str]]
    first: str
    last: str
    bar: list[Choice]
    chips: list[Chip]
    clear_url: str
    hidden: list[tuple[str, str]]
    column_choices: list[tuple[str, str, bool]]
    column_hidden: list[tuple[str, str]]
    headings: list[Heading]
    rows: list[list[Cell]]
    count: str
    about: str
    first_url: str | None
    next_url: str | None
    exports: list[tuple[str, str]]


def show(listing: Listing, template: str = "listing/index.html", **more: Any) -> Response:
    """Answer with the list that the address asks for; 400 with the reason when it cannot be used."""
    given = {name: request.args.getlist(name) for name in request.args}
    errors: list[str] = []
    query, found = None, run.Rows([], 0, True, None)
    try:
        query = parsed(listing, given, zone())
        found = run.rows(g.scope, query)
    except QueryError as error:
        errors = refusal(error)
    except (run.TooLong, TooManyBuckets):
        errors = [_(TOO_LONG)]
    page = _page(listing, given, query or parsed(listing, {}, zone()), found, errors)
    return render(
        template, {"result"}, status=400 if errors else 200, page=page, q=request.args.get("q", ""), **more
    )


def refusal(error: QueryError) -> list[str]:
    return [f"{name}: {why.render(_)}" for name, why in error.errors.items()]


def parsed(
    listing: Listing,
    given: Mapping[str, Sequence[str]],
    zone_: str,
    as_of: int | None = None,
    scope: Any = None,
) -> Query:
    chosen = dict(given)
    if not any(chosen.get("columns", ())):
        chosen["columns"] = list(listing.columns)
    viewer = scope or g.scope
    return parse(listing.source, chosen, zone_, as_of or clock.now_s(), answer.names(viewer))


def _page(
    listing: Listing, given: Mapping[str, Sequence[str]], query: Query, found: run.Rows, errors: list[str]
) -> Page:
    custom = bool(request.args.get("from") or request.args.get("to"))
    period = "" if custom else request.args.get("period") or DEFAULT_PERIOD
    bar = [_choice(listing, each, query) for each in listing.bar]
    in_bar = {"period", "from", "to", "q", *PAGING, *(each.name for each in bar)}
    others = [(name, value) for name, values in given.items() for value in values if name not in in_bar]
    chosen = [each.name for each in query.columns]
    fields = [
        Column(listing.source.full_name(entity, field), entity, field)
        for entity in listing.source.entities
        for field in entity.fields
        if field.label
    ]
    chips = [
        Chip(sentence(g.scope, query, each), _without(_parameter(listing, each))) for each in query.filters
    ]
    if query.search:
        chips.append(Chip(_("Search: %(text)s", text=query.search), _without("q")))
    first = clock.local_date(query.span.start, query.zone).isoformat()
    last = clock.local_date(max(query.span.end - 1, query.span.start), query.zone).isoformat()
    return Page(
        listing,
        errors,
        period,
        [("", _("Choose dates")), *((name, _(text)) for name, text in PERIODS.items())],
        first,
        last,
        bar,
        chips,
        request.path,
        others,
        [(each.name, heading_text(listing, each), each.name in chosen) for each in fields],
        [
            (name, value)
            for name, values in given.items()
            for value in values
            if name not in ("columns", *PAGING)
        ],
        [_heading(listing, each, query) for each in query.columns],
        _cells(listing, query, found),
        _count(listing, found),
        f"{period_text(query)} · {query.zone}",
        _without("after") if query.after else None,
        _with(after=cursor(*found.next)) if found.next else None,
        file_links(listing.source.name, PAGING),
    )


def _count(listing: Listing, found: run.Rows) -> str:
    if found.exact:
        return listing.count(found.number)
    return str(_("More than %(number)s", number=listing.count(found.number)))


def _choice(listing: Listing, name: str, query: Query) -> Choice:
    """Return a select of the bar: the choices of the field, or the users or queues of the viewer's scope."""
    _entity, field = listing.source.fields[name]
    options = options_of(g.scope, field)
    values = [each for each in request.args.getlist(name) if each]
    return Choice(name, _(field.label), [("", _("All")), *options], values[0] if len(values) == 1 else "")


def options_of(scope: Scope, field: Field) -> list[tuple[str, str]]:
    """Return value and label of a field's choices, of the users or queues of the scope, or of sources."""
    if field.type is Type.QUEUE:
        q = Queue
        found = q.select(q.name, q.label).where(scope.allows_queue(q.id)).tuples()
    elif field.type is Type.USER:
        u = User
        found = u.select(u.login, u.name).where(scope.allows(u.id) & u.deactivated_ts.is_null()).tuples()
    elif field.type is Type.SOURCE:
        found = [(name, name) for (name,) in EventSource.select(EventSource.name).tuples()]
    else:
        return [(value, _(label)) for value, label in field.choices.items()]
    return [(key, label) for key, label in by_name(found, lambda row: row[1])]


def heading_text(listing: Listing, column: Column) -> str:
    return display.label(column, column.entity is listing.source.entities[0])


def _heading(listing: Listing, column: Column, query: Query) -> Heading:
    css = "n" if column.field.type in (Type.NUMBER, Type.DURATION) else ""
    if column.name not in sortable(listing.source):
        return Heading(heading_text(listing, column), None, css)
    sorted_by = query.sort.name if query.sort else listing.source.moment
    here_ = sorted_by == column.name
    falling = query.sort.descending if query.sort else True
    order = ("descending" if falling else "ascending") if here_ else ""
    url = _with(sort=column.name if here_ and falling else f"-{column.name}")
    return Heading(heading_text(listing, column), Head(url, order), css)


def _cells(listing: Listing, query: Query, found: run.Rows) -> list[list[Cell]]:
    texts = display.cells(g.scope, query.columns, [row for _key, row in found.rows], query.zone)
    numbers = [each.field.type in (Type.NUMBER, Type.DURATION) for each in query.columns]
    links = [listing.links.get(each.name) for each in query.columns]
    return [
        [
            Cell(text, link(key, value) if link and value is not None else None, "n" if number else "")
            for text, value, link, number in zip(written, raw, links, numbers, strict=True)
        ]
        for (key, raw), written in zip(found.rows, texts, strict=True)
    ]


def sentence(scope: Any, query: Query, given: Filter) -> str:
    """Return a filter in words."""
    column = Column(given.field.name, given.entity, given.field)
    field = display.label(column, given.entity is query.source.entities[0])
    if given.op is Op.BLANK:
        return str(_("%(field)s: none", field=field) if given.values[0] else _("%(field)s: any", field=field))
    write = display.writer(scope, given.field, set(given.values), query.zone)
    values = ", ".join(write(value) for value in given.values)
    return str(_(SENTENCES[given.op], field=field, values=values))


def _parameter(listing: Listing, given: Filter) -> str:
    """Return the name that a filter has in the address."""
    short = listing.source.full_name(given.entity, given.field)
    suffix = f"__{given.op}" if given.op else ""
    names = (f"{short}{suffix}", f"{given.entity.name}.{given.field.name}{suffix}")
    return next((name for name in names if name in request.args), names[0])


def period_text(query: Query) -> str:
    """Return the dates of a query."""
    return span_text(query.span, query.zone)


def span_text(span: Span, zone: str) -> str:
    """Return the dates of a period."""
    first = clock.local_date(span.start, zone)
    last = clock.local_date(max(span.end - 1, span.start), zone)
    if first == last:
        return formats.date_plain(first)
    return f"{formats.date_plain(first)} – {formats.date_plain(last)}"


def _with(**parameters: str) -> str:
    return here(PAGING, **parameters)


def _without(name: str) -> str:
    return here((name, *PAGING))
