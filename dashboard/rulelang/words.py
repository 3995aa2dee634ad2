"""Texts as readers compare them: folded, counted in letters, searched for words and domains. Pure."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from urllib.parse import urlsplit

KEPT_LETTERS = 4096  # a longer text is folded anew each time: the cache must stay small


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


# Letters of scripts that write no spaces between words: Thai, Lao, Myanmar, Khmer, kana, Han.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_KATAKANA = re.compile("[\u30a0-\u30ff\u31f0-\u31ff]")


def has_word(text: str, word: str) -> bool:
    """Return whether `word` occurs in `text` between two boundaries of words.

    A boundary lies beside what is no letter or digit, and beside a letter of a script without spaces, but
    not within a run of katakana. Source: UAX #29, WB5-WB13, without dictionaries.
    """
    at = text.find(word)
    while at >= 0:
        end = at + len(word)
        if _is_boundary(text[at - 1 : at], word[0]) and _is_boundary(word[-1], text[end : end + 1]):
            return True
        at = text.find(word, at + 1)
    return False


def _is_boundary(left: str, right: str) -> bool:
    if not left.isalnum() or not right.isalnum():
        return True
    if _KATAKANA.match(left) and _KATAKANA.match(right):
        return False
    return bool(_UNSPACED.match(left) or _UNSPACED.match(right))


def letters(text: str) -> int:
    """Return the number of characters as a reader counts them: combining marks are part of their letter."""
    composed = unicodedata.normalize("NFC", text)
    return sum(unicodedata.category(each) not in ("Mn", "Me") for each in composed)


def domain(text: str) -> str:
    """Return the domain of a folded e-mail address, URL or host name, without port and last dot; "" for a URL
    without a valid host."""
    try:
        host = urlsplit(text).hostname or "" if "://" in text else text.rpartition("@")[2].partition("/")[0]
    except ValueError:
        return ""
    return host.partition(":")[0].rstrip(".")


def in_domain(text: str, suffix: str) -> bool:
    """Say whether the address lies in the domain or below it: "a.b.cz" in "b.cz", "xb.cz" not."""
    return f".{domain(text)}".endswith("." + suffix.strip("."))
