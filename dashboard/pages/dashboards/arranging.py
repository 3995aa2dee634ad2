"""Arranging the tiles of a dashboard by buttons, the contents of a tile, and the key of wall screens."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, current_app, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.guard import require
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.exports.table import Kind as CellKind
from dashboard.i18n import zone
from dashboard.i18n.message import N_
from dashboard.models import Dashboard, Tile
from dashboard.pages.dashboards.forms import KINDS, TileForm, figures
from dashboard.pages.dashboards.shown import shown
from dashboard.pages.dashboards.views import bp, editable
from dashboard.reports import dashboards, library
from dashboard.reports.dashboards import MOVES, OF_REPORT, Kind
from dashboard.reports.ready import READERS
from dashboard.reports.tiles import View
from dashboard.web import forms
from dashboard.web.page import render

REMOVE = "remove"
STORED = ("title", "report", "measure", "warn", "limit", "text", "version")
STALE = N_("Not saved: someone else changed this in the meantime. Save again to overwrite with your values.")


@bp.get("/<int:ident>/arrange")
@require(*READERS)
def arrange(ident: int) -> Response:
    return _arrangement(editable(ident))


@bp.post("/<int:ident>/arrange")
@require(*READERS)
def move(ident: int) -> Response:
    """Do what a button says, "left:12" for instance; 422 for anything else."""
    row = editable(ident)
    verb, _colon, tile = request.form.get("op", "").partition(":")
    number = forms.whole(tile, 1, forms.ID_MAX)
    if verb not in (*MOVES, REMOVE) or number is None:
        return _arrangement(row, _("Use the buttons of a tile."))
    if not dashboards.arrange(row, verb, number):
        abort(404)
    return make_response(redirect(f"{url_for('.arrange', ident=ident)}#t{number}"))


@bp.post("/<int:ident>/tiles")
@require(*READERS)
def add(ident: int) -> Response:
    """Add a tile and show its contents, where there are any to choose."""
    row = editable(ident)
    kind, reference = request.form.get("kind", ""), request.form.get("report", "")
    if kind not in KINDS:
        return _arrangement(row, _("Choose an item from the list."))
    if kind in OF_REPORT and library.find(g.scope, reference) is None:
        return _arrangement(row, _("Choose a report from the list."))
    tile = dashboards.add_tile(row, Kind(kind), reference, "")
    if tile is None:
        return _arrangement(row, _("A dashboard has room for %(most)s tiles.", most=dashboards.MOST_TILES))
    return make_response(redirect(url_for(".contents", ident=ident, tile=tile.id)))


@bp.get("/<int:ident>/tiles/<int:tile>")
@require(*READERS)
def contents(ident: int, tile: int) -> Response:
    row, found = _tile(ident, tile)
    return _contents(row, found, _form(found))


@bp.post("/<int:ident>/tiles/<int:tile>")
@require(*READERS)
def save(ident: int, tile: int) -> Response:
    row, found = _tile(ident, tile)
    form = _form(found, request.form)
    if not form.validate():
        return _contents(row, found, form, 422)
    values = form.values()
    before = {name: getattr(found, name) for name in values}
    old, new = library.audited(before), library.audited(values)
    changes = {name: (old[name], new[name]) for name in audit.differences(before, values)}
    same = (Tile.id == found.id) & (Tile.version == form.version.data)
    with database.atomic():
        saved = Tile.update(**values, version=Tile.version + 1).where(same).execute()
        if saved and changes:
            audit.record("dashboard.updated", "u", dashboards.target(row), changes)
    if not saved:
        form.version.data = found.version
        form.reject("", _(STALE))
        return _contents(row, found, form, 422)
    flash(_("Saved."), "ok")
    return make_response(redirect(url_for(".arrange", ident=ident)))


@bp.post("/<int:ident>/key")
@require(*READERS)
def make_key(ident: int) -> Response:
    """Give the dashboard a new key, and show its address: it stands on this one answer and nowhere else."""
    row = editable(ident)
    if row.user_id != g.user.id:
        abort(404)
    plain = dashboards.make_key(row)
    base = current_app.config["STOPA"].base_url
    return render("dashboards/made.html", row=row, address=f"{base}/dashboards/{row.id}?kiosk={plain}")


@bp.post("/<int:ident>/key/withdraw")
@require(*READERS)
def withdraw_key(ident: int) -> Response:
    row = editable(ident)
    dashboards.withdraw_key(row)
    flash(_("The key of the wall screens is withdrawn."), "ok")
    return make_response(redirect(url_for(".edit", ident=ident)))


def _tile(ident: int, tile_id: int) -> tuple[Dashboard, Tile]:
    row = editable(ident)
    known = 0 < tile_id <= forms.ID_MAX
    mine = (Tile.id == tile_id) & (Tile.dashboard == row.id)
    return row, (Tile.get_or_none(mine) if known else None) or abort(404)


def _form(tile: Tile, sent: Any = None) -> TileForm:
    given = library.parameters(tile.query)
    period = (given.pop("period", None) or [""])[0]
    stored = {name: getattr(tile, name) for name in STORED}
    form = TileForm(sent, data={**stored, "period": period, "query": library.canonical(given)})
    reports = [(each.reference, each.name) for each in library.readable(g.scope)]
    found = figures(str(form.report.data)) if tile.kind == Kind.FIGURE else []
    chosen = next((each for each in found if each.name == form.measure.data), found[0] if found else None)
    form.is_share = chosen is not None and chosen.kind is CellKind.PERCENT
    if form.is_share and sent is None and form.limit.data is not None:
        form.limit.data *= 100
    form.fit(Kind(tile.kind), reports, [(each.name, each.label) for each in found])
    return form


def _contents(row: Dashboard, tile: Tile, form: TileForm, status: int = 200) -> Response:
    return render(
        "dashboards/tile.html", status=status, row=row, tile=tile, form=form, kind=_(KINDS[tile.kind])
    )


def _arrangement(row: Dashboard, problem: str = "") -> Response:
    view = View(g.scope, zone(), clock.now_s(), row.refresh_s)
    return render(
        "dashboards/arrange.html",
        status=422 if problem else 200,
        row=row,
        problem=problem,
        tiles=shown(view, dashboards.tiles(row.id)),
        kinds=[(name, _(text)) for name, text in KINDS.items()],
        reports=[(each.reference, each.name) for each in library.readable(g.scope)],
    )
