"""Builds the events of an interaction or a pause. Pure.

Times are UTC epoch seconds. Ids depend only on the arguments, so repeated events are idempotent.
"""

from __future__ import annotations

import json
from hashlib import blake2s
from typing import Any, NamedTuple

from msgspec.structs import replace

from dashboard.demo.cast import Break, Line
from dashboard.ingest.schema import NewEvent

Step = tuple[int, str, dict[str, Any]]  # time, verb, data
OF_CUSTOMERS = ("queued", "abandoned", "missed", "created", "message_received")
SYSTEM = {"ended_by": "system"}
MESSAGE_EVERY_S = 15  # in a chat


class Piece(NamedTuple):
    """Events of one activity; the user `login` ("" = none) is occupied in [start, end)."""

    login: str
    start: int
    end: int
    events: tuple[NewEvent, ...]


class Contact(NamedTuple):
    """An interaction: user, queue, customer and data. `ident` is the seed of its name."""

    ident: str
    subject: str  # call, chat, email, ticket
    login: str
    line: Line | None
    customer: dict[str, str]
    data: dict[str, Any]

    @property
    def name(self) -> str:
        """The name that events have, which says nothing of what is going to happen."""
        return f"{self.subject}-{blake2s(self.ident.encode(), digest_size=5).hexdigest()}"

    def piece(self, start: int, end: int, *steps: Step) -> Piece:
        """Return the piece with an event for each step, by the interaction's user.

        What the customer or system does (OF_CUSTOMERS and `SYSTEM` data) is recorded without a user.
        """
        name = self.name
        return Piece(self.login, start, end, tuple(self._event(name, *step) for step in steps))

    def _event(self, name: str, at: int, verb: str, data: dict[str, Any]) -> NewEvent:
        nobody = verb in OF_CUSTOMERS or data == SYSTEM
        return NewEvent(
            id=f"{name}:{verb}:{at}",
            type=f"{self.subject}.{verb}",
            time_ms=at * 1000,
            user=None if nobody else self.login,
            queue=self.line.name if self.line else None,
            interaction=name,
            contact=self.customer,
            data=json.dumps({**self.data, **data}, ensure_ascii=False),
        )

    def answered(self, queued: int, accepted: int, closed: int, hold: int = 0) -> Piece:
        """Wait from `queued` to `accepted`, talk until 30 s before `closed`, `hold` seconds on hold."""
        talk_end = max(accepted + 5, closed - 30)
        middle = (accepted + talk_end) // 2
        held = hold and talk_end - accepted > hold + 60
        return self.piece(
            accepted - 6,
            closed,
            (queued, "queued", {}),
            (max(queued, accepted - 6), "offered", {}),
            (accepted, "accepted", {"connected": True}),
            *([(middle, "held", {}), (middle + hold, "resumed", {})] if held else []),
            (talk_end, "disconnected", {}),
            (closed, "closed", {"ended_by": "customer"}),
        )

    def written(self, queued: int, start: int, end: int, postponed: int = 0) -> Piece:
        """Answer an email in [start, end), postponed for `postponed` seconds in between."""
        middle = start + 120
        aside = postponed and end - start > postponed + 240
        return self.piece(
            start,
            end,
            (queued, "queued", {}),
            (start, "accepted", {}),
            *([(middle, "postponed", {}), (middle + postponed, "reopened", {})] if aside else []),
            (end, "closed", {}),
        )

    def ticketed(self, created: int, start: int, end: int, closed: int) -> Piece:
        """Work on a ticket of `created` in [start, end); it is closed then or later, at `closed`."""
        seconds = {"seconds": end - start}
        updated = [(end, "updated", seconds)] if closed > end else []
        return self.piece(
            start, end, (created, "created", {}), *updated, (closed, "closed", {} if updated else seconds)
        )

    def lost(self, queued: int, at: int) -> Piece:
        return self.piece(queued, at, (queued, "queued", {}), (at, "abandoned", {"wait_s": at - queued}))


def with_messages(piece: Piece, since: int) -> Piece:
    """Return a chat with what customer and user write to each other from `since` on; others as they are."""
    steps = {event.type: event for event in piece.events}
    if "chat.accepted" not in steps or "chat.disconnected" not in steps:
        return piece
    start, end = steps["chat.accepted"].time_ms // 1000, steps["chat.disconnected"].time_ms // 1000
    written = []
    for number, at in enumerate(range(start + 7, end, MESSAGE_EVERY_S)):
        verb, like = ("sent", "chat.accepted") if number % 3 == 1 else ("received", "chat.queued")
        if at >= since:
            ident = f"{steps[like].interaction}:{verb}:{at}"
            written.append(replace(steps[like], id=ident, type=f"chat.message_{verb}", time_ms=at * 1000))
    return piece._replace(events=(*piece.events, *written))


def presence(login: str, at: int, verb: str, **data: Any) -> NewEvent:
    return NewEvent(
        id=f"{login}:{verb}:{at}", type=f"agent.{verb}", time_ms=at * 1000, user=login, data=json.dumps(data)
    )


def pause(login: str, kind: Break, start: int, end: int) -> Piece:
    begun = presence(login, start, "pause_started", pause=kind.name, paid=kind.paid)
    return Piece(login, start, end, (begun, presence(login, end, "pause_ended")))
