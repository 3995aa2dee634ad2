"""Fonts of the PDF: packaged fonts for Czech and Japanese, and which characters no font covers."""

from __future__ import annotations

import subprocess
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache
from importlib import resources, util
from pathlib import Path
from typing import NamedTuple

from fontTools.ttLib import TTFont

PREFERRED = "BIZ UDPGothic"  # Latin with Czech marks and Japanese in one legible face, with bold
FALLBACK = "DejaVu Sans"  # comes along with Pango; before the Japanese face, which has no ř, š, ž, ů
PACKAGED = "Stopa Japanese"
GETA = "\N{GETA MARK}"  # the mark that Japanese printers set for a letter they lack
# Characters that are drawn by no glyph at all: controls, joiners, marks of direction, selectors.
_INVISIBLE = [
    (0x00, 0x20),
    (0x7F, 0x9F),
    (0xAD, 0xAD),
    (0x34F, 0x34F),
    (0x61C, 0x61C),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x2028, 0x202E),
    (0x2060, 0x206F),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xE0000, 0xE0FFF),
]


class Stack(NamedTuple):
    """Families in the order of trial, and the file of the packaged face when it is among them."""

    families: tuple[str, ...]
    file: Path | None

    @property
    def css(self) -> str:
        """The value of font-family."""
        return ", ".join(f'"{name}"' for name in self.families) + ", sans-serif"


class Coverage:
    """Which characters some font shows, as ranges."""

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(ranges):
            if self._ends and start <= self._ends[-1] + 1:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)

    def __contains__(self, letter: str) -> bool:
        at = bisect_right(self._starts, ord(letter)) - 1
        return at >= 0 and ord(letter) <= self._ends[at]

    def missing(self, text: str) -> set[str]:
        """Return the characters of the text that would come out as empty boxes."""
        return {letter for letter in set(text) if letter not in self}


@lru_cache(maxsize=1)
def stack() -> Stack:
    """Return the faces to use: the preferred one where installed, then Latin, then the packaged Japanese.

    The packaged one has 5,000 characters that the preferred one lacks, such as those of rare names.
    """
    file = packaged()
    installed = PREFERRED in _fontconfig("fc-list", "--format", "%{family}\n", PREFERRED)
    return Stack((*[PREFERRED] * installed, FALLBACK, *[PACKAGED] * (file is not None)), file)


@lru_cache(maxsize=1)
def coverage() -> Coverage:
    """Return what the installed fonts and the packaged one show together.

    Pango falls back from face to face by itself, so any installed font counts. Without fontconfig's
    commands nothing is known, and every character passes.
    """
    charsets = _fontconfig("fc-list", "--format", "%{charset}\n")
    if file := stack().file:
        charsets += _fontconfig("fc-query", "--format", "%{charset}\n", str(file))
    if not charsets:
        return Coverage([(0, 0x10FFFF)])
    return Coverage([*_INVISIBLE, *(_range(part) for part in set(charsets.split()))])


@lru_cache(maxsize=2)
def _advances(bold: bool) -> dict[str, float]:
    """Return how far each letter of the Latin faces takes the line, in em; {} without fontconfig."""
    found: dict[str, float] = {}
    for name in stack().families[::-1]:
        pattern = f"{name}:bold" if bold else name
        file = _fontconfig("fc-match", "--format", "%{file}", pattern) if name != PACKAGED else ""
        if not file:
            continue
        with TTFont(file, fontNumber=0, lazy=True) as face:
            metrics, em = face["hmtx"], face["head"].unitsPerEm
            found |= {chr(code): metrics[name][0] / em for code, name in face.getBestCmap().items()}
    return found


def width(text: str, bold: bool = False) -> float:
    """Return the width of a line in em; a letter of no Latin face counts as 0.6 em, a wide one as 1."""
    advances = _advances(bold)
    return sum(advances.get(letter) or (1.0 if is_wide(letter) else 0.6) for letter in text)


def is_wide(letter: str) -> bool:
    """Say whether a letter takes a square, as those of Japanese do."""
    return unicodedata.east_asian_width(letter) in "WF"


def packaged() -> Path | None:
    """Return the Japanese face that comes with the Python packages, None when it is not installed."""
    if util.find_spec("pylopdf_fonts_jp") is None:
        return None
    file = Path(str(resources.files("pylopdf_fonts_jp") / "NotoSansJP-Regular.otf"))
    return file if file.is_file() else None


def _range(part: str) -> tuple[int, int]:
    """Return 20-7e as (32, 126) and a0 as (160, 160)."""
    start, _, end = part.partition("-")
    return int(start, 16), int(end or start, 16)


def _fontconfig(*command: str) -> str:
    """Return what a command of fontconfig prints; nothing when it is not installed."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout  # noqa: S603
    except FileNotFoundError:
        return ""
