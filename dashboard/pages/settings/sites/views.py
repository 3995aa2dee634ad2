"""Web sites: whose visitors are recorded, how each loads the script, and who is there."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from flask import Blueprint, Response, current_app, g
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup
from peewee import JOIN, fn

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.db import rows
from dashboard.events import switches
from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.models import ApiKey, Connector, Follow, Manager, Queue, Site, Source, SourceRhythm, Visit
from dashboard.pages.settings.sites.forms import SiteForm
from dashboard.sources.declared import visits
from dashboard.visitors import sites
from dashboard.web import lists
from dashboard.web.columns import Column, Texts, badge, moment
from dashboard.web.resource import Resource
from dashboard.web.versioned import InvalidError

INVITES = {Permission.KEYS_EDIT, Permission.RULES_EDIT, Permission.RULES_OUTWARD}
PAGE_VIEWS = "visitor.page_viewed"


class SiteRow(NamedTuple):
    id: int
    name: str
    enabled: bool
    origins: list[str]
    arrived_ms: int | None
    open: int = 0

    @property
    def arrived_ts(self) -> int | None:
        return None if self.arrived_ms is None else self.arrived_ms // 1000


def open_visits() -> dict[int, int]:
    """Return how many visits are open by the id of their site, by the index of those that have not ended."""
    v = Visit
    query = v.select(v.site, fn.COUNT(v.id)).where(v.ended_ms.is_null() & v.away_ms.is_null())
    return dict(query.group_by(v.site).tuples())


def state_badge(row: SiteRow) -> Markup:
    return badge(_("On"), "ok") if row.enabled else badge(_("Off"))


class Sites(Resource[SiteForm]):
    model = Site
    kind = "site"
    form_class = SiteForm
    view = Permission.KEYS_VIEW
    edit_permission = Permission.KEYS_EDIT
    leaves = "delete"
    stays = True
    form_template = "sites/form.html"
    texts = Texts(
        title=N_("Web sites"),
        one=N_("Web site"),
        new=N_("New web site"),
        about=N_(
            "Portals whose visitors Stopa shows and invites to a chat, by a small script in their pages."
        ),
        table=N_("Table of web sites"),
        count=lambda number: ngettext("%(num)d web site", "%(num)d web sites", number),
        no_match=N_("No matching web sites"),
        none=N_("No web sites yet"),
        none_hint=N_("Add a web site to see its visitors. Nothing is recorded until you turn it on."),
        taken=N_("This web site exists already. Choose another name."),
        leave=(
            N_(
                "Its visits and invitations are deleted, and reports from its pages are refused. "
                "This can't be undone."
            ),
            N_("Events it sent are kept."),
        ),
        add=N_("Add web site"),
        picture="eye",
    )
    columns = (
        Column("name", N_("Name")),
        Column("state", N_("Visits"), lambda row: row.enabled, state_badge),
        Column("origins", N_("Addresses"), show=lambda row: ", ".join(row.origins), css="p2", sorts=False),
        Column("open", N_("Open visits"), show=lambda row: formats.number(row.open), css="n"),
        moment("arrived", N_("Last event"), "arrived_ts", "n"),
    )

    def rows(self, gone: bool) -> Iterable[SiteRow]:
        s, r = Site, SourceRhythm
        query = s.select(s.id, Source.name, s.enabled, s.origins, r.arrived_ms).join(Source)
        query = query.join(r, JOIN.LEFT_OUTER, on=(r.source == Source.id))
        number = open_visits()
        found: list[SiteRow] = rows(query, SiteRow)
        return [row._replace(open=number.get(row.id, 0)) for row in found]

    def searched(self, row: SiteRow) -> Sequence[str]:
        return (row.name, *row.origins)

    def form(self, row: Site | None, sent: Any = None) -> SiteForm:
        found = super().form(row, sent)
        found.fit(row)
        return found

    def filled(self, row: Site) -> dict[str, Any]:
        return dict(row.__data__)

    def stored(self, row: Site) -> dict[str, Any]:
        names = [name for name in self.form_class().names if name not in ("name", "new_secret")]
        return {name: getattr(row, name) for name in (*names, "secret")}

    def audited(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the name of the queue, and that there is a secret, never which."""
        found = dict(values)
        if "secret" in found:
            found["secret"] = bool(found["secret"])
        if found.get("queue_id"):
            found["queue_id"] = Queue.get_by_id(found["queue_id"]).label
        return found

    def readable(self, values: dict[str, Any], form: SiteForm) -> dict[str, Any]:
        shown = self.audited(values)
        return {name: shown[name] for name in form.names if name in shown}

    def insert(self, form: SiteForm, context: Any) -> Site:
        created = {"created_ts": clock.now_s()}
        source, _made = Source.get_or_create(name=form.name.data, defaults=created)
        others = [each.select().where(each.source == source.id) for each in (Connector, Follow, Manager)]
        others.append(ApiKey.select().where((ApiKey.source_id == source.id) & ApiKey.revoked_ts.is_null()))
        if source.is_file or any(query.exists() for query in others):
            raise InvalidError("name", _("Something else sends events of this source. Choose another name."))
        return Site.create(source=source, key=secrets.token_urlsafe(12), **form.values(), **created)

    def added(self, row: Site, form: SiteForm) -> Response:
        return self.saved(row, form)

    def saved(self, row: Site, form: SiteForm) -> Response:
        """Show a new secret with what it is for: it stands on this one answer and nowhere else."""
        if not form.plain:
            return super().saved(row, form)
        fresh = self.one(row.id)
        return self.render("sites/made.html", row=fresh, secret=form.plain, **self._set_up(fresh))

    def changed(self, row: Site) -> None:
        sites.forget()

    def context(self, row: Site | None, form: SiteForm) -> dict[str, Any]:
        if row is None:
            return {}
        shown = row.id in visits.sites(g.scope)
        rhythm = SourceRhythm.get_or_none(SourceRhythm.source == row.source_id)
        return {
            "last": lists.moment(rhythm.arrived_ms // 1000 if rhythm else None),
            "open": open_visits().get(row.id, 0),
            "lost": not row.secret,
            "sees": shown and g.scope.can(Permission.VISITORS_VIEW),
            "invites": shown and g.scope.permissions >= INVITES,
            "pages_off": PAGE_VIEWS in switches.off(),
            **self._set_up(row),
        }

    def _set_up(self, row: Site) -> dict[str, Any]:
        base = current_app.config["STOPA"].base_url
        return {"address": base, "elements": ", ".join(row.elements)}


bp = Blueprint("sites", __name__, url_prefix="/settings/sites")
Sites(bp)
