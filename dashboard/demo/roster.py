"""Shifts of the demo data, deterministic for each day. Pure."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from dashboard import clock
from dashboard.demo.cast import WORKERS, Person

EARLY, DAY, LATE, NIGHT = (
    (time(6), time(14, 30)),
    (time(8), time(16, 30)),
    (time(13, 30), time(22)),
    (time(21, 45), time(6, 15)),
)


class Shift(NamedTuple):
    """A person's working time from sign-in to sign-out in UTC epoch seconds."""

    person: Person
    start: int
    end: int


def dice(*words: object) -> random.Random:
    """Return a random generator seeded with the words."""
    return random.Random(" ".join(map(str, words)))  # noqa: S311 - reproducible, not a secret


def shifts(day: date, zone: str) -> list[Shift]:
    """Return the shifts that start on the local date; night shifts end on the next."""
    found = []
    for number, person in enumerate(WORKERS):
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
