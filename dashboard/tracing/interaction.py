"""One interaction while its events are folded: what is known of it and its users' stints. Pure.

Used by `fold` alone, which decides what each event does; this module keeps the state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dashboard.catalog.effects import Thing
from dashboard.catalog.lifecycle import InteractionState, apply_event, is_open, subject_of
from dashboard.intervals import measure
from dashboard.tracing.stint import Lapse, Stint
from dashboard.tracing.types import (
    EventRow,
    Evidence,
    FoldedActivity,
    FoldedInteraction,
    Kind,
    Segment,
    State,
)

SEGMENT_OF = {
    Thing.RINGING: Kind.RINGING,
    Thing.HANDLING: Kind.HANDLING,
    Thing.TALK: Kind.TALK,
    Thing.HOLD: Kind.HOLD,
}

LONGEST_S = 366 * 86_400  # a longer length in an event's data is a mistake of its sender


def length(data: dict[str, Any], key: str, scale: int = 1) -> int | None:
    """Return the whole seconds that `data` gives under `key` in 1/`scale` s; None for no such number."""
    value = data.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value // scale) if 0 <= value <= LONGEST_S * scale else None


def text(data: dict[str, Any], *keys: str) -> str:
    """Return the first of the values that says something, at most 200 characters, or ""."""
    if not data:
        return ""
    for key in keys:
        value = data.get(key)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value)[:200]
    return ""


@dataclass
class Stay:
    """A stay in a queue in UTC seconds; `end` is None while it lasts, `wait_s` what it counts."""

    queue_id: int | None
    start: int
    end: int | None = None
    wait_s: int | None = None
    result: str = ""  # answered, abandoned, missed, or "" where another queue or nothing followed
    reason: str = ""


class Folding:
    """The interaction so far."""

    def __init__(self) -> None:
        self.life = InteractionState()
        self.stays: list[Stay] = []
        self.talks: list[Segment] = []  # of connections that name no user
        self.stints: list[Stint] = []
        self.latest: dict[tuple[int, str], Stint] = {}  # by user and subject; all before them are over
        self.counts: dict[int, int] = {}  # stints begun by each user
        self.subject = self.chat = self.direction = self.title = self.untaken = self.reason = ""
        self.queue_id: int | None = None  # where it was answered, else where it waited last
        self.last_queue: int | None = None
        self.contact_id: int | None = None
        self.queued: int | None = None
        self.offered: int | None = None
        self.answered: int | None = None
        self.proved_end: int | None = None  # of talk after a record that it was not answered
        self.wait_s: int | None = None  # of a contact that never stayed in a queue

    def learn(self, event: EventRow) -> None:
        """Keep what any event may say about the interaction beside its effect."""
        self.subject = self.subject or subject_of(event)
        if event.data:
            self.title = self.title or text(event.data, "title", "subject")
            if not self.direction and event.data.get("direction") in ("in", "out", "internal"):
                self.direction = event.data["direction"]
        if self.contact_id is None:
            self.contact_id = event.contact_id
        if event.queue_id is not None:
            self.last_queue = event.queue_id
            if self.queue_id is None or self.answered is None:
                self.queue_id = event.queue_id

    def is_over(self, event: EventRow, before: InteractionState) -> bool:
        """Say whether the event left nothing open of its subject: no wait, no ringing, no work."""
        parts = self.life.parts.get(subject_of(event), {}).values()
        return before.is_open and not self.life.waits and not any(part.live for part in parts)

    def is_open_unnamed(self) -> bool:
        """Say whether this is a call that was answered by somebody whom no event names, and is open."""
        working = any(part.live for parts in self.life.parts.values() for part in parts.values())
        return self.subject == "call" and self.answered is not None and self.life.is_open and not working

    def waits_since(self) -> int | None:
        """Return the second in which the first open stay in a queue began; None without one."""
        return min((stay.start for stay in self.stays if stay.end is None), default=None)

    def conclude(self, event: EventRow, own: Stint | None = None) -> None:
        """End what others left open, counted for none of them."""
        for other in self.latest.values():
            if other is not own and other.subject == subject_of(event):
                other.lapse_at(Lapse(event.time_ms // 1000))

    def note(self, event: EventRow) -> None:
        """Keep on the user's stint what the event says about it beside its effect."""
        stint = self.current(event.user_id, subject_of(event))
        if stint is None:
            return
        if event.queue_id is not None and not stint.own_queue:
            stint.queue_id, stint.own_queue = event.queue_id, True
        stint.title = stint.title or text(event.data, "title", "subject")

    def take(self, event: EventRow) -> InteractionState:
        """Apply the event to the life cycle, end the stays it ends; return the state before it."""
        before, self.life = self.life, apply_event(self.life, event)
        for queue_id in before.waits:
            if queue_id not in self.life.waits:
                self._end_stay(event, queue_id)
        return before

    def is_open(self, thing: Thing, event: EventRow) -> bool | None:
        """Say whether what the event begins or ends is open, for the order of one instant."""
        kind = SEGMENT_OF.get(thing)
        if kind is None:
            return is_open(self.life, thing, event)
        return any(stint.is_open(kind) for stint in self.targets(event))

    def wait_begins(self, event: EventRow, before: InteractionState) -> None:
        """Begin a stay in the queue of the event, unless it waits there already."""
        if event.queue_id not in before.waits:
            self.stays.append(Stay(event.queue_id, event.time_ms // 1000))
            self.untaken = self.reason = ""

    def _end_stay(self, event: EventRow, queue_id: int | None) -> None:
        at = event.time_ms // 1000
        stay = next(each for each in reversed(self.stays) if each.queue_id == queue_id)
        named = event.queue_id in (None, queue_id) or queue_id is None
        talk_s = length(event.data, "talk_s") or 0
        given = length(event.data, "wait_s") if named else None
        stay.end = at
        stay.wait_s = max(at - talk_s - stay.start, 0) if given is None else given
        verb = event.type.partition(".")[2]
        if verb in ("missed", "abandoned"):
            stay.result, stay.reason = verb, text(event.data, "reason")[:40]
        elif named:
            stay.result = "answered"

    def talk_begins(self, at: int) -> None:
        """Open talk of a connection that names no user."""
        self.talks.append(Segment(Kind.TALK, at, None))

    def talk_ends(self, at: int, talk_s: int | None) -> None:
        """End talk without a user; a reported length is the stretch before the end."""
        begun = self.talks.pop().start if self.talks and self.talks[-1].end is None else None
        if talk_s is not None or begun is not None:
            self.talks.append(Segment(Kind.TALK, begun if talk_s is None else at - talk_s, at))  # type: ignore[arg-type]

    def current(self, user_id: int | None, subject: str) -> Stint | None:
        """Return the user's latest stint, or None."""
        return None if user_id is None else self.latest.get((user_id, subject))

    def targets(self, event: EventRow) -> list[Stint]:
        """Return the live stints an event is about: its user's, or everybody's when it names none."""
        subject = subject_of(event)
        if event.user_id is not None:
            stint = self.current(event.user_id, subject)
            return [stint] if stint is not None and stint.live else []
        return [s for s in self.latest.values() if s.subject == subject and s.live and s.lapse is None]

    def stint_for(self, event: EventRow) -> Stint | None:
        """Return the user's stint, a new one when there is none or the last was ended."""
        if event.user_id is None:
            return None
        stint = self.current(event.user_id, subject_of(event))
        over = stint is None or stint.replaced or (stint.joins and self.life.is_open)
        return self.new(event, event.user_id) if stint is None or over else stint

    def stint_of(self, event: EventRow) -> Stint | None:
        """Return the latest stint of the user whom the event names, a new one when there is none."""
        if event.user_id is None:
            return None
        return self.current(event.user_id, subject_of(event)) or self.new(event, event.user_id)

    def new(self, event: EventRow, user_id: int) -> Stint:
        """Begin the user's next stint; a concluded end of the former one stands."""
        subject = subject_of(event)
        former = self.current(user_id, subject)
        if former is not None:
            former.settle()
        n = self.counts.get(user_id, 0)
        stint = Stint(user_id, n, subject, event.time_ms // 1000, self.last_queue)
        self.counts[user_id] = n + 1
        self.latest[user_id, subject] = stint
        self.stints.append(stint)
        return stint

    def answer(self, event: EventRow, talk_s: int = 0) -> None:
        """The first answer, `talk_s` before the event, ends the customer's wait."""
        if self.answered is None:
            self.answered = event.time_ms // 1000 - talk_s
            self.wait_s = self._waited(event, self.answered)
            self.reason = ""

    def untake(self, event: EventRow, outcome: str) -> None:
        """The interaction ends with nobody having taken it, unless somebody had."""
        self.reason = text(event.data, "reason", "ended_by")[:40] or self.reason
        if self.answered is None:
            self.untaken = outcome
            self.wait_s = self._waited(event, event.time_ms // 1000)

    def _waited(self, event: EventRow, until: int) -> int | None:
        given = length(event.data, "wait_s")
        if given is not None or self.offered is None:
            return given
        return max(until - self.offered, 0)

    def _stays(self) -> list[Stay]:
        """Return the ended stays in the queue that the interaction counts in."""
        mine = (None, self.queue_id)
        return [stay for stay in self.stays if stay.queue_id in mine and stay.wait_s is not None]

    def result(self, first_ms: int | None) -> FoldedInteraction:
        for stint in self.stints:
            stint.settle()
        self._undo_backward()
        for stint in self.stints:
            if not self.life.part(stint.subject, stint.user_id).live:
                stint.lapse_at(Lapse(stint.last_ms // 1000))
                stint.settle()
        for stint in self.stints:
            stint.mark_doubtful()
            stint.add_wrapup()
        talks = [part for stint in self.stints for part in stint.segments[Kind.TALK]] + self.talks
        stays, ended = self._stays(), self.life.ended_ms
        wait_s = sum(stay.wait_s or 0 for stay in stays) if stays else self.wait_s
        return FoldedInteraction(
            channel=self._channel(self.subject, self.direction, self.queue_id),
            direction=self.direction,
            queue_id=self.queue_id,
            contact_id=self.contact_id,
            first_ms=first_ms,
            queued_ts=self.queued,
            answered_ts=self.answered,
            ended_ts=None if ended is None else max(ended // 1000, self.proved_end or 0),
            wait_s=wait_s,
            talk_s=measure((part.start, part.end) for part in talks if part.end is not None),
            outcome=self.untaken if self.answered is None else "answered",
            reason=self.reason,
            timeouts=sum(stay.reason == "timeout" for stay in stays[:-1]),
            activities=tuple(self._activity(stint) for stint in self.stints),
        )

    def evidence(self) -> tuple[Evidence, ...]:
        """Return what own events show of each activity of the result, in the same order."""
        return tuple(
            Evidence(tuple(stint.acts), stint.last_ms, stint.taken_ms if stint.live else None)
            for stint in self.stints
        )

    def _undo_backward(self) -> None:
        """Join a bare end with the beginning that follows it and never ends: end before start."""
        for begun in [stint for stint in self.stints if stint.joins and stint.state == State.OPEN]:
            place = self.stints.index(begun)
            mine = [
                s for s in self.stints[:place] if (s.user_id, s.subject) == (begun.user_id, begun.subject)
            ]
            if mine and mine[-1].bare:
                begun.void(mine[-1])
                self.stints.remove(mine[-1])

    def _channel(self, subject: str, direction: str, queue_id: int | None) -> str:
        if subject == "chat":
            return self.chat or "webchat"
        return "dialled" if (subject, direction, queue_id) == ("call", "out", None) else subject

    def _activity(self, stint: Stint) -> FoldedActivity:
        segments = stint.all_segments()
        direction = stint.direction or self.direction
        return FoldedActivity(
            user_id=stint.user_id,
            n=stint.n,
            channel=self._channel(stint.subject, direction, stint.queue_id),
            direction=direction,
            state=stint.state,
            queue_id=stint.queue_id,
            contact_id=self.contact_id,
            title=stint.title or self.title,
            start=min((part.start for part in segments), default=stint.at),
            end=stint.end,
            closed=stint.closed,
            ringing_s=stint.seconds(Kind.RINGING),
            handling_s=stint.seconds(Kind.HANDLING),
            talk_s=stint.seconds(Kind.TALK),
            hold_s=stint.seconds(Kind.HOLD),
            inferred=stint.inferred or any(part.inferred for part in segments),
            segments=segments,
            wrapup=stint.wrapup[0] if stint.wrapup is not None and not stint.live else None,
        )
