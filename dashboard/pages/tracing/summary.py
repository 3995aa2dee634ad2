"""A period in a sentence, and its signed-in time as parts of a whole."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard.i18n.formats import clock_short, duration, percent
from dashboard.i18n.message import N_
from dashboard.intervals import intersect, load, subtract, union
from dashboard.tracing.statistics import base_sets, cut_rows
from dashboard.tracing.trace import Trace
from dashboard.tracing.types import ACTIVITY_TYPES, Kind, type_of
from dashboard.web import charts
from dashboard.web.charts import Part, Piece

HIDDEN = "hidden"  # work outside the viewer's queues
WORK = {
    "call": (N_("Calls"), "call"),
    "email": (N_("Emails"), "email"),
    "chat": (N_("SMS and chats"), "chat"),
    "ticket": (N_("Tickets"), "ticket"),
    HIDDEN: (N_("Other work (hidden)"), "hid"),
}
NOT_TAKEN = ("missed", "rejected", "ignored")


def context(trace: Trace) -> dict[str, Any]:
    """Return the context of tracing/_summary.html on a page."""
    return {"sentence": sentence(trace), "ribbon": ribbon(trace), "paper": ""}


def ribbon(trace: Trace) -> tuple[Piece, ...]:
    """Return the login time in parts that add up to it: work by type, ringing, free, pauses."""
    figures, shares = trace.figures, work_shares(trace)
    return charts.ribbon(
        [
            *(Part(_(label), css, shares[kind]) for kind, (label, css) in WORK.items()),
            Part(_("Ringing"), "rings", figures.ringing),
            Part(_("Free"), "ready", figures.free),
            Part(_("Not ready"), "idle", figures.not_ready),
            Part(_("Paid pause"), "paid", figures.pause.paid),
            Part(_("Unpaid pause"), "pause", figures.pause.unpaid),
        ]
    )


def work_shares(trace: Trace) -> dict[str, int]:
    """Return the busy seconds of the ready time by type of activity; they add up to `Figures.busy`.

    A second with work of several types belongs to the first of ACTIVITY_TYPES, to HIDDEN last.
    """
    limit = min(trace.span.end, trace.as_of)
    cuts = cut_rows(trace.intervals, trace.span.start, limit, trace.horizons)
    left, found = base_sets(cuts, trace.never_signed_in).ready, {}
    for kind in (*ACTIVITY_TYPES, HIDDEN):
        own = [
            (each.start, each.end)
            for each in cuts[Kind.HANDLING]
            if each.start < each.end and (HIDDEN if each.row.hidden else type_of(each.row.channel)) == kind
        ]
        found[kind], left = load(intersect(left, union(own))), subtract(left, union(own))
    return found


def sentence(trace: Trace) -> str:
    """Return the period in short: 09:02–17:37 · 8:35:00 signed in · 75% busy · 2 pauses, 0:49:00."""
    figures = trace.figures
    count = sum(each.count for each in figures.pause.types)
    missed = sum(number for name, number in trace.events.items() if name.partition(".")[2] in NOT_TAKEN)
    parts = [
        _hours(trace),
        _("%(time)s signed in", time=duration(figures.login)),
        _("%(share)s busy", share=percent(figures.occupancy)) if figures.occupancy is not None else "",
        ngettext(
            "%(num)d pause, %(time)s", "%(num)d pauses, %(time)s", count, time=duration(figures.pause.total)
        )
        if count
        else "",
        ngettext("%(num)d not taken", "%(num)d not taken", missed) if missed else "",
    ]
    return " · ".join(part for part in parts if part)


def _hours(trace: Trace) -> str:
    """Return from when to when the user was signed in on one day; "" for longer periods."""
    logins = [row for row in trace.intervals if row.kind == Kind.LOGIN]
    if not logins or trace.span.seconds > 25 * 3600:
        return ""
    first = clock_short(max(trace.span.start, min(row.start for row in logins)), trace.zone)
    if any(row.end is None for row in logins) and trace.as_of < trace.span.end:
        return str(_("%(start)s–now", start=first))
    last = min(
        trace.span.end, max(trace.last(row.source_id) if row.end is None else row.end for row in logins)
    )
    return f"{first}–{clock_short(last, trace.zone)}"
