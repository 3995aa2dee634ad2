"""Generates the work of a shift and the unanswered contacts of a day. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date

from dashboard import clock
from dashboard.demo import story
from dashboard.demo.cast import (
    BILLING,
    CHAT_CHANNELS,
    COFFEE,
    ERRAND,
    LUNCH,
    MAIL,
    MESSENGERS,
    SUBJECTS,
    SUPPORT,
    TICKETS,
    TRAINING,
    WEB,
    Break,
    customer,
)
from dashboard.demo.roster import Shift, dice
from dashboard.demo.story import Contact, Piece

KINDS = ("call", "dialled", "chat", "email", "ticket")
SETTLING_S = 240  # after signing in, before the first work
CLEARING_S = 150  # after the last work, before signing out
CROWD_EVERY = 29  # one in this many shifts has six concurrent chats


def work(shift: Shift) -> Iterator[Piece]:
    """Yield everything a person does in a shift: presence, pauses, and work between them."""
    roll = dice("work", shift.start, shift.person.login)
    yield from story.attendance(shift.person.login, shift.start, shift.end)
    at = shift.start + SETTLING_S
    crowd = roll.randrange(CROWD_EVERY) == 0
    for start, end, kind in _breaks(shift, roll):
        while start - at > 420:
            chosen = roll.choices(KINDS, shift.person.likes)[0]
            done = list(_one(chosen, shift, at, start, 6 if crowd and chosen == "chat" else 0, roll))
            crowd = crowd and chosen != "chat"
            yield from done
            pace = 420 if shift.person.crew == "night" else 150
            at = max([at + 60, *(piece.end for piece in done if piece.login)]) + roll.randint(15, pace)
        if kind is not None:
            yield story.pause(shift.person.login, kind, max(at, start), max(at, start) + end - start)
            at = max(at, start) + end - start + roll.randint(10, 90)


def _breaks(shift: Shift, roll: random.Random) -> list[tuple[int, int, Break | None]]:
    """Return (start, end, kind) of the shift's pauses, then its end. Some pauses exceed their limit."""
    length = shift.end - shift.start
    found: list[tuple[int, int, Break | None]] = []
    for share, kind, low, high in (
        (0.24, COFFEE, 540, 1000),
        (0.47, LUNCH, 1500, 1900),
        (0.74, COFFEE, 420, 960),
    ):
        start = shift.start + int(length * share) + roll.randint(-900, 900)
        found.append((start, start + roll.randint(low, high), kind))
    if roll.random() < 0.3:
        start = shift.start + int(length * 0.88)
        found.append((start, start + roll.randint(300, 1500), roll.choice((TRAINING, ERRAND))))
    return [*found, (shift.end - CLEARING_S, shift.end, None)]


def _one(kind: str, shift: Shift, at: int, until: int, crowd: int, roll: random.Random) -> Iterator[Piece]:
    """Yield one piece of work that starts at about `at` and ends before `until`."""
    login = shift.person.login
    contact = Contact(f"{kind}-{login}-{at}", kind, login, customer=customer(roll.randrange(120)))
    room = until - at - 60
    if kind == "chat":
        yield from _chats(login, at, until, crowd or roll.choice((1, 1, 2, 2, 3)), roll)
    elif kind == "call":
        yield from _call(contact, at, room, roll)
    elif kind == "dialled":
        reached = roll.random() < 0.7
        end = at + min(room, roll.randint(70, 540) if reached else roll.randint(18, 45))
        yield story.dialled(contact._replace(subject="call"), at, end, reached)
    elif kind == "email":
        subject = roll.choice(SUBJECTS)
        aside = roll.choice((0, 0, 0, 0, 150, 300))
        end = at + min(room, roll.randint(200, 900) + aside)
        mail = contact._replace(line=MAIL, data={"subject": subject})
        yield story.written(mail, at - roll.randint(600, 9000), at, end, aside)
    else:
        ticket = contact._replace(
            line=TICKETS, data={"number": 4000 + at % 5000, "title": roll.choice(SUBJECTS)}
        )
        yield story.edited(ticket, at, at + min(room, roll.randint(40, 300)), roll.random() < 0.45)


def _call(contact: Contact, at: int, room: int, roll: random.Random) -> Iterator[Piece]:
    contact = contact._replace(line=roll.choice((SUPPORT, SUPPORT, BILLING)), data={"direction": "in"})
    fate = roll.random()
    queued = at - roll.choice((4, 6, 7, 8, 9, 11, 12, 14, 15, 18, 40, 75))
    end = at + min(room, roll.randint(90, 560))
    if fate < 0.05:
        yield story.refused(contact, at, roll.choice(("rejected", "ignored")))
    elif fate < 0.10 and end - at > 200:
        yield story.handed_out(contact, queued, at, end)
    elif fate < 0.12:
        yield story.dropped(contact, queued, at, end)
    else:
        yield story.answered(contact, queued, at, end, hold=roll.choice((0, 0, 0, 35, 80)))


def _chats(login: str, at: int, until: int, count: int, roll: random.Random) -> Iterator[Piece]:
    """Yield overlapping chats on random channels."""
    for number in range(count):
        start = at + number * roll.randint(20, 120)
        end = min(until - 30, start + roll.randint(180, 640) + (240 if count > 3 else 0))
        if end - start > 60:
            channel = roll.choice(CHAT_CHANNELS)
            contact = Contact(
                f"chat-{login}-{start}",
                "chat",
                login,
                WEB if channel == "webchat" else MESSENGERS,
                customer(roll.randrange(120)),
                {"channel": channel},
            )
            yield story.answered(contact, start - roll.choice((5, 8, 9, 14, 20, 25, 45, 70)), start, end)


def untaken(day: date, zone: str) -> Iterator[Piece]:
    """Yield the unanswered contacts of the day: abandoned, outside opening hours, or a full queue."""
    roll = dice("untaken", day)
    for slot in clock.hours(clock.day(day, zone), zone):
        office = 7 <= int(slot.label) < 21
        for number in range(roll.randint(0, 2 if office else 1)):
            at = slot.start + roll.randrange(max(1, slot.end - slot.start))
            line = roll.choice((SUPPORT, SUPPORT, BILLING, WEB))
            contact = Contact(
                f"lost-{at}-{number}",
                "chat" if line is WEB else "call",
                line=line,
                customer=customer(roll.randrange(120)),
                data={"channel": "webchat"} if line is WEB else {"direction": "in"},
            )
            if line is BILLING and not office:
                yield story.turned_away(contact, at, "closed")
            elif roll.random() < 0.08:
                yield story.turned_away(contact, at, "full")
            else:
                yield story.lost(contact, at, at + roll.randint(12, 190))
