"""Saved views of lists: named queries of `reports.library`, opened by `view=<id>` in the address of one."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlencode

from flask import Response, abort, flash, g, make_response, redirect, request
from flask_babel import gettext as _

from dashboard.access.granting import RefusedError
from dashboard.access.permissions import Permission
from dashboard.i18n import zone
from dashboard.i18n.message import N_
from dashboard.reports import library, ready
from dashboard.reports.library import Draft, Origin, SavedReport, Sharing
from dashboard.reports.result import without_names
from dashboard.sources.query import QueryError
from dashboard.web.errors import Detail
from dashboard.web.forms import line_problem
from dashboard.web.listing import PAGING, Listing, Parameters, parsed, refusal

PARAMETER = "view"
NAME_MAX = 120
PERIOD = frozenset(("period", "from", "to", "date", "unit"))
SHARING = {Sharing.PRIVATE: N_("Only me"), Sharing.ACCESS: N_("My role"), Sharing.ALL: N_("Everybody")}


class View(NamedTuple):
    """A view in the menu; `delete_url` of those of the viewer, else the `owner`'s name."""

    name: str
    url: str
    current: bool
    owner: str
    delete_url: str


class Menu(NamedTuple):
    """The views of a list, and where the present query is saved as one: by whom it may be read."""

    views: list[View]
    save_url: str
    sharing: list[tuple[str, str]]


def menu(listing: Listing, given: Parameters) -> Menu | None:
    """Return the views of a list that the viewer may open; None for who may not query its source."""
    if not _keeps(listing):
        return None
    now = library.canonical(given)
    found = library.readable(g.scope, on_list=True, source=listing.source.name)
    path = request.path
    shares = g.scope.can(Permission.REPORTS_SHARE)
    return Menu(
        [
            View(
                each.name,
                f"{path}?{PARAMETER}={each.reference}",
                each.query == now,
                "" if each.origin is Origin.MINE else each.owner,
                f"{path}/views/{each.reference}/delete" if each.origin is Origin.MINE else "",
            )
            for each in found
        ],
        f"{path}/views?{now}" if now else f"{path}/views",
        [(str(key), _(text)) for key, text in SHARING.items() if shares or key is Sharing.PRIVATE],
    )


def opened(listing: Listing, given: Parameters) -> Parameters:
    """Return the parameters of the view that the address names, replaced by the others that it holds.

    Answers 404 for a view that the viewer may not read, 400 for one about somebody outside their scope.
    """
    if not any(given.get(PARAMETER, ())):
        return given
    view = _one(listing, given[PARAMETER][0])
    others = {name: values for name, values in given.items() if name != PARAMETER}
    gone = PERIOD if PERIOD & others.keys() else frozenset()
    kept = {name: values for name, values in view.parameters.items() if name not in gone}
    found = {**kept, **others}
    if view.origin is Origin.SHARED:
        try:
            parsed(listing, found, zone())
        except QueryError as error:
            shown = without_names(error.errors, others)
            if shown != error.errors:
                abort(400, Detail(refusal(QueryError(shown), listing.source)[0]))
    return found


def save(listing: Listing) -> Response:
    """Save the query of the address under the name that was sent."""
    if not _keeps(listing):
        abort(404)
    given = {name: values for name, values in request.args.to_dict(flat=False).items() if name not in PAGING}
    name, shared = request.form.get("name", "").strip(), request.form.get("shared", Sharing.PRIVATE)
    if problem := line_problem(name, NAME_MAX):
        abort(422, Detail(f"{_('Name')}: {problem}"))
    if shared not in list(Sharing):
        abort(422, Detail(_("Sharing: choose an option from the list.")))
    try:
        parsed(listing, given, zone())
        row = library.save(
            g.scope,
            Draft(
                name,
                "",
                listing.source.name,
                given,
                on_list=True,
                shared=Sharing(shared),
                access_id=g.user.access_id if shared == Sharing.ACCESS else None,
            ),
        )
    except QueryError as error:
        abort(400, Detail(refusal(error, listing.source)[0]))
    except RefusedError as error:
        abort(403, Detail(_(str(error))))
    flash(_("View %(name)s saved.", name=name), "ok")
    return _to_list(f"?{urlencode({PARAMETER: row.id})}")


def delete(listing: Listing, ident: int) -> Response:
    """Delete a view of the viewer; 404 for any other."""
    view = _one(listing, str(ident))
    if not library.delete(g.scope, view):
        abort(404)
    flash(_("View %(name)s deleted.", name=view.name), "ok")
    return _to_list()


def _keeps(listing: Listing) -> bool:
    """Tell whether the viewer may keep queries of the list's source."""
    return listing.source.name in ready.sources() and bool(g.scope.can(listing.source.permission))


def _to_list(query: str = "") -> Response:
    return make_response(redirect(request.path.rpartition("/views")[0] + query))


def _one(listing: Listing, reference: str) -> SavedReport:
    found = library.find(g.scope, reference)
    if found is None or not found.on_list or found.source.name != listing.source.name:
        abort(404)
    return found
