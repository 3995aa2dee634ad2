"""The list kit: a query on a data source as a page with filters, columns, order and files.

A page declares its `Listing`; the address is the query. Filters of the bar are one form, all others that the
address holds are chips. Everything works without scripts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from flask import Response, g, request
from flask_babel import gettext as _

from dashboard import clock
from dashboard.i18n import zone
from dashboard.sources import display, run
from dashboard.sources.period import TooManyBuckets
from dashboard.sources.query import DEFAULT_PERIOD, Column, Filter, Query, QueryError, cursor, sortable
from dashboard.sources.types import Type
from dashboard.web.deliver import file_links
from dashboard.web.listing import (
    PAGING,
    PERIODS,
    TOO_LONG,
    Choice,
    Listing,
    heading_text,
    options_of,
    parsed,
    period_text,
    refusal,
    sentence,
)
from dashboard.web.lists import Head, here
from dashboard.web.page import render


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


def _parameter(listing: Listing, given: Filter) -> str:
    """Return the name that a filter has in the address."""
    short = listing.source.full_name(given.entity, given.field)
    suffix = f"__{given.op}" if given.op else ""
    names = (f"{short}{suffix}", f"{given.entity.name}.{given.field.name}{suffix}")
    return next((name for name in names if name in request.args), names[0])


def _with(**parameters: str) -> str:
    return here(PAGING, **parameters)


def _without(name: str) -> str:
    return here((name, *PAGING))
