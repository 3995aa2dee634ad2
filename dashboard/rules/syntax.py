"""Reads the patterns that people write into the steps of a machine. Pure.

The usual signs: letters, `.`, `[a-z]`, `[^…]`, `\\d \\w \\s` and their capitals, `^`, `$`, `( )`, `(?: )`,
`|`, `* + ? {2} {2,} {2,5}` (and their lazy forms, which find the same). There are no back references and
no looking around: they are what makes other engines slow.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import NamedTuple

from dashboard.i18n.mark import N_
from dashboard.rules.values import fold

MAX_PATTERN = 256  # letters of a pattern
MAX_NODES = 1000  # of the machine, repetitions written out
MAX_DEPTH = 20  # groups within groups

BAD_PATTERN = N_("This pattern cannot be read.")
LONG_PATTERN = N_("The pattern is too long or repeats too much.")

Letter = Callable[[str], bool]
Part = Callable[[int], int]  # the number of the node that follows → the number of the part's first node
_REPEAT = re.compile(r"(?:([*+?])|\{(\d{1,3})(?:(,)(\d{0,3}))?\})\??")
_CLASSES: dict[str, Letter] = {
    "d": str.isdecimal,
    "w": lambda letter: letter.isalnum() or letter == "_",
    "s": str.isspace,
}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r"}


class PatternError(ValueError):
    """A pattern that cannot be used; the text is marked for translation."""


class Node(NamedTuple):
    """One step: eat a letter, hold only at an edge ("^" or "$"), branch, or (nothing of these) the end."""

    eats: Letter | None
    edge: str
    nexts: tuple[int, ...]


def read(pattern: str) -> tuple[list[Node], int]:
    """Return the nodes of a pattern and the number of the first; node 0 is the end.

    Raises PatternError for a pattern that cannot be read, is too long or repeats too much.
    """
    if len(pattern) > MAX_PATTERN:
        raise PatternError(LONG_PATTERN)
    reader = _Reader(unicodedata.normalize("NFC", pattern))
    part = reader.choice()
    if reader.at < len(reader.pattern):
        raise PatternError(BAD_PATTERN)  # a bracket that nothing opened
    return reader.nodes, part(0)


class _Reader:
    """Reads from the left and builds from the back: each part is given the node that follows it."""

    def __init__(self, pattern: str) -> None:
        self.pattern, self.at = pattern, 0
        self.nodes: list[Node] = [Node(None, "", ())]

    def node(self, eats: Letter | None, edge: str, *nexts: int) -> int:
        if len(self.nodes) >= MAX_NODES:
            raise PatternError(LONG_PATTERN)
        self.nodes.append(Node(eats, edge, nexts))
        return len(self.nodes) - 1

    def choice(self, depth: int = 0) -> Part:
        if depth > MAX_DEPTH:
            raise PatternError(LONG_PATTERN)
        branches = [self.row(depth)]
        while self.taken("|"):
            branches.append(self.row(depth))
        if len(branches) == 1:
            return branches[0]
        return lambda after: self.node(None, "", *[branch(after) for branch in branches])

    def row(self, depth: int) -> Part:
        parts = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            parts.append(self.repeated(self.one(depth)))

        def build(after: int) -> int:
            for part in reversed(parts):
                after = part(after)
            return after

        return build

    def repeated(self, part: Part) -> Part:
        sign = _REPEAT.match(self.pattern, self.at)
        if sign is None:
            return part
        self.at = sign.end()
        if _REPEAT.match(self.pattern, self.at):
            raise PatternError(BAD_PATTERN)
        least, most = _times(sign)

        def build(after: int) -> int:
            if most is None:
                begin = self.node(None, "")
                self.nodes[begin] = Node(None, "", (part(begin), after))
            else:
                begin = after
                for _ in range(most - least):
                    begin = self.node(None, "", part(begin), after)
            for _ in range(least):
                begin = self.node(None, "", part(begin))  # counted, for `(){999}` eats nothing
            return begin

        return build

    def one(self, depth: int) -> Part:
        sign = self.pattern[self.at]
        self.at += 1
        if sign == "(":
            if self.taken("?") and not self.taken(":"):
                raise PatternError(BAD_PATTERN)
            inner = self.choice(depth + 1)
            if not self.taken(")"):
                raise PatternError(BAD_PATTERN)
            return inner
        if sign in "^$":
            return lambda after: self.node(None, sign, after)
        if sign in "*+?{":
            raise PatternError(BAD_PATTERN)
        if sign == "[":
            return self.eating(self.members())
        if sign == ".":
            return self.eating(lambda letter: letter != "\n")
        if sign == "\\":
            found = self.escaped()
            return self.eating(found) if callable(found) else self.literal(found)
        return self.literal(sign)

    def eating(self, eats: Letter) -> Part:
        return lambda after: self.node(eats, "", after)

    def literal(self, sign: str) -> Part:
        letters = fold(sign)  # of "ß" there are two

        def build(after: int) -> int:
            for letter in reversed(letters):
                after = self.node(letter.__eq__, "", after)
            return after

        return build

    def escaped(self) -> Letter | str:
        sign = self.next()
        if sign.lower() in _CLASSES:
            member = _CLASSES[sign.lower()]
            return member if sign.islower() else (lambda letter: not member(letter))
        if sign in _CONTROLS:
            return _CONTROLS[sign]
        if sign.isalnum():
            raise PatternError(BAD_PATTERN)
        return sign

    def members(self) -> Letter:
        outside = self.taken("^")
        ranges: list[tuple[str, str]] = []
        classes: list[Letter] = []
        first = True
        while first or not self.taken("]"):
            first = False
            low = self.member()
            if callable(low):
                classes.append(low)
                continue
            high: Letter | str = low
            if self.pattern[self.at : self.at + 1] == "-" and self.pattern[self.at + 1 : self.at + 2] != "]":
                self.at += 1
                high = self.member()
            if callable(high) or high < low:
                raise PatternError(BAD_PATTERN)
            ranges.append((low, high))

        def among(letter: str) -> bool:
            forms = {letter, letter.upper(), letter.lower()}  # the text is folded, the ranges are not
            inside = any(low <= form <= high for form in forms for low, high in ranges)
            return (inside or any(member(letter) for member in classes)) is not outside

        return among

    def member(self) -> Letter | str:
        sign = self.next()
        return self.escaped() if sign == "\\" else sign

    def next(self) -> str:
        if self.at >= len(self.pattern):
            raise PatternError(BAD_PATTERN)
        self.at += 1
        return self.pattern[self.at - 1]

    def taken(self, sign: str) -> bool:
        found = self.pattern.startswith(sign, self.at)
        self.at += found
        return found


def _times(sign: re.Match[str]) -> tuple[int, int | None]:
    if sign[1]:
        return {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign[1]]
    least = int(sign[2])
    most = (int(sign[4]) if sign[4] else None) if sign[3] else least
    if most is not None and most < least:
        raise PatternError(BAD_PATTERN)
    return least, most
