"""What a condition sees: the facts of an event, what counts as empty, and texts made comparable. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Any, Final, NamedTuple

from dashboard.i18n.mark import N_
from dashboard.i18n.message import Message

KEPT_LETTERS = 4096  # a longer text is folded anew each time: the cache must stay small

NOT_TEXT = N_("The value is not text.")
NOT_NUMBER = N_("The value is not a number.")


# Made once: `isinstance(x, int | float)` makes its union anew each time.
_SIZED, _NUMBER = (str, list, tuple, dict), (int, float)


class Nothing(Enum):
    """The one value of a field that an event does not have."""

    ABSENT = "absent"


ABSENT: Final = Nothing.ABSENT


class ConditionError(Exception):
    """A condition that can be neither true nor false; `message` says why."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.message = Message(text)


class Change(NamedTuple):
    """What a field was before an event and is after it."""

    old: Any
    new: Any


class Facts(dict[str, Any]):
    """The facts of one event by dotted path; a path it does not have gives ABSENT, never KeyError.

    A path into an object (`data.order.value`) is walked once and then kept. Facts do not change
    while rules are matched, so a trace made later shows what the match saw.
    """

    def __missing__(self, path: str) -> Any:
        first, _dot, rest = path.partition(".")
        value = self.get(first, ABSENT) if rest else ABSENT
        while rest and isinstance(value, dict):
            first, _dot, rest = rest.partition(".")
            value = value.get(first, ABSENT)
        value = self[path] = ABSENT if rest else value
        return value


def facts(
    event_id: int | str,
    type_: str,
    time_ms: int,
    data: Mapping[str, Any] | None = None,
    changes: Mapping[str, tuple[Any, Any]] | None = None,
    chain: tuple[int, ...] = (),
    **envelope: Any,
) -> Facts:
    """Return the facts of an event.

    `time_ms` is UTC. `changes` has old and new values by the path that conditions use. `chain` holds
    the ids of the rules that led to this event, the first first; its length is the event's depth.
    `envelope` gives the other fields by name; an object (`contact={"name": …}`) is walked by path.
    """
    found = Facts(envelope)
    found["id"], found["type"], found["time"] = event_id, type_, time_ms
    found["data"] = dict(data or {})
    found["changes"] = {path: Change(*both) for path, both in (changes or {}).items()}
    found["chain"] = chain
    found["cause.rule"], found["cause.depth"] = list(chain), len(chain)
    found["cause.by_rule"] = bool(chain)
    return found


def coalesce(earlier: Facts, later: Facts) -> Facts:
    """Return the facts of two events of one type, transaction and subject seen as one.

    The later event's values stand; of a field that both changed the first old and the last new value
    remain, and a field that came back to what it was has not changed. Source: semantics 9.2.
    """
    merged = Facts(later)
    before: dict[str, Change] = earlier["changes"]
    after: dict[str, Change] = later["changes"]
    both = {
        path: Change(before.get(path, change).old, change.new) for path, change in {**before, **after}.items()
    }
    merged["changes"] = {path: change for path, change in both.items() if change.old != change.new}
    return merged


def is_empty(value: Any) -> bool:
    """Say whether a value is absent, null, an empty text or an empty list; 0 and false are values."""
    return value is None or value is ABSENT or (isinstance(value, _SIZED) and not value)


def text_of(value: Any) -> str:
    """Return a scalar as text: `true`, `5`, `1.5`. Raises ConditionError for a list or an object."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, _NUMBER):
        return str(value)
    raise ConditionError(NOT_TEXT)


def number_of(value: Any) -> int | float:
    """Return a number. Raises ConditionError for anything else; true and false are no numbers."""
    if isinstance(value, _NUMBER) and not isinstance(value, bool):
        return value
    raise ConditionError(NOT_NUMBER)


def fold(text: str) -> str:
    """Return a text so that equal ones compare equal whatever their case, width and composition.

    Source: compatibility caseless matching, Unicode 3.13 (D146), here in composed form, so that
    "é" is one letter and does not end with "e". Folding twice changes nothing.
    """
    if text.isascii():
        return text.lower()
    return _folded_short(text) if len(text) <= KEPT_LETTERS else _folded(text)


def _folded(text: str) -> str:
    once = unicodedata.normalize("NFKD", unicodedata.normalize("NFD", text).casefold())
    return unicodedata.normalize("NFKC", once.casefold())


_folded_short = lru_cache(maxsize=512)(_folded)
