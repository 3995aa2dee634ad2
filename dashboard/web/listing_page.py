"""The list kit: a query on a data source as a page with filters, columns, order and files.

A page declares its `Listing`; the address is the query. Filters of the bar are one form, all others that the
address holds are chips. Everything works without scripts.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from flask import Response, g, request
from flask_babel import gettext as _

from dashboard import clock
from dashboard.audit import record as audit
from dashboard.i18n import formats, zone
from dashboard.reports import looks
from dashboard.sources import display, run
from dashboard.sources.period import ALL_TIME, TooManyBuckets
from dashboard.sources.query import Column, Filter, Query, QueryError, cursor, sortable
from dashboard.sources.types import Type
from dashboard.web.deliver import file_links
from dashboard.web.detail import OPEN, Drawer, drawer
from dashboard.web.listing import (
    NEWER,
    PAGING,
    PERIODS,
    Bulk,
    Choice,
    Lead,
    Listing,
    Newer,
    Parameters,
    heading_text,
    lead,
    newer,
    newest,
    options_of,
    parsed,
    refusal,
    started,
    too_long,
)
from dashboard.web.listing_views import Menu, menu
from dashboard.web.lists import Head, here
from dashboard.web.page import render, wanted

NAMES = (Type.USER, Type.QUEUE, Type.CONTACT)
CSS = {Type.NUMBER: "n", Type.DURATION: "n", Type.MOMENT: "nw"}  # of cells


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
    badge: str | None  # style of a badge
    opens: bool  # `url` opens the row's detail beside the list


class Row(NamedTuple):
    key: int
    name: str  # the texts of the first two cells
    cells: list[Cell]


@dataclass(frozen=True)
class Page:
    """What the template shows of one query."""

    listing: Listing
    title: str  # made here: what `_` returns in a template is not escaped
    errors: list[str]
    period: str
    periods: list[tuple[str, str]]
    first: str
    last: str
    bar: list[Choice]
    rare: list[Choice]
    chips: list[Chip]
    clear_url: str
    hidden: list[tuple[str, str]]
    column_choices: list[tuple[str, str, bool]]
    column_hidden: list[tuple[str, str]]
    headings: list[Heading]
    rows: list[Row]
    count: str
    about: str
    as_of: str
    notes: list[str]
    first_url: str | None
    next_url: str | None
    next_label: str
    exports: list[tuple[str, str]]
    bulk: Bulk | None
    bulk_url: str
    menu: Menu | None
    drawer: Drawer | None
    newer: Newer | None
    lead: Lead  # of the page without rows


def show(listing: Listing, given: Parameters) -> Response:
    """Answer with the list of the parameters; 400 with the reason when they cannot be used."""
    if wanted({NEWER}):
        shown = newer(listing, given)
        return render("listing/index.html", {NEWER}, 200 if shown else 400, page={"newer": shown})
    errors: list[str] = []
    query, found = None, run.Rows([], 0, True, None)
    try:
        query = parsed(listing, given, zone())
        found = run.rows(g.scope, query)
        if listing.source.users:
            target = ("list", listing.source.name, listing.source.name)
            audit.viewed("list.viewed", target, looks.details(query, given), looks.seen(g.scope, [query]))
    except QueryError as error:
        errors = refusal(error, listing.source)
    except (run.TooLong, TooManyBuckets) as error:
        errors = [too_long(error)]
    page = _page(listing, given, query or parsed(listing, {}, zone()), found, errors)
    status = 400 if errors else 200
    return render("listing/index.html", {"result"}, status, page=page, q=request.args.get("q", ""))


def _page(listing: Listing, given: Parameters, query: Query, found: run.Rows, errors: list[str]) -> Page:
    ident = request.args.get(OPEN, "")
    custom = any(any(given.get(name, ())) for name in ("from", "to", "unit", "date"))
    period = "" if custom else next(filter(None, given.get("period", ())), listing.period)
    bar, rare = ([_choice(listing, each) for each in names] for names in (listing.bar, listing.rare))
    in_bar = {"period", "from", "to", "unit", "date", "q", *PAGING, *(each.name for each in (*bar, *rare))}
    first = clock.local_date(query.span.start, query.zone).isoformat()
    last = clock.local_date(max(query.span.end - 1, query.span.start), query.zone).isoformat()
    return Page(
        listing,
        str(_(listing.title)),
        errors,
        period,
        [*_periods(listing), ("", _("Choose dates"))],
        first,
        last,
        bar,
        rare,
        _chips(listing, query),
        request.path,
        _pairs(given, in_bar),
        _column_choices(listing, query),
        _pairs(given, {"columns", *PAGING}),
        [_heading(listing, each, query) for each in query.columns],
        _rows(listing, query, found),
        _count(listing, found),
        f"{display.period_text(query)} · {query.zone}",
        _as_of(query),
        [*_searched(query, found), *display.notes(g.scope, query)],
        _without("after") if query.after else None,
        _with(after=cursor(*found.next)) if found.next else None,
        _("Continue searching") if found.searched else _("Next page"),
        file_links(listing.source.name, PAGING),
        listing.bulk if listing.bulk and g.scope.can(listing.bulk.permission) else None,
        here(PAGING),
        menu(listing, given),
        drawer(listing.detail, ident, [key for key, _row in found.rows])
        if listing.detail and ident
        else None,
        None if errors else newest(listing, query, found),
        lead(listing, bool(query.filters or query.search), period),
    )


class Table(NamedTuple):
    headings: list[Heading]
    rows: list[Row]


def table(listing: Listing, given: Parameters) -> Table:
    """Return the rows of a query for a page of something else; none when they take too long."""
    query = parsed(listing, given, zone())
    try:
        found = run.rows(g.scope, query)
    except run.TooLong:
        found = run.Rows([], 0, True, None)
    headings = [_heading(listing, each, query)._replace(head=None) for each in query.columns]
    return Table(headings, _rows(listing, query, found))


def _searched(query: Query, found: run.Rows) -> list[str]:
    """Return how far a search came that takes longer than a page may."""
    if found.searched is None:
        return []
    at = found.searched[0] // query.source.fields[query.source.moment][1].scale
    return [str(_("Searched back to %(time)s.", time=formats.stamp(at, query.zone)))]


def _as_of(query: Query) -> str:
    return str(_("As of %(time)s", time=formats.stamp(clock.now_s(), query.zone)))


def _periods(listing: Listing) -> list[tuple[str, str]]:
    whole = [(ALL_TIME, display.WHOLE)] if listing.period == ALL_TIME else []
    return [(name, _(text)) for name, text in (*whole, *PERIODS.items())]


def _pairs(given: Parameters, without: Collection[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, values in given.items() for value in values if name not in without]


def _chips(listing: Listing, query: Query) -> list[Chip]:
    chips = [
        Chip(display.sentence(g.scope, query, each), _cleared(listing, name))
        for each in query.filters
        if (name := _parameter(listing, each)) not in listing.fixed
    ]
    chips += [Chip(text, _without(name)) for name, text in display.conditions(g.scope, query)]
    if query.search:
        chips.append(Chip(_("Search: %(text)s", text=query.search), _without("q")))
    return chips


def _cleared(listing: Listing, name: str) -> str:
    """Return the address without a filter; empty where the list would put back its own."""
    return _with(**{name: ""}) if name in listing.start else _without(name)


def _column_choices(listing: Listing, query: Query) -> list[tuple[str, str, bool]]:
    chosen = {each.name for each in query.columns}
    return [
        (name, heading_text(listing, Column(name, entity, field)), name in chosen)
        for entity in listing.source.entities
        for field in entity.fields
        if field.label and (name := listing.source.full_name(entity, field))
    ]


def _count(listing: Listing, found: run.Rows) -> str:
    if found.exact:
        return listing.count(found.number)
    return str(_("More than %(number)s", number=listing.count(found.number)))


def _choice(listing: Listing, name: str) -> Choice:
    """Return a select of the bar: the choices of the field, or the users or queues of the viewer's scope."""
    _entity, field = listing.source.fields[name]
    options = options_of(listing.scope(g.scope), field)
    start = started(listing, request.args.to_dict(flat=False)).get(name, "")
    values = [each for each in request.args.getlist(name) or [start] if each]
    return Choice(name, _(field.label), [("", _("All")), *options], values[0] if len(values) == 1 else "")


def _heading(listing: Listing, column: Column, query: Query) -> Heading:
    css = CSS.get(column.field.type, "")
    if column.name not in sortable(listing.source):
        return Heading(heading_text(listing, column), None, css)
    sorted_by = query.sort.name if query.sort else listing.source.moment
    here_ = sorted_by == column.name
    falling = query.sort.descending if query.sort else True
    order = ("descending" if falling else "ascending") if here_ else ""
    falls = not falling if here_ else column.field.type.can_be_compared  # after a click
    url = _with(sort=f"-{column.name}" if falls else column.name)
    return Heading(heading_text(listing, column), Head(url, order), css)


def _rows(listing: Listing, query: Query, found: run.Rows) -> list[Row]:
    texts = display.cells(g.scope, query.columns, [row for _key, row in found.rows], query.zone)
    css = [CSS.get(each.field.type, "") for each in query.columns]
    badges = [listing.badges.get(each.name) for each in query.columns]
    opening = here((OPEN, NEWER), open="")

    def opener(key: int, _value: object) -> str:
        return f"{opening}{key}#detail"

    opens = [listing.detail is not None and each.name in listing.opening for each in query.columns]
    links = [
        opener if opens_ else listing.links.get(each.name)
        for each, opens_ in zip(query.columns, opens, strict=True)
    ]
    shown = list(zip(css, links, badges, opens, strict=True))
    return [
        Row(
            key,
            " · ".join(written[:2]),
            [
                Cell(
                    formats.named(text) if column.field.type in NAMES or column.name == "name" else text,
                    link(key, value) if link and text else None,
                    style,
                    badge.get(value, "") if badge is not None else None,
                    opens_,
                )
                for column, text, value, (style, link, badge, opens_) in zip(
                    query.columns, written, raw, shown, strict=True
                )
            ],
        )
        for (key, raw), written in zip(found.rows, texts, strict=True)
    ]


def _parameter(listing: Listing, given: Filter) -> str:
    """Return the name that a filter has in the address."""
    if given.bucket:
        return given.bucket
    short = listing.source.full_name(given.entity, given.field)
    suffix = f"__{given.op}" if given.op else ""
    names = (f"{short}{suffix}", f"{given.entity.name}.{given.field.name}{suffix}")
    return next((name for name in names if name in request.args), names[0])


def _with(**parameters: str) -> str:
    return here(PAGING, **parameters)


def _without(name: str) -> str:
    return here((name, *PAGING))
