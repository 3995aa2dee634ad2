"""The steps of a co-browsing session as a file; the first page of the PDF has the lanes of the page."""

from __future__ import annotations

from collections.abc import Sequence

from flask import current_app
from flask_babel import gettext as _
from markupsafe import Markup

from dashboard.access.permissions import Permission
from dashboard.exports.registry import TRACING_RIGHTS, ExportOrder, Maker
from dashboard.exports.table import Column, Kind, Report, Sheet
from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.pages.sessions import queries, timeline, words
from dashboard.pages.sessions.queries import Step
from dashboard.web import assets

NAME = "cobrowsing_session"


def build(order: ExportOrder) -> Report | None:
    """Return the report of the steps that the address asks for; None for a session outside the scope."""
    found = queries.session(order.scope, int(order.query["id"]), order.zone)
    if found is None or not order.scope.can(Permission.SESSIONS_VIEW):
        return None
    steps, kinds, by = queries.steps(found.row.id), order.query["kind"].split(), order.query["by"]
    chosen = [one for one in steps if (not kinds or one.kind in kinds) and by in ("", one.by)]
    shown = queries.values(order.scope, found, chosen) if order.query["values"] == "1" else {}
    lines = words.lines(found, chosen, shown, order.zone)
    period = words.period(found, order.zone)
    made = formats.stamp(order.as_of, order.zone)
    filters = [*map(words.kind, kinds), *([words.actor(by)] if by else [])]
    meta = (
        (_("Session"), found.name),
        (_("Session ID"), found.row.external_id if found.row.visit_id else ""),
        (_("Contact"), found.contact),
        (_("Agents"), words.agents(found)),
        (_("Source"), found.source),
        (_("Queue"), found.queue),
        (_("Interaction"), found.row.interaction or ""),
        (_("Period"), period),
        (_("Time zone"), order.zone),
        (_("Filter"), formats.listed(filters) or _("none")),
        (_("As of"), made),
        (_("Exported by"), order.exporter),
    )
    return Report(
        title=_("Co-browsing session"),
        subtitle=" · ".join(
            filter(None, (found.name, found.contact, words.agents(found), period, order.zone))
        ),
        meta=tuple((label, text) for label, text in meta if text),
        sheets=(_sheet(lines, len(steps) < found.row.steps),),
        locale=formats.language(),
        zone=order.zone,
        footer=_("As of %(time)s · exported by %(name)s", time=made, name=order.exporter),
        front=_front(steps, chosen, order.zone) if order.format == "pdf" else None,
    )


EXPORT = Maker(TRACING_RIGHTS, build, N_("Co-browsing session"))


def _sheet(lines: Sequence[words.Line], cut: bool) -> Sheet:
    columns = (
        Column("n", _("Number"), Kind.INT, 8),
        Column("time", _("Time"), Kind.TIME, 20),
        Column("by", _("Done by"), Kind.TEXT, 12),
        Column("user", _("User"), Kind.TEXT, 18),
        Column("kind", _("Action"), Kind.TEXT, 16),
        Column("what", _("Details"), Kind.TEXT, 34),
        Column("page", _("Page"), Kind.TEXT, 34, printed=False),
        Column("length", _("Number of characters"), Kind.INT, 12, printed=False),
        Column("value", _("Value"), Kind.TEXT, 16),
    )
    rows = [
        (
            line.step.n,
            line.step.time_ms // 1000,
            line.by,
            line.who,
            line.kind,
            line.what,
            line.step.page,
            line.step.length,
            line.value,
        )
        for line in lines
    ]
    return Sheet(_("Co-browsing actions"), columns, rows, note=words.cut() if cut else "", portrait=True)


def _front(steps: Sequence[Step], chosen: Sequence[Step], zone: str) -> Markup:
    """Return the lanes for the PDF, drawn by the page's templates."""
    template = current_app.jinja_env.get_template("sessions/_front.html")  # a worker has no request
    drawn = timeline.draw(steps, chosen, None, zone)
    context = {"drawing": drawn, "titles": words.titles(drawn.stays), "light": assets.light_colours()}
    return Markup(template.render(**context, words=words, zone=zone))  # noqa: S704  the template escapes
