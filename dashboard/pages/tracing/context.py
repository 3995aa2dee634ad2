"""What the tracing templates print, from a trace and the parsed query."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.exports import registry
from dashboard.i18n import collation, formats
from dashboard.i18n.formats import language
from dashboard.i18n.message import N_
from dashboard.pages.tracing import drawing, hours, listing, month, names, queries, summary
from dashboard.pages.tracing.forms import TraceQuery
from dashboard.tracing import people as traceable
from dashboard.tracing.statistics import Figures, as_json
from dashboard.tracing.trace import Trace
from dashboard.tracing.types import FIRST_DATE, Kind, shift_period
from dashboard.web import correction_texts
from dashboard.web.deliver import export_links


def page(trace: Trace, asked: TraceQuery) -> dict[str, Any]:
    """Return the context of tracing/index.html."""
    drawn, listed, listed_days = drawing.plot(trace, asked), people(trace, asked), days(trace, asked)
    return {
        **activities(trace, asked),
        "person": person(trace),
        "people": listed,
        "may_deactivated": trace.scope.can(Permission.TRACING_DEACTIVATED),
        "period_name": names.period(asked),
        "dates": clock.local_dates(trace.span, trace.zone),
        "as_of": trace.as_of,
        "plot": drawn,
        "weeks": month.weeks(trace, asked),
        "say_bar": names.bars(drawn, trace.zone),
        **figures(trace, asked),
        **summary.context(trace),
        "hours": hours.links(trace, asked),
        "days": listed_days,
        "days_left_out": without_data(_begun(trace) - len(listed_days)) if asked.unit == "month" else "",
        "links": _links(trace, asked, [login for login, *_rest in listed]),
        "last_day": _last_day(trace, asked),
        "corrections": correction_texts.texts(trace.corrections, trace.zone),
        "correct_url": _correct_url(trace, asked),
    }


def figures(trace: Trace, asked: TraceQuery) -> dict[str, Any]:
    """Return the context of the statistics."""
    return {
        "figures": as_json(trace.figures),
        "untaken": untaken(trace),
        "user_events": [(names.event(name), count) for name, count in trace.events.items()],
        "signed_in_since": signed_in_since(trace, asked),
    }


def activities(trace: Trace, asked: TraceQuery) -> dict[str, Any]:
    """Return the context of the list alone, a third of the page's work."""
    by_kind = listing.counts(trace, asked)
    count = by_kind.get(asked.kind, 0)
    chosen = listing.chosen(trace, asked)
    shown = listing.page(trace, asked, chosen, count)
    shown = shown._replace(
        rows=[row._replace(url=_detail(trace, row)) if row.linked else row for row in shown.rows]
    )
    return {
        "asked": asked,
        "period": trace.span,
        "zone": trace.zone,
        "chips": _chips(asked, by_kind),
        "states": [(str(state), _(label)) for state, label in names.STATES.items()],
        "queues": queries.queues(trace.scope),
        "kept": [
            (k, v)
            for k, v in asked.query(after=None, before=None, page=1).items()
            if k not in ("state", "queue")
        ],
        "rows": shown.rows,
        "groups": hours.groups(trace, asked, shown, chosen),
        "totals": listing.totals(trace, asked, chosen),
        "pager": _pager(asked, shown),
        "exports": _exports(trace, asked),
        "link": _linker(asked),
        "say": names.speaker(),
        "when": _when(trace, asked),
        "no_end": names.no_end,
        "sorts": _sorts(asked),
    }


def _detail(trace: Trace, row: listing.Row) -> str:
    if row.type == "pause":
        return drawing.pause_address(trace, row.start)
    return drawing.address(trace, row.key[2])


def _exports(trace: Trace, asked: TraceQuery) -> list[tuple[str, str]]:
    if trace.span.start > trace.as_of:
        return []
    links = export_links("tracing", **asked.query(after=None, before=None, page=1))
    if asked.unit != "day" and registry.allowed(trace.scope, "tracing", "csv"):
        query = asked.query(after=None, before=None, page=1, table="days")
        links.append((_("CSV export by day"), url_for(".download", format_="csv", **query)))
    return links


def person(trace: Trace) -> dict[str, Any]:
    one = trace.person
    return {"login": one.login, "name": one.name, "lang": "", "deactivated": one.deactivated_ts is not None}


def people(trace: Trace, asked: TraceQuery) -> list[tuple[str, str, bool]]:
    """Return whom the picker offers, in the order of the reader's language; the shown one always."""
    others = trace.scope.can(Permission.TRACING_VIEW)
    found = traceable.people(trace.scope, asked.deactivated) if others else []
    if all(one.id != trace.person.id for one in found):
        found.append(trace.person)
    found.sort(key=lambda one: collation.key(one.name, language()))
    return [(one.login, one.name, one.deactivated_ts is not None) for one in found]


def day_cells(one: Figures) -> tuple[int, ...]:
    """Return the figures of a day that stand in its row."""
    work = (one.calls.talk, one.calls.closed, one.emails.handling, one.emails.closed)
    chats = (one.chats.load, one.chats.closed, one.tickets.edited, one.tickets.closed)
    return (*work, *chats, one.pause.paid, one.pause.unpaid, one.login, one.ready, one.free)


def without_data(number: int) -> str:
    """Return how many days of a month are left out, "" for none."""
    return ngettext("No data on %(num)d day.", "No data on %(num)d days.", number) if number else ""


def days(trace: Trace, asked: TraceQuery) -> list[tuple[date, str | None, dict[str, Any] | None]]:
    """Return the days of a week or month with their figures; None for days that have not begun. Those of a
    month are the days with any data."""
    if asked.unit == "day":
        return []
    found = []
    for day in clock.local_dates(trace.span, trace.zone):
        span = clock.day(day, trace.zone)
        begun = span.start <= trace.as_of
        url = url_for("tracing.index", **asked.query(unit="day", date=day, after=None, before=None, page=1))
        here = url if begun and day >= FIRST_DATE else None
        figures = trace.figures_of(span) if begun else None
        if asked.unit == "week" or (figures and any(day_cells(figures))):
            found.append((day, here, as_json(figures) if figures else None))
    return found


def _begun(trace: Trace) -> int:
    dates = clock.local_dates(trace.span, trace.zone)
    return sum(clock.day(day, trace.zone).start <= trace.as_of for day in dates)


def period_details(asked: TraceQuery) -> dict[str, Any]:
    """Return what the audit keeps of a view: the period, not the filter."""
    hours = {"hours": asked.hours} if asked.hours else {}
    return {"unit": asked.unit, "date": asked.date.isoformat(), "zone": asked.zone, **hours}


def untaken(trace: Trace) -> dict[str, int]:
    """Return how often work was missed, rejected, ignored or transferred, over all channels."""
    verbs = dict.fromkeys(("missed", "rejected", "ignored", "transferred"), 0)
    for name, count in trace.events.items():
        verb = name.partition(".")[2]
        if verb in verbs:
            verbs[verb] += count
    return verbs


def signed_in_since(trace: Trace, asked: TraceQuery) -> int | None:
    """Return since when the user is signed in now, None when not, or for a past day."""
    if not asked.whole.start <= trace.as_of < asked.whole.end:
        return None
    logins = [row.start for row in trace.intervals if row.kind == Kind.LOGIN and row.end is None]
    return min(logins) if logins else None


def _correct_url(trace: Trace, asked: TraceQuery) -> str | None:
    """Return where the day's times are corrected; None for who may not, for a week, and for a day to come."""
    may = trace.scope.can(Permission.TRACING_CORRECT) and asked.whole.start <= trace.as_of
    if asked.unit != "day" or not may:
        return None
    return url_for("corrections.show", user=trace.person.login, date=asked.date.isoformat())


def _chips(asked: TraceQuery, by_kind: dict[str, int]) -> list[tuple[str, str, bool, int]]:
    chips = list(names.CHIPS)
    if by_kind.get("dialled"):
        chips.insert(2, ("dialled", N_("Dialled calls")))
    link = _linker(asked)
    return [
        (_(label), link(kind=kind or None) + "#activities", asked.kind == kind, by_kind.get(kind, 0))
        for kind, label in chips
    ]


def _pager(asked: TraceQuery, shown: listing.Page) -> dict[str, Any]:
    def url(number: int, **cursor: listing.Key | None) -> str:
        return url_for(
            "tracing.index", **asked.query(**{"after": None, "before": None, **cursor}, page=number)
        )

    return {
        "first": shown.first,
        "last": shown.last,
        "total": shown.total,
        "page": shown.number,
        "pages": shown.pages,
        "prev_url": url(shown.number - 1, before=shown.before) if shown.before and shown.number > 1 else None,
        "next_url": url(shown.number + 1, after=shown.after) if shown.after else None,
    }


def _links(trace: Trace, asked: TraceQuery, logins: list[str]) -> dict[str, str | None]:
    today = clock.local_date(trace.as_of, asked.zone)

    def on(day: date) -> str:
        return url_for("tracing.index", **asked.query(date=day, after=None, before=None, page=1))

    def of(place: int) -> str | None:
        if not 0 <= place < len(logins):
            return None
        return url_for("tracing.index", **asked.query(user=logins[place], after=None, before=None, page=1))

    place = logins.index(trace.person.login)
    back, ahead = (shift_period(asked.unit, asked.date, by) for by in (-1, 1))
    return {
        "prev_user": of(place - 1),
        "next_user": of(place + 1),
        "prev": on(back) if back != asked.date else None,
        "next": on(ahead) if ahead != asked.date else None,
        "today": on(today) if not asked.whole.start <= trace.as_of < asked.whole.end else None,
    }


def _last_day(trace: Trace, asked: TraceQuery) -> dict[str, str] | None:
    future = trace.span.start > trace.as_of  # an open sign-in reaches into every later day
    if asked.hours or (trace.intervals and not future):
        return None
    start = queries.last_active(trace.scope, trace.person.id, trace.span.start)
    if start is None:
        return None
    day = clock.local_date(start, trace.zone)
    return {"url": url_for("tracing.index", **asked.query(date=day, after=None, before=None, page=1))}


def _linker(asked: TraceQuery) -> Any:
    """Return link(**changes): this address with parts of its query changed; None takes a part away."""

    kept, path = asked.query(after=None, before=None, page=1), url_for("tracing.index")

    def link(**changes: object) -> str:
        query = {name: value for name, value in kept.items() if name not in changes}
        query |= {name: str(value) for name, value in changes.items() if value is not None}
        return f"{path}?{urlencode(query)}" if query else path

    return link


def _when(trace: Trace, asked: TraceQuery) -> Callable[..., str]:
    """Return what writes a row's time: with the day where it is not that of `beside`, outside the period with
    the date."""
    span, zone = asked.whole, trace.zone

    def when(ts: int | None, beside: int | None = None) -> str:
        if ts is None:
            return ""
        if asked.unit != "day" and beside is not None:
            return formats.day_clock(ts, zone, beside)
        return formats.clock(ts, zone) if span.start <= ts < span.end else formats.stamp(ts, zone)

    return when


def _sorts(asked: TraceQuery) -> dict[str, tuple[str, str]]:
    url = url_for(
        "tracing.index", **asked.query(descending=not asked.descending, after=None, before=None, page=1)
    )
    return {"start": (f"{url}#activities", "descending" if asked.descending else "ascending")}
