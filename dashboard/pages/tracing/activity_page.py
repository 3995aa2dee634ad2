"""What the page of one activity prints."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.i18n import formats
from dashboard.i18n.formats import duration
from dashboard.pages.tracing import context, listing, names, queries
from dashboard.sources.declared.entities import REASONS
from dashboard.tracing.load import ActivityRow
from dashboard.tracing.trace import Trace


def page(trace: Trace, row: ActivityRow, day: date) -> dict[str, Any]:
    """Return the context of tracing/activity.html."""
    found = queries.steps(trace.scope, row)
    first = found[0].time_ms if found else 0
    before, after = queries.neighbours(trace.scope, row)
    interaction = queries.interaction(trace.scope, row.interaction_id)
    return {
        "activity": _activity(trace, row),
        "person": context.person(trace),
        "zone": trace.zone,
        "facts": _facts(interaction),
        "steps": [
            (
                _moment(step.time_ms // 1000, trace.zone, day),
                names.step(step),
                _("Another user") if step.user == "" else step.user,
                (step.time_ms - first) // 1000,
            )
            for step in found
        ],
        "related": [
            {
                "start": work.start,
                "user": work.user,
                "state": work.state,
                "seconds": work.seconds,
                "url": url_for("tracing.show", ident=work.id, tz=trace.zone),
            }
            for work in queries.related(trace.scope, row)
        ],
        "prev_url": url_for("tracing.show", ident=before, tz=trace.zone) if before else None,
        "next_url": url_for("tracing.show", ident=after, tz=trace.zone) if after else None,
        "story_url": _story_url(trace, row),
        "back_url": url_for("tracing.index", user=trace.person.login, date=day.isoformat(), tz=trace.zone),
    }


def _story_url(trace: Trace, row: ActivityRow) -> str | None:
    """Return the page of the interaction, None for a viewer of no interactions; work is shown of visible
    queues and of the viewer's own, as interactions are."""
    if not trace.scope.can(Permission.QUEUES_FIGURES):
        return None
    return url_for("interactions.show", ident=row.interaction_id)


def _moment(ts: int, zone: str, day: date) -> str:
    """Return the time, with the date where it is not of `day`."""
    return formats.clock(ts, zone) if clock.local_date(ts, zone) == day else formats.stamp(ts, zone)


def _activity(trace: Trace, row: ActivityRow) -> dict[str, Any]:
    shown = listing.work(trace, row)
    bound = formats.stamp(shown.end_bound, trace.zone) if shown.end_bound is not None else ""
    said = names.no_end(shown.end_reason, bound)
    more = {"about": listing.title_or_contact(trace, row), "title": row.title, "no_end": said}
    return {**shown._asdict(), **more}


def _facts(interaction: queries.Contact | None) -> Sequence[tuple[str, str]]:
    if interaction is None:
        return []
    reason = interaction.reason
    return [
        (_("Waiting time"), duration(interaction.wait_s) if interaction.wait_s is not None else ""),
        (_("Reason"), _(REASONS[reason]) if reason in REASONS else reason),
        (_("Interaction"), interaction.external_id),
    ]
