"""The life cycle of an interaction: open or ended, who works on it, where it waits and rings. Pure.

`apply_event` folds the events of one interaction one by one; `fold_events` takes them in any order.
What each type does stands in `effects.EFFECTS`. Norm: spec/lifecycle.md, sections 1 and 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import MappingProxyType

import msgspec

from dashboard.catalog.effects import (
    CHANNELS,
    EFFECTS,
    Effect,
    Event,
    OnActivity,
    OnInteraction,
    Thing,
    effect_of,
    in_order,
)
from dashboard.catalog.lifecycle_state import (
    OVER,
    InteractionState,
    Part,
    Parts,
    Work,
    subject_of,
)


def apply_event(state: InteractionState, event: Event) -> InteractionState:
    """Return the state after one more event; the same object when the event changes nothing.

    Events come in the order of `in_order`. An interaction is open from its first event on,
    whatever its type, unless that event ends it.
    """
    effect = EFFECTS.get(event.type)
    if effect is None:
        return state
    return _STEPS[effect.interaction](state, event, effect)


def fold_events(events: Iterable[Event], state: InteractionState | None = None) -> InteractionState:
    """Return the state after these events, given in any order."""
    found = [InteractionState() if state is None else state]
    for event in in_order(events, lambda thing, each: is_open(found[0], thing, each)):
        found[0] = apply_event(found[0], event)
    return found[0]


def is_open(state: InteractionState, thing: Thing, event: Event) -> bool | None:
    """Say whether the thing is open for the queue or user of the event; None where that is not known."""
    if thing is Thing.WAIT:
        return bool(state.waits) if event.queue_id is None else event.queue_id in state.waits
    parts = state.parts.get(subject_of(event), {})
    mine = parts.values() if event.user_id is None else [parts.get(event.user_id, Part())]
    if thing is Thing.RINGING:
        return any(part.rings for part in mine)
    return any(part.work is Work.OPEN for part in mine) if thing is Thing.HANDLING else None


def _opens(state: InteractionState, event: Event, effect: Effect) -> InteractionState:
    """Queued, offered, accepted, dialled, reopened: an ended interaction begins a new episode."""
    if effect.activity is OnActivity.OPENS and _joins(state, event):
        return state
    waits, queued = state.waits, state.queued and state.is_open
    if effect.activity is OnActivity.WAITS:
        waits = waits if event.queue_id in waits else (*waits, event.queue_id)
        queued = True
    elif event.type.endswith(".accepted"):
        waits = ()
    found = msgspec.structs.replace(
        state,
        ended_ms=None,
        episode=state.episode + (not state.is_open),
        queued=queued,
        waits=waits,
        parts=_user_part(state, event, effect),
    )
    return _silence(found, event) if event.type.endswith(".accepted") else found


def _user_part(state: InteractionState, event: Event, effect: Effect) -> dict[str, Parts]:
    own = state.part(subject_of(event), event.user_id)
    if event.user_id is None or effect.activity in (OnActivity.WAITS, OnActivity.EDITS):
        return state.parts
    if effect.activity is OnActivity.OFFERS:
        work = own.work if own.at_work else Work.NONE
        return _with(state, event, Part(work is not Work.OPEN, work))
    return _with(state, event, Part(False, Work.OPEN))


def _connects(state: InteractionState, event: Event, effect: Effect) -> InteractionState:
    if event.user_id is None or state.part(subject_of(event), event.user_id).work in OVER:
        return state
    opened = msgspec.structs.replace(
        state,
        ended_ms=None,
        episode=state.episode + (not state.is_open),
        queued=state.queued and state.is_open,
        waits=(),
        parts=_with(state, event, Part(False, Work.OPEN)),
    )
    return _silence(opened, event)


def _closes(state: InteractionState, event: Event, effect: Effect) -> InteractionState:
    """A close ends everybody's work, except one by a user who had ended while another is at work."""
    subject = subject_of(event)
    own = state.part(subject, event.user_id)
    if not state.is_open:
        late = own.work is Work.CONCLUDED or own.bare
        ended = msgspec.structs.replace(state, ended_ms=event.time_ms) if late else state
        return _ended_part(ended, event, Work.ENDED)
    if event.user_id is not None and own.work in OVER and _others_at_work(state, event):
        return state
    return _end(_ended_part(state, event, Work.ENDED), event)


def _joins(state: InteractionState, event: Event) -> bool:
    """Say whether a beginning belongs to the end that was reported before it."""
    return not state.is_open and state.part(subject_of(event), event.user_id).bare


def _transfers(state: InteractionState, event: Event, effect: Effect) -> InteractionState:
    if not state.is_open:
        return _ended_part(state, event, Work.TRANSFERRED)
    parts = state.parts.get(subject_of(event), {})
    if event.user_id is not None:
        if state.part(subject_of(event), event.user_id).work is Work.NONE:  # the answer is not on record
            waits = tuple(each for each in state.waits if each != event.queue_id)
            state = msgspec.structs.replace(state, waits=waits)
        state = _ended_part(state, event, Work.TRANSFERRED)
    else:
        working = [user for user, part in parts.items() if part.at_work]
        if len(working) == 1:
            moved = {**parts, working[0]: Part(False, Work.TRANSFERRED)}
            state = msgspec.structs.replace(state, parts={**state.parts, subject_of(event): moved})
    keeps = state.waits or state.rings_at() or state.users_at_work()
    return state if keeps else _end(state, event)


def _ends_untaken(state: InteractionState, event: Event, effect: Effect) -> InteractionState:
    """Missed, abandoned: while somebody works or it waits elsewhere, only the named wait or ringing ends."""
    if not state.is_open:
        return _quiet(state, event)
    named, waits = event.queue_id, state.waits
    elsewhere = tuple(each for each in waits if named is not None and each not in (named, None))
    if not elsewhere and not state.users_at_work():
        return _end(state, event)
    return msgspec.structs.replace(_quiet(state, event), waits=waits if named is None else elsewhere)


def _ends_ringing(state: InteractionState, event: Event, effect: Effect) -> InteractionState:
    if not state.is_open:
        return _quiet(state, event)
    found = _quiet(_silence(state, event), event) if event.user_id is None else _quiet(state, event)
    keeps = found.queued or found.rings_at() or found.users_at_work()
    return found if keeps else _end(found, event)


def _unreached(state: InteractionState, event: Event, effect: Effect) -> InteractionState:
    if not state.is_open:
        return _ended_part(state, event, Work.ENDED)
    others = event.user_id is not None and _others_at_work(state, event)
    found = _ended_part(state, event, Work.ENDED)
    return found if others else _end(found, event)


def _ends(state: InteractionState, event: Event, effect: Effect) -> InteractionState:
    return _end(state, event) if state.is_open else state


def _keeps(state: InteractionState, event: Event, effect: Effect) -> InteractionState:
    """Hold begins work that nobody reported; postponing stops it. Neither opens what has ended."""
    if not state.is_open:
        return state
    own = state.part(subject_of(event), event.user_id)
    if effect.activity is OnActivity.HOLDS and event.user_id is not None and own.work not in OVER:
        return _with_part(state, event, Part(False, Work.OPEN))
    if effect.activity is OnActivity.POSTPONES:
        parts = state.parts.get(subject_of(event), {})
        stopped = {
            user: Part(False, Work.POSTPONED) if part.at_work and event.user_id in (None, user) else part
            for user, part in parts.items()
        }
        return msgspec.structs.replace(state, parts={**state.parts, subject_of(event): stopped})
    return state


def _end(state: InteractionState, event: Event) -> InteractionState:
    """End the interaction, all ringing and waits; open work of others on this subject is concluded.

    Work on another subject of the same interaction (a call out of a chat) keeps it open.
    """
    subject = subject_of(event)
    concluded = {
        user: Part(False, Work.CONCLUDED if part.at_work else part.work, part.bare)
        for user, part in state.parts.get(subject, {}).items()
    }
    parts = {**state.parts, subject: concluded} if concluded else state.parts
    lives = any(part.live for found in parts.values() for part in found.values())
    return msgspec.structs.replace(state, ended_ms=None if lives else event.time_ms, waits=(), parts=parts)


def _ended_part(state: InteractionState, event: Event, work: Work) -> InteractionState:
    own = state.part(subject_of(event), event.user_id)
    if event.user_id is None or subject_of(event) not in CHANNELS:
        return state
    if own.work in OVER:
        return _with_part(state, event, Part(own.rings, own.work)) if own.bare else state
    bare = effect_of(event.type).interaction is OnInteraction.CLOSES and own == Part()
    return _with_part(state, event, Part(False, work, bare))


def _quiet(state: InteractionState, event: Event) -> InteractionState:
    """End the ringing at the named user; where their part had ended, it was another ringing."""
    own = state.part(subject_of(event), event.user_id)
    if event.user_id is None or own.bare or not (own.rings or own.work in (*OVER, Work.CONCLUDED)):
        return state
    return _with_part(state, event, Part(False, own.work if own.at_work else Work.NONE))


def _silence(state: InteractionState, event: Event) -> InteractionState:
    """End the ringing at everybody else: it was answered."""
    parts = state.parts.get(subject_of(event), {})
    if not any(part.rings for part in parts.values()):
        return state
    quiet = {user: Part(False, part.work, part.bare) if part.rings else part for user, part in parts.items()}
    return msgspec.structs.replace(state, parts={**state.parts, subject_of(event): quiet})


def _others_at_work(state: InteractionState, event: Event) -> bool:
    return any(user != event.user_id for user in state.users_at_work())


def _with_part(state: InteractionState, event: Event, part: Part) -> InteractionState:
    return msgspec.structs.replace(state, parts=_with(state, event, part))


def _with(state: InteractionState, event: Event, part: Part) -> dict[str, Parts]:
    subject = subject_of(event)
    if event.user_id is None:
        return state.parts
    return {**state.parts, subject: {**state.parts.get(subject, {}), event.user_id: part}}


_Step = Callable[[InteractionState, Event, Effect], InteractionState]
_STEPS: MappingProxyType[OnInteraction, _Step] = MappingProxyType(
    {
        OnInteraction.OPENS: _opens,
        OnInteraction.CONNECTS: _connects,
        OnInteraction.CLOSES: _closes,
        OnInteraction.TRANSFERS: _transfers,
        OnInteraction.ENDS_UNTAKEN: _ends_untaken,
        OnInteraction.ENDS_RINGING: _ends_ringing,
        OnInteraction.UNREACHED: _unreached,
        OnInteraction.ENDS: _ends,
        OnInteraction.KEEPS: _keeps,
    }
)

__all__ = [
    "EFFECTS",
    "OVER",
    "InteractionState",
    "OnActivity",
    "OnInteraction",
    "Part",
    "Thing",
    "Work",
    "apply_event",
    "effect_of",
    "fold_events",
    "is_open",
    "subject_of",
]
