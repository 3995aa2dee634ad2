"""Runs, steps and events in the words of a reader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from flask_babel import gettext as _

from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.i18n import formats
from dashboard.models import Rule, Run
from dashboard.pages.ruleruns import queries, steprows
from dashboard.pages.ruleruns.words import Words, reader_of
from dashboard.rulelang import schema as definitions
from dashboard.rulelang import text_templates
from dashboard.rulelang.schema import Definition
from dashboard.rulelang.values import Facts
from dashboard.rules import active_rules, event_facts
from dashboard.rules.outcomes import RunOutcome
from dashboard.ruletext import sentences, traces
from dashboard.ruletext.run_scope import BADGES
from dashboard.ruletext.traces import Line as TraceLine


class Row(NamedTuple):
    """A run in the list. `about` names its subject in an address."""

    id: int
    rule_id: int
    time: str
    subject: str
    about: str
    type: str
    outcome: str
    badge: str
    done: int
    failed: int
    waiting: int
    held: int
    late: str
    error: str


def rows(scope: Scope, lines: Iterable[queries.Line], zone: str) -> list[Row]:
    found = list(lines)
    words = Words.load(scope, [line.subject for line in found])
    return [
        Row(
            line.id,
            line.rule_id,
            formats.stamp(line.at_ms // 1000, zone),
            words.subject(line.subject),
            line.subject,
            words.type(line.type),
            words.outcome(line.outcome),
            BADGES.get(RunOutcome(line.outcome), ""),
            line.done,
            line.failed,
            line.waiting,
            line.held,
            formats.duration(line.late_s) if line.late_s else "",
            _(line.error) if line.error else "",
        )
        for line in found
    ]


def whole(scope: Scope, rule: Rule, run: Run, zone: str) -> dict[str, Any]:
    """Return all that the page of a run shows."""
    found = event_facts.of_event(run.event_id) if run.event_id else None
    raw = queries.definition(rule.id, run.version) or rule.definition
    read = definitions.load(raw)
    said = [read] if isinstance(read, Definition) else []
    steps = queries.steps(run.id)
    followed = queries.children(scope, run, steps)
    readers = (f"user:{reader_of(each)}" for each in steps)
    words = Words.load(
        scope,
        [run.subject, *readers],
        [found] if found else [],
        said,
        [*run.chain, *(line.rule_id for line in followed)],
    )
    run_of = steprows.Of(scope, words, read if isinstance(read, Definition) else None, found)
    return {
        "rule": rule,
        "run": run,
        "time": formats.stamp(run.at_ms // 1000, zone),
        "late": formats.duration(run.late_s) if run.late_s else "",
        "outcome": words.outcome(run.outcome),
        "badge_kind": BADGES.get(RunOutcome(run.outcome), ""),
        "subject": words.subject(run.subject),
        "event": event(found, words, scope),
        "trace": trace(run.trace, raw, words, scope),
        "limits": [limited for each in said for limited in limits(each, words)],
        "steps": [steprows.row(each, run_of, zone) for each in steps],
        "chain": [(ident, words.rules.get(ident, str(ident))) for ident in run.chain],
        "children": rows(scope, followed, zone),
        "names": words.rules,
    }


def event(found: Facts | None, words: Words, scope: Scope) -> list[tuple[str, str]]:
    """Return label and text of all that an event says, as far as the viewer may see it."""
    if found is None:
        return []
    named = text_templates.names((found["type"],))
    pairs = [
        (_(label), text_templates.render("{{ " + name + " }}", found, words.names, scope))
        for name, label in named.items()
    ]
    return [(label, text) for label, text in pairs if text]


def trace(
    stored: Mapping[str, Any] | None, raw: Mapping[str, Any], words: Words, scope: Scope
) -> TraceLine | None:
    """Return a stored trace as lines; None where none was kept."""
    if not stored:
        return None
    types = [each for each in raw.get("types", ()) if isinstance(each, str)]
    return traces.line(stored, types, reader(words, scope, str(raw.get("zone") or "")))


def reader(words: Words, scope: Scope, zone: str) -> traces.Reader:
    """Return how a trace is shown to the viewer; times of day are those of the rule's zone."""
    return traces.Reader(words.names, zone or active_rules.site_zone(), scope.can(Permission.PII_UNMASK))


def limits(said: Definition, words: Words) -> list[str]:
    """Return for each action that has a limit what it does and how often it may."""
    return [
        _(
            "%(action)s: %(limit)s",
            action=sentences.action_text(each, words.names),
            limit=sentences.limit_text(each.limit),
        )
        for each in said.then
        if sentences.limit_text(each.limit)
    ]


def masked(text: str, scope: Scope) -> str:
    """Return an address, masked for who may not see contacts whole."""
    return text if scope.can(Permission.PII_UNMASK) else text_templates.masked("", text)
