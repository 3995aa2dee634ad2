"""Texts as they are searched: folded without case, width and marks, numbers by their digits. Pure."""

from __future__ import annotations

import json
import re
import string
import unicodedata

MIN_LETTERS, MIN_WIDE = 3, 2
_VOICING = "\u3099\u309a"  # marks that make another kana: が is not か
_PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"})
_WIDE = re.compile("[\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")
_ASCII_LOWER = {ord(each): each.lower() for each in string.ascii_uppercase}
_NUMBER = re.compile(r"\+?[\d\s()/.-]+", re.ASCII)


def folded(text: str) -> str:
    """Return a text without case, width and marks, as it is stored to be searched: Šafář as safar."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    kept = "".join(each for each in apart if not unicodedata.combining(each) or each in _VOICING)
    return unicodedata.normalize("NFC", kept).translate(_PLAIN)


def of_contact(name: str, phone: str, email: str) -> str:
    """Return what a contact is found by: name, digits of the number and address, a line each."""
    return "\n".join((folded(name), re.sub(r"\D", "", phone), folded(email)))


def contact_terms(text: str) -> tuple[str, ...]:
    """Return the texts of which one must occur in `of_contact`: a number counts by its digits as well."""
    digits = re.sub(r"\D", "", text) if _NUMBER.fullmatch(text) else ""
    return tuple(dict.fromkeys(each for each in (folded(text), digits) if each))


def is_long_enough(text: str) -> bool:
    """Say whether a text can be searched: three characters, or two Kanji or kana."""
    return len(text) >= MIN_LETTERS or len(_WIDE.findall(text)) >= MIN_WIDE


def spellings(text: str) -> list[str]:
    """Return how a text may be written in stored JSON, as SQL's lower() gives it: SQLite's changes ASCII
    letters alone, and what is no ASCII may be escaped."""
    cases = (text, text.lower(), text.upper(), text.title())
    written = (
        form
        for each in cases
        for form in (each, json.dumps(each)[1:-1], json.dumps([each], ensure_ascii=False)[2:-2])
    )
    return list(dict.fromkeys(form.translate(_ASCII_LOWER) for form in written))


def escaped(text: str) -> str:
    """Return a text for LIKE with the escape character "!"."""
    return re.sub("[!%_]", r"!\g<0>", text)
