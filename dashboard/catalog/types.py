"""What an event type is: its name, its place, its label and the fields its data may carry. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

Level = Literal["personal", "system"]


class Kind(StrEnum):
    """What a field of an event's data holds; conditions, forms and the check at the gate follow it."""

    TEXT = "text"
    WORD = "word"  # one lower-case word of at most 20 letters: a channel
    CODE = "code"  # text or a whole number: a ticket's number
    CHOICE = "choice"  # one of `choices`
    LIST = "list"  # a list of texts, or one text
    YES_NO = "yes_no"
    NUMBER = "number"  # whole, not negative
    DECIMAL = "decimal"  # any finite number: a price, a rating
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    TIME = "time"  # text: RFC 3339 with an offset; the gate reads it where deadlines hang on it
    IP = "ip"  # text: an IPv4 or IPv6 address; the gate does not read it


class Origin(StrEnum):
    """What makes an event of a type happen."""

    CHANGE = "change"  # somebody, or a program for them, did something
    TIMER = "timer"  # a time has come
    COUNTER = "counter"  # a count has crossed its threshold
    TRANSPORT = "transport"  # a server or a channel reports about a message
    EXTERNAL = "external"  # seen on a site or in a shop; comes through the API or not at all


@dataclass(frozen=True, slots=True)
class Field:
    """A field of `data`; absent and null are the same unless it is `required`.

    A text has at most `limit` characters when the column it is folded into has (0: no limit of its own).
    A field is `folded` when figures or deadlines hang on it: the gate refuses a wrong kind there. What only
    conditions read is kept as it came; a wrong kind is then an error of the condition.
    """

    name: str
    kind: Kind
    label: str
    choices: tuple[str, ...] = ()
    required: bool = False
    limit: int = 0
    folded: bool = False


@dataclass(frozen=True, slots=True)
class EventType:
    """One row of the catalogue.

    `level` says whose rules it suits: one's own work and the whole site's (personal), or the whole
    site's alone (system). `needs` names the parts of an event, besides type and time, without which
    it means nothing. `internal` types are recorded by the dashboard itself and refused from outside: an
    event that says who signed in here must not be forged by a holder of a key, and what a timer or a
    counter of the dashboard finds must not be told twice. `needs_source` types never occur until a
    source is connected that sends them, or sends what they are found in; pages say so. `in_rules` (rules
    may use it) is what holds until an administrator chooses otherwise. Not `on` are types that most sites
    need not send; whoever sends them is heard, see `events.switches`.
    `by_name`, `required` and `folded` are `fields` arranged for the check at the gate.
    """

    name: str
    group: str
    level: Level
    label: str
    fields: tuple[Field, ...] = ()
    needs: tuple[str, ...] = ()
    internal: bool = False
    origin: Origin = Origin.CHANGE
    needs_source: bool = True
    on: bool = True
    in_rules: bool = True
    by_name: Mapping[str, Field] = field(init=False, repr=False, compare=False, default_factory=dict)
    required: tuple[str, ...] = field(init=False, repr=False, compare=False, default=())
    folded: frozenset[str] = field(init=False, repr=False, compare=False, default=frozenset())

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {each.name: each for each in self.fields})
        object.__setattr__(self, "required", tuple(each.name for each in self.fields if each.required))
        object.__setattr__(self, "folded", frozenset(each.name for each in self.fields if each.folded))


def maker(
    group: str,
    level: Level,
    *needs: str,
    internal: bool = False,
    origin: Origin = Origin.CHANGE,
    needs_source: bool = True,
    on: bool = True,
    in_rules: bool = True,
) -> Callable[..., EventType]:
    """Return `make(name, label, *fields)` for types that share all but their name, label and fields."""

    def make(name: str, label: str, *fields: Field) -> EventType:
        return EventType(
            name, group, level, label, fields, needs, internal, origin, needs_source, on, in_rules
        )

    return make


ALIASES: dict[str, str] = {
    "call.answered": "call.accepted",
    "call.ended": "call.closed",
    "chat.ended": "chat.closed",
    "agent.break_started": "agent.pause_started",
    "agent.break_ended": "agent.pause_ended",
    "user.password_changed": "auth.password_changed",
    "import.run": "import.finished",
}
