"""The state of an interaction as `lifecycle` folds it: open or ended, its waits, each user's part. Pure."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from dashboard.catalog.effects import Event


class Work(StrEnum):
    """Where a user's work on an interaction stands."""

    NONE = "none"
    OPEN = "open"
    POSTPONED = "postponed"
    ENDED = "ended"  # by the user's own event
    TRANSFERRED = "transferred"
    CONCLUDED = "concluded"  # by another's event; the user's own end may still follow


AT_WORK = (Work.OPEN, Work.POSTPONED)
OVER = (Work.ENDED, Work.TRANSFERRED)


class Part(msgspec.Struct, frozen=True):
    """One user's part in an interaction; `bare`: it was closed without a beginning, which may follow."""

    rings: bool = False
    work: Work = Work.NONE
    bare: bool = False

    @property
    def at_work(self) -> bool:
        return self.work in AT_WORK

    @property
    def live(self) -> bool:
        return self.rings or self.at_work


Parts = dict[int, Part]


class InteractionState(msgspec.Struct, frozen=True):
    """An interaction after the events so far; immutable, and storable as JSON by msgspec.

    `ended_ms` is None while open. `episode` counts the times it opened again. `waits` are the queues
    it waits in (None: one without a name), `queued` says whether this episode ever waited. `parts`
    holds each user's part by subject (call, email, chat).
    """

    ended_ms: int | None = None
    episode: int = 0
    queued: bool = False
    waits: tuple[int | None, ...] = ()
    parts: dict[str, Parts] = {}

    @property
    def is_open(self) -> bool:
        return self.ended_ms is None

    def part(self, subject: str, user_id: int | None) -> Part:
        """Return the user's part; an empty one when there is none."""
        return self.parts.get(subject, {}).get(-1 if user_id is None else user_id, Part())

    def users_at_work(self) -> list[int]:
        """Return the users whose work is open or postponed, each once, in rising order."""
        found = {user for parts in self.parts.values() for user, part in parts.items() if part.at_work}
        return sorted(found)

    def rings_at(self) -> list[int]:
        """Return the users at whom it rings, in rising order."""
        return sorted({user for parts in self.parts.values() for user, part in parts.items() if part.rings})


def subject_of(event: Event) -> str:
    """Return what the event is about: call, email, chat, ticket or another first word of its type."""
    return event.type.partition(".")[0]
