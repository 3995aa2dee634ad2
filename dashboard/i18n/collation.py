"""Sort order of names by language. Pure.

Babel has no collation. Czech sorts č, ř, š, ž after their plain letters and ch after h; other
marks decide only between words otherwise equal. Japanese names sort by reading where kana are
given, otherwise by code point, which puts kana before kanji.
"""

from __future__ import annotations

import unicodedata

_CZECH = {"č": "c~", "ř": "r~", "š": "s~", "ž": "z~"}


def key(text: str, language: str = "en") -> tuple[str, str]:
    """Return a sort key: compares base letters first, then diacritics and case."""
    folded = unicodedata.normalize("NFC", text).casefold()
    if language == "cs":
        folded = "".join(_CZECH.get(letter, letter) for letter in folded).replace("ch", "h~")
    if folded.isascii():
        return (folded, text)
    plain = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
    return (plain, text)
