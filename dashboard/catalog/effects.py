"""What each event type does to its interaction and to its user's activity, and their order. Pure.

`EFFECTS` is the one table that every reader uses, through `lifecycle`: tracing, open counts, idle and
age timers, backfill and backtest. The order is that of events with the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple, Protocol, TypeVar


class OnInteraction(StrEnum):
    """What an event does to its interaction."""

    OPENS = "opens"  # an ended one begins a new episode
    CONNECTS = "connects"  # opens it unless the record is late: the user's own work has ended
    CLOSES = "closes"
    TRANSFERS = "transfers"  # ends it until it is queued, offered or accepted again
    ENDS_UNTAKEN = "ends_untaken"  # ends it unless somebody works on it or it waits elsewhere
    ENDS_RINGING = "ends_ringing"  # ends it when it rang at one user only and never waited
    UNREACHED = "unreached"  # ends it unless another user works on it
    ENDS = "ends"
    KEEPS = "keeps"


class OnActivity(StrEnum):
    """What an event does to the activity of the user it names."""

    WAITS = "waits"
    OFFERS = "offers"
    OPENS = "opens"
    CONNECTS = "connects"
    DISCONNECTS = "disconnects"
    HOLDS = "holds"
    RESUMES = "resumes"
    POSTPONES = "postpones"
    REOPENS = "reopens"
    CLOSES = "closes"
    TRANSFERS = "transfers"
    ENDS_UNTAKEN = "ends_untaken"
    EDITS = "edits"  # a complete activity of its own
    KEEPS = "keeps"


class Thing(StrEnum):
    """What an event begins or ends; orders events of one instant."""

    WAIT = "wait"
    RINGING = "ringing"
    HANDLING = "handling"
    TALK = "talk"
    HOLD = "hold"
    PAUSE = "pause"
    READY = "ready"
    LOGIN = "login"


class Effect(NamedTuple):
    """A row of the table; `begins` and `ends` name the thing for the order of one instant."""

    interaction: OnInteraction
    activity: OnActivity
    begins: Thing | None = None
    ends: Thing | None = None


_I, _A, _T = OnInteraction, OnActivity, Thing
KEEPS = Effect(_I.KEEPS, _A.KEEPS)

# Calls, emails and chats, in the order of the events of one instant.
CONTACT: dict[str, Effect] = {
    "queued": Effect(_I.OPENS, _A.WAITS, begins=_T.WAIT),
    "rejected": Effect(_I.ENDS_RINGING, _A.ENDS_UNTAKEN, ends=_T.RINGING),
    "ignored": Effect(_I.ENDS_RINGING, _A.ENDS_UNTAKEN, ends=_T.RINGING),
    "withdrawn": Effect(_I.ENDS_RINGING, _A.ENDS_UNTAKEN, ends=_T.RINGING),
    "offered": Effect(_I.OPENS, _A.OFFERS, begins=_T.RINGING),
    "dialled": Effect(_I.OPENS, _A.OPENS, begins=_T.HANDLING),
    "accepted": Effect(_I.OPENS, _A.OPENS, begins=_T.HANDLING),
    "disconnected": Effect(_I.KEEPS, _A.DISCONNECTS, ends=_T.TALK),
    "connected": Effect(_I.CONNECTS, _A.CONNECTS, begins=_T.TALK),
    "resumed": Effect(_I.KEEPS, _A.RESUMES, ends=_T.HOLD),
    "held": Effect(_I.KEEPS, _A.HOLDS, begins=_T.HOLD),
    "postponed": Effect(_I.KEEPS, _A.POSTPONES, ends=_T.HANDLING),
    "transferred": Effect(_I.TRANSFERS, _A.TRANSFERS, ends=_T.HANDLING),
    "unreached": Effect(_I.UNREACHED, _A.ENDS_UNTAKEN, ends=_T.HANDLING),
    "missed": Effect(_I.ENDS_UNTAKEN, _A.ENDS_UNTAKEN, ends=_T.WAIT),
    "abandoned": Effect(_I.ENDS_UNTAKEN, _A.ENDS_UNTAKEN, ends=_T.WAIT),
    "closed": Effect(_I.CLOSES, _A.CLOSES, ends=_T.HANDLING),
    "reopened": Effect(_I.OPENS, _A.REOPENS, begins=_T.HANDLING),
}
CHANNELS = ("call", "email", "chat")
_DIALLED = ("dialled", "unreached")  # of calls alone
_CATALOGUE: dict[str, Effect] = {
    f"{channel}.{verb}": effect
    for channel in CHANNELS
    for verb, effect in CONTACT.items()
    if channel == "call" or verb not in _DIALLED
}
EFFECTS: dict[str, Effect] = _CATALOGUE | {
    # After-call work: of the activity alone, after its end.
    "call.wrapup_started": KEEPS,
    "call.wrapup_ended": KEEPS,
    "chat.wrapup_started": KEEPS,
    "chat.wrapup_ended": KEEPS,
    "ticket.updated": Effect(_I.KEEPS, _A.EDITS),
    "ticket.closed": Effect(_I.CLOSES, _A.EDITS),
    "ticket.reopened": Effect(_I.OPENS, _A.EDITS),
    "ticket.deleted": Effect(_I.ENDS, _A.KEEPS),
    "ticket.merged": Effect(_I.ENDS, _A.KEEPS),
    "ticket.spam_marked": Effect(_I.ENDS, _A.KEEPS),
    "task.completed": Effect(_I.ENDS, _A.KEEPS),
    "session.closed": Effect(_I.CLOSES, _A.KEEPS),
    # What no longer exists is not open. (ticket.transferred keeps: a ticket neither waits nor rings,
    # so that nothing would open it again.)
    "chat.deleted": Effect(_I.ENDS, _A.KEEPS),
    "task.deleted": Effect(_I.ENDS, _A.KEEPS),
    "article.deleted": Effect(_I.ENDS, _A.KEEPS),
    "post.deleted": Effect(_I.ENDS, _A.KEEPS),
    # No interaction, but the same order within one instant.
    "agent.pause_ended": Effect(_I.KEEPS, _A.KEEPS, ends=_T.PAUSE),
    "agent.not_ready": Effect(_I.KEEPS, _A.KEEPS, ends=_T.READY),
    "agent.signed_out": Effect(_I.KEEPS, _A.KEEPS, ends=_T.LOGIN),
    "agent.signed_in": Effect(_I.KEEPS, _A.KEEPS, begins=_T.LOGIN),
    "agent.ready": Effect(_I.KEEPS, _A.KEEPS, begins=_T.READY),
    "agent.pause_started": Effect(_I.KEEPS, _A.KEEPS, begins=_T.PAUSE),
}
RESTART = "source.restarted"
_VERB_RANK = {verb: rank for rank, verb in enumerate(CONTACT, start=1)}
_RANK = {RESTART: 0} | {
    type_: _VERB_RANK.get(type_.partition(".")[2], len(CONTACT) + place)
    for place, type_ in enumerate(EFFECTS, start=1)
}


def effect_of(type_: str) -> Effect:
    """Return what events of the type do; KEEPS for a type without an effect."""
    return EFFECTS.get(type_, KEEPS)


def opens(type_: str) -> bool:
    """Say whether an event of the type opens its interaction, whatever its state."""
    return effect_of(type_).interaction is OnInteraction.OPENS


def may_end(type_: str) -> bool:
    """Say whether an event of the type ends its interaction in some state of it."""
    return effect_of(type_).interaction not in (
        OnInteraction.OPENS,
        OnInteraction.CONNECTS,
        OnInteraction.KEEPS,
    )


def ends_always(type_: str) -> bool:
    """Say whether an event of the type ends its interaction in every state of it."""
    effect = effect_of(type_).interaction
    of_channel = type_.partition(".")[0] in CHANNELS
    return effect is OnInteraction.ENDS or (effect is OnInteraction.CLOSES and not of_channel)


def rank_of(type_: str) -> int:
    """Return the place of the type among events of one instant."""
    return _RANK.get(type_, len(_RANK) + len(CONTACT))


class Event(Protocol):
    """What the life cycle reads of an event.

    `seq` is its line in a file, 0 otherwise; `file_ts` is the second of the first record of that file.
    `uid` is the number that its source gave it in the order of writing.
    """

    @property
    def source_id(self) -> int: ...
    @property
    def type(self) -> str: ...
    @property
    def time_ms(self) -> int: ...
    @property
    def seq(self) -> int: ...
    @property
    def file_ts(self) -> int | None: ...
    @property
    def uid(self) -> int | None: ...
    @property
    def external_id(self) -> str: ...
    @property
    def user_id(self) -> int | None: ...
    @property
    def queue_id(self) -> int | None: ...


E = TypeVar("E", bound=Event)
Same = Callable[[Thing, E, E], bool]


def in_order(
    events: Iterable[E], is_open: Callable[[Thing, E], bool | None], same: Same[E] | None = None
) -> Iterator[E]:
    """Yield events, given in any order, in that in which they take effect; the caller applies each before it
    takes the next.

    Events of one instant are in the order of `uid` where their source numbers all of them. Else they are in
    the order of their types, in which ends and beginnings of a thing take turns; what this leaves equal is in
    the order of the files and their lines. `is_open` says of a thing whether it is open, None where that is
    not known; `same` whether two events may be about the same thing.
    """
    for _, group in groupby(sorted(events, key=_order), key=lambda event: event.time_ms):
        instant = list(group)
        if len(instant) > 1 and _is_numbered(instant):
            yield from sorted(instant, key=lambda event: event.uid or 0)
        else:
            yield from _alternate(instant, is_open, same or same_thing)


def _order(event: Event) -> tuple[int, int, int, int, str]:
    return event.time_ms, rank_of(event.type), event.file_ts or 0, event.seq, event.external_id


def _is_numbered(instant: Sequence[Event]) -> bool:
    one_source = len({event.source_id for event in instant}) == 1
    return one_source and all(event.uid is not None for event in instant)


def same_thing(thing: Thing, one: Event, other: Event) -> bool:
    """Say whether two events may be about the same thing: its user's, or for a wait its queue's."""
    if thing is Thing.WAIT:
        return one.queue_id == other.queue_id or None in (one.queue_id, other.queue_id)
    return one.user_id == other.user_id


def _alternate(
    instant: Sequence[E], is_open: Callable[[Thing, E], bool | None], same: Same[E]
) -> Iterator[E]:
    """Yield the events of one instant so that ends and beginnings of a thing take turns.

    An end waits while its thing is not open and a beginning of the same thing follows; a beginning
    waits while its thing is open and an end of it follows.
    """
    waiting = list(instant)
    while len(waiting) > 1:
        chosen = next((n for n in range(len(waiting)) if not _waits(waiting, n, is_open, same)), 0)
        yield waiting.pop(chosen)
    yield from waiting


def _waits(waiting: list[E], n: int, is_open: Callable[[Thing, E], bool | None], same: Same[E]) -> bool:
    event = waiting[n]
    effect = effect_of(event.type)
    ends = effect.ends is not None
    thing = effect.ends or effect.begins
    if thing is None or is_open(thing, event) is not (not ends):
        return False
    subject = event.type.partition(".")[0]
    for other in waiting:
        twin = effect_of(other.type)
        opposite = twin.begins if ends else twin.ends
        if opposite is thing and other.type.partition(".")[0] == subject and same(thing, event, other):
            return True
    return False
