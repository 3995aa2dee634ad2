"""View model of "Why not?": the event, what prevented a run, and the first condition that failed."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _

from dashboard.access.scope import Scope
from dashboard.i18n import formats
from dashboard.pages.ruleruns import run_page, try_rule
from dashboard.pages.ruleruns.run_page import Words
from dashboard.rules import explain, occurrences, subject_history
from dashboard.rules.active_rules import LiveRule
from dashboard.rules.event_rows import EventRow
from dashboard.rules.explain import Answer
from dashboard.ruletext import names, traces


def answered(scope: Scope, rule: LiveRule, subject: str, event_id: int | None, zone: str) -> dict[str, Any]:
    """Return what the page shows for a subject, or for one event by id."""
    row = _row(scope, rule, subject, event_id)
    if row is None:
        return {"missing": _missing(rule, event_id), "answer": None}
    asked = occurrences.of_event(rule, row, zone, latest=event_id is None)
    if asked is None:
        return {"missing": str(_("No timer or count of the rule follows from it.")), "answer": None}
    found, answer = asked.facts, explain.ask(rule, asked, row.recorded_ms, zone)
    words = Words.load(scope, [], [found], [rule.definition])
    return {
        "missing": "",
        "answer": answer,
        "reasons": [reason.render(_) for reason in answer.reasons],
        "time": formats.stamp(found["time"] // 1000, zone),
        "type": names.type_label(found["type"]),
        "event": run_page.event(found, words, scope),
        **_of_run(scope, rule, answer, words),
    }


def _row(scope: Scope, rule: LiveRule, subject: str, event_id: int | None) -> EventRow | None:
    if event_id is not None:
        row = subject_history.event(event_id)
        return row if row is not None and explain.sees(scope, row) else None
    return next(explain.events_about(subject, try_rule.types(rule), scope), None)


def _missing(rule: LiveRule, event_id: int | None) -> str:
    if event_id is not None:
        return str(_("Event not found, or outside your scope."))
    types = formats.listed(names.type_label(each) for each in sorted(try_rule.types(rule)))
    return str(
        _("No events of this rule's types were received for this item. Types: %(types)s.", types=types)
    )


def _of_run(scope: Scope, rule: LiveRule, answer: Answer, words: Words) -> dict[str, Any]:
    if answer.run is None:
        return {"trace": None, "failed": ""}
    stored = answer.run.trace.as_json()
    reader = run_page.reader(words, scope, rule.spec.context.zone)
    decisive = traces.first_failed(stored)
    line = traces.line(stored, rule.spec.types, reader)
    return {"trace": line, "failed": _failed(decisive, rule, reader) if decisive is not None else ""}


def _failed(decisive: Any, rule: LiveRule, reader: traces.Reader) -> str:
    """Return the first condition that failed as a sentence."""
    line = traces.line(decisive, rule.spec.types, reader)
    if line.is_group:
        return str(
            _(
                "None of these conditions was met: %(conditions)s.",
                conditions="; ".join(each.text for each in line.children),
            )
        )
    if line.error:
        return str(
            _(
                "This condition couldn't be evaluated: %(condition)s. %(error)s",
                condition=line.text,
                error=line.error,
            )
        )
    if line.mark == "yes":
        return str(_("This condition must not be met, but is: %(condition)s.", condition=line.text))
    return str(_("First unmet condition: %(condition)s.", condition=line.text))
