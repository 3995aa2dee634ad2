"""The list and form of dashboards on the settings kit, and the page of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from flask import Blueprint, Response, abort, g, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup
from peewee import fn

from dashboard import clock
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.i18n import zone
from dashboard.i18n.message import N_
from dashboard.models import Dashboard, Tile, User
from dashboard.pages.dashboards import kiosk
from dashboard.pages.dashboards.forms import SHARED, DashboardForm
from dashboard.pages.dashboards.shown import as_of, seen, shown
from dashboard.reports import dashboards
from dashboard.reports.library import Sharing
from dashboard.reports.ready import READERS
from dashboard.reports.tiles import View
from dashboard.web import forms
from dashboard.web.columns import Column, Texts
from dashboard.web.page import render
from dashboard.web.resource import Crumbs, Resource
from dashboard.web.versioned import Changes, InvalidError

NO_SHARING = N_("Your role doesn't allow sharing.")


class DashboardRow(NamedTuple):
    id: int
    name: str
    tiles: int
    owner: str
    shared: str
    mine: bool


class Dashboards(Resource[DashboardForm]):
    """The dashboards that the viewer may see; the form is for those they may change."""

    model = Dashboard
    kind = "dashboard"
    form_class = DashboardForm
    view = edit_permission = READERS[0]
    also = READERS[1:]
    leaves = "delete"
    edit_path = "/edit"
    form_template = "dashboards/form.html"
    texts = Texts(
        title=N_("Dashboards"),
        one=N_("Dashboard"),
        new=N_("New dashboard"),
        table=N_("Table of dashboards"),
        count=lambda number: ngettext("%(num)d dashboard", "%(num)d dashboards", number),
        no_match=N_("No matching dashboards"),
        none=N_("No dashboards yet"),
        none_hint=N_("A dashboard shows figures, charts and tables of reports on one page or a wall screen."),
        leave=(N_("Its tiles are deleted and its wall screens go dark. The reports are kept."),),
        picture="report",
    )
    columns = (
        Column("name", N_("Name")),
        Column("tiles", N_("Tiles"), css="n"),
        Column("owner", N_("Owner"), css="p2"),
        Column("shared", N_("Who sees it"), css="p2"),
    )

    def rows(self, gone: bool) -> Iterable[DashboardRow]:
        counts = dict(Tile.select(Tile.dashboard, fn.COUNT(Tile.id)).group_by(Tile.dashboard).tuples())
        return [
            DashboardRow(
                row.id,
                row.name,
                counts.get(row.id, 0),
                row.user.name,
                _(SHARED[row.shared]) if row.user_id == g.user.id else _("Shared with me"),
                row.user_id == g.user.id,
            )
            for row in dashboards.readable(g.scope)
        ]

    def searched(self, row: DashboardRow) -> Sequence[str]:
        return (row.name, row.owner)

    def head_cell(self, row: DashboardRow) -> Markup:
        url = url_for("dashboards.show", ident=row.id)
        return Markup('<a class="name" href="{}">{}</a>').format(url, row.name)

    def crumbs(self, below: bool = False) -> Crumbs:
        return [(_("Dashboards"), self.url("index"))] if below else []

    def one(self, ident: int) -> Dashboard:
        return _one(dashboards.editable(g.scope), ident)

    def filled(self, row: Dashboard) -> dict[str, Any]:
        return {**self.stored(row), "refresh_s": str(row.refresh_s)}

    def form(self, row: Dashboard | None, sent: Any = None) -> DashboardForm:
        if row is None and sent is None:
            return DashboardForm(data={"refresh_s": "60", "shared": Sharing.PRIVATE.value})
        return super().form(row, sent)

    def context(self, row: Dashboard | None, form: DashboardForm) -> dict[str, Any]:
        return {"mine": row is not None and row.user_id == g.user.id}

    def insert(self, form: DashboardForm, context: Any) -> Dashboard:
        role = _shared_with(form, g.user)
        row: Dashboard = Dashboard.create(
            user=g.user.id, access=role, created_ts=clock.now_s(), **form.values()
        )
        return row

    def write(self, row: Dashboard, form: DashboardForm, context: Any) -> bool:
        role = _shared_with(form, row.user) if form.shared.data != row.shared else row.access_id
        return self.set(row, form.version.data, access=role, **form.values())

    def removing(self, row: Dashboard, context: Any) -> Changes:
        return {name: (value, None) for name, value in self.stored(row).items()}

    def added(self, row: Dashboard, form: DashboardForm) -> Response:
        return self.done(_("%(name)s added.", name=row.name), url_for("dashboards.arrange", ident=row.id))

    def _after(self, row: Dashboard) -> str:
        return url_for("dashboards.show", ident=row.id)


def _shared_with(form: DashboardForm, owner: User) -> int | None:
    """Return the id of the role that a form shares with. Raises InvalidError without the right to share."""
    shared = form.shared.data
    if shared != Sharing.PRIVATE and not g.scope.can(Permission.REPORTS_SHARE):
        raise InvalidError("shared", _(NO_SHARING))
    return owner.access_id if shared == Sharing.ACCESS else None


def _one(query: Any, ident: int) -> Dashboard:
    found: Dashboard | None = None
    if 0 < ident <= forms.ID_MAX:
        found = query.where(Dashboard.id == ident).first()
    return found or abort(404)


bp = Blueprint("dashboards", __name__, url_prefix="/dashboards")
DASHBOARDS = Dashboards(bp)


@require(*READERS)
def _page(ident: int) -> Response:
    """Show a dashboard with the viewer's rights; its tiles refresh themselves."""
    row = _one(dashboards.readable(g.scope), ident)
    now = clock.now_s()
    view = View(g.scope, zone(), now, row.refresh_s)
    tiles = shown(view, dashboards.tiles(row.id))
    audit.viewed("dashboard.viewed", dashboards.target(row), {}, seen(view, tiles))
    return render(
        "dashboards/show.html",
        {"tiles"},
        row=row,
        may_change=row.user_id == g.user.id or g.scope.can(Permission.ACCESSES_EDIT),
        as_of=as_of(tiles, now),
        zone=zone(),
        tiles=tiles,
    )


def show(ident: int) -> Response:
    """Show a dashboard to whoever is signed in, or on a wall screen by the key in its address."""
    return kiosk.show(ident, request.args["kiosk"]) if "kiosk" in request.args else _page(ident)


show.permissions = _page.permissions  # type: ignore[attr-defined]
bp.add_url_rule("/<int:ident>", "show", show)


def editable(ident: int) -> Dashboard:
    """Return a dashboard that the viewer may change, or answer 404."""
    return DASHBOARDS.one(ident)
