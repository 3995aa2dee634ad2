"""Ranks of the words that help desks use for priorities and severities. Pure.

Sources: Zammad ("1 low" to "3 high"), Jira (lowest to highest; trivial to blocker), SmarterTrack and
Zendesk (low to urgent), OTRS ("1 very low" to "5 very high"), P1 (the highest) to P5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from dashboard.i18n.message import N_
from dashboard.rulelang.fields import ConditionError, text_of
from dashboard.rulelang.words import fold

NO_RANK = N_("The value has no known rank.")

_STEPS = (
    "none, trivial, lowest, very low, nejnižší, velmi nízká, 最低",
    "low, minor, nízká, 低",
    "normal, medium, moderate, default, standard, normální, střední, běžná, 中, 通常, 普通",
    "high, important, major, vysoká, 高",
    "highest, very high, urgent, critical, severe, nejvyšší, velmi vysoká, urgentní, kritická, 最高, 緊急",
    "emergency, immediate, blocker, okamžitá, 至急",
)
_WORDS: Mapping[str, int] = MappingProxyType(
    {fold(word): step for step, words in enumerate(_STEPS) for word in words.split(", ")}
)
_NUMBERED = re.compile(r"[0-9]{1,3}[ .:-]+(?=\D)")  # "3 high" means "high"
_WHOLE = re.compile(r"[0-9]{1,9}")
_P = re.compile(r"p ?([0-9])")


class Rank(NamedTuple):
    """A place on a scale: words, whole numbers, or P1 and its like. Scales do not compare."""

    scale: str
    place: int


def of(value: Any) -> Rank:
    """Return the rank of a word or number. Raises ConditionError for one without a known rank."""
    text = fold(text_of(value)).strip()
    if _WHOLE.fullmatch(text):
        return Rank("number", int(text))
    if found := _P.fullmatch(text):
        return Rank("p", -int(found[1]))
    word = _NUMBERED.sub("", text, count=1)
    if word not in _WORDS:
        raise ConditionError(NO_RANK)
    return Rank("word", _WORDS[word])
