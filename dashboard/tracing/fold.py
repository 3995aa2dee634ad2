"""Events of one interaction → the interaction and its users' activities. Pure.

The outcome depends on the set of events alone, not on the order in which they came or are given.
Rules: the event types that make a user's day; what each does is said in `verbs`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter

from dashboard.tracing.interaction import Folding
from dashboard.tracing.types import EventRow, FoldedActivity, FoldedInteraction, Segment
from dashboard.tracing.verbs import BEGINNINGS, RANK, SUBJECTS

__all__ = ["FoldedActivity", "FoldedInteraction", "Segment", "fold_interaction"]

_INSTANT = attrgetter("time_ms", "seq")
CHAT_CHANNEL = re.compile(r"(?!(?:call|dialled|email|ticket)$)[a-z][a-z0-9_-]{0,19}")


def fold_interaction(events: Sequence[EventRow]) -> FoldedInteraction:
    """Return what the events of one interaction amount to; any order of them gives the same.

    What no event ended stays open (end None). Times are floored to seconds. Lengths given in an
    event's data (`ring_s`, `ring_ms`, `wait_s`, `talk_s`, `seconds`) win over what the instants
    say; one that is negative, over a year or no number is passed over. Other types have no effect.
    """
    fold = Folding()
    for _, instant in groupby(sorted(events, key=_order), key=_INSTANT):
        _take(fold, list(instant))
    return fold.result(min((event.time_ms for event in events), default=None))


def _order(event: EventRow) -> tuple[int, int, int, str, int]:
    rank = RANK.get(event.type.partition(".")[2], len(RANK))
    return event.time_ms, event.seq, rank, event.external_id, event.source_id


def _take(fold: Folding, instant: list[EventRow]) -> None:
    """Apply events of one instant; an end that finds nothing open waits for its beginning."""
    if len(instant) == 1:
        _apply(fold, instant[0])
        return
    waiting = []
    for event in instant:
        if _too_early(fold, event, instant):
            waiting.append(event)
        else:
            _apply(fold, event)
    for event in waiting:
        _apply(fold, event)


def _too_early(fold: Folding, event: EventRow, instant: list[EventRow]) -> bool:
    subject, _, verb = event.type.partition(".")
    if verb not in BEGINNINGS:
        return False
    beginning, kind = BEGINNINGS[verb]
    twin = (f"{subject}.{beginning}", event.user_id)
    begins = any((other.type, other.user_id) == twin for other in instant)
    return begins and not any(stint.is_open(kind) for stint in fold.targets(event))


def _apply(fold: Folding, event: EventRow) -> None:
    subject, _, verb = event.type.partition(".")
    act = SUBJECTS.get(subject, {}).get(verb)
    if act is None:
        return
    fold.learn(event)
    if subject == "chat" and not fold.chat:
        word = str(event.data.get("channel")).lower()
        fold.chat = word if "channel" in event.data and CHAT_CHANNEL.fullmatch(word) else ""
    act(fold, event)
    fold.note(event)
