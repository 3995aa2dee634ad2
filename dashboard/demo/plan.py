"""The plan of the invented centre: the past that it has had, and how it goes on. Pure.

It depends on the dates, the time zone and the scenes with their extra shifts alone: every plan of the same
has the same events, so that history, a running server and the next start agree.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import chain
from typing import NamedTuple

from dashboard import clock
from dashboard.demo import present, work
from dashboard.demo.cast import PEOPLE, Person
from dashboard.demo.story import Piece, with_messages
from dashboard.demo.work import Shift

EVERY_S = 3 * 3600  # between two scenes while the centre runs
AHEAD_S = 4 * 3600  # the last planned scene is at least this far ahead, so that nothing planned is replaced
BEGUN_S = 12_000  # before a scene: its first event, or the first event of what it replaces
KEPT_S = 86_400


def moments(known: Collection[int], last: int, now: int) -> list[int]:
    """Return the moments of scenes, in order, until AHEAD_S after `now`; all times in UTC epoch seconds.

    `known` are those planned earlier, of which past ones are kept for a day; `last` is the time of the last
    stored event. After a stop for as long as is planned ahead, scenes that had not begun are dropped and one
    is played `now`; otherwise the centre goes on where it stopped.
    """
    found = sorted(each for each in known if each > last - KEPT_S)
    if not found or now - last > AHEAD_S:
        found = [*(each for each in found if each - BEGUN_S <= last), now]
    while found[-1] < now + AHEAD_S:
        found.append(found[-1] + EVERY_S)
    return found


def complete_until(planned: Sequence[int]) -> int:
    """Return until when (UTC epoch seconds) nothing has to be added to a plan with these moments."""
    return planned[-1] - AHEAD_S


class Centre(NamedTuple):
    """The centre in a time zone. `left` has the time at which a deactivated user left, by login; `called` the
    extra shifts of each scene, by its moment."""

    zone: str
    left: Mapping[str, int]
    called: Mapping[int, Sequence[Shift]]

    def extended(self, planned: Iterable[int]) -> Centre:
        """Return the centre with the scenes at these moments and no others; known ones keep their shifts."""
        scenes: dict[int, Sequence[Shift]] = {at: self.called[at] for at in planned if at in self.called}
        for at in planned:
            if at not in scenes:
                on = clock.local_date(at, self.zone)
                shifts = self._shifts([on + timedelta(days=number) for number in (-1, 0, 1)])
                working = {person.login for person in PEOPLE if self.left.get(person.login, at) >= at}
                scenes[at] = present.called(at, [*shifts, *chain(*scenes.values())], working)
        return self._replace(called=scenes)

    def pieces(self, dates: Sequence[date]) -> list[Piece]:
        """Return all work and presence of shifts that start on the local dates, that of the scenes, and the
        contacts that nobody takes on these dates.

        There are messages in chats since the first scene: two weeks of them would double the time of a start.
        """
        shifts = [*self._shifts(dates), *chain(*self.called.values())]
        busy = [shift._replace(person=_busy(shift.person)) for shift in chain(*self.called.values())]
        plan = [piece for shift in [*self._shifts(dates), *busy] for piece in work.work(shift)]
        plan += [piece for day in dates for piece in work.untaken(day, self.zone)]
        for at in self.called:
            scene = present.scene(at, shifts)
            plan = [piece for piece in plan if not scene.hides(piece)] + list(scene.pieces())
        since = min(self.called)
        return [with_messages(piece, since) for piece in plan]

    def _shifts(self, dates: Iterable[date]) -> list[Shift]:
        shifts = (shift for day in dates for shift in work.shifts(day, self.zone))
        return [shift for shift in shifts if shift.end <= self.left.get(shift.person.login, shift.end)]


def _busy(person: Person) -> Person:
    """Return the person as they work in an extra shift: there is something to see at any time."""
    return person._replace(crew="called", likes=(6, 1, 9, 1, 2))


def to_json(called: Mapping[int, Sequence[Shift]]) -> str:
    """Return the extra shifts of scenes as text for `from_json`."""
    return json.dumps({at: [(s.person.login, s.start, s.end) for s in each] for at, each in called.items()})


def from_json(text: str) -> dict[int, list[Shift]]:
    people = {person.login: person for person in PEOPLE}
    rows = json.loads(text).items()
    return {int(at): [Shift(people[login], *span) for login, *span in each] for at, each in rows}
