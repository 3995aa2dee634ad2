"""Generates activity at the time of a run, at any hour of any day. Pure.

The time of a run is part of the ids, so that a later run completes the same activities.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import msgspec

from dashboard.demo.cast import SCENES, WAITING, WORKERS, Act, Break, Person, customer
from dashboard.demo.story import Contact, Piece, pause
from dashboard.demo.work import Shift

BEFORE_S, AFTER_S = 1500, 540  # planned work in this range around the time of a run is replaced
CREW = 5  # people at work at any hour
REST_S = 3 * 3600  # minimum distance of an extra shift from a regular one
CALLED_IN_S = 9000  # extra shifts start this long before the time of the run
SETTLED_S, LEAVING_S = 300, 120  # minimum time from sign-in and to sign-out
MARK = "now-"  # prefix of the ids, before the time of the run


class Scene(NamedTuple):
    """Who is at work at a moment: `cast` get the scenes in order; `called` are extra shifts."""

    moment: int
    cast: tuple[Shift, ...]
    called: tuple[Shift, ...]

    def hides(self, piece: Piece) -> bool:
        """Return whether planned work is replaced by the activity of the moment."""
        near = piece.start < self.moment + AFTER_S and piece.end > self.moment - BEFORE_S
        return near and any(shift.person.login == piece.login for shift in self.cast)

    def pieces(self) -> Iterator[Piece]:
        """Yield open calls and chats, a pause over its limit, and waiting contacts."""
        for acts, shift in zip(SCENES, self.cast, strict=False):
            last = shift.end - LEAVING_S // 2
            for act in acts:
                yield _cut(self._piece(act, shift.person.login), last)
        for act in WAITING:
            yield self._piece(act, "")

    def _piece(self, act: Act, login: str) -> Piece:
        at = self.moment
        queued, accepted, end = at - act.begun, at - act.accepted, at + act.left
        if isinstance(act.line, Break):
            return pause(login, act.line, queued, end)
        who = customer(at % 101 + len(act.name))
        contact = Contact(f"{MARK}{at}-{act.name}", act.subject, login, act.line, who, act.data)
        if not act.accepted:
            return contact.lost(queued, end)
        if act.subject == "email":
            return contact.written(queued, accepted, end)
        return contact.answered(queued, accepted, end, act.hold)


def scene(moment: int, plan: Sequence[Shift], working: Collection[str]) -> Scene:
    """Return the scene of a moment. `plan` are the shifts of two days around it, `working` the logins of
    active users."""
    plan = [shift for shift in plan if shift.person.login in working]
    on = [s for s in plan if s.start <= moment - BEFORE_S - SETTLED_S and moment + LEAVING_S < s.end]
    taken = {s.person.login for s in plan if s.start - REST_S < moment < s.end + REST_S}
    free = sorted((p for p in WORKERS if p.login in working and p.login not in taken), key=_first)
    called = tuple(
        Shift(person, moment - CALLED_IN_S - 60 * number, moment + 3600 + 300 * number)
        for number, person in enumerate(free[: max(0, CREW - len(on))])
    )
    everyone = sorted([*on, *called], key=lambda shift: _first(shift.person))
    return Scene(moment, tuple(everyone[: len(SCENES)]), called)


def _first(person: Person) -> tuple[bool, str]:
    """Sort key: agents first, so that the agent's account has an open call."""
    return (person.access != "Agent", person.login)


def _cut(piece: Piece, end: int) -> Piece:
    """Return the piece with events after `end` moved to `end`."""
    events = (
        msgspec.structs.replace(event, time_ms=min(event.time_ms, end * 1000)) for event in piece.events
    )
    return piece._replace(end=min(piece.end, end), events=tuple(events))
