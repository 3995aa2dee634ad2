"""What each event type does to an interaction's facts and to its users' stints. Pure; used by `fold` alone.

Whether the interaction is open or ended, and who works on it, is decided by `catalog.lifecycle`; an act
here gets the state before and after the event and writes segments, outcomes and waits.
"""

from __future__ import annotations

from collections.abc import Callable

from dashboard.catalog.effects import EFFECTS
from dashboard.catalog.lifecycle import OVER, InteractionState, subject_of
from dashboard.tracing.interaction import Folding, length, text
from dashboard.tracing.stint import Lapse, Stint
from dashboard.tracing.types import EventRow, Kind, State

Act = Callable[[Folding, EventRow, InteractionState], None]  # the state before; fold.life is the one after


def _queued(fold: Folding, event: EventRow, before: InteractionState) -> None:
    """The interaction waits in a queue."""
    if fold.queued is None:
        fold.queued = event.time_ms // 1000
    fold.wait_begins(event, before)


def _offered(fold: Folding, event: EventRow, before: InteractionState) -> None:
    """Ringing opens at the user."""
    at = event.time_ms // 1000
    fold.offered = at if fold.offered is None else fold.offered
    stint = fold.stint_for(event)
    if stint is not None:
        stint.ring(at)


def _rejected(fold: Folding, event: EventRow, before: InteractionState) -> None:
    """Ringing closes, refused by the user."""
    _stop_ringing(fold, event, State.REJECTED)


def _unanswered(fold: Folding, event: EventRow, before: InteractionState) -> None:
    """Ringing closes: its time ran out, or the caller gave up."""
    _stop_ringing(fold, event, State.MISSED)


def _stop_ringing(fold: Folding, event: EventRow, state: State) -> None:
    """A source that sends no offers gives the ringing's length as `ring_ms` or `ring_s`."""
    ring_s = length(event.data, "ring_s")
    if ring_s is None:
        ring_s = length(event.data, "ring_ms", scale=1000)
    stint = fold.stint_for(event)
    if stint is not None:
        stint.not_taken(event.time_ms // 1000, ring_s, state)
    else:
        _silence(fold, event)


def _silence(fold: Folding, event: EventRow) -> None:
    subject = subject_of(event)
    for stint in fold.latest.values():
        if stint.subject == subject and stint.state == State.RINGING and stint.lapse is None:
            stint.not_taken(event.time_ms // 1000, None, State.MISSED)


def _dialled(fold: Folding, event: EventRow, before: InteractionState) -> None:
    """Outbound work begins: handling opens before anybody answers."""
    if not fold.stints and fold.queued is None:
        fold.direction = fold.direction or "out"
    stint = fold.stint_for(event)
    if stint is not None:
        stint.joins = not fold.life.is_open
        stint.go_out()
        stint.accept(event.time_ms // 1000, None)


def _accepted(fold: Folding, event: EventRow, before: InteractionState) -> None:
    """Ringing closes, handling opens, and other people's phones stop; `connected` opens talk as well."""
    at = event.time_ms // 1000
    fold.answer(event)
    stint = fold.stint_for(event)
    if stint is None:
        if event.data.get("connected") is True:
            fold.talk_begins(at)
        _answered_elsewhere(fold, event, None)
        return
    stint.joins = not fold.life.is_open
    stint.accept(at, length(event.data, "ring_s"))
    if event.data.get("connected") is True:
        _connect(fold, event, stint)
    _answered_elsewhere(fold, event, stint)


def _connect(fold: Folding, event: EventRow, stint: Stint) -> None:
    """Open talk, and note on calls of others that this user has taken over."""
    stint.begin(Kind.TALK, event.time_ms // 1000)
    if event.data.get("join") is True:
        return
    for other in fold.latest.values():
        if other is not stint and other.subject == stint.subject == "call":
            other.taken_over(event.time_ms)


def _answered_elsewhere(fold: Folding, event: EventRow, stint: Stint | None) -> None:
    for other in fold.latest.values():
        if other is not stint and other.subject == subject_of(event) and other.state == State.RINGING:
            other.lapse_at(Lapse(event.time_ms // 1000, state=State.ANSWERED_ELSEWHERE))


def _connected(fold: Folding, event: EventRow, before: InteractionState) -> None:
    """Talk opens; a late record of a user whose work has ended changes nothing but the first answer."""
    fold.answer(event)
    stint = fold.stint_of(event)
    late = before.part(subject_of(event), event.user_id).work in OVER
    if stint is None or (late and not stint.joins):
        return
    stint.lapse = None
    _connect(fold, event, stint)
    _answered_elsewhere(fold, event, stint)


def _held(fold: Folding, event: EventRow, before: InteractionState) -> None:
    """Hold opens. After the end it is a sign that the user's part went on for so long."""
    stint = fold.stint_of(event) if before.is_open else fold.current(event.user_id, subject_of(event))
    if stint is None:
        return
    if before.is_open or stint.joins:
        stint.lapse = None
        stint.begin(Kind.HOLD, event.time_ms // 1000)
    else:
        stint.show_life(event.time_ms // 1000)


def _ceases(kind: Kind) -> Act:
    """Talk closes, and hold with it; or hold alone."""

    def act(fold: Folding, event: EventRow, before: InteractionState) -> None:
        for stint in fold.targets(event):
            stint.cease(kind, event.time_ms // 1000)

    return act


def _postponed(fold: Folding, event: EventRow, before: InteractionState) -> None:
    """Handling pauses; after the end it is a sign of life alone."""
    for stint in fold.targets(event):
        if before.is_open and stint.lapse is None:
            stint.postpone(event.time_ms // 1000)
        else:
            stint.show_life(event.time_ms // 1000)


def _reopened(fold: Folding, event: EventRow, before: InteractionState) -> None:
    """Handling goes on, on the same stint unless that was handed over; without a user nobody works yet."""
    if event.user_id is None:
        return
    stint = fold.current(event.user_id, subject_of(event))
    if stint is None or stint.state == State.TRANSFERRED:
        stint = fold.new(event, event.user_id)
    stint.joins = False
    stint.reopen(event.time_ms // 1000)


def _end(fold: Folding, event: EventRow, before: InteractionState) -> tuple[int, int | None]:
    """Note why the interaction ended; who talked had answered. Return time and talk."""
    if fold.life.ended_ms not in (None, before.ended_ms):
        fold.reason = text(event.data, "reason", "ended_by")[:40] or fold.reason
    talk_s = length(event.data, "talk_s")
    if talk_s is not None:
        fold.answer(event, talk_s)
    return event.time_ms // 1000, talk_s


def _transferred(fold: Folding, event: EventRow, before: InteractionState) -> None:
    """The user's work ends as handed over; without a user, that of the only one at work."""
    at, talk_s = _end(fold, event, before)
    working = [stint for stint in fold.targets(event) if stint.handled]
    own = fold.stint_of(event)
    if own is not None:
        own.doubtful |= own.over
        own.finish(at, State.TRANSFERRED, talk_s)
    elif len(working) == 1:
        working[0].finish(at, State.TRANSFERRED, talk_s)
        working[0].inferred = True
    else:
        fold.talk_ends(at, talk_s)


def _unreached(fold: Folding, event: EventRow, before: InteractionState) -> None:
    """A dialled call ends without an answer: missed, not closed."""
    if fold.is_over(event, before):
        fold.untake(event, "missed")
    stint = fold.stint_of(event)
    if stint is not None:
        stint.go_out()
        stint.finish(event.time_ms // 1000, State.MISSED)
    if fold.is_over(event, before):
        fold.conclude(event, stint)


def _missed(fold: Folding, event: EventRow, before: InteractionState) -> None:
    """The interaction ends untaken, unless somebody works on it or it waits elsewhere; a user it names
    has missed it."""
    ends = fold.is_over(event, before)
    if ends:
        fold.untake(event, "missed")
    if event.user_id is not None:
        _stop_ringing(fold, event, State.MISSED)
    if ends:
        _silence(fold, event)


def _abandoned(fold: Folding, event: EventRow, before: InteractionState) -> None:
    """The customer gave up; whoever it rang at has missed it."""
    ends = fold.is_over(event, before)
    if ends:
        fold.untake(event, "abandoned")
        _silence(fold, event)
    elif event.user_id is not None:
        _stop_ringing(fold, event, State.MISSED)


def _closed(fold: Folding, event: EventRow, before: InteractionState) -> None:
    """The user's work ends as closed; what others left open ends with it, counted for none of them.

    Without a user it counts for the only one at work. A further end of a user whose work has ended
    counts nothing.
    """
    at, talk_s = _end(fold, event, before)
    own = fold.stint_of(event)
    if own is None:
        working = [stint for stint in fold.targets(event) if stint.handled]
        for stint in fold.targets(event):
            sole = [stint] == working
            stint.lapse_at(Lapse(at, counts=sole, talk_s=talk_s if sole else None))
        if not working:
            fold.talk_ends(at, talk_s)
        return
    if own.over and talk_s and own.rest == State.MISSED:
        fold.proved_end = at
    else:
        own.doubtful |= own.over
    own.finish(at, State.CLOSED, talk_s)
    if fold.is_over(event, before):
        fold.conclude(event, own)


def _wrapup_started(fold: Folding, event: EventRow, before: InteractionState) -> None:
    """After-call work of the announced length begins on the work before it."""
    stint, seconds = fold.current(event.user_id, subject_of(event)), length(event.data, "seconds")
    if stint is not None and seconds is not None:
        at = event.time_ms // 1000
        stint.wrapup = (at, at + seconds)


def _wrapup_ended(fold: Folding, event: EventRow, before: InteractionState) -> None:
    """After-call work ends before its announced length is over."""
    stint = fold.current(event.user_id, subject_of(event))
    if stint is not None and stint.wrapup is not None:
        start, end = stint.wrapup
        stint.wrapup = (start, min(end, max(event.time_ms // 1000, start)))


def _ticket(state: State) -> Act:
    """Each edit or closing is an activity of its own, `seconds` long."""

    def act(fold: Folding, event: EventRow, before: InteractionState) -> None:
        at, spent = event.time_ms // 1000, length(event.data, "seconds") or 0
        fold.title = fold.title or text(event.data, "number")
        if event.user_id is not None:
            stint = fold.new(event, event.user_id)
            stint.accept(at - spent, None)
            stint.finish(at, state)

    return act


VERBS: dict[str, Act] = {
    "queued": _queued,
    "rejected": _rejected,
    "ignored": _unanswered,
    "withdrawn": _unanswered,
    "offered": _offered,
    "dialled": _dialled,
    "accepted": _accepted,
    "disconnected": _ceases(Kind.TALK),
    "connected": _connected,
    "resumed": _ceases(Kind.HOLD),
    "held": _held,
    "postponed": _postponed,
    "transferred": _transferred,
    "unreached": _unreached,
    "missed": _missed,
    "abandoned": _abandoned,
    "closed": _closed,
    "reopened": _reopened,
    "wrapup_started": _wrapup_started,
    "wrapup_ended": _wrapup_ended,
}
TICKET: dict[str, Act] = {
    "updated": _ticket(State.EDITED),
    "closed": _ticket(State.CLOSED),
    "reopened": _ticket(State.EDITED),
}
SUBJECTS: dict[str, dict[str, Act]] = {
    subject: {verb: act for verb, act in acts.items() if f"{subject}.{verb}" in EFFECTS}
    for subject, acts in (("call", VERBS), ("email", VERBS), ("chat", VERBS), ("ticket", TICKET))
}
