"""The hours of a queue's day as a sheet, with the day as its last row."""

from __future__ import annotations

from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.exports.registry import ExportOrder
from dashboard.exports.table import Column, Kind, Report, Row, Sheet
from dashboard.i18n.formats import date_long, language, stamp
from dashboard.pages.queuedays import forms
from dashboard.tracing import queues
from dashboard.tracing.queues import QueueDay, QueueFigures


def build(order: ExportOrder) -> Report | None:
    """Return the report of what the address asks, in the scope of the order; None outside it."""
    asked = forms.parse(order.query, order.zone, order.as_of)
    found = queues.day(order.scope, asked.queue, asked.span, asked.zone)
    if found is None or not order.scope.can(Permission.QUEUES_FIGURES):
        return None
    made = stamp(order.as_of, asked.zone)
    line = date_long(asked.date)
    return Report(
        title=_("Queue figures"),
        subtitle=" · ".join((found.queue.label, line, asked.zone, made, order.exporter)),
        meta=(
            (_("Queue"), f"{found.queue.label} ({found.queue.name})"),
            (_("Period"), line),
            (_("Length in hours"), f"{found.span.seconds / 3600:g}"),
            (_("Time zone"), asked.zone),
            (_("As of"), made),
            (_("Exported by"), order.exporter),
        ),
        sheets=(_sheet(found),),
        locale=language(),
        zone=asked.zone,
        footer=_("As of %(time)s · exported by %(name)s", time=made, name=order.exporter),
    )


def _sheet(found: QueueDay) -> Sheet:
    rows = [(_hour(slot), *_cells(figures)) for slot, figures in zip(found.slots, found.hours, strict=True)]
    return Sheet(_("Hours"), _columns(), rows, total=(_("Day"), *_cells(found.total)))


def _columns() -> tuple[Column, ...]:
    return (
        Column("hour", _("Hour"), Kind.TEXT, 16),
        Column("received", _("Received"), Kind.INT, 10),
        Column("entered", _("Entered"), Kind.INT, 10),
        Column("answered", _("Answered"), Kind.INT, 10),
        Column("abandoned", _("Abandoned"), Kind.INT, 10),
        Column("lost", _("Lost otherwise"), Kind.INT, 10),
        Column("closed", _("While closed"), Kind.INT, 10),
        Column("blocked", _("Blocked"), Kind.INT, 10),
        Column("unfinished", _("Unfinished"), Kind.INT, 10),
        Column("moved_on", _("Moved on"), Kind.INT, 10),
        Column("timeouts", _("Earlier timeouts"), Kind.INT, 10),
        Column("rate", _("Answer rate"), Kind.PERCENT, 10),
        Column("average", _("Average wait"), Kind.DURATION, 10),
        Column("longest", _("Longest wait"), Kind.DURATION, 10),
        Column("talk", _("Talk"), Kind.DURATION, 10),
        Column("level", _("Service level"), Kind.PERCENT, 10),
    )


def _cells(one: QueueFigures) -> Row:
    rate = one.answered_pct / 100 if one.answered_pct is not None else None
    return (
        one.received,
        one.entered,
        one.answered,
        one.abandoned,
        one.other_lost,
        one.closed,
        one.blocked,
        one.unfinished,
        one.moved_on,
        one.timeouts,
        rate,
        one.average_wait,
        one.longest,
        one.talk,
        one.level,
    )


def _hour(slot: clock.Slot) -> str:
    return f"{slot.label}:00 ({slot.offset})" if slot.offset else f"{slot.label}:00"
