"""The trace as sheets: the list, the statistics, and the first page of the PDF."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from markupsafe import Markup

from dashboard import clock
from dashboard.clock import Span
from dashboard.exports.registry import ExportOrder
from dashboard.exports.table import Column, Kind, Report, Row, Sheet
from dashboard.i18n import formats
from dashboard.i18n.formats import language, stamp
from dashboard.models import User
from dashboard.pages.tracing import context, drawing, forms, listing, month, names, queries, summary
from dashboard.pages.tracing.forms import TraceQuery
from dashboard.tracing import corrections
from dashboard.tracing import trace as traces
from dashboard.tracing.statistics import as_json
from dashboard.tracing.trace import Trace
from dashboard.web import assets, correction_texts

Figure = tuple[str, int | None, int | None, float | None]  # label, seconds, count, share


def build(order: ExportOrder) -> Report | None:
    """Return the report of what the address asks, in the scope of the order; None outside it."""
    own = User.get_by_id(order.scope.viewer_id).login
    asked = forms.parse(order.query, own, order.zone)
    trace = traces.read(order.scope, asked.user, asked.span, asked.zone, order.as_of)
    return None if trace is None else report(trace, asked, order)


def report(trace: Trace, asked: TraceQuery, order: ExportOrder) -> Report:
    """Return the report of a trace that has been read."""
    line = names.head(asked)
    made = stamp(trace.as_of, trace.zone)
    return Report(
        title=_("User tracing"),
        subtitle=" · ".join((trace.person.name, line, trace.zone, made, order.exporter)),
        meta=_meta(trace, asked, order, line),
        sheets=_sheets(trace, asked, order.format),
        locale=language(),
        zone=trace.zone,
        footer=_("As of %(time)s · exported by %(name)s", time=made, name=order.exporter),
        front=_front(trace, asked) if order.format == "pdf" else None,
    )


def _sheets(trace: Trace, asked: TraceQuery, format_: str) -> tuple[Sheet, ...]:
    """Return the tables of a format; a CSV holds one, and the first page of a PDF shows the figures."""
    if format_ == "csv":
        return (by_day(trace),) if asked.table == "days" else (_list(trace, asked),)
    days = replace(by_day(trace), printed=asked.unit != "day")
    if format_ == "pdf" and asked.unit == "month":
        days = _with_data(days)
    made = correction_texts.texts(trace.corrections, trace.zone)
    sheets = [correction_texts.sheet([(trace.person.name, text) for text in made])] if made else []
    return _summary(trace, asked), days, _list(trace, asked, format_ == "pdf"), *sheets


def _meta(trace: Trace, asked: TraceQuery, order: ExportOrder, line: str) -> tuple[tuple[str, str], ...]:
    return (
        (_("User"), f"{trace.person.name} ({trace.person.login})"),
        (_("Period"), line),
        (_("Start"), clock.iso(trace.span.start, trace.zone)),
        (_("End"), clock.iso(trace.span.end, trace.zone)),
        (_("Length in hours"), f"{trace.span.seconds / 3600:g}"),
        (_("Time zone"), trace.zone),
        (_("As of"), clock.iso(trace.as_of, trace.zone)),
        (_("Exported by"), order.exporter),
        (_("Filter"), _filter_text(trace, asked)),
    )


def _filter_text(trace: Trace, asked: TraceQuery) -> str:
    kinds = {kind: _(label) for kind, label in names.CHIPS if kind} | {"dialled": _("Dialled calls")}
    queue = dict(queries.queues(trace.scope)).get(asked.queue or 0, str(asked.queue or ""))
    kind = kinds.get(asked.kind) or (names.channel(asked.kind) if asked.kind else "")
    parts = [kind, _state(asked.state), queue, _("inferred only") if asked.flagged else ""]
    return formats.listed(filter(None, parts)) or _("none")


def _list(trace: Trace, asked: TraceQuery, paper: bool = False) -> Sheet:
    """Return the list; on paper a result has its flags below it, as on the page."""
    rows = listing.everything(trace, asked)
    total = listing.totals(trace, asked, listing.chosen(trace, asked))
    whole = all(row.seconds == row.seconds_in_period for row in rows)
    return Sheet(
        name=_("Activities"),
        columns=(
            Column("start", _("Start"), Kind.TIME, 20),
            Column("end", _("End"), Kind.TIME, 20),
            Column("ringing", _("Ringing"), Kind.DURATION, 10),
            Column("seconds", _("Handling time"), Kind.DURATION, 11),
            Column("in_period", _("In period"), Kind.DURATION, 11, printed=not whole),
            Column("talk", _("Talk"), Kind.DURATION, 10),
            Column("hold", _("Hold"), Kind.DURATION, 10),
            Column("activity", _("Activity"), Kind.TEXT, 18),
            Column("contact", _("Contact"), Kind.TEXT, 24),
            Column("queue", _("Queue"), Kind.TEXT, 16),
            Column("state", _("Result"), Kind.TEXT, 14),
            Column("marks", _("Flags"), Kind.TEXT, 14, printed=False),
        ),
        rows=_cells(rows, trace.zone, paper),
        by_day=True,
        portrait=True,
        note=_corrected(trace, trace.span),
        total=(
            None,
            None,
            total.ringing or None,
            total.seconds_in_period if whole else None,
            total.seconds_in_period,
            total.talk or None,
            total.hold or None,
            _("Total: %(count)d", count=total.number),
            None,
            None,
            None,
            None,
        ),
    )


def _corrected(trace: Trace, span: Span) -> str:
    """Return the corrections of time in `span` that count, in words."""
    found = corrections.counting(trace.corrections, span)
    return "; ".join(text.line for text in correction_texts.texts(found, trace.zone))


def _cells(rows: list[listing.Row], zone: str, paper: bool) -> Iterator[Row]:
    for row in rows:
        state, marks = _state(row.state), ", ".join(_mark(flag, row, zone) for flag in row.flags)
        yield (
            row.start,
            row.end,
            row.ringing or None,
            row.seconds,
            row.seconds_in_period,
            row.talk or None,
            row.hold or None,
            _what(row),
            row.contact,
            row.queue,
            "\n".join(filter(None, (state, marks))) if paper else state,
            marks,
        )


def _what(row: listing.Row) -> str:
    if "hidden" in row.flags:
        return str(_("Other work (hidden)"))
    name = names.row(row.type, row.channel, row.direction, row.paid)
    return f"{name} · {row.label}" if row.label else name


def _state(state: str) -> str:
    label = next((text for known, text in names.STATES.items() if known == state), "")
    return str(_(label)) if label else ""


def _mark(flag: str, row: listing.Row, zone: str) -> str:
    if flag == "no_end" and row.end_bound is not None:
        return names.no_end(row.end_reason, stamp(row.end_bound, zone))
    return str({"open": _("Ongoing"), "inferred": _("Inferred end"), "hidden": _("hidden")}[flag])


def by_day(trace: Trace) -> Sheet:
    """Return the figures of each day that has begun; the total is the period itself, counted as one."""
    days = [clock.day(date, trace.zone) for date in clock.local_dates(trace.span, trace.zone)]
    inside = [Span(max(day.start, trace.span.start), min(day.end, trace.span.end)) for day in days]
    begun = [span for span in inside if span.start <= trace.as_of]
    number, time = Kind.INT, Kind.DURATION
    calls, emails, chats = _("Calls"), _("Emails"), _("Chats")
    tickets, pauses, closed = _("Tickets"), _("Pauses"), _("Closed")
    columns = (
        Column("day", _("Day"), Kind.DATE, 12),
        Column("talk", f"{calls} · {_('Talk')}", time),
        Column("calls_closed", f"{calls} · {closed}", number),
        Column("writing", f"{emails} · {_('Writing')}", time),
        Column("emails_closed", f"{emails} · {closed}", number),
        Column("chats", f"{chats} · {_('Sum of times')}", time),
        Column("chats_closed", f"{chats} · {closed}", number),
        Column("tickets_edited", f"{tickets} · {_('Edited')}", number),
        Column("tickets_closed", f"{tickets} · {closed}", number),
        Column("paid", f"{pauses} · {_('Paid')}", time),
        Column("unpaid", f"{pauses} · {_('Unpaid')}", time),
        Column("login", _("Login time"), time),
        Column("ready", _("Ready"), time),
        Column("free", _("Free"), time),
        Column("corrected", _("Corrected"), Kind.TEXT, 30),
    )
    rows: list[Row] = [
        (
            clock.local_date(span.start, trace.zone),
            *context.day_cells(trace.figures_of(span)),
            _corrected(trace, span),
        )
        for span in begun
    ]
    return Sheet(_("By day"), columns, rows, (_("Total"), *context.day_cells(trace.figures), ""))


def _with_data(days: Sheet) -> Sheet:
    """Return the figures by day without the days that have none, which the note counts."""
    rows = list(days.rows)
    kept = [row for row in rows if any(row[1:])]
    return replace(days, rows=kept, note=context.without_data(len(rows) - len(kept)))


def _summary(trace: Trace, asked: TraceQuery) -> Sheet:
    return Sheet(
        name=_("Summary"),
        columns=(
            Column("figure", _("Metric"), Kind.TEXT, 44),
            Column("time", _("Duration"), Kind.DURATION, 12),
            Column("count", _("Count"), Kind.INT, 10),
            Column("share", _("Share"), Kind.PERCENT, 10),
        ),
        rows=figures(trace, asked.events),
        printed=False,
    )


def figures(trace: Trace, events: bool) -> list[Figure]:
    """Return every figure of the page under its name, in the page's order; user events if `events`."""
    f = as_json(trace.figures)
    rows: list[Figure] = []
    parts = ((_("Calls"), f["calls"]), (_("Emails"), f["emails"]), (_("Chats"), f["chats"]))
    for name, part in parts:
        rows += _work_figures(name, part)
    rows += [
        (f"{_('Tickets')} · {_('Edited')}", None, f["tickets"]["edited"], None),
        (f"{_('Tickets')} · {_('Closed')}", None, f["tickets"]["closed"], None),
        (f"{_('Pauses')} · {_('Total')}", f["pause"]["total"], None, None),
        (f"{_('Pauses')} · {_('Paid')}", f["pause"]["paid"], None, None),
        (f"{_('Pauses')} · {_('Unpaid')}", f["pause"]["unpaid"], None, None),
    ]
    times = (
        ("login", _("Login time")),
        ("ready", _("Ready time")),
        ("busy", _("Busy")),
        ("ringing", _("Ringing")),
        ("free", _("Free")),
        ("not_ready", _("Not ready")),
        ("offline", _("Offline")),
        ("work_in_pause", _("Work during pause")),
        ("work_logged_out", _("Work while signed out")),
        ("login_reported", _("Login time as the source reported it")),
    )
    rows += [(label, f[name], None, None) for name, label in times if f.get(name) is not None]
    rows += [
        (_("Occupancy"), None, None, f["occupancy"]),
        (_("Utilisation"), None, None, f["utilisation"]),
    ]
    if events:
        rows += [
            (f"{_('User events')} · {names.event(name)}", None, count, None)
            for name, count in trace.events.items()
        ]
    return rows


def _work_figures(name: str, part: dict[str, Any]) -> list[Figure]:
    labels = (
        ("handling", _("Handling time")),
        ("load", _("Sum of times")),
        ("talk", _("Talk time")),
        ("hold", _("Hold time")),
    )
    rows: list[Figure] = [
        (f"{name} · {label}", part[key], None, None) for key, label in labels if part.get(key) is not None
    ]
    rows += [
        (f"{name} · {label}", None, part[key], None)
        for key, label in (("closed", _("Closed")), ("attempts", _("Attempts")))
        if part.get(key) is not None
    ]
    if part.get("without_end"):
        possible = _("Possible time without an end")
        rows.append((f"{name} · {_('Without an end')}", None, part["without_end"], None))
        rows.append((f"{name} · {possible}", part["unproved"], None, None))
    for channel, inner in part.items():
        if isinstance(inner, dict):
            rows += _work_figures(names.channel(channel), inner)
    return rows


def _front(trace: Trace, asked: TraceQuery) -> Markup:
    """Return summary, timeline and figures as the PDF's first page, drawn by the page's templates."""
    template = current_app.jinja_env.get_template("tracing/front.html")  # a worker has no request
    drawn = drawing.plot(trace, asked, linked=False)
    return Markup(  # noqa: S704  the template escapes what it prints
        template.render(
            context.figures(trace, asked),
            **summary.context(trace),
            plot=drawn,
            weeks=month.weeks(trace, asked, linked=False),
            say_bar=names.bars(drawn, trace.zone),
            zone=trace.zone,
            as_of=trace.as_of,
            dates=clock.local_dates(trace.span, trace.zone),
            period_name=names.period(asked),
            link=lambda **_changes: None,
            light=assets.light_colours(),
            events=asked.events,
        )
    )
