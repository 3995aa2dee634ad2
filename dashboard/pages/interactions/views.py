"""The list of interactions: every customer contact, those that nobody took included."""

from __future__ import annotations

from flask import Blueprint, Response
from flask_babel import ngettext

from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.exports.registry import TRACING_RIGHTS
from dashboard.i18n.message import N_
from dashboard.sources.catalogue import INTERACTIONS
from dashboard.web import listing, listing_files
from dashboard.web.listing import Listing

bp = Blueprint("interactions", __name__)

LISTING = Listing(
    INTERACTIONS,
    N_("Interactions"),
    N_("Calls, chats, emails and tickets of customers, whether somebody took them or not."),
    columns=("created", "id", "channel", "queue", "contact", "outcome", "wait", "talk", "user_at_completion"),
    bar=("queue", "channel", "outcome", "direction"),
    count=lambda number: ngettext("%(num)d interaction", "%(num)d interactions", number),
    none=N_("No interactions in this period"),
    none_hint=N_("Choose another period, or remove filters."),
    links={},
)
EXPORT = listing_files.maker(LISTING, TRACING_RIGHTS)


@bp.get("/interactions")
@require(Permission.QUEUES_FIGURES)
def index() -> Response:
    return listing.show(LISTING)


@bp.get("/interactions.csv", defaults={"format_": "csv"})
@bp.get("/interactions.xlsx", defaults={"format_": "xlsx"})
@bp.get("/interactions.pdf", defaults={"format_": "pdf"})
@require(Permission.QUEUES_FIGURES)
def download(format_: str) -> Response:
    """Export the rows of the filtered list."""
    return listing_files.download(LISTING, format_)
