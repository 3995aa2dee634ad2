"""The files of a list: the rows of its query, all pages of them, as Excel, CSV and PDF."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Response, abort, g, request
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.exports.registry import ExportOrder, Maker
from dashboard.exports.table import Report, Sheet, file_name
from dashboard.i18n import formats, zone
from dashboard.sources import display, run
from dashboard.sources.period import TooManyBuckets
from dashboard.sources.query import Query, QueryError
from dashboard.web.deliver import deliver
from dashboard.web.errors import Detail
from dashboard.web.listing import (
    PAGING,
    TOO_LONG,
    Listing,
    heading_text,
    parsed,
    period_text,
    refusal,
    sentence,
)

MAX_EXPORTED = 1_000_000  # rows of an Excel sheet


def download(listing: Listing, format_: str) -> Response:
    """Answer with the rows of the query as a file, or with the page of its making."""
    given = {name: request.args.getlist(name) for name in request.args}
    try:
        found = run.rows(g.scope, parsed(listing, given, zone()))
    except QueryError as error:
        abort(400, Detail(refusal(error)[0]))
    except (run.TooLong, TooManyBuckets):
        abort(400, Detail(_(TOO_LONG)))
    number = found.number if found.exact else MAX_EXPORTED
    name = file_name(listing.source.name, "", clock.local_date(clock.now_s(), zone()), format_)
    kept = {name: "\n".join(values) for name, values in given.items() if name not in PAGING}
    return deliver(listing.source.name, kept, format_, name, number, "report.exported")


def maker(listing: Listing, rights: Mapping[str, Permission]) -> Maker:
    """Return the maker of the files of a list."""

    def build(order: ExportOrder) -> Report | None:
        if not order.scope.can(listing.source.permission):
            return None
        return report(listing, order)

    return Maker(rights, build)


def report(listing: Listing, order: ExportOrder) -> Report:
    """Return the rows of a query within the order's scope, all pages of them."""
    given = {name: text.split("\n") for name, text in order.query.items()}
    query = parsed(listing, given, order.zone, order.as_of, order.scope)
    labels = [heading_text(listing, each) for each in query.columns]
    stamp = formats.stamp(order.as_of, query.zone)
    meta = [
        (_("Period"), period_text(query)),
        (_("Time zone"), query.zone),
        *((_("Filter"), sentence(order.scope, query, each)) for each in query.filters),
        *([(_("Search"), query.search)] if query.search else []),
        (_("As of"), stamp),
        (_("Exported by"), order.exporter),
    ]
    title = _(listing.title)
    return Report(
        title=title,
        subtitle=" · ".join((period_text(query), query.zone, stamp, order.exporter)),
        meta=tuple(meta),
        sheets=(Sheet(title, display.export_columns(query.columns, labels), _all_rows(order, query)),),
        locale=formats.language(),
        zone=query.zone,
        footer=_("As of %(time)s · exported by %(name)s", time=stamp, name=order.exporter),
    )


def _all_rows(order: ExportOrder, query: Query) -> Iterator[tuple[Any, ...]]:
    after: tuple[int, int] | None = None
    for _page_number in range(MAX_EXPORTED // 1000):
        found = run.rows(order.scope, query.part(after, 1000))
        values = [row for _key, row in found.rows]
        yield from display.export_rows(order.scope, query.columns, values, query.zone)
        if found.next is None:
            return
        after = found.next
