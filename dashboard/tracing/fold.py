"""Events of one interaction → the interaction and its users' activities. Pure.

The outcome depends on the set of events alone, not on the order in which they came or are given.
What each event type does stands in `catalog.effects` and `verbs`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from dashboard.catalog.effects import in_order
from dashboard.tracing.interaction import Folding, Stay, text
from dashboard.tracing.types import EventRow, Evidence, FoldedActivity, FoldedInteraction, Segment
from dashboard.tracing.verbs import SUBJECTS

__all__ = [
    "FoldedActivity",
    "FoldedInteraction",
    "Segment",
    "Whole",
    "fold_interaction",
    "fold_whole",
    "fold_with_evidence",
]

CHAT_CHANNEL = re.compile(r"(?!(?:call|dialled|email|ticket)$)[a-z][a-z0-9_-]{0,19}")


class Whole(NamedTuple):
    """An interaction folded by itself.

    `waits` says whether it waits in a queue or is a call that is open with nobody named at work,
    `waits_since` the second in which its open stay began, `last_ts` that of its last event. `call` is the
    id of the call that has an interaction for each of its queues, "" where the source has no such ids.
    `stays` are those in queues, in their order.
    """

    interaction: FoldedInteraction
    shown: tuple[Evidence, ...]
    waits: bool
    waits_since: int | None
    last_ts: int
    call: str
    stays: tuple[Stay, ...] = ()


def fold_interaction(events: Sequence[EventRow]) -> FoldedInteraction:
    """Return what the events of one interaction amount to; any order of them gives the same.

    What no event ended stays open (end None). Times are floored to seconds. Lengths given in an
    event's data (`ring_s`, `ring_ms`, `wait_s`, `talk_s`, `seconds`) win over what the instants
    say; one that is negative, over a year or no number is passed over. Other types have no effect.
    """
    return fold_with_evidence(events)[0]


def fold_with_evidence(events: Sequence[EventRow]) -> tuple[FoldedInteraction, tuple[Evidence, ...]]:
    """Return the folded interaction and, for each of its activities, what own events show of it."""
    whole = fold_whole(events)
    return whole.interaction, whole.shown


def fold_whole(events: Sequence[EventRow]) -> Whole:
    """Return the folded interaction with what the bounds of its ends need."""
    fold = Folding()
    for event in in_order(events, fold.is_open):
        _apply(fold, event)
    found = fold.result(min((event.time_ms for event in events), default=None))
    last = max((event.time_ms for event in events), default=0) // 1000
    call = next((text(event.data, "callid") for event in events if "callid" in event.data), "")
    open_ = bool(fold.life.waits) or fold.is_open_unnamed()
    return Whole(found, fold.evidence(), open_, fold.waits_since(), last, call, tuple(fold.stays))


def _apply(fold: Folding, event: EventRow) -> None:
    subject, _, verb = event.type.partition(".")
    before = fold.take(event)
    act = SUBJECTS.get(subject, {}).get(verb)
    if act is not None:
        fold.learn(event)
        if subject == "chat" and not fold.chat:
            word = str(event.data.get("channel")).lower()
            fold.chat = word if "channel" in event.data and CHAT_CHANNEL.fullmatch(word) else ""
        act(fold, event, before)
        fold.note(event)
    elif before.is_open and not fold.life.is_open:
        fold.conclude(event)
    stint = fold.current(event.user_id, subject)
    if stint is not None:
        stint.act(event.time_ms)
