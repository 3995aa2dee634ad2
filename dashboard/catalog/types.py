"""What an event type is: its name, its place, its label and the fields its data may carry. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Level = Literal["personal", "system"]


class Kind(StrEnum):
    """What a field of an event's data holds; conditions, forms and the check at the gate follow it."""

    TEXT = "text"
    WORD = "word"  # one lower-case word of at most 20 letters: a channel
    CODE = "code"  # text or a whole number: a ticket's number
    CHOICE = "choice"  # one of `choices`
    YES_NO = "yes_no"
    NUMBER = "number"  # whole, not negative
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of `data`; absent and null are the same unless it is `required`.

    A text has at most `limit` characters when the column it is folded into has (0: no limit of its own).
    """

    name: str
    kind: Kind
    label: str
    choices: tuple[str, ...] = ()
    required: bool = False
    limit: int = 0


@dataclass(frozen=True, slots=True)
class EventType:
    """One row of the catalogue.

    `level` says whose rules it suits: one's own work (personal) or the whole site (system).
    `needs` names the parts of an event, besides type and time, without which it means nothing.
    `own` types are recorded by the dashboard itself and refused from outside: an event that
    says who signed in here must not be forged by a holder of a key.
    """

    name: str
    group: str
    level: Level
    label: str
    fields: tuple[Field, ...] = ()
    needs: tuple[str, ...] = ()
    own: bool = False


def maker(group: str, level: Level, *needs: str, own: bool = False) -> Callable[..., EventType]:
    """Return `make(name, label, *fields)` for types that share a group, a level and their needs."""

    def make(name: str, label: str, *fields: Field) -> EventType:
        return EventType(name, group, level, label, fields, needs, own)

    return make
