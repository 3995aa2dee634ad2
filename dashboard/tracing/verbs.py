"""What each event type does to an interaction and its users' stints. Pure; used by `fold` alone."""

from __future__ import annotations

from collections.abc import Callable

from dashboard.tracing.interaction import Folding, length, subject_of, text
from dashboard.tracing.stint import Lapse
from dashboard.tracing.types import EventRow, Kind, State

Act = Callable[[Folding, EventRow], None]


def _queued(fold: Folding, event: EventRow) -> None:
    """The interaction waits in a queue."""
    if fold.queued is None:
        fold.queued = event.time_ms // 1000
    fold.waits, fold.ended = True, None


def _offered(fold: Folding, event: EventRow) -> None:
    """Ringing opens at the user."""
    at = event.time_ms // 1000
    fold.offered = at if fold.offered is None else fold.offered
    fold.ended = None
    stint = fold.stint_for(event)
    if stint is not None:
        stint.ring(at)


def _rejected(fold: Folding, event: EventRow) -> None:
    """Ringing closes, refused by the user."""
    _stop_ringing(fold, event, State.REJECTED)


def _unanswered(fold: Folding, event: EventRow) -> None:
    """Ringing closes: its time ran out, or the caller gave up."""
    _stop_ringing(fold, event, State.MISSED)


def _stop_ringing(fold: Folding, event: EventRow, state: State) -> None:
    """A source that sends no offers tells the ringing's length as `ring_ms` or `ring_s`."""
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


def _dialled(fold: Folding, event: EventRow) -> None:
    """Outbound work begins: handling opens before anybody answers."""
    if not fold.stints and fold.queued is None:
        fold.direction = fold.direction or "out"
    fold.ended = None
    stint = fold.stint_for(event)
    if stint is not None:
        stint.go_out()
        stint.accept(event.time_ms // 1000, None)


def _accepted(fold: Folding, event: EventRow) -> None:
    """Ringing closes, handling opens, and other people's phones stop; `connected` opens talk as well."""
    at = event.time_ms // 1000
    fold.answer(event)
    fold.waits, fold.ended = False, None
    stint = fold.stint_for(event)
    if stint is None:
        return
    stint.accept(at, length(event.data, "ring_s"))
    if event.data.get("connected") is True:
        stint.begin(Kind.TALK, at)
    for other in fold.latest.values():
        if other is not stint and other.subject == stint.subject and other.state == State.RINGING:
            other.lapse_at(Lapse(at))


def _begins(kind: Kind) -> Act:
    """Talk or hold opens, at every stint at work when the event names no user."""

    def act(fold: Folding, event: EventRow) -> None:
        at = event.time_ms // 1000
        if kind == Kind.TALK:
            fold.waits = False
            fold.answer(event)
        if event.user_id is None:
            stints = [stint for stint in fold.targets(event) if stint.state == State.OPEN]
        else:
            stints = [fold.current(event.user_id, subject_of(event)) or fold.new(event, event.user_id)]
        for stint in stints:
            stint.begin(kind, at)

    return act


def _ceases(kind: Kind) -> Act:
    """Talk closes, and hold with it; or hold alone."""

    def act(fold: Folding, event: EventRow) -> None:
        for stint in fold.targets(event):
            stint.cease(kind, event.time_ms // 1000)

    return act


def _postponed(fold: Folding, event: EventRow) -> None:
    """Handling pauses."""
    for stint in fold.targets(event):
        stint.postpone(event.time_ms // 1000)


def _reopened(fold: Folding, event: EventRow) -> None:
    """Handling goes on, on the same stint unless that was handed over; without a user nobody works yet."""
    fold.ended = None
    if event.user_id is None:
        return
    stint = fold.current(event.user_id, subject_of(event))
    if stint is None or stint.state == State.TRANSFERRED:
        stint = fold.new(event, event.user_id)
    stint.reopen(event.time_ms // 1000)


def _end(fold: Folding, event: EventRow) -> tuple[int, int | None]:
    """The interaction ends here unless it goes on; who talked had answered. Return time and talk."""
    if not (fold.waits and event.type.endswith(".transferred")):
        fold.end(event)
    talk_s = length(event.data, "talk_s")
    if talk_s is not None:
        fold.answer(event, talk_s)
    return event.time_ms // 1000, talk_s


def _transferred(fold: Folding, event: EventRow) -> None:
    """The user's work ends as handed over; without a user, that of the only one at work."""
    at, talk_s = _end(fold, event)
    working = [stint for stint in fold.targets(event) if stint.handled]
    if event.user_id is not None:
        stint = fold.current(event.user_id, subject_of(event)) or fold.new(event, event.user_id)
        stint.finish(at, State.TRANSFERRED, talk_s)
    elif len(working) == 1:
        working[0].finish(at, State.TRANSFERRED, talk_s)
        working[0].inferred = True


def _unreached(fold: Folding, event: EventRow) -> None:
    """A dialled call ends without an answer: missed, not closed."""
    fold.untake(event, "missed")
    stints = fold.targets(event)
    if event.user_id is not None:
        stints = [fold.current(event.user_id, subject_of(event)) or fold.new(event, event.user_id)]
    for stint in stints:
        stint.go_out()
        stint.finish(event.time_ms // 1000, State.MISSED)


def _missed(fold: Folding, event: EventRow) -> None:
    """The interaction ends untaken; a user it names has missed it."""
    fold.untake(event, "missed")
    if event.user_id is not None:
        _stop_ringing(fold, event, State.MISSED)
    _silence(fold, event)


def _abandoned(fold: Folding, event: EventRow) -> None:
    """The customer gave up; whoever it rang at has missed it."""
    fold.untake(event, "abandoned")
    _silence(fold, event)


def _closed(fold: Folding, event: EventRow) -> None:
    """The user's work ends as closed; what others left open ends with it, counted for none of them.

    Without a user it counts for the only one at work. A close by one whose work had already
    ended says nothing about the others: they may have taken over.
    """
    at, talk_s = _end(fold, event)
    if event.user_id is None:
        working = [stint for stint in fold.targets(event) if stint.handled]
        for stint in fold.targets(event):
            stint.lapse_at(
                Lapse(at, counts=[stint] == working, talk_s=talk_s if [stint] == working else None)
            )
        return
    own = fold.current(event.user_id, subject_of(event)) or fold.new(event, event.user_id)
    if own.over:
        return
    own.finish(at, State.CLOSED, talk_s)
    for other in fold.latest.values():
        if other is not own and other.subject == own.subject:
            other.lapse_at(Lapse(at))


def _ticket(state: State) -> Act:
    """Each edit or closing is an activity of its own, `seconds` long."""

    def act(fold: Folding, event: EventRow) -> None:
        at, spent = event.time_ms // 1000, length(event.data, "seconds") or 0
        fold.ended = at if state == State.CLOSED else None
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
    "connected": _begins(Kind.TALK),
    "resumed": _ceases(Kind.HOLD),
    "held": _begins(Kind.HOLD),
    "postponed": _postponed,
    "transferred": _transferred,
    "unreached": _unreached,
    "missed": _missed,
    "abandoned": _abandoned,
    "closed": _closed,
    "reopened": _reopened,
}
TICKET: dict[str, Act] = {
    "updated": _ticket(State.EDITED),
    "closed": _ticket(State.CLOSED),
    "reopened": _ticket(State.EDITED),
}
SUBJECTS = {"call": VERBS, "email": VERBS, "chat": VERBS, "ticket": TICKET}
RANK = {verb: rank for rank, verb in enumerate(VERBS)}  # events of one instant, in the order of a life
BEGINNINGS = {  # of one instant: an end comes before the next beginning of the same, if it ends anything
    "rejected": ("offered", Kind.RINGING),
    "ignored": ("offered", Kind.RINGING),
    "withdrawn": ("offered", Kind.RINGING),
    "disconnected": ("connected", Kind.TALK),
    "resumed": ("held", Kind.HOLD),
    "postponed": ("reopened", Kind.HANDLING),
    "closed": ("reopened", Kind.HANDLING),
}
