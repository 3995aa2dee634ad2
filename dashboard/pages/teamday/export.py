"""The files of Team day and Compare: a row a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.exports.registry import TRACING_RIGHTS, ExportOrder, Maker
from dashboard.exports.table import Column, Kind, Report, Row, Sheet
from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.pages.teamday import requests
from dashboard.pages.teamday.requests import DayRequest
from dashboard.tracing import team as teams
from dashboard.web import correction_texts
from dashboard.web.correction_texts import CorrectionText
from dashboard.web.team_day import FLAGS, TeamDay


def _team(order: ExportOrder) -> Report | None:
    if not order.scope.can(Permission.TRACING_VIEW):
        return None
    wanted = requests.team(requests.of_order(order.query), order.scope, order.zone, order.as_of)
    about = dict(teams.choices(order.scope)).get(wanted.team or 0, "")
    return _report(_("Team day"), about, wanted, order)


def _compare(order: ExportOrder) -> Report | None:
    if not order.scope.can(Permission.TRACING_VIEW):
        return None
    wanted = requests.compare(requests.of_order(order.query), order.scope, order.zone, order.as_of)
    return _report(_("Compare"), "", wanted, order) if wanted is not None else None


TEAM = Maker(TRACING_RIGHTS, _team, N_("Team day"))
COMPARE = Maker(TRACING_RIGHTS, _compare, N_("Compare"))


def _report(title: str, about: str, wanted: DayRequest, order: ExportOrder) -> Report:
    language = formats.language()
    day = wanted.read(order.scope, language)
    corrected = wanted.corrected(order.scope)
    said = [(row.member.name, text) for row in day.rows for text in corrected.get(row.member.id, ())]
    days = clock.local_dates(wanted.span, wanted.zone)
    period = formats.date_long(days[0]) if len(days) == 1 else formats.week_label(days[0])
    stamp = formats.stamp(min(wanted.as_of, wanted.span.end), wanted.zone)
    meta = (
        (_("Period"), period),
        (_("Team"), about),
        (_("Time zone"), wanted.zone),
        (_("As of"), stamp),
        (_("Exported by"), order.exporter),
    )
    return Report(
        title=title,
        subtitle=" · ".join(part for part in (period, about, wanted.zone, stamp, order.exporter) if part),
        meta=tuple((label, text) for label, text in meta if text),
        sheets=(
            Sheet(title, _columns(), _rows(day, corrected), _total(day)),
            *([correction_texts.sheet(said)] if said else []),
        ),
        locale=language,
        zone=wanted.zone,
        footer=_("As of %(time)s · exported by %(name)s", time=stamp, name=order.exporter),
    )


def _columns() -> tuple[Column, ...]:
    return (
        Column("user", _("User"), Kind.TEXT, 24),
        Column("login", _("User name"), Kind.TEXT, 16),
        Column("first", _("From"), Kind.TIME, 18, with_offset=False),
        Column("last", _("To"), Kind.TIME, 18, with_offset=False),
        Column("signed_in", _("Login time"), Kind.DURATION, 11),
        Column("ready", _("Ready"), Kind.DURATION, 11),
        Column("free", _("Free"), Kind.DURATION, 11),
        Column("occupancy", _("Occupancy"), Kind.PERCENT, 11),
        Column("handled", _("Handled"), Kind.INT, 10),
        Column("handling", _("Average handling time"), Kind.DURATION, 13),
        Column("missed", _("Not taken"), Kind.INT, 10),
        Column("paid", _("Paid pauses"), Kind.DURATION, 11),
        Column("unpaid", _("Unpaid pauses"), Kind.DURATION, 11),
        Column("over", _("Pause over limit"), Kind.DURATION, 11),
        Column("look", _("Needs a look"), Kind.TEXT, 26),
        Column("corrected", _("Corrected"), Kind.TEXT, 30),
    )


def _rows(day: TeamDay, corrected: Mapping[int, Sequence[CorrectionText]]) -> Iterator[Row]:
    for row in day.rows:
        figures = row.figures
        yield (
            row.member.name,
            row.member.login,
            row.first,
            None if row.is_here else row.last,
            figures.login,
            figures.ready,
            figures.free,
            figures.occupancy,
            row.handled,
            row.mean_handling,
            row.missed,
            figures.pause.paid,
            figures.pause.unpaid,
            row.over,
            formats.listed(_(FLAGS[flag][0]) for flag in row.flags),
            "; ".join(text.line for text in corrected.get(row.member.id, ())),
        )


def _total(day: TeamDay) -> Row:
    figures = [row.figures for row in day.rows]
    return (
        _("Total"),
        "",
        None,
        None,
        sum(each.login for each in figures),
        sum(each.ready for each in figures),
        sum(each.free for each in figures),
        day.occupancy,
        day.handled,
        day.handling,
        day.missed,
        sum(each.pause.paid for each in figures),
        sum(each.pause.unpaid for each in figures),
        sum(row.over for row in day.rows),
        "",
        "",
    )
