"""What a list page declares, and its query in words; `listing_page` shows it, `listing_files` writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from flask import g
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.scope import Scope
from dashboard.clock import Span
from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.models import Queue, User
from dashboard.models import Source as EventSource
from dashboard.sources import answer, display
from dashboard.sources.parameters import parse
from dashboard.sources.period import NAMED
from dashboard.sources.query import Column, Filter, Op, Query, QueryError
from dashboard.sources.types import Field, Source, Type
from dashboard.web.lists import by_name

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


def sentence(scope: Any, query: Query, given: Filter) -> str:
    """Return a filter in words."""
    column = Column(given.field.name, given.entity, given.field)
    field = display.label(column, given.entity is query.source.entities[0])
    if given.op is Op.BLANK:
        return str(_("%(field)s: none", field=field) if given.values[0] else _("%(field)s: any", field=field))
    write = display.writer(scope, given.field, set(given.values), query.zone)
    values = ", ".join(write(value) for value in given.values)
    return str(_(SENTENCES[given.op], field=field, values=values))


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
