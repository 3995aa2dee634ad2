"""Builds the events of a call, a chat, an email, a ticket or a pause. Pure.

Times are UTC epoch seconds. Ids depend only on the arguments, so repeated events are idempotent.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import msgspec

from dashboard.demo.cast import Break, Line
from dashboard.ingest.schema import NewEvent


class Piece(NamedTuple):
    """Events of one activity; the user `login` ("" = none) is occupied in [start, end)."""

    login: str
    start: int
    end: int
    events: tuple[NewEvent, ...]


class Contact(NamedTuple):
    """An interaction: user, queue, customer and data."""

    ident: str
    subject: str  # call, chat, email, ticket
    login: str = ""
    line: Line | None = None
    customer: dict[str, str] | None = None
    data: dict[str, Any] = {}  # noqa: RUF012 - never changed

    def event(self, at: int, verb: str, login: str | None = None, **data: Any) -> NewEvent:
        """Return the event `verb` at `at` of the interaction's user, or of `login` if given ("" = none)."""
        user = self.login if login is None else login
        return NewEvent(
            id=f"{self.ident}:{verb}:{at}",
            type=f"{self.subject}.{verb}",
            time_ms=at * 1000,
            user=user or None,
            queue=self.line.name if self.line else None,
            interaction=self.ident,
            contact=self.customer,
            data=json.dumps({**self.data, **data}, ensure_ascii=False),
        )

    def piece(self, start: int, end: int, *events: NewEvent) -> Piece:
        return Piece(self.login, start, end, events)


def answered(contact: Contact, queued: int, accepted: int, closed: int, hold: int = 0) -> Piece:
    """A contact waits from `queued`, is accepted at `accepted` and talks until 30 s before `closed`.
    A call is on hold for `hold` seconds in the middle."""
    talk_end = max(accepted + 5, closed - 30)
    events = [
        contact.event(queued, "queued", ""),
        contact.event(max(queued, accepted - 6), "offered"),
        contact.event(accepted, "accepted", connected=True),
    ]
    if hold and talk_end - accepted > hold + 60:
        middle = (accepted + talk_end) // 2
        events += [contact.event(middle, "held"), contact.event(middle + hold, "resumed")]
    events += [contact.event(talk_end, "disconnected"), contact.event(closed, "closed", ended_by="customer")]
    return contact.piece(accepted - 6, closed, *events)


def handed_out(contact: Contact, queued: int, accepted: int, at: int) -> Piece:
    """A call that the agent transfers to an external number at `at`."""
    return contact.piece(
        accepted - 6,
        at,
        contact.event(queued, "queued", ""),
        contact.event(max(queued, accepted - 6), "offered"),
        contact.event(accepted, "accepted", connected=True),
        contact.event(at, "transferred", to="+420770123456", attended=False),
    )


def dropped(contact: Contact, queued: int, accepted: int, at: int) -> Piece:
    """A call whose end is reported without the agent: the end of the agent's work is inferred."""
    return contact.piece(
        accepted - 6,
        at,
        contact.event(queued, "queued", ""),
        contact.event(accepted, "accepted", connected=True),
        contact.event(at, "closed", "", ended_by="system"),
    )


def refused(contact: Contact, at: int, verb: str) -> Piece:
    """A call that rings for ten seconds and is rejected or ignored, and then abandoned."""
    return contact.piece(
        at,
        at + 11,
        contact.event(at - 15, "queued", ""),
        contact.event(at, "offered"),
        contact.event(at + 10, verb),
        contact.event(at + 30, "abandoned", ""),
    )


def lost(contact: Contact, queued: int, at: int, verb: str = "abandoned", **data: Any) -> Piece:
    """A contact that is not answered."""
    ends = contact.event(at, verb, "", wait_s=at - queued, **data)
    return Piece("", queued, at, (contact.event(queued, "queued", ""), ends))


def turned_away(contact: Contact, at: int, reason: str) -> Piece:
    """A contact that the queue does not accept: closed or full."""
    return Piece("", at, at, (contact.event(at, "missed", "", reason=reason),))


def dialled(contact: Contact, start: int, end: int, reached: bool) -> Piece:
    """An outgoing call without a queue."""
    out = contact._replace(line=None, data={**contact.data, "direction": "out"})
    if not reached:
        return out.piece(start, end, out.event(start, "dialled"), out.event(end, "unreached", reason="busy"))
    return out.piece(
        start,
        end,
        out.event(start, "dialled"),
        out.event(start + 14, "connected"),
        out.event(end, "closed", ended_by="customer"),
    )


def written(contact: Contact, queued: int, start: int, end: int, postponed: int = 0) -> Piece:
    """An email answered in [start, end), postponed for `postponed` seconds in between."""
    events = [contact.event(queued, "queued", ""), contact.event(start, "accepted")]
    if postponed and end - start > postponed + 240:
        middle = start + 120
        events += [contact.event(middle, "postponed"), contact.event(middle + postponed, "reopened")]
    return contact.piece(start, end, *events, contact.event(end, "closed"))


def edited(contact: Contact, start: int, end: int, closed: bool) -> Piece:
    """A ticket worked on in [start, end)."""
    verb = "closed" if closed else "updated"
    return contact.piece(start, end, contact.event(end, verb, seconds=end - start))


def pause(login: str, kind: Break, start: int, end: int) -> Piece:
    return Piece(
        login,
        start,
        end,
        (
            presence(login, start, "pause_started", pause=kind.name, paid=kind.paid),
            presence(login, end, "pause_ended"),
        ),
    )


def presence(login: str, at: int, verb: str, **data: Any) -> NewEvent:
    return NewEvent(
        id=f"{login}:{verb}:{at}", type=f"agent.{verb}", time_ms=at * 1000, user=login, data=json.dumps(data)
    )


def attendance(login: str, start: int, end: int) -> list[Piece]:
    """Return the sign-in, ready and sign-out events of a shift, each as a separate piece."""
    moments = ((start, "signed_in"), (start + 60, "ready"), (end - 40, "not_ready"), (end, "signed_out"))
    return [Piece("", at, at, (presence(login, at, verb),)) for at, verb in moments]


def cut(piece: Piece, end: int) -> Piece:
    """Return the piece with events after `end` moved to `end`."""
    events = (
        msgspec.structs.replace(event, time_ms=min(event.time_ms, end * 1000)) for event in piece.events
    )
    return piece._replace(end=min(piece.end, end), events=tuple(events))
