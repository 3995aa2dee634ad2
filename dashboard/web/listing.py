"""What a list page declares, its query in words and its newer rows; `listing_page` shows it, `listing_files`
writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from flask import g, request
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.exports.registry import TRACING_RIGHTS
from dashboard.i18n import formats, zone
from dashboard.i18n.message import N_
from dashboard.models import Queue, User
from dashboard.models import Source as EventSource
from dashboard.sources import answer, display, run
from dashboard.sources.parameters import parse
from dashboard.sources.period import ALL_TIME, NAMED
from dashboard.sources.query import DEFAULT_PERIOD, Column, Query, QueryError, Sort, cursor
from dashboard.sources.types import Field, Source, Type
from dashboard.web.detail import OPEN, Detail
from dashboard.web.lists import by_name, here

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
# The labels of the parameters that are no fields.
PARAMETERS = {
    **dict.fromkeys(("period", "unit"), N_("Period")),
    **dict.fromkeys(("by", "group"), N_("Group by")),
    "from": N_("From"),
    "to": N_("To"),
    "date": N_("Date"),
    "tz": N_("Time zone"),
    "q": N_("Search"),
    "columns": N_("Columns"),
    "measures": N_("Measures"),
    "sort": N_("Order"),
    "user": N_("User"),
    "team": N_("Team"),
}
TOO_LONG = N_("This takes too long. Choose a shorter period or more filters.")
TOO_SLOW = N_(
    "This takes too long for a page. Choose a shorter period or more filters, or export to Excel or CSV: the "
    "file is made in the background."
)
NEWER = "newer"  # the place of the first row that a page shows
BESIDE = (OPEN, NEWER)  # what a page shows besides its rows; no part of the query
PAGING = ("after", *BESIDE)
LONGEST = "last_90_days"  # the longest period that a list opens at once
MOST = 99  # newer rows that are counted
YES_NO = {"1": N_("Yes"), "0": N_("No")}
Parameters = Mapping[str, Sequence[str]]


class Bulk(NamedTuple):
    """What can be done to the ticked rows of a list, by POST to its own address with `op` and each `id`.

    `operations` are value, label and style of the buttons.
    """

    permission: Permission
    operations: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Listing:
    """A list page: its source, the columns shown unless others are chosen, and the fields of the filter bar.

    `links` gives the address of a cell's page by column, from the row's key and the value in the database;
    `badges` the style of values shown as badges. `detail` gives the detail of the row of a key, None where
    the reader sees none, and records the look; the columns `opening` open it beside the list. `fixed` are
    filters that belong to the page and that no reader can remove, `start` those of an address that neither
    names their field nor filters by one of `instead`. `renamed` makes today's parameters of those of old
    addresses.
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
    badges: Mapping[str, Mapping[Any, str]] = field(default_factory=dict)
    detail: Callable[[int], Detail | None] | None = None
    opening: tuple[str, ...] = ("time",)
    live: bool = False  # whether a page says how many rows are newer than those it shows
    rare: tuple[str, ...] = ()  # fields of the filter bar that are folded away until one is used
    also: tuple[Permission, ...] = ()  # that open it besides the source's
    rights: Mapping[str, Permission] = field(default_factory=lambda: TRACING_RIGHTS)
    period: str = DEFAULT_PERIOD
    sort: str = ""
    bulk: Bulk | None = None
    fixed: Mapping[str, str] = field(default_factory=dict)
    start: Mapping[str, str] = field(default_factory=dict)
    instead: tuple[str, ...] = ()
    crumbs: tuple[tuple[str, str | None], ...] = ()
    actions: tuple[tuple[str, str, str], ...] = ()  # label, address and style
    of_sources: bool = False  # its rows are of what sources sent: none before the first event
    lead: tuple[str, str] | None = None  # label and address of the button of the list without rows
    renamed: Callable[[Parameters], Parameters] = dict
    above: str = ""  # a template between the heading and the filters
    below: str = ""  # a template behind the rows
    exported: str = "report.exported"  # the audited action of its files

    @property
    def permissions(self) -> tuple[Permission, ...]:
        """Return those of which one is enough."""
        return (self.source.permission, *self.also)

    def scope(self, viewer: Scope) -> Scope:
        """Return whom and what a viewer sees here."""
        return viewer.unlimited() if self.source.unlimited else viewer

    def opens_for(self, scope: Scope) -> bool:
        return bool(scope.permissions.intersection(self.permissions))


class Choice(NamedTuple):
    """A select of the filter bar; `options` are value and label."""

    name: str
    label: str
    options: list[tuple[str, str]]
    value: str


class Lead(NamedTuple):
    """The button of a list without rows; "" for none."""

    text: str
    url: str


def lead(listing: Listing, narrows: bool, period: str) -> Lead:
    """Return where a list without rows leads: to its own page, to all rows, or to the longest period."""
    if listing.lead and not request.args:
        return Lead(_(listing.lead[0]), listing.lead[1])
    if narrows:
        return Lead(_("Clear all filters"), request.path)
    longest = period in (LONGEST, ALL_TIME)
    return Lead("", "") if longest else Lead(_("Show the last 90 days"), f"{request.path}?period={LONGEST}")


def too_long(error: Exception, format_: str = "") -> str:
    """Return what is said of a query that was given up; a PDF is too small for what takes so long."""
    text = TOO_SLOW if isinstance(error, run.TooSlow) and format_ != "pdf" else TOO_LONG
    return str(_(text))


def refusal(error: QueryError, source: Source | None = None) -> list[str]:
    """Return what is wrong with an address, each parameter by the label of its field."""
    return [faulty(name, why.render(_), source) for name, why in error.errors.items()]


def faulty(parameter: str, problem: str, source: Source | None = None) -> str:
    """Return a problem after the label of the parameter's field; one without a label keeps its name."""
    name = parameter.partition("__")[0]
    place = str(_(PARAMETERS[name])) if name in PARAMETERS else parameter
    if source and name in source.fields:
        entity, field = source.fields[name]
        place = display.label(Column(name, entity, field), entity is source.entities[0])
    return str(_("%(place)s: %(problem)s", place=place, problem=problem)) if place else problem


def parsed(
    listing: Listing, given: Parameters, zone: str, as_of: int | None = None, scope: Scope | None = None
) -> Query:
    """Return the query of the rows that a list shows. Raises QueryError."""
    columns = given.get("columns", ())
    return read(
        listing, {**given, "columns": columns if any(columns) else listing.columns}, zone, as_of, scope
    )


def read(
    listing: Listing, given: Parameters, zone: str, as_of: int | None = None, scope: Scope | None = None
) -> Query:
    """Return the query of the parameters with what the list states. Raises QueryError."""
    stated = {**started(listing, given), **listing.fixed}
    asked = {name: values for name, values in given.items() if name not in BESIDE}
    chosen = {**asked, **{name: (value,) for name, value in stated.items()}}
    if listing.sort and not any((*given.get("sort", ()), *given.get("measures", ()))):
        chosen["sort"] = (listing.sort,)
    viewer = answer.names(listing.scope(scope or g.scope))
    return parse(listing.source, chosen, zone, as_of or clock.now_s(), viewer, listing.period)


def started(listing: Listing, given: Parameters) -> dict[str, str]:
    """Return the filters that the list adds to an address."""
    if any(any(given.get(name, ())) for name in listing.instead):
        return {}
    return {name: value for name, value in listing.start.items() if name not in given}


def options_of(scope: Scope, field: Field) -> list[tuple[str, str]]:
    """Return value and label of a field's choices, of the users or queues of the scope, or of sources."""
    if field.texts is not None:
        found = [(str(key), text) for key, text in field.texts(scope, None).items()]
    elif field.type is Type.QUEUE:
        q = Queue
        found = q.select(q.name, q.label).where(scope.allows_queue(q.id)).tuples()
    elif field.type is Type.USER:
        u = User
        found = u.select(u.login, u.name).where(scope.allows(u.id) & u.deactivated_ts.is_null()).tuples()
    elif field.type is Type.SOURCE:
        found = [(name, name) for (name,) in EventSource.select(EventSource.name).tuples()]
    else:
        choices = field.choices or (YES_NO if field.type is Type.YES_NO else {})
        return [(value, _(label)) for value, label in choices.items()]
    return [(key, label) for key, label in by_name(found, lambda row: row[1])]


def heading_text(listing: Listing, column: Column) -> str:
    return display.label(column, column.entity is listing.source.entities[0])


class Newer(NamedTuple):
    """The rows newer than those of a page: where their number is asked for, the newest page, and the number
    in words, "" for none."""

    url: str
    newest_url: str
    text: str = ""


def newest(listing: Listing, query: Query, found: run.Rows) -> Newer | None:
    """Return where the newer rows of a page are; None where it is not the newest one in order of time."""
    by_time = query.sort is None or query.sort == Sort(listing.source.moment, True)
    if not listing.live or query.after or not by_time or query.span.end <= query.as_of:
        return None
    first = found.first or (query.as_of * query.source.timed_field[1].scale, 0)
    return Newer(here((OPEN,), newer=cursor(*first)), here(PAGING))


def newer(listing: Listing, given: Parameters) -> Newer | None:
    """Return the number of rows newer than the place in the address; None for a place of another list."""
    moment = listing.source.moment
    sought = {**given, "after": given.get(NEWER, ()), "sort": (moment,), "limit": (str(MOST),)}
    try:
        query = parsed(listing, sought, zone())
        number = run.number_behind(g.scope, query) if query.after else 0
    except QueryError:
        return None
    except run.TooLong:
        number = 0
    if not number or query.after is None:
        return Newer(here(), here(PAGING))
    rows = listing.count(min(number, MOST))
    rows = _("More than %(number)s", number=rows) if number > MOST else rows
    at = formats.clock(query.after[0] // listing.source.fields[moment][1].scale, query.zone)
    return Newer(here(), here(PAGING), str(_("New since %(time)s: %(rows)s", time=at, rows=rows)))
