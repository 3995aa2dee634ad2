"""Patterns that users write, searched by RE2 in time linear in the length of the text. Pure.

A pattern matches anywhere in a text, whatever the case, width and composition of either. The usual syntax:
letters, `.`, `[a-z]`, `[^…]`, `\\d \\w \\s` (in all scripts) and their capitals, `^`, `$`, `( )`,
`(?: )`, `|`, `* + ? {2} {2,} {2,5}` and their lazy forms. RE2 has no back references and no lookaround; its
extensions and flags are refused, because they know ASCII only or contradict the folding.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import re2

from dashboard.i18n.message import N_, Message, message
from dashboard.rulelang.fields import ConditionError
from dashboard.rulelang.words import fold

MAX_PATTERN = 256  # characters of a pattern
MAX_TEXT = 64 * 1024  # characters of a text

TOO_LONG = N_("The text is too long for a pattern.")
LONG_PATTERN = N_("The pattern is too long or repeats too much.")
UNSUPPORTED = N_("“%(part)s” cannot be used in a pattern.")
FAULTS = {  # what RE2 calls the fault: what the user reads
    "missing )": N_("A bracket “(” is not closed in “%(part)s”."),
    "unexpected )": N_("A bracket “)” closes nothing in “%(part)s”."),
    "missing ]": N_("A bracket “[” is not closed in “%(part)s”."),
    "no argument for repetition operator": N_("“%(part)s” stands where there is nothing to repeat."),
    "bad repetition operator": N_("“%(part)s” repeats a repetition."),
    "invalid repetition size": N_("“%(part)s” repeats too often, or from more to fewer times."),
    "invalid character class range": N_("“%(part)s” isn't a valid range of characters."),
    "pattern too large - compile failed": LONG_PATTERN,
}

_OPTIONS = re2.Options()
_OPTIONS.case_sensitive = False
_OPTIONS.never_capture = True
_OPTIONS.log_errors = False

_TOKEN = re.compile(
    r"""(?P<set>\[\^?) (?P<members>\]?(?:\\.|[^]\\])*) \] | (?P<escape>\\.)
    | (?P<operator>\(\?: | \((?!\?) | \{\d+(?:,\d*)?\} | [.^$|)*+?] )
    | (?P<refused>\(\?.? | [{\\]) | (?P<literal>.)""",
    re.VERBOSE | re.DOTALL,
)
_MEMBER = re.compile(r"\\.|.", re.DOTALL)
_CLASSES = {  # members of a set, in all scripts; RE2's own \d, \w and \s are those of ASCII
    "d": r"\p{Nd}",
    "D": r"\P{Nd}",
    "w": r"\pL\pN_",
    "W": r"\pM\p{Pd}\p{Ps}\p{Pe}\p{Pi}\p{Pf}\p{Po}\x{203f}\x{2040}\x{2054}\pS\pZ\pC",
    "s": r"\t-\r\x1c-\x1f\x{85}\pZ",
    "S": r"\pL\pM\pN\pP\pS\x00-\x08\x0e-\x1b\x7f-\x{84}\x{86}-\x{9f}\p{Cf}\p{Co}",
}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r"}


class PatternError(ValueError):
    """A pattern that cannot be used; `message` names the fault and the part of the pattern that has it."""

    def __init__(self, text: str, **params: str) -> None:
        super().__init__(text)
        self.message: Message = message(text, **params)


class Pattern:
    """A compiled pattern. Raises PatternError when it cannot be read, is too long or repeats too much."""

    def __init__(self, pattern: str) -> None:
        if len(pattern) > MAX_PATTERN:
            raise PatternError(LONG_PATTERN)
        written = unicodedata.normalize("NFC", pattern)
        _compile(written)  # names a fault in the user's own signs
        self._compiled = _compile(_TOKEN.sub(_folded, written))

    def found(self, text: str) -> bool:
        """Say whether the pattern occurs in `text`. Raises ConditionError beyond MAX_TEXT."""
        if len(text) > MAX_TEXT:
            raise ConditionError(TOO_LONG)
        return self._compiled.search(fold(text)) is not None


def _compile(pattern: str) -> Any:
    try:
        return re2.compile(pattern, _OPTIONS)
    except re2.error as error:
        fault, _colon, part = error.args[0].decode(errors="replace").partition(": ")
        raise PatternError(FAULTS.get(fault, UNSUPPORTED), part=part or pattern[-1:]) from error


def _folded(token: re.Match[str]) -> str:
    """Return one token of a pattern as RE2 has to read it for folded texts."""
    if token["set"]:
        return token["set"] + _MEMBER.sub(_member, token["members"]) + "]"
    if token["refused"]:
        raise PatternError(UNSUPPORTED, part=token[0])
    if token["operator"]:
        return token[0]
    if token["escape"] and token[0][1] in _CLASSES:
        return f"[{_CLASSES[token[0][1]]}]"
    letters = fold(_literal(token[0]))
    return re.escape(letters) if len(letters) == 1 else f"(?:{re.escape(letters)})"  # "ß" becomes "ss"


def _member(sign: re.Match[str]) -> str:
    """Return a sign of a set; case is RE2's business, width is folded where one character remains one."""
    if sign[0] == "-" or sign[0][1:] in _CLASSES:
        return _CLASSES.get(sign[0][1:], sign[0])
    letter = _literal(sign[0])
    narrow = unicodedata.normalize("NFKC", letter)
    return re.escape(narrow if len(narrow) == 1 else letter)


def _literal(sign: str) -> str:
    """Return what a character or an escape stands for. Raises PatternError for an unknown escape."""
    if len(sign) == 1:
        return sign
    if sign[1].isalnum() and sign[1] not in _CONTROLS:
        raise PatternError(UNSUPPORTED, part=sign)
    return _CONTROLS.get(sign[1], sign[1])
