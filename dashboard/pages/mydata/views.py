"""The page of the viewer's own data: the list of looks at them below the monitoring policy."""

from __future__ import annotations

from typing import Any, NamedTuple

from flask import Blueprint, Response, abort, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard.access import policy
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.i18n import formats, zone
from dashboard.i18n.message import N_
from dashboard.sources.declared.looks import LOOKS
from dashboard.web import listing_files
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
)


class Shown(NamedTuple):
    """The newest version of the monitoring policy as the viewer reads it."""

    number: int
    paragraphs: list[str]
    read: str  # when, "" until they have


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


@bp.context_processor
def shown() -> dict[str, Any]:
    """Return the policy above the list."""
    newest = policy.current()
    if newest is None:
        return {"policy": None}
    paragraphs = [part for part in policy.text(newest, formats.language()).split("\n\n") if part]
    at = policy.read_at(g.user.id, newest)
    return {"policy": Shown(newest.id, paragraphs, formats.stamp(at, zone()) if at else "")}
