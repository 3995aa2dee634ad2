"""Characters that nobody sees in a line of text: with them, two names that look alike are different."""

from __future__ import annotations

import re
import unicodedata

# Format characters (Unicode category Cf) that are drawn: signs of numbers and verses.
_DRAWN = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
# Characters of other categories without a shape: fillers of Hangul and Khmer, the empty Braille pattern.
_EMPTY = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2028\u2029\u2800\u3164\uffa0")
_JOINERS = frozenset("\u200c\u200d")
_SUSPECTS = re.compile(r"[^ -~]")


def invisible(line: str) -> str:
    """Return the first character of a line that is not seen, as U+200B; "" when all are.

    Counted are marks of text direction, zero-width spaces, soft hyphens and fillers. Selectors of variants
    are none, nor is a joiner that shapes its neighbours, in Persian, in Indic scripts and between emoji.
    """
    for found in _SUSPECTS.finditer(line):
        letter, at = found[0], found.start()
        hidden = letter in _EMPTY or (unicodedata.category(letter) == "Cf" and letter not in _DRAWN)
        if hidden and not (letter in _JOINERS and _joins(line[:at], line[at + 1 :])):
            return f"U+{ord(letter):04X}"
    return ""


def _joins(before: str, after: str) -> bool:
    """Say whether a joiner stands between characters that it shapes."""
    if not before or not after:
        return False
    left, right = before[-1], after[0]
    if unicodedata.combining(left) == 9:  # a virama
        return True
    if unicodedata.bidirectional(left) == unicodedata.bidirectional(right) == "AL":
        return True
    return unicodedata.category(left) in ("So", "Sk", "Mn") and unicodedata.category(right) == "So"
