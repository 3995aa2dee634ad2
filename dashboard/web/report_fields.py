"""The fields of a form that choose a report, its period and its filters."""

from __future__ import annotations

from dashboard.i18n.message import N_
from dashboard.reports import library
from dashboard.web.fields import Choice, TextLine
from dashboard.web.listing import PERIODS

CHOOSE = N_("Choose an item from the list.")


def period() -> Choice:
    return Choice(N_("Period"), {"": N_("As in the report"), **PERIODS}, problem=CHOOSE)


def filters() -> TextLine:
    """Return the field of filters in the form of an address."""
    return TextLine(
        N_("Filters"),
        500,
        needed=False,
        fits=library.is_query,
        problem=N_("Write filters as in an address, such as queue=support."),
        hint=N_("As in the address of the report, such as queue=support. Empty: as in the report."),
    )
