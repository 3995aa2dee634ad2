"""Generates activity at the time of a run, at any hour of any day. Pure.

The time of a run is part of the ids, so that a later run completes the same activities.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from dashboard.demo import story
from dashboard.demo.cast import (
    BILLING,
    COFFEE,
    LUNCH,
    MAIL,
    MESSENGERS,
    SUPPORT,
    WEB,
    WORKERS,
    Line,
    Person,
    customer,
)
from dashboard.demo.roster import Shift
from dashboard.demo.story import Contact, Piece

BEFORE_S, AFTER_S = 1500, 540  # planned work in this range around the moment is replaced
CREW = 5  # people at work at any hour
REST_S = 3 * 3600  # minimum distance of an extra shift from a regular one
CALLED_IN_S = 9000  # extra shifts start this long before the moment
SETTLED_S, LEAVING_S = 300, 120  # minimum time from sign-in and to sign-out
MARK = "now-"


class Scene(NamedTuple):
    """Who is at work at a moment: `cast` get the activities in order; `called` are extra shifts."""

    moment: int
    cast: tuple[Shift, ...]
    called: tuple[Shift, ...]

    def hides(self, piece: Piece) -> bool:
        """Return whether planned work is replaced by the activity of the moment."""
        near = piece.start < self.moment + AFTER_S and piece.end > self.moment - BEFORE_S
        return near and any(shift.person.login == piece.login for shift in self.cast)


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
    return Scene(moment, tuple(everyone[: len(ACTS)]), called)


def _first(person: Person) -> tuple[bool, str]:
    """Sort key: agents first, so that the agent's account has an open call."""
    return (person.access != "Agent", person.login)


def pieces(scene: Scene) -> Iterator[Piece]:
    """Yield open calls and chats, a pause over its limit, and waiting contacts."""
    for act, shift in zip(ACTS, scene.cast, strict=False):
        for piece in act(scene.moment, shift.person.login):
            yield story.cut(piece, shift.end - LEAVING_S // 2)
    yield from _waiting(scene.moment)


def _contact(moment: int, name: str, subject: str, login: str, line: Line, /, **data: str) -> Contact:
    return Contact(f"{MARK}{moment}-{name}", subject, login, line, customer(moment % 101 + len(name)), data)


def _on_call(at: int, login: str) -> Iterator[Piece]:
    call = _contact(at, "call", "call", login, SUPPORT, direction="in")
    yield story.answered(call, at - 231, at - 219, at + 260)


def _on_chats(at: int, login: str) -> Iterator[Piece]:
    for name, line, channel, begun, left in (
        ("chat", WEB, "webchat", 662, 120),
        ("whatsapp", MESSENGERS, "whatsapp", 405, 260),
        ("viber", MESSENGERS, "viber", 96, 480),
    ):
        chat = _contact(at, name, "chat", login, line, channel=channel)
        yield story.answered(chat, at - begun - 24, at - begun, at + left)


def _on_pause(at: int, login: str) -> Iterator[Piece]:
    yield story.pause(login, COFFEE, at - COFFEE.limit - 160 if COFFEE.limit else at - 600, at + 140)


def _writing(at: int, login: str) -> Iterator[Piece]:
    mail = _contact(at, "mail", "email", login, MAIL, subject="Reklamace objednávky")
    yield story.written(mail, at - 5400, at - 411, at + 300)


def _on_call_and_chat(at: int, login: str) -> Iterator[Piece]:
    chat = _contact(at, "messenger", "chat", login, MESSENGERS, channel="messenger")
    yield story.answered(chat, at - 530, at - 512, at + 200)
    call = _contact(at, "billing", "call", login, BILLING, direction="in")
    yield story.answered(call, at - 103, at - 95, at + 330, hold=60)


def _at_lunch(at: int, login: str) -> Iterator[Piece]:
    yield story.pause(login, LUNCH, at - 660, at + 480)


def _waiting(at: int) -> Iterator[Piece]:
    for name, subject, line, waited, left, data in (
        ("waits-1", "call", SUPPORT, 97, 45, {"direction": "in"}),
        ("waits-2", "call", SUPPORT, 14, 60, {"direction": "in"}),
        ("waits-3", "chat", WEB, 38, 150, {"channel": "webchat"}),
        ("waits-4", "email", MAIL, 4300, 2400, {"subject": "請求書について"}),
        ("waits-5", "email", MAIL, 1260, 3000, {"subject": "Change of address"}),
        ("waits-6", "email", MAIL, 320, 3600, {"subject": "Dotaz na fakturu"}),
    ):
        contact = _contact(at, name, subject, "", line, **data)
        yield story.lost(contact, at - waited, at + left)


ACTS = (_on_call, _on_chats, _on_pause, _writing, _on_call_and_chat, _at_lunch)
