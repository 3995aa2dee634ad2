"""Which rules caused what a connected system reports: the changes that they made there come back by webhook.

The system does not say so. A report is taken as the answer to a change when it tells of the same value on the
same item within ANSWER_MS of it; then its events stand in the chain of the rules, and the loop guard sees a
rule that would cause itself. Another loop ends at the breaker of rules that run too often.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from dashboard import clock
from dashboard.db.prepared import Prepared, slot
from dashboard.ingest.connectors import zammad
from dashboard.ingest.schema import NewEvent
from dashboard.jobs.work import RUNNING
from dashboard.models import Run, Step
from dashboard.notify.help_desk import ASSIGN, NOTE, PRIORITY, STATUS, TRANSFER
from dashboard.rulelang.subjects import of_interaction

ANSWER_MS = 10 * 60_000
MOST = 20  # changes of one item that are looked at, the latest first
_CHANGES = Prepared(
    lambda: (
        Step.select(Step.payload, Step.rule_id, Run.chain)
        .join(Run)
        .where(
            Run.subject == slot("subject"),
            Step.action.in_((STATUS, PRIORITY, ASSIGN, TRANSFER, NOTE)),
            (Step.attempts > 0)
            & ((Step.state == RUNNING) | (Step.made_ms > slot("since")) | (Step.done_ms > slot("since"))),
        )
        .order_by(Step.id.desc())
        .limit(MOST)
    )
)
# What an event tells of a change, by the change.
_TOLD: Mapping[str, Callable[[NewEvent, Mapping[str, Any]], Any]] = MappingProxyType(
    {
        STATUS: lambda _event, data: data.get("status"),
        PRIORITY: lambda _event, data: data.get("priority"),
        ASSIGN: lambda event, data: data.get("assignee") or event.user,
        TRANSFER: lambda _event, data: data.get("to"),
        NOTE: lambda _event, data: data.get("comment"),
    }
)


def chain(source: str, events: Sequence[NewEvent]) -> tuple[int, ...]:
    """Return the ids of the rules that caused the events of a source's report, in order; () for none."""
    told = [each for each in events if each.type not in (zammad.CREATED, zammad.UPDATED)]
    for item in dict.fromkeys(each.interaction for each in told if each.interaction):
        since = clock.now_ms() - ANSWER_MS
        for payload, rule, before in _CHANGES.rows(subject=of_interaction(source, item), since=since):
            change = _value(payload)
            if any(_answers(change, each) for each in told if each.interaction == item):
                return (*_value(before), rule)
    return ()


def _value(stored: Any) -> Any:
    return json.loads(stored) if isinstance(stored, str) else stored


def _answers(change: Mapping[str, Any], event: NewEvent) -> bool:
    told = _TOLD[change["do"]](event, json.loads(event.data))
    return str(told or "").casefold().split() == str(change["value"]).casefold().split()
