"""What the pages of sources say of them."""

from __future__ import annotations

from typing import Any

from flask import get_template_attribute, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup

from dashboard import clock
from dashboard.clock import HOUR_S
from dashboard.db import pieces
from dashboard.events import source_hours
from dashboard.i18n import formats, zone
from dashboard.i18n.message import N_
from dashboard.ingest.imports import source_removal
from dashboard.pages.settings.sources import queries
from dashboard.pages.settings.sources.queries import SourceRow, State
from dashboard.sources.declared.refused import errors_of
from dashboard.web import charts
from dashboard.web.columns import badge
from dashboard.web.lists import moment as moment

STATES = {
    State.REMOVED: (N_("Being deleted"), "warn"),
    State.PAUSED: (N_("Paused"), ""),
    State.UNREAD: (N_("Log can't be read"), "bad"),
    State.SILENT: (N_("Silent"), "bad"),
    State.REFUSED: (N_("Some refused"), "warn"),
    State.IMPORTED: (N_("Imported"), ""),
    State.RECEIVING: (N_("Receiving"), "ok"),
    State.QUIET: (N_("No events for a day"), ""),
    State.WAITING: (N_("Waiting for the first event"), "info"),
}
CONNECTORS = {"zammad": "Zammad", "chatwoot": "Chatwoot", "events": N_("Events by webhook")}
MAPPED = N_("Mapped webhook")


def state_badge(row: SourceRow) -> Markup:
    text, kind = STATES[row.state]
    return badge(_(text), kind)


def means(row: SourceRow) -> str:
    """Return in words how the events of a source come."""
    known = row.means
    found = [_("Log %(path)s", path=known.log)] if known.log else []
    if known.connector:
        found.append(_(CONNECTORS.get(known.connector, MAPPED)))
    if known.keys:
        named = ", ".join(known.keys)
        found.append(ngettext("API key %(names)s", "API keys %(names)s", len(known.keys), names=named))
    if known.site:
        found.append(_("Web site"))
    if known.is_file:
        found.append(_("Imported files"))
    return " · ".join(str(each) for each in found)


def seconds(ms: int | None) -> str:
    """Return a delay as 0.4 s, from a minute on as a duration; "" for none."""
    if ms is None:
        return ""
    if ms >= 60_000:
        return formats.duration(ms // 1000)
    return str(_("%(number)s s", number=formats.number(round(ms / 1000, 2 if ms < 1000 else 1))))


def silent_s(row: SourceRow) -> int | None:
    """Return the seconds since the last event; None for imported files, which are not silent."""
    return None if row.last_ts is None or row.means.is_file else max(0, clock.now_s() - row.last_ts)


def spark(row: SourceRow) -> Markup:
    draw: Any = get_template_attribute("ui/charts.html", "spark")
    drawn: Markup = draw(charts.spark(row.day.hours), _("Events an hour"), "ready")
    return drawn


def refused_url(row: SourceRow, **more: Any) -> str:
    return url_for("events.refused", source=row.name, period="last_7_days", **more)


def refused(row: SourceRow) -> Markup | str:
    if not row.refused:
        return formats.number(0)
    text = badge(formats.number(row.refused), "warn")
    return Markup('<a href="{}">{}</a>').format(refused_url(row), text)


def errors(stored: str) -> str:
    return "; ".join(f"{name}: {why}" for name, why in errors_of(stored).items())


def going(source_id: int) -> list[str]:
    """Return in sentences what a deletion of the source deletes, and what stays."""
    stock = source_removal.stock(source_id)
    numbers = [
        formats.number(number) if number <= pieces.MOST else f"{formats.number(pieces.MOST)}+"
        for number in stock[:3]
    ]
    return [
        _(
            "This deletes %(events)s events, %(interactions)s interactions and %(refused)s refused records, "
            "with all figures made of them. It can't be undone.",
            events=numbers[0],
            interactions=numbers[1],
            refused=numbers[2],
        ),
        ngettext(
            "Its %(num)d key, connector and followed log go at once: nothing more is taken.",
            "Its %(num)d keys, connector and followed log go at once: nothing more is taken.",
            stock.keys,
        ),
        _("Users, queues, rule runs and the audit log stay, and figures whose events had expired before."),
    ]


def chart(row: SourceRow, now_s: int) -> charts.Chart:
    """Return a bar for each hour of the past day: what was stored, and on it what was refused."""
    start = source_hours.first_hour(now_s)
    lost = queries.refused_by_hour(row.id, start)
    hours = [
        charts.Row(formats.clock_short(start + n * HOUR_S, zone()), (events, lost[start + n * HOUR_S]))
        for n, events in enumerate(row.day.hours)
    ]
    return charts.bars(hours, [charts.Series(_("Stored"), "ready"), charts.Series(_("Refused"), "lost")])
