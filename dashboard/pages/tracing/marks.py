"""What rules put on the interaction of an activity, and their latest runs about it.

The caller has found the content of the activity visible.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import peewee
from flask import url_for
from flask_babel import gettext as _

from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.models import Event, Interaction, Mark, Rule, Run, Source
from dashboard.rulelang import text_templates
from dashboard.rulelang.fields import EventFacts
from dashboard.rulelang.outcomes import RUN_LABELS, RunOutcome
from dashboard.rulelang.rate_limits import By, limit_key
from dashboard.rules import permissions
from dashboard.ruletext.run_scope import BADGES, covers, traced
from dashboard.tracing.load import ActivityRow
from dashboard.web.page import row_url

LATEST = 3


class Given(NamedTuple):
    """A tag or a note; `rule` is None for one that is gone or not the viewer's to see."""

    kind: str
    text: str
    rule: str | None
    made_ts: int


class RunLine(NamedTuple):
    """A run in short: its page, its rule, what it came to and how that looks."""

    url: str
    rule: str
    outcome: str
    badge: str
    at: int


def about(scope: Scope, row: ActivityRow) -> dict[str, Any]:
    """Return tags, notes, latest runs and where all runs are, "" for who may see none."""
    subject = subject_of(row)
    given = marks(scope, subject)
    sees_runs = scope.can(Permission.RULES_TRACES) or scope.can(Permission.RULES_OWN)
    return {
        "tags": [each for each in given if each.kind == "tag"],
        "notes": [each for each in given if each.kind == "note"],
        "runs": runs(scope, subject) if sees_runs else [],
        "runs_url": url_for("ruleruns.subject", subject=subject) if sees_runs else "",
    }


def subject_of(row: ActivityRow) -> str:
    """Return how rules name the interaction of the activity."""
    query = Interaction.select(Source.name, Interaction.external_id)
    found = query.join(Source, on=(Source.id == Interaction.source)).where(
        Interaction.id == row.interaction_id
    )
    source, interaction = found.tuples().get()
    return limit_key(By.SUBJECT, 0, EventFacts(source=source, interaction=interaction))


def marks(scope: Scope, subject: str) -> list[Given]:
    """Return tags and notes, oldest first; contact details in notes are masked but for the right to them."""
    query = (
        Mark.select(Mark.kind, Mark.text, Rule.name, Mark.made_ms)
        .join(Rule, peewee.JOIN.LEFT_OUTER, on=(Rule.id == Mark.rule_id) & permissions.visible(scope))
        .where(Mark.subject == subject)
        .order_by(Mark.id)
    )
    full = scope.can(Permission.PII_UNMASK)
    return [
        Given(kind, text if full or kind == "tag" else text_templates.masked("", text), rule, made_ms // 1000)
        for kind, text, rule, made_ms in query.tuples()
    ]


def runs(scope: Scope, subject: str) -> list[RunLine]:
    """Return the latest runs about the subject that the viewer may see, newest first; an index range."""
    query = (
        Run.select(Run.id, Rule.name, Run.outcome, Run.at_ms)
        .join(Rule, on=(Rule.id == Run.rule_id))
        .join(Event, peewee.JOIN.LEFT_OUTER, on=(Event.id == Run.event_id))
        .where((Run.subject == subject) & traced(scope) & covers(scope))
        .order_by(Run.made_ms.desc(), Run.id.desc())
        .limit(LATEST)
    )
    return [_line(*row) for row in query.tuples()]


def _line(ident: int, rule: str, outcome: str, at_ms: int) -> RunLine:
    known = RunOutcome(outcome)
    url = row_url("ruleruns.run", ident)
    return RunLine(url, rule, _(RUN_LABELS[known]), BADGES.get(known, ""), at_ms // 1000)
