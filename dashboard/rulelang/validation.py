"""Checks of decoded JSON that collect errors by path and never raise. Pure.

Each check returns a value of the right kind whatever it is given, so that one pass finds every error.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dashboard.i18n.message import N_, NOT_CLEAN, NOT_WHOLE, Message, message


class ErrorPath(str):
    """Where in a rule an error is: the keys and indexes from the root, shown joined by dots.

    `path / key` is the place of a part. Code reads `keys` and never takes the text apart.
    """

    keys: tuple[str | int, ...]

    def __new__(cls, *keys: str | int) -> ErrorPath:
        made = super().__new__(cls, ".".join(map(str, keys)))
        made.keys = keys
        return made

    def __truediv__(self, key: str | int) -> ErrorPath:
        return ErrorPath(*self.keys, key)

    @property
    def part(self) -> str | int:
        """The first key: the part of the rule; "" for the rule as a whole."""
        return self.keys[0] if self.keys else ""

    def is_within(self, keys: tuple[str | int, ...]) -> bool:
        """Say whether the place is the one at `keys` or lies inside of it."""
        return self.keys[: len(keys)] == keys


ROOT = ErrorPath()

Errors = dict[ErrorPath, Message]


@dataclass(frozen=True)
class AvailableReferences:
    """What exists that a rule may name, and what its author may do.

    `channels` maps an id to its kind. `users`, `teams` and `accesses` hold the ids that the author may
    choose, `calendars` names. `can_out` says whether actions that call out are allowed; `personal`
    whether the rule is a user's own; `switched` has administrators' choices whether rules may use a type.
    """

    channels: Mapping[int, str] = field(default_factory=dict)
    users: frozenset[int] = frozenset()
    teams: frozenset[int] = frozenset()
    accesses: frozenset[int] = frozenset()
    calendars: frozenset[str] = frozenset()
    can_out: bool = False
    personal: bool = False
    switched: Mapping[str, bool] = field(default_factory=dict)


NOT_A_PART = N_("This part of the rule cannot be read.")
UNKNOWN_PART = N_("Unknown rule part “%(part)s”.")
NOT_LISTED = N_("Choose from the list.")
NOT_YES_NO = N_("Choose yes or no.")
NOT_DURATION = N_("Enter a duration from %(least)s to %(days)s days.")
NOT_SO_MANY = N_("Select %(least)s to %(most)s.")
NEEDED = N_("Enter text.")
TOO_LONG = N_("Enter up to %(most)s characters.")

_BAD_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_BAD_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Checks:
    """The errors found so far, by path; the first of a path stands.

    `types` are the rule's event types. Without `available` references are not compared with what exists.
    """

    def __init__(self, types: tuple[str, ...] = (), available: AvailableReferences | None = None) -> None:
        self.errors: Errors = {}
        self.types, self.available = types, available

    def add(self, path: ErrorPath, text: str, **params: int | str) -> None:
        self.errors.setdefault(path, message(text, **params))

    def part(self, raw: Any, path: ErrorPath, names: Collection[str]) -> dict[str, Any]:
        """Return an object that has no other parts than `names`; {} for anything else than an object."""
        if not isinstance(raw, dict):
            self.add(path, NOT_A_PART)
            return {}
        for name in raw:
            if name not in names:
                self.add(path, UNKNOWN_PART, part=_shown(name))
        return raw

    def whole(self, raw: Any, path: ErrorPath, least: int, most: int) -> int:
        """Return a whole number from `least` to `most`; `least` where it is none."""
        if isinstance(raw, bool) or not isinstance(raw, int) or not least <= raw <= most:
            self.add(path, NOT_WHOLE, least=least, most=most)
            return least
        return raw

    def duration(self, raw: Any, path: ErrorPath, least: int, most: int) -> int:
        """Return a whole number of seconds from `least` (below 10) to `most` (whole days); `least` where it
        is none."""
        if isinstance(raw, bool) or not isinstance(raw, int) or not least <= raw <= most:
            self.add(path, NOT_DURATION, least=f"0:00:0{least}", days=most // 86400)
            return least
        return raw

    def one_of(self, raw: Any, path: ErrorPath, choices: Sequence[str]) -> str:
        """Return one of `choices`; the first where it is none."""
        if not isinstance(raw, str) or raw not in choices:
            self.add(path, NOT_LISTED)
            return choices[0]
        return raw

    def yes_no(self, raw: Any, path: ErrorPath) -> bool:
        if not isinstance(raw, bool):
            self.add(path, NOT_YES_NO)
        return raw is True

    def items(self, raw: Any, path: ErrorPath, least: int, most: int) -> list[Any]:
        """Return a list of `least` to `most` entries; [] where it is none."""
        if not isinstance(raw, list | tuple):
            self.add(path, NOT_A_PART)
            return []
        if not least <= len(raw) <= most:
            self.add(path, NOT_SO_MANY, least=least, most=most)
        return list(raw)[:most]

    def ids(self, raw: Any, path: ErrorPath, most: int) -> list[int]:
        """Return the ids of a list, each once, rising; an entry that is no id is an error."""
        found = self.items(raw, path, 0, most)
        good = {each for each in found if isinstance(each, int) and not isinstance(each, bool) and each > 0}
        if any(isinstance(each, bool) or not isinstance(each, int) or each <= 0 for each in found):
            self.add(path, NOT_LISTED)
        return sorted(good)

    def text(self, raw: Any, path: ErrorPath, most: int, lines: bool = True, needed: bool = True) -> str:
        """Return a text of at most `most` characters, of one line unless `lines`; "" where it is none."""
        if raw is None or raw == "":
            if needed:
                self.add(path, NEEDED)
            return ""
        if not isinstance(raw, str):
            self.add(path, NOT_A_PART)
            return ""
        if needed and not raw.strip():
            self.add(path, NEEDED)
        if len(raw) > most:
            self.add(path, TOO_LONG, most=most)
        if (_BAD_TEXT if lines else _BAD_LINE).search(raw):
            self.add(path, NOT_CLEAN)
        return raw


def _shown(name: Any) -> str:
    return _BAD_LINE.sub("", name[:40]) if isinstance(name, str) else "…"
