"""Patterns matched in time linear to the text: nothing that people write can explode. Pure.

A pattern is found anywhere in the text, in any case. Its nodes are followed as a set (Thompson's way) and
the sets are kept as they are met, so that a letter costs one look-up. A text that makes ever new sets runs
into MAX_WORK; the condition is then an error, not false. Signs that may be used: see `syntax`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from dashboard.i18n.mark import N_
from dashboard.rules import syntax
from dashboard.rules.syntax import MAX_PATTERN, PatternError
from dashboard.rules.values import ConditionError, fold

MAX_TEXT = 64 * 1024  # letters of a text
MAX_WORK = 250_000  # nodes looked at for one text: below a second
MAX_KEPT = 20_000  # steps remembered by one pattern: a few MB

TOO_LONG = N_("The text is too long for a pattern.")
TOO_HARD = N_("The pattern takes too long on this text.")


class State(NamedTuple):
    """A set of nodes that the text so far leads to; `steps` is filled as letters come."""

    nodes: tuple[int, ...]
    found: bool
    steps: dict[str, State]


class Pattern:
    """A pattern ready to be looked for. Raises PatternError when it cannot be read."""

    def __init__(self, pattern: str) -> None:
        self._nodes, self._first = syntax.read(pattern)
        self._forget()

    def _forget(self) -> None:
        self._states: dict[tuple[int, ...], State] = {}
        self._kept = 0

    def found(self, text: str) -> bool:
        """Say whether the pattern occurs in `text`.

        Raises ConditionError when the text has more than MAX_TEXT letters or asks for more than MAX_WORK.
        """
        if len(text) > MAX_TEXT:
            raise ConditionError(TOO_LONG)
        folded, work = fold(text), 0
        state = self._state(self._closed([self._first], at_start=True))
        for letter in folded:
            if state.found:
                return True
            following = state.steps.get(letter)
            if following is None:
                work += len(state.nodes) + 1
                if work > MAX_WORK:
                    raise ConditionError(TOO_HARD)
                following = self._step(state, letter)
            state = following
        return state.found or 0 in self._closed(state.nodes, at_start=not folded, at_end=True)

    def _step(self, state: State, letter: str) -> State:
        nexts = [self._first]
        for number in state.nodes:
            eats, _edge, after = self._nodes[number]
            if eats is not None and eats(letter):
                nexts += after
        if self._kept >= MAX_KEPT:
            self._forget()
        self._kept += 1
        following = state.steps[letter] = self._state(self._closed(nexts))
        return following

    def _state(self, nodes: tuple[int, ...]) -> State:
        known = self._states.get(nodes)
        if known is None:
            known = self._states[nodes] = State(nodes, 0 in nodes, {})
        return known

    def _closed(self, some: Iterable[int], at_start: bool = False, at_end: bool = False) -> tuple[int, ...]:
        """Return the nodes reached without eating, in rising order: those that eat, "$", and the end (0)."""
        seen: set[int] = set()
        kept: set[int] = set()
        todo = list(some)
        while todo:
            number = todo.pop()
            if number in seen:
                continue
            seen.add(number)
            eats, edge, after = self._nodes[number]
            if eats is not None or number == 0 or (edge == "$" and not at_end):
                kept.add(number)
            elif edge != "^" or at_start:
                todo += after
        return tuple(sorted(kept))


__all__ = ["MAX_PATTERN", "MAX_TEXT", "Pattern", "PatternError"]
