"""Texts in a language of one's own choice, where no request chooses one: notices, mail, made rules."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from babel.support import Translations

from dashboard.i18n import ROOT, compile_catalogues


@lru_cache(maxsize=8)
def translator(locale: str) -> Callable[[str], str]:
    """Return what puts a marked text into the language; English for one that there is no catalogue of."""
    compile_catalogues()
    found: Callable[[str], str] = Translations.load(str(ROOT), [locale]).ugettext
    return found
