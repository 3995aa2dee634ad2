"""The actions of a run, each for one recipient: what was sent, what came back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from flask_babel import gettext as _

from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.i18n import formats
from dashboard.models import Step
from dashboard.pages.ruleruns.words import STEP_BADGES, Words, reader_of
from dashboard.rulelang import text_templates
from dashboard.rulelang.actions import ACTIONS
from dashboard.rulelang.schema import Definition
from dashboard.rulelang.values import Facts
from dashboard.rules.outcomes import STEP_LABELS, StepState


class StepRow(NamedTuple):
    """An action of a run for one recipient; `texts` are what was sent, (label, text)."""

    action: str
    recipient: str
    state: str
    badge: str
    attempts: int
    time: str
    receipt: str
    error: str
    texts: list[tuple[str, str]]


class Of(NamedTuple):
    """The run that steps belong to: its version of the rule and its event, where they are kept."""

    scope: Scope
    words: Words
    said: Definition | None
    event: Facts | None


def row(found: Step, run: Of, zone: str) -> StepRow:
    known = ACTIONS.get(found.action)
    state = StepState(found.state)
    ended = found.done_ms or found.due_ms or found.made_ms
    return StepRow(
        _(known.label) if known else found.action,
        run.words.recipient(found, run.scope),
        _(STEP_LABELS[state]),
        STEP_BADGES.get(state, ""),
        found.attempts,
        formats.stamp(ended // 1000, zone),
        receipt(found.receipt),
        _(found.error) if found.error else "",
        list(texts(found, run)),
    )


def texts(found: Step, run: Of) -> Iterator[tuple[str, str]]:
    """Yield the texts of a step by label: as they were sent to its reader and to who may see contacts
    whole, to others made anew as they may see them."""
    known = ACTIONS.get(found.action)
    as_sent = run.scope.can(Permission.PII_UNMASK) or reader_of(found) == run.scope.viewer_id
    for param in known.params if known else ():
        sent = found.payload.get(param.name)
        if isinstance(sent, str) and sent:
            text = sent if as_sent else _anew(found, run, param.name)
            if text:
                yield _(param.label), text


def _anew(found: Step, run: Of, name: str) -> str:
    if run.said is None or run.event is None or found.n >= len(run.said.then):
        return ""
    params: Mapping[str, Any] = run.said.then[found.n].params
    template = params.get(name) or (params.get("title") if name == "subject" else "")
    return text_templates.render(str(template or ""), run.event, run.words.names, run.scope)


def receipt(found: Mapping[str, Any]) -> str:
    """Return what the receiver answered: status, time taken, note."""
    parts = []
    if found.get("status"):
        parts.append(str(found["status"]))
    if isinstance(found.get("took_ms"), int):
        parts.append(_("%(num)s ms", num=formats.number(found["took_ms"])))
    if found.get("note"):
        parts.append(_(str(found["note"])))
    return " · ".join(parts)
