"""What goes on at the very moment of a start of the demonstration, at any hour of any day. Pure.

A start's moment is kept in the ids, so a later start goes on with the same story and ends it.
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
from dashboard.demo.story import Piece, Told

BEFORE_S, AFTER_S = 1500, 540  # what the plan of the day holds around the moment gives way to this
CREW = 5  # so many are at work, whatever the hour
REST_S = 3 * 3600  # nobody is called in that close to a shift
CALLED_IN_S = 9000  # how long before the moment those were who are called in
SETTLED_S, LEAVING_S = 300, 120  # from sign-in and to sign-out, so that nobody comes or goes in the scene
MARK = "now-"


class Scene(NamedTuple):
    """Who is at work at a moment: `cast` play its story in this order, `called` were called in for it."""

    moment: int
    cast: tuple[Shift, ...]
    called: tuple[Shift, ...]

    def hides(self, piece: Piece) -> bool:
        """Tell whether the piece of the day's plan gives way to the story of the moment."""
        near = piece.start < self.moment + AFTER_S and piece.end > self.moment - BEFORE_S
        return near and any(shift.person.login == piece.login for shift in self.cast)


def scene(moment: int, plan: Sequence[Shift], working: Collection[str]) -> Scene:
    """Return the scene of a moment; `plan` holds the shifts of two days around it, `working` the logins
    of users who may still work here."""
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
    """Who signs in as an agent finds an own open call."""
    return (person.access != "Agent", person.login)


def pieces(scene: Scene) -> Iterator[Piece]:
    """Yield the story of the moment: open calls and chats, a pause over its limit, contacts that wait."""
    for act, shift in zip(ACTS, scene.cast, strict=False):
        for piece in act(scene.moment, shift.person.login):
            yield story.cut(piece, shift.end - LEAVING_S // 2)
    yield from _waiting(scene.moment)


def _told(moment: int, name: str, subject: str, login: str, line: Line, /, **data: str) -> Told:
    return Told(f"{MARK}{moment}-{name}", subject, login, line, customer(moment % 101 + len(name)), data)


def _on_call(at: int, login: str) -> Iterator[Piece]:
    call = _told(at, "call", "call", login, SUPPORT, direction="in")
    yield story.answered(call, at - 231, at - 219, at + 260)


def _on_chats(at: int, login: str) -> Iterator[Piece]:
    for name, line, channel, begun, left in (
        ("chat", WEB, "webchat", 662, 120),
        ("whatsapp", MESSENGERS, "whatsapp", 405, 260),
        ("viber", MESSENGERS, "viber", 96, 480),
    ):
        chat = _told(at, name, "chat", login, line, channel=channel)
        yield story.answered(chat, at - begun - 24, at - begun, at + left)


def _on_pause(at: int, login: str) -> Iterator[Piece]:
    yield story.pause(login, COFFEE, at - COFFEE.limit - 160 if COFFEE.limit else at - 600, at + 140)


def _writing(at: int, login: str) -> Iterator[Piece]:
    mail = _told(at, "mail", "email", login, MAIL, subject="Reklamace objednávky")
    yield story.written(mail, at - 5400, at - 411, at + 300)


def _on_call_and_chat(at: int, login: str) -> Iterator[Piece]:
    chat = _told(at, "messenger", "chat", login, MESSENGERS, channel="messenger")
    yield story.answered(chat, at - 530, at - 512, at + 200)
    call = _told(at, "billing", "call", login, BILLING, direction="in")
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
        told = _told(at, name, subject, "", line, **data)
        yield story.lost(told, at - waited, at + left)


ACTS = (_on_call, _on_chats, _on_pause, _writing, _on_call_and_chat, _at_lunch)
