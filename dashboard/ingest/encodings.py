"""Tells which encoding the bytes of a text file are in. Pure.

UTF-8 and UTF-16 can be told for certain, the others by what the letters would be: a rule for the languages
that write with them, not a proof. Whoever reads a file says which encoding was taken, and lets it be named.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence

UTF_8 = "utf-8"
UTF_16 = "utf-16"
_BOM_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_ASCII = bytes(range(128))
_SHOWN = {
    UTF_8: "UTF-8",
    "utf-8-sig": "UTF-8 with a byte order mark",
    UTF_16: "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "iso8859-1": "latin-1",
}

_LETTER = re.compile("[A-Za-z]")
_WIDE_RUN = re.compile(r"[^\x00-\x7f]+")
_CONSONANTS = frozenset(b"bcdfghjklmnpqrstvwxzBCDFGHJKLMNPQRSTVWXZ")
# Bytes that are letters in both cp1250 and Latin-1, and how much more usual they are in one of them.
_CENTRAL = {**dict.fromkeys(b"\xec\xcc\xf9\xd9", 2), **dict.fromkeys(b"\xe8\xc8\xf8\xd8\xf2\xd2\xfd\xdd", 1)}
_WESTERN = {
    **dict.fromkeys(b"\xe0\xc0\xe3\xc3\xe5\xc5\xe7\xc7\xf1\xd1", 2),
    **dict.fromkeys(b"\xe6\xc6\xea\xca\xef\xcf", 1),
}
_CONSONANT_OR_VOWEL = frozenset(b"\xe8\xc8\xf8\xd8")  # č and ř, or è and ø
# Letters in cp1250, but control characters and signs in Latin-1 (Windows' own Latin-1 has Š and Ž there too).
_CENTRAL_ONLY = frozenset(b"\x8c\x8d\x8f\x9c\x9d\x9f\xa3\xa5\xaa\xaf\xb3\xb9\xba\xbc\xbe\xbf")


def known(name: str) -> str | None:
    """Return the encoding that is called so, or None for none that files of lines are read in.

    Read are UTF-16 and all in which ASCII is ASCII: UTF-8, the Windows and ISO code pages, cp932, EUC.
    """
    try:
        found = codecs.lookup(name).name
        if found in {UTF_16, "utf-16-le", "utf-16-be"}:
            return found
        return found if str(_ASCII, found) == _ASCII.decode() else None
    except (LookupError, UnicodeError, ValueError):
        return None


def at_start(head: bytes) -> str | None:
    """Return UTF-16 (in its byte order when there is no mark) or UTF-8 with a mark from the first bytes."""
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith(_BOM_16):
        return UTF_16
    even, odd = head[::2], head[1::2]
    if len(head) < 4:
        return None
    if all(even) and not any(odd):
        return "utf-16-le"
    return "utf-16-be" if all(odd) and not any(even) else None


def byte_order(name: str, head: bytes) -> str:
    """Return the codec for UTF-16 that begins with `head`: without a mark, Python's utf-16 reads nothing."""
    if name != UTF_16 or head.startswith(_BOM_16):
        return name
    return "utf-16-be" if at_start(head) == "utf-16-be" else "utf-16-le"


def of_lines(lines: Sequence[bytes]) -> str:
    """Return the encoding of lines with bytes beyond ASCII: utf-8, cp932, cp1250, latin-1 or cp1252.

    Each is taken when it fits more lines than not, so that a few broken ones do not turn the others. It is
    UTF-8 when they are valid, cp932 when they are valid and their characters mostly stand apart from ASCII
    letters, else cp1250 or Latin-1 by their letters. Where these give the same text it is cp1250.
    """
    others = [line for line in lines if not _decodes(line, UTF_8)]
    if len(others) * 2 < len(lines):
        return UTF_8
    japanese = [line.decode("cp932") for line in others if _decodes(line, "cp932")]
    if len(japanese) * 2 > len(others) and _stands_apart("\n".join(japanese)):
        return "cp932"
    sample = b"\n".join(others)
    if _western(sample) <= 0:
        return "cp1250"
    return "cp1252" if any(0x80 <= byte < 0xA0 for byte in sample) else "latin-1"


def shown(name: str) -> str:
    """Return how a person calls an encoding."""
    return _SHOWN.get(name, name)


def _decodes(text: bytes, encoding: str) -> bool:
    try:
        text.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _stands_apart(text: str) -> bool:
    """Say whether most runs of characters beyond ASCII have no ASCII letter beside them."""
    runs = list(_WIDE_RUN.finditer(text))
    beside = (text[run.start() - 1 : run.start()] + text[run.end() : run.end() + 1] for run in runs)
    return sum(_LETTER.search(letters) is not None for letters in beside) * 2 < len(runs)


def _western(sample: bytes) -> int:
    """Return a number above 0 for letters that are rather Latin-1 than cp1250, below 0 for the reverse."""
    found = 0
    for before, byte, after in zip(b"\n" + sample, sample, sample[1:] + b"\n", strict=False):
        if byte in _CENTRAL_ONLY:
            found -= 3
        elif byte in _CONSONANT_OR_VOWEL and before in _CONSONANTS and after in _CONSONANTS:
            found += 2
        else:
            found += _WESTERN.get(byte, 0) - _CENTRAL.get(byte, 0)
    return found
