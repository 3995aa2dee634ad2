"""The routes of a list: its page and its files. Excel, CSV and PDF hold all rows of a query, JSON a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlencode

import msgspec
from flask import Blueprint, Response, abort, g, make_response, redirect, request, url_for
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access import masking
from dashboard.access.guard import MissingPermission, require
from dashboard.audit import record as audit
from dashboard.exports.registry import ExportOrder, Maker
from dashboard.exports.table import Report, Sheet, file_name
from dashboard.i18n import formats, zone
from dashboard.reports import looks
from dashboard.reports.files import MAX_ROWS
from dashboard.reports.result import all_rows
from dashboard.sources import answer, display, run
from dashboard.sources.period import TooManyBuckets
from dashboard.sources.query import QueryError
from dashboard.web import listing_page, listing_views
from dashboard.web.deliver import LABELS, deliver
from dashboard.web.detail import found
from dashboard.web.errors import Detail
from dashboard.web.listing import (
    PAGING,
    TOO_LONG,
    Listing,
    Parameters,
    heading_text,
    parsed,
    read,
    refusal,
    too_long,
)
from dashboard.web.lists import one_period
from dashboard.web.page import render

FORMATS = (*LABELS, "json")


def routes(
    bp: Blueprint,
    path: str,
    listing: Listing,
    endpoint: str = "index",
    of: Callable[..., Listing] | None = None,
) -> None:
    """Add a list to a blueprint: its page, its files at the path with a dot and their format behind it, and
    its saved views. The first list of a blueprint has the pages of rows, too, if it gives details of them.

    `of` returns the list for the values in the path; it answers 403 or 404 where there is none. Old names of
    parameters, and views, lead to the address of their query.
    """

    def view(format_: str = "", **values: Any) -> Response:
        found = of(**values) if of is not None else listing
        sent = request.args.to_dict(flat=False)
        given = one_period(listing_views.opened(found, found.renamed(sent)))
        if given != sent and not format_:
            return make_response(redirect(f"{request.path}?{urlencode(given, doseq=True)}".rstrip("?")))
        if not format_:
            return listing_page.show(found, given)
        return as_json(found, given) if format_ == "json" else download(found, given, format_)

    def save(**values: Any) -> Response:
        return listing_views.save(of(**values) if of is not None else listing)

    def delete(view_id: int, **values: Any) -> Response:
        return listing_views.delete(of(**values) if of is not None else listing, view_id)

    def show(ident: int) -> Response:
        crumb = (_(listing.title), url_for(f".{endpoint}"))
        return render("listing/detail.html", detail=found(listing.detail, str(ident)), list=crumb)

    guard = require(*listing.permissions)
    if listing.detail and endpoint == "index":
        bp.add_url_rule(f"{path}/<int:ident>", "show", guard(show))
    guarded = guard(view)
    bp.add_url_rule(f"{path}/views", f"{endpoint}_save_view", guard(save), methods=["POST"])
    bp.add_url_rule(
        f"{path}/views/<int:view_id>/delete", f"{endpoint}_delete_view", guard(delete), methods=["POST"]
    )
    bp.add_url_rule(path, endpoint, guarded)
    for each in FORMATS:
        bp.add_url_rule(f"{path}.{each}", f"{endpoint}_file", guarded, defaults={"format_": each})


def makers(listings: Iterable[Listing]) -> dict[str, Maker]:
    """Return the makers of the files of lists by the names of their sources."""
    return {each.source.name: maker(each) for each in listings}


def maker(listing: Listing) -> Maker:
    return Maker(
        listing.rights,
        lambda order: report(listing, order) if listing.opens_for(order.scope) else None,
        listing.title,
    )


def download(listing: Listing, given: Parameters, format_: str) -> Response:
    """Answer with the rows of the query as a file, or with the page of its making."""
    name = listing.source.name
    number = MAX_ROWS
    try:
        query = parsed(listing, given, zone())
        seen = looks.seen(g.scope, [query])
        found = run.rows(g.scope, query)
        number = found.number if found.exact else MAX_ROWS
    except QueryError as error:
        abort(400, Detail(refusal(error, listing.source)[0]))
    except (run.TooLong, TooManyBuckets) as error:
        if format_ == "pdf" or not isinstance(error, run.TooSlow):
            abort(400, Detail(too_long(error, format_)))
    file = file_name(name, "", clock.local_date(clock.now_s(), zone()), format_)
    return deliver(name, _kept(listing, given), format_, file, number, listing.exported, seen=seen)


def as_json(listing: Listing, given: Parameters) -> Response:
    """Answer as the query API does: a page of rows, or figures by group; 400 with the errors by parameter."""
    if not g.scope.can(listing.rights["csv"]):
        raise MissingPermission(listing.rights["csv"])
    as_of = clock.now_s()
    try:
        use = read if any(given.get("measures", ())) else parsed
        query = use(listing, given, zone(), as_of)
        found = answer.answer(g.scope, query, as_of)
    except QueryError as error:
        return _json({"errors": {name: why.render(_) for name, why in error.errors.items()}}, 400)
    except (run.TooLong, TooManyBuckets):
        return _json({"errors": {"period": _(TOO_LONG)}}, 400)
    details = {**masking.query(_kept(listing, given)), "format": "json", "rows": len(found.rows)}
    target, seen = ("export", "", listing.source.name), looks.seen(g.scope, [query])
    audit.record(listing.exported, "r", target, details=details, seen=seen)
    return _json(found)


def _json(body: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, content_type="application/json")


def _kept(listing: Listing, given: Parameters) -> dict[str, str]:
    """Return the parameters of a file that is made later, each with its values in lines."""
    kept = {name: "\n".join(values) for name, values in given.items() if name not in PAGING}
    return {**kept, **listing.fixed}


def report(listing: Listing, order: ExportOrder) -> Report:
    """Return the rows of a query within the order's scope, all pages of them."""
    given = {name: text.split("\n") for name, text in order.query.items()}
    query = parsed(listing, given, order.zone, order.as_of, order.scope)
    labels = [heading_text(listing, each) for each in query.columns]
    stamp = formats.stamp(order.as_of, query.zone)
    meta = [
        (_("Period"), display.period_text(query)),
        (_("Time zone"), query.zone),
        *((_("Filter"), display.sentence(order.scope, query, each)) for each in query.filters),
        *((_("Filter"), text) for _name, text in display.conditions(order.scope, query)),
        *([(_("Search"), query.search)] if query.search else []),
        (_("As of"), stamp),
        (_("Exported by"), order.exporter),
    ]
    title, rows = _(listing.title), all_rows(order.scope, query, MAX_ROWS)
    return Report(
        title=title,
        subtitle=" · ".join((display.period_text(query), query.zone, stamp, order.exporter)),
        meta=tuple(meta),
        sheets=(Sheet(title, display.export_columns(query.columns, labels), rows),),
        locale=formats.language(),
        zone=query.zone,
        footer=_("As of %(time)s · exported by %(name)s", time=stamp, name=order.exporter),
    )
