"""Invented visitors of the portal: who comes when, what they view, and what they say to an invitation. Pure.

Times are UTC epoch seconds. A guest depends on the words of its seed alone, so that history, a running server
and the next start agree.
"""

from __future__ import annotations

import base64
import random
from hashlib import blake2s
from typing import Literal, NamedTuple

from dashboard.demo.cast import customer
from dashboard.demo.work import dice

ADDRESS = "https://portal.example.org"
PLACES = 8  # guests at a time, with gaps between them
SHORTEST_S, LONGER_S = 540, 60  # the time of a guest in the first place, and how much more in each next one
KNOWN = 4  # in one of this many places, and past visits, is a customer who has signed in on the portal
TITLES = {
    "/": "Portal",
    "/tariffs": "Tariffs",
    "/tariffs/solar": "Solar tariffs",
    "/tariffs/compare": "Compare tariffs",
    "/moving": "Moving house",
    "/invoices": "Invoices",
    "/help": "Help",
    "/contact": "Contact",
}
ELEMENTS = ("menu", "compare", "price-list", "order", "calculator", "show-more")
REFERRERS = ("", "", "https://www.example.com/search", "https://news.example.net/energy")
BROWSERS = (("Firefox", "Windows"), ("Chrome", "Android"), ("Safari", "iOS"), ("Chrome", "Windows"))
# The language of the browser and the country, as often as they stand here.
SPEECHES = (
    ("cs-CZ", "CZ"),
    ("cs-CZ", "CZ"),
    ("cs-CZ", "SK"),
    ("en-GB", "GB"),
    ("ja-JP", "JP"),
    ("de-DE", "DE"),
)
Answer = Literal["shown", "accepted", "rejected", "ignored"]
MOODS: tuple[Answer, ...] = ("accepted", "accepted", "rejected", "ignored", "ignored")


class Act(NamedTuple):
    """A page that is opened (`element` is "") or a click in it."""

    at: int
    path: str
    element: str = ""


class Guest(NamedTuple):
    """A visit from `start` to `end`. `who` is the customer with whom the portal identifies the visitor."""

    token: str
    browser: str
    start: int
    end: int
    acts: tuple[Act, ...]
    language: str
    country: str
    referrer: str
    system: tuple[str, str]
    who: dict[str, str] | None
    mood: Answer

    @property
    def pages(self) -> list[Act]:
        return [act for act in self.acts if not act.element]


def here(now: int) -> list[Guest]:
    """Return the guest of each place: on the site at this moment, or the last one before it."""
    found = []
    for place in range(PLACES):
        every = SHORTEST_S + LONGER_S * place
        turn = (now - 71 * place) // every
        start = turn * every + 71 * place
        roll, known = dice("guest", place, turn), place % KNOWN == 0
        found.append(guest(roll, start, every * 9 // 10, bool(place % 2), known))
    return found


def guest(roll: random.Random, start: int, stay_s: int, quiet: bool, known: bool) -> Guest:
    """Return a guest who stays for `stay_s`; a `quiet` one does nothing in the last third of it."""
    number, active_s = roll.randrange(400), stay_s * 2 // 3 if quiet else stay_s - 10
    language, country = roll.choice(SPEECHES)
    path, acts = roll.choice(("/", "/", "/tariffs", "/help")), list[Act]()
    at = start
    while at <= start + active_s:
        acts.append(Act(at, path))
        acts += [Act(at + 4 + 5 * n, path, roll.choice(ELEMENTS)) for n in range(roll.randrange(3))]
        path = roll.choice([each for each in TITLES if each != path])
        at += roll.randint(25, 110)
    last = start + active_s
    return Guest(
        _code("visit", number, start),
        _code("browser", number),
        start,
        start + stay_s,
        tuple(act for act in acts if act.at <= last),
        language,
        country,
        roll.choice(REFERRERS),
        roll.choice(BROWSERS),
        customer(number % 100, "webchat") if known else None,
        roll.choice(MOODS),
    )


def _code(*words: object) -> str:
    """Return 22 characters as a browser makes them of chance."""
    digest = blake2s(" ".join(map(str, words)).encode(), digest_size=16).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
