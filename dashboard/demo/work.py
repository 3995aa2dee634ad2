"""Generates shifts, the work in them, and the unanswered contacts of a day. Pure.

Random choices are seeded with the date or the shift, so that every run generates the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from dashboard import clock
from dashboard.demo import cast
from dashboard.demo.cast import BILLING, MAIL, MESSENGERS, SUPPORT, TICKETS, WEB, Break, Person
from dashboard.demo.story import SYSTEM, Contact, Piece, Step, pause, presence

EARLY, DAY, LATE, NIGHT = (
    (time(6), time(14, 30)),
    (time(8), time(16, 30)),
    (time(13, 30), time(22)),
    (time(21, 45), time(6, 15)),
)
# share of the shift, pause type, shortest and longest in seconds; some exceed the type's limit
PAUSES = ((0.24, cast.COFFEE, 540, 1000), (0.47, cast.LUNCH, 1500, 1900), (0.74, cast.COFFEE, 420, 960))
KINDS = ("call", "dialled", "chat", "email", "ticket")
PACES = {"night": 420, "called": 45}  # s between two pieces of work at most, by crew; of others 150
SETTLING_S = 240  # after signing in, before the first work
CLEARING_S = 150  # after the last work, before signing out
CROWD_EVERY = 29  # one in this many shifts has six concurrent chats


class Shift(NamedTuple):
    """A person's working time from sign-in to sign-out."""

    person: Person
    start: int
    end: int


def dice(*words: object) -> random.Random:
    """Return a random generator seeded with the words."""
    return random.Random(" ".join(map(str, words)))  # noqa: S311 - reproducible, not a secret


def shifts(day: date, zone: str) -> list[Shift]:
    """Return the shifts that start on the local date; night shifts end on the next."""
    found = []
    for number, person in enumerate(cast.WORKERS):
        hours = _hours(person, number, day)
        if hours is not None:
            roll = dice("shift", day, person.login)
            until = day if hours[0] < hours[1] else day + timedelta(days=1)
            start = clock.resolve(datetime.combine(day, hours[0]), zone) + roll.randint(-240, 200)
            end = clock.resolve(datetime.combine(until, hours[1]), zone) + roll.randint(-100, 400)
            found.append(Shift(person, start, end))
    return found


def _hours(person: Person, number: int, day: date) -> tuple[time, time] | None:
    week = day.isocalendar().week
    if person.crew == "night":
        return NIGHT if day.toordinal() % 2 == number % 2 else None
    if day.weekday() >= 5:
        return (EARLY if number % 2 else LATE) if (week + number) % 3 == 0 else None
    if person.crew in ("day", "gone"):
        return DAY
    if day.weekday() == number % 5 and (week + number) % 2:
        return None
    return LATE if (week + number) % 2 else EARLY


def work(shift: Shift) -> Iterator[Piece]:
    """Yield everything a person does in a shift: presence, pauses, and work between them."""
    login, likes = shift.person.login, shift.person.likes
    roll = dice("work", shift.start, login)
    for at, verb in (
        (shift.start, "signed_in"),
        (shift.start + 60, "ready"),
        (shift.end - 40, "not_ready"),
        (shift.end, "signed_out"),
    ):
        yield Piece("", at, at, (presence(login, at, verb),))
    at = shift.start + SETTLING_S
    crowd = roll.randrange(CROWD_EVERY) == 0
    for start, end, kind in _breaks(shift, roll):
        while start - at > 420:
            chosen = roll.choices(KINDS, likes)[0]
            done = list(_one(chosen, login, at, start, 6 if crowd and chosen == "chat" else 0, roll))
            crowd = crowd and chosen != "chat"
            yield from done
            pace = PACES.get(shift.person.crew, 150)
            at = max([at + 60, *(piece.end for piece in done)]) + roll.randint(15, pace)
        if kind is not None:
            yield pause(login, kind, max(at, start), max(at, start) + end - start)
            at = max(at, start) + end - start + roll.randint(10, 90)


def _breaks(shift: Shift, roll: random.Random) -> list[tuple[int, int, Break | None]]:
    """Return (start, end, kind) of the shift's pauses, then its end."""
    length = shift.end - shift.start
    found: list[tuple[int, int, Break | None]] = []
    for share, kind, low, high in PAUSES:
        start = shift.start + int(length * share) + roll.randint(-900, 900)
        found.append((start, start + roll.randint(low, high), kind))
    if roll.random() < 0.3:
        start = shift.start + int(length * 0.88)
        found.append((start, start + roll.randint(300, 1500), roll.choice((cast.TRAINING, cast.ERRAND))))
    return [*found, (shift.end - CLEARING_S, shift.end, None)]


def _one(kind: str, login: str, at: int, until: int, crowd: int, roll: random.Random) -> Iterator[Piece]:
    """Yield one piece of work that starts at about `at` and ends before `until`."""
    customer = cast.customer(roll.randrange(120), kind)
    contact = Contact(f"{kind}-{login}-{at}", kind, login, None, customer, {})
    room = until - at - 60
    if kind == "chat":
        yield from _chats(login, at, until, crowd or roll.choice((1, 1, 2, 2, 3)), roll)
    elif kind == "call":
        yield _call(contact, at, room, roll)
    elif kind == "dialled":
        call = contact._replace(subject="call", data={"direction": "out"})
        reached = roll.random() < 0.7
        end = at + min(room, roll.randint(70, 540) if reached else roll.randint(18, 45))
        talk: list[Step] = [(at + 14, "connected", {}), (end, "closed", {"ended_by": "customer"})]
        busy: list[Step] = [(end, "unreached", {"reason": "busy"})]
        yield call.piece(at, end, (at, "dialled", {}), *(talk if reached else busy))
    elif kind == "email":
        mail = contact._replace(line=MAIL, data={"subject": roll.choice(cast.SUBJECTS)})
        aside = roll.choice((0, 0, 0, 0, 150, 300))
        end = at + min(room, roll.randint(200, 900) + aside)
        yield mail.written(at - roll.randint(600, 9000), at, end, aside)
    else:
        data = {"number": 4000 + at % 5000, "title": roll.choice(cast.SUBJECTS)}
        end = at + min(room, roll.randint(40, 300))
        closed = end if roll.random() < 0.45 else max(end, min(until - 20, end + roll.randint(300, 2400)))
        ticket = contact._replace(line=TICKETS, data=data)
        yield ticket.ticketed(at - roll.randint(600, 9000), at, end, closed)


def _call(contact: Contact, at: int, room: int, roll: random.Random) -> Piece:
    """Return an incoming call: mostly answered, or refused, transferred, or ended without the agent."""
    contact = contact._replace(line=roll.choice((SUPPORT, SUPPORT, BILLING)), data={"direction": "in"})
    fate = roll.random()
    queued = at - roll.choice((4, 6, 7, 8, 9, 11, 12, 14, 15, 18, 40, 75))
    end = at + min(room, roll.randint(90, 560))
    offered: Step = (max(queued, at - 6), "offered", {})
    accepted: Step = (at, "accepted", {"connected": True})
    if fate < 0.05:
        return contact.piece(
            at,
            at + 11,
            (at - 15, "queued", {}),
            (at, "offered", {}),
            (at + 10, roll.choice(("rejected", "ignored")), {}),
            (at + 30, "abandoned", {}),
        )
    if fate < 0.10 and end - at > 200:
        handed = {"to": "+420770123456", "attended": False}
        return contact.piece(
            at - 6, end, (queued, "queued", {}), offered, accepted, (end, "transferred", handed)
        )
    if fate < 0.12:
        return contact.piece(at - 6, end, (queued, "queued", {}), accepted, (end, "closed", SYSTEM))
    return contact.answered(queued, at, end, hold=roll.choice((0, 0, 0, 35, 80)))


def _chats(login: str, at: int, until: int, count: int, roll: random.Random) -> Iterator[Piece]:
    """Yield overlapping chats on random channels."""
    for number in range(count):
        start = at + number * roll.randint(20, 120)
        end = min(until - 30, start + roll.randint(180, 640) + (240 if count > 3 else 0))
        if end - start > 60:
            channel = roll.choice(cast.CHAT_CHANNELS)
            line = WEB if channel == "webchat" else MESSENGERS
            customer = cast.customer(roll.randrange(120), channel)
            chat = Contact(f"chat-{login}-{start}", "chat", login, line, customer, {"channel": channel})
            yield chat.answered(start - roll.choice((5, 8, 9, 14, 20, 25, 45, 70)), start, end)


def untaken(day: date, zone: str) -> Iterator[Piece]:
    """Yield the unanswered contacts of the day: abandoned, outside opening hours, or a full queue."""
    roll = dice("untaken", day)
    for slot in clock.hours(clock.day(day, zone), zone):
        office = 7 <= int(slot.label) < 21
        for number in range(roll.randint(0, 2 if office else 1)):
            at = slot.start + roll.randrange(max(1, slot.end - slot.start))
            line = roll.choice((SUPPORT, SUPPORT, BILLING, WEB))
            subject, data = ("chat", {"channel": "webchat"}) if line is WEB else ("call", {"direction": "in"})
            customer = cast.customer(roll.randrange(120), line.channel)
            contact = Contact(f"lost-{at}-{number}", subject, "", line, customer, data)
            if line is BILLING and not office:
                yield contact.piece(at, at, (at, "missed", {"reason": "closed"}))
            elif roll.random() < 0.08:
                yield contact.piece(at, at, (at, "missed", {"reason": "full"}))
            else:
                yield contact.lost(at, at + roll.randint(12, 190))
