"""One interaction while its events are folded: what is known of it and its users' stints. Pure.

Used by `fold` alone, which decides what each event does; this module keeps the state.
"""

from __future__ import annotations

from typing import Any

from dashboard.intervals import measure
from dashboard.tracing.stint import Stint
from dashboard.tracing.types import EventRow, FoldedActivity, FoldedInteraction, Kind, State

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


def subject_of(event: EventRow) -> str:
    """Return what the event is about: call, email, chat, ticket or another first word of its type."""
    return event.type.partition(".")[0]


class Folding:
    """The interaction so far."""

    def __init__(self) -> None:
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
        self.ended: int | None = None
        self.wait_s: int | None = None
        self.waits = False  # in a queue, for the first or for another user

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

    def note(self, event: EventRow) -> None:
        """Keep on the user's stint what the event says about it beside its effect."""
        stint = self.current(event.user_id, subject_of(event))
        if stint is None:
            return
        if event.queue_id is not None and not stint.own_queue:
            stint.queue_id, stint.own_queue = event.queue_id, True
        stint.title = stint.title or text(event.data, "title", "subject")

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
        return self.new(event, event.user_id) if stint is None or stint.replaced else stint

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
        self.end(event)
        if self.answered is None:
            self.untaken = outcome
            self.wait_s = self._waited(event, event.time_ms // 1000)

    def end(self, event: EventRow) -> None:
        """The interaction ends; should somebody go on working, it has not."""
        self.waits, self.ended = False, event.time_ms // 1000
        self.reason = text(event.data, "reason", "ended_by")[:40] or self.reason

    def _waited(self, event: EventRow, until: int) -> int | None:
        given = length(event.data, "wait_s")
        since = self.offered if self.queued is None else self.queued
        return max(until - since, 0) if given is None and since is not None else given

    def result(self, first_ms: int | None) -> FoldedInteraction:
        for stint in self.stints:
            stint.settle()
        self._undo_backward()
        talks = [part for stint in self.stints for part in stint.segments[Kind.TALK]]
        return FoldedInteraction(
            channel=self._channel(self.subject, self.direction, self.queue_id),
            direction=self.direction,
            queue_id=self.queue_id,
            contact_id=self.contact_id,
            first_ms=first_ms,
            queued_ts=self.queued,
            answered_ts=self.answered,
            ended_ts=None if any(stint.live for stint in self.stints) else self.ended,
            wait_s=self.wait_s,
            talk_s=measure((part.start, part.end) for part in talks if part.end is not None),
            outcome=self.untaken if self.answered is None else "answered",
            reason=self.reason,
            activities=tuple(self._activity(stint) for stint in self.stints),
        )

    def _undo_backward(self) -> None:
        """Join a bare end with the beginning that follows it and never ends: end before start."""
        for ended in [stint for stint in self.stints if stint.bare]:
            begun = self.current(ended.user_id, ended.subject)
            if begun is not None and begun is not ended and begun.state == State.OPEN:
                begun.void(ended)
                self.ended = begun.end
                self.stints.remove(ended)

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
        )
