"""What forms of all pages read alike: texts, numbers, lists of ids, and rows of an id."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from flask import abort
from flask_babel import gettext as _

from dashboard.i18n import characters, formats
from dashboard.i18n.message import INVISIBLE, NOT_CLEAN, NOT_WHOLE

ID_MAX = 2**31 - 1  # the columns' integers; SQLite would take more and PostgreSQL refuse
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Both(NamedTuple):
    """A field that two people changed: as stored now, and as typed here."""

    label: str
    stored: str
    typed: str


def text(form: Mapping[str, str], name: str) -> str:
    return form.get(name, "").strip()


def line_problem(value: str, most: int, needed: bool = True) -> str | None:
    """Return what is wrong with one line of text, or None: its length, control or invisible characters."""
    if (needed and not value) or len(value) > most:
        least = 1 if needed else 0
        return str(_("Enter %(least)d to %(most)d characters.", least=least, most=most))
    if _CONTROL.search(value):
        return str(_(NOT_CLEAN))
    code = characters.invisible(value)
    return str(_(INVISIBLE, code=code)) if code else None


def whole(value: str, least: int, most: int) -> int | None:
    """Return a whole number within the bounds, else None."""
    if not value.isascii() or not value.isdigit() or len(value) > len(str(most)):
        return None
    return int(value) if least <= int(value) <= most else None


def whole_problem(least: int, most: int) -> str:
    return str(_(NOT_WHOLE, least=least, most=most))


def ids(values: Iterable[str]) -> frozenset[int]:
    """Return the numbers among `values` that could be ids; anything else is left out."""
    return frozenset(number for value in values if (number := whole(value, 1, ID_MAX)) is not None)


def one(model: type[Any], ident: int) -> Any:
    """Return the row of that id, or answer 404."""
    return (model.get_or_none(model.id == ident) if 0 < ident <= ID_MAX else None) or abort(404)


def both(labels: Mapping[str, str], stored: Mapping[str, Any], typed: Mapping[str, Any]) -> list[Both]:
    """Return the fields in which what is stored now differs from what was typed, for a reader."""
    return [
        Both(_(label), readable(stored.get(name)), readable(typed.get(name)))
        for name, label in labels.items()
        if stored.get(name) != typed.get(name)
    ]


def readable(value: Any) -> str:
    """Return a stored value as a reader expects it: lists joined, yes and no, a dash for nothing."""
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    if isinstance(value, list | tuple):
        return formats.listed(str(each) for each in value) or "–"
    return "–" if value is None or value == "" else str(value)
