"""The page of the viewer's own data: the list of looks at them, the monitoring policy, and their files."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard import clock
from dashboard.access import policy
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.db import database, pieces
from dashboard.exports import background, pdf
from dashboard.exports.table import file_name
from dashboard.i18n import formats, zone
from dashboard.i18n.message import N_
from dashboard.pages.mydata import own, panels
from dashboard.sources.declared.looks import LOOKS
from dashboard.web import listing_files
from dashboard.web.errors import Detail
from dashboard.web.forms import ID_MAX, whole
from dashboard.web.listing import Listing

bp = Blueprint("mydata", __name__)
LISTING = Listing(
    LOOKS,
    N_("My data"),
    N_("Who looked at what is recorded about you, and who took it along as a file."),
    columns=("time", "actor", "action", "target", "start", "end"),
    bar=("action", "interface"),
    count=lambda number: ngettext("%(num)d look", "%(num)d looks", number),
    none=N_("Nobody looked at your data in this period"),
    none_hint=N_("Choose another period, or remove filters."),
    links={},
    rights=dict.fromkeys(("pdf", "xlsx", "csv"), Permission.SELF),
    period="last_30_days",
    above="mydata/_above.html",
    below="mydata/_below.html",
)


listing_files.routes(bp, "/my-data", LISTING)


@bp.post("/my-data/policy")
@require(Permission.SELF)
def acknowledge() -> Response:
    """Record that the viewer has read the policy."""
    number = whole(request.form.get("number", ""), 1, ID_MAX)
    if number is None:
        abort(422)
    if policy.acknowledge(g.user, number):
        flash(_("Thank you. Your acknowledgement is recorded."), "ok")
    else:
        flash(_("There is a newer version. Please read it."), "warn")
    return make_response(redirect(url_for(".index")))


@bp.post("/my-data/export")
@require(Permission.SELF)
def export() -> Response:
    """Order the file with everything that is recorded about the viewer; one that is being made is shown."""
    if problem := pdf.problem():
        abort(503, Detail(problem))
    waiting = own.waiting(g.user.id)
    if waiting is not None:
        return make_response(redirect(url_for("exports.show", ident=waiting)))
    name = file_name("my-data", g.user.login, clock.local_date(clock.now_s(), zone()), "zip")
    with database.atomic():
        ident = background.order(
            g.user, own.MAKER, {}, "zip", formats.language(), zone(), name, url_for(".index")
        )
        audit.record("report.exported", "r", ("export", ident, name), details={"format": "zip"})
    return make_response(redirect(url_for("exports.show", ident=ident)))


@bp.context_processor
def around() -> dict[str, Any]:
    """Return what stands around the list; nothing on a page that says why there is none."""
    if "user" not in g:
        return {}
    return {
        "contents": own.CONTENTS,
        "own_files": panels.files(),
        "looks": panels.looks(),
        "policy": panels.policy_text(),
        "stock": panels.stock(),
        "most": pieces.MOST,
    }
