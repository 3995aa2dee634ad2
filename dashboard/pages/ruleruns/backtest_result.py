"""View model of a backtest result: figures, days, subjects, samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.scope import Scope
from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.models.rules import Backtest
from dashboard.pages.ruleruns import run_page
from dashboard.pages.ruleruns.run_page import Words
from dashboard.rulelang import schema as definitions
from dashboard.rulelang.fields import EventFacts
from dashboard.rulelang.schema import Definition
from dashboard.rulelang.subjects import SubjectKind, SubjectName
from dashboard.rules.recipients import covers
from dashboard.ruletext import traces
from dashboard.sources.declared.rule_runs import subject_names
from dashboard.web import charts
from dashboard.web.charts import Chart, Row, Series

STATES = {"waiting": N_("In progress"), "done": N_("Done"), "failed": N_("Failed")}
OUTCOMES = {
    "acted": (N_("Would have triggered"), "ok"),
    "throttled": (N_("Rate-limited"), ""),
    "error": (N_("Condition error"), "bad"),
    "loop_stopped": (N_("Loop stopped"), "warn"),
    "depth_stopped": (N_("Rule chain too long"), "warn"),
    "muted": (N_("Muted"), ""),
    "expired": (N_("Expired"), ""),
}


class Sample(NamedTuple):
    """One run of the backtest."""

    time: str
    subject: str
    type: str
    outcome: str
    badge: str
    event: int | None
    trace: traces.Line


class Effects(NamedTuple):
    """What the rule would have done."""

    figures: Mapping[str, int]
    chart: Chart
    subjects: list[tuple[str, str, int]]
    samples: list[Sample]
    failures: list[Sample]
    notes: list[str]


class Made(NamedTuple):
    """A backtest in the list of earlier ones."""

    id: int
    time: str
    days: int
    version: int
    state: str


def made(scope: Scope, rule_id: int, zone: str) -> list[Made]:
    """Return the viewer's backtests of a rule, newest first."""
    query = Backtest.select().where((Backtest.user_id == scope.viewer_id) & (Backtest.rule_id == rule_id))
    return [
        Made(
            row.id,
            formats.stamp(row.created_ts, zone),
            row.days,
            row.version,
            _(STATES[row.state]),
        )
        for row in query.order_by(Backtest.id.desc())
    ]


def shown(scope: Scope, row: Backtest, zone: str) -> dict[str, Any]:
    """Return what a result page shows, without samples outside the viewer's present scope."""
    result = row.result
    return {
        "effects": _effects(scope, row, result, zone),
        "took": formats.duration(result["took_ms"] // 1000),
        "start": formats.stamp_offset(row.start_ms // 1000, zone),
        "end": formats.stamp_offset(row.end_ms // 1000, zone),
    }


def _effects(scope: Scope, row: Backtest, result: Mapping[str, Any], zone: str) -> Effects:
    raw = row.definition
    samples, failures = result["samples"], result["failures"]
    seen = [*samples, *failures]
    words = _words(scope, raw, seen)
    items = subject_names(scope, {*dict(result["subjects"]), *(str(each["subject"]) for each in seen)})
    figures = {name: count for name, count in result.items() if isinstance(count, int)}
    return Effects(
        figures,
        chart(result["days"], _days(row, result["zone"])),
        [(items[subject], subject, count) for subject, count in result["subjects"]],
        _samples(scope, samples, raw, words, items, zone),
        _samples(scope, failures, raw, words, items, zone),
        _notes(result, zone),
    )


def _days(row: Backtest, zone: str) -> list[date]:
    first = clock.local_date(row.start_ms // 1000, zone)
    last = clock.local_date(row.end_ms // 1000, zone)
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def chart(counts: Mapping[str, Sequence[int]], days: Sequence[date]) -> Chart:
    """Return a bar per day: the runs that the limits allow, and on them those that they do not."""
    rows = []
    for day in days:
        matched, acted = counts.get(day.isoformat(), (0, 0))
        rows.append(Row(formats.date_plain(day), (acted, matched - acted), formats.day_short(day)))
    return charts.bars(rows, [Series(_("After limits"), "ready"), Series(_("Rate-limited"), "pause")])


def _words(scope: Scope, raw: Mapping[str, Any], samples: Sequence[Mapping[str, Any]]) -> Words:
    read = definitions.load(raw)
    seen = [EventFacts(user=each["user"], queue=each["queue"]) for each in samples]
    return Words.load(scope, [], seen, [read] if isinstance(read, Definition) else [])


def _samples(
    scope: Scope,
    given: Sequence[Mapping[str, Any]],
    raw: Mapping[str, Any],
    words: Words,
    items: Mapping[str, str],
    zone: str,
) -> list[Sample]:
    found = []
    for each in given:
        name = SubjectName.parse(each["subject"])
        about = name.ident if name is not None and name.kind is SubjectKind.INTERACTION else None
        if not covers(scope, EventFacts(user=each["user"], queue=each["queue"], interaction=about)):
            continue
        trace = run_page.trace(each["trace"], raw, words, scope)
        label, badge = OUTCOMES[each["outcome"]]
        if trace is not None:
            found.append(
                Sample(
                    formats.stamp_offset(each["at"] // 1000, zone),
                    items[str(each["subject"])],
                    words.type(each["type"]),
                    _(label),
                    badge,
                    each["event"],
                    trace,
                )
            )
    return found


def _notes(result: Mapping[str, Any], zone: str) -> list[str]:
    said = []
    if result["until_ms"]:
        said.append(
            _(
                "Stopped early at %(time)s because there were too many runs.",
                time=formats.stamp_offset(result["until_ms"] // 1000, zone),
            )
        )
    if result["paused_ms"]:
        said.append(
            _(
                "If turned on, this rule would have been paused automatically at %(time)s "
                "because it runs too often.",
                time=formats.stamp_offset(result["paused_ms"] // 1000, zone),
            )
        )
    if result["todays"]:
        said.append(
            _(
                "Current values used instead of historical ones: %(fields)s.",
                fields=formats.listed(_(label) for label in result["todays"]),
            )
        )
    if result["asked"] is None:
        said.append(_("Only runs within your scope are counted."))
    return [str(each) for each in said]
