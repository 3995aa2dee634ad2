"""Scenes: what people do at certain moments, at any hour of any day. Pure.

The moment of a scene is part of the ids, so that every plan of it has the same events.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from dashboard.demo.cast import ACTS, CAST, WORKERS, Act, Break, Person, customer
from dashboard.demo.story import Contact, Piece, pause
from dashboard.demo.work import Shift

LEAD_S = 1800  # everybody in a scene has been at work this long
CREW = 5  # people at work at any hour
CALLED_IN_S = 9000  # extra shifts start this long before the moment
STAY_S, LEAST_S = 13_200, 3600  # and end this long after it, or earlier before a regular shift
REST_S = 900  # minimum distance of an extra shift from another
LEAVING_S = 120  # minimum time to sign-out
MARGIN_S = 20  # between planned work and that of a scene


class Scene(NamedTuple):
    """Who is at work at a moment: `cast` get the acts in order."""

    moment: int
    cast: tuple[Shift, ...]

    def hides(self, piece: Piece) -> bool:
        """Return whether planned work is replaced by the acts of the person."""
        for number, shift in enumerate(self.cast):
            if shift.person.login == piece.login:
                acts = [act for act in ACTS if act.by == number]
                begin = self.moment - max(act.accepted or act.begun for act in acts) - MARGIN_S
                end = self.moment + max(act.left for act in acts) + MARGIN_S
                return piece.start < end and piece.end > begin
        return False

    def pieces(self) -> Iterator[Piece]:
        """Yield open calls and chats, a pause over its limit, and waiting contacts."""
        for act in ACTS:
            if act.by is None:
                yield self._piece(act, "")
            elif act.by < len(self.cast):
                shift = self.cast[act.by]
                yield _cut(self._piece(act, shift.person.login), shift.end - LEAVING_S // 2)

    def _piece(self, act: Act, login: str) -> Piece:
        at = self.moment
        queued, accepted, end = at - act.begun, at - act.accepted, at + act.left
        if isinstance(act.line, Break):
            return pause(login, act.line, queued, end)
        who = customer(at % 101 + len(act.name), act.data.get("channel", act.subject))
        contact = Contact(f"now-{at}-{act.name}", act.subject, login, act.line, who, act.data)
        if not login:
            return contact.lost(queued, end)
        if act.subject == "email":
            return contact.written(queued, accepted, end)
        return contact.answered(queued, accepted, end, act.hold)


def scene(moment: int, shifts: Sequence[Shift]) -> Scene:
    """Return the scene of a moment; `shifts` are those around it, extra ones included."""
    on = sorted(_on(moment, shifts), key=lambda shift: _first(shift.person))
    return Scene(moment, tuple(on[:CAST]))


def called(moment: int, shifts: Sequence[Shift], working: Collection[str]) -> list[Shift]:
    """Return the extra shifts with which CREW people are at work at a moment, as far as people have time.

    `shifts` are those of two days around it, `working` the logins of active users.
    """
    people = sorted((person for person in WORKERS if person.login in working), key=_first)
    free = [shift for person in people if (shift := _called(person, moment, shifts))]
    return [
        Shift(person, start - 60 * number, end + 300 * number)
        for number, (person, start, end) in enumerate(free[: max(0, CREW - len(_on(moment, shifts)))])
    ]


def _on(moment: int, shifts: Sequence[Shift]) -> list[Shift]:
    return [s for s in shifts if s.start <= moment - LEAD_S and moment + LEAVING_S < s.end]


def _called(person: Person, moment: int, shifts: Sequence[Shift]) -> Shift | None:
    """Return the extra shift around the moment for which the person has time; None if they have not."""
    theirs = [shift for shift in shifts if shift.person.login == person.login]
    start, least = moment - CALLED_IN_S, moment + LEAST_S
    if any(s.start < least + 3 * REST_S and s.end > start - 2 * REST_S for s in theirs):
        return None
    following = min((s.start for s in theirs if s.start > moment), default=moment + 2 * STAY_S)
    return Shift(person, start, min(moment + STAY_S, following - 3 * REST_S))


def _first(person: Person) -> tuple[bool, str]:
    """Sort key: agents first, so that the agent's account has an open call."""
    return (person.access != "Agent", person.login)


def _cut(piece: Piece, end: int) -> Piece:
    """Return the piece with events after `end` moved to `end`."""
    events = (replace(event, time_ms=min(event.time_ms, end * 1000)) for event in piece.events)
    return piece._replace(end=min(piece.end, end), events=tuple(events))
