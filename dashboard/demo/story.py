"""Pieces of a working day as events: a call, a chat, an e-mail, a pause. Pure.

Times are UTC seconds. Ids follow from the arguments alone, so the same piece told twice is one.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import msgspec

from dashboard.demo.cast import Break, Line
from dashboard.ingest.schema import NewEvent


class Piece(NamedTuple):
    """Events that stand or fall together; `login` is at it in [start, end), nobody where "" stands."""

    login: str
    start: int
    end: int
    events: tuple[NewEvent, ...]


class Told(NamedTuple):
    """An interaction to be told: who, where, which customer, what about."""

    ident: str
    subject: str  # call, chat, email, ticket
    login: str = ""
    line: Line | None = None
    customer: dict[str, str] | None = None
    data: dict[str, Any] = {}  # noqa: RUF012 - never changed

    def event(self, at: int, verb: str, login: str | None = None, **data: Any) -> NewEvent:
        """Return the event `verb` at `at`, of the teller's user unless `login` says another ("" = none)."""
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


def answered(told: Told, queued: int, accepted: int, closed: int, hold: int = 0) -> Piece:
    """A contact waits from `queued`, is taken at `accepted`, talks until 30 s before `closed`;
    a call may be held for `hold` seconds in its middle."""
    talk_end = max(accepted + 5, closed - 30)
    events = [
        told.event(queued, "queued", ""),
        told.event(max(queued, accepted - 6), "offered"),
        told.event(accepted, "accepted", connected=True),
    ]
    if hold and talk_end - accepted > hold + 60:
        middle = (accepted + talk_end) // 2
        events += [told.event(middle, "held"), told.event(middle + hold, "resumed")]
    events += [told.event(talk_end, "disconnected"), told.event(closed, "closed", ended_by="customer")]
    return told.piece(accepted - 6, closed, *events)


def handed_out(told: Told, queued: int, accepted: int, at: int) -> Piece:
    """A call that its taker passes on to a number outside at `at`."""
    return told.piece(
        accepted - 6,
        at,
        told.event(queued, "queued", ""),
        told.event(max(queued, accepted - 6), "offered"),
        told.event(accepted, "accepted", connected=True),
        told.event(at, "transferred", to="+420770123456", attended=False),
    )


def dropped(told: Told, queued: int, accepted: int, at: int) -> Piece:
    """A call whose end only the exchange reported: that its taker's work ended with it is concluded."""
    return told.piece(
        accepted - 6,
        at,
        told.event(queued, "queued", ""),
        told.event(accepted, "accepted", connected=True),
        told.event(at, "closed", "", ended_by="system"),
    )


def refused(told: Told, at: int, verb: str) -> Piece:
    """It rings for ten seconds and is rejected or ignored; the caller gives up a little later."""
    return told.piece(
        at,
        at + 11,
        told.event(at - 15, "queued", ""),
        told.event(at, "offered"),
        told.event(at + 10, verb),
        told.event(at + 30, "abandoned", ""),
    )


def lost(told: Told, queued: int, at: int, verb: str = "abandoned", **data: Any) -> Piece:
    """A contact that nobody takes."""
    ends = told.event(at, verb, "", wait_s=at - queued, **data)
    return Piece("", queued, at, (told.event(queued, "queued", ""), ends))


def turned_away(told: Told, at: int, reason: str) -> Piece:
    """A contact that the queue does not take in: closed or full."""
    return Piece("", at, at, (told.event(at, "missed", "", reason=reason),))


def dialled(told: Told, start: int, end: int, reached: bool) -> Piece:
    """A call out, in no queue."""
    out = told._replace(line=None, data={**told.data, "direction": "out"})
    if not reached:
        return out.piece(start, end, out.event(start, "dialled"), out.event(end, "unreached", reason="busy"))
    return out.piece(
        start,
        end,
        out.event(start, "dialled"),
        out.event(start + 14, "connected"),
        out.event(end, "closed", ended_by="customer"),
    )


def written(told: Told, queued: int, start: int, end: int, postponed: int = 0) -> Piece:
    """An e-mail answered in [start, end), put aside for `postponed` seconds in between."""
    events = [told.event(queued, "queued", ""), told.event(start, "accepted")]
    if postponed and end - start > postponed + 240:
        middle = start + 120
        events += [told.event(middle, "postponed"), told.event(middle + postponed, "reopened")]
    return told.piece(start, end, *events, told.event(end, "closed"))


def edited(told: Told, start: int, end: int, closed: bool) -> Piece:
    """A ticket worked on in [start, end)."""
    verb = "closed" if closed else "updated"
    return told.piece(start, end, told.event(end, verb, seconds=end - start))


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
    """Return a shift's sign-in, readiness and sign-out, each standing for itself."""
    moments = ((start, "signed_in"), (start + 60, "ready"), (end - 40, "not_ready"), (end, "signed_out"))
    return [Piece("", at, at, (presence(login, at, verb),)) for at, verb in moments]


def cut(piece: Piece, end: int) -> Piece:
    """Return the piece with what would come after `end` happening at `end`."""
    events = (
        msgspec.structs.replace(event, time_ms=min(event.time_ms, end * 1000)) for event in piece.events
    )
    return piece._replace(end=min(piece.end, end), events=tuple(events))
