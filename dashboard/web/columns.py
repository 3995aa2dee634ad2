"""What a resource declares about its list and its screen texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup

from dashboard.i18n import formats
from dashboard.i18n.message import N_
from dashboard.web import lists


@dataclass(frozen=True)
class Column:
    """A column of the list: `value` of a row is what it sorts by and, unless `show` is given, its text.

    `css` holds the classes of heading and cells, `cell_css` further ones of the cells alone.
    """

    key: str
    label: str
    value: Callable[[Any], Any] | None = None
    show: Callable[[Any], Any] | None = None
    css: str = ""
    cell_css: str = ""
    sorts: bool = True
    hidden: bool = False  # the heading is for screen readers only

    def sort_key(self, row: Any) -> Any:
        return self.value(row) if self.value is not None else getattr(row, self.key)

    def cell(self, row: Any) -> Any:
        """Return the text (or Markup) of a cell, a dash for nothing."""
        shown = self.show(row) if self.show is not None else self.sort_key(row)
        return "–" if shown is None or shown == "" else shown

    @property
    def classes(self) -> str:
        return f"{self.css} {self.cell_css}".strip()


@dataclass(frozen=True)
class Texts:
    """What the pages of a resource say: marked texts, and the function that counts rows in words."""

    title: str
    one: str
    table: str = ""
    none: str = ""
    none_hint: str = ""
    no_match: str = ""
    new: str = ""
    count: Callable[[int], str] | None = None
    taken: str = ""  # another row has this name
    leave: tuple[str, ...] = ()  # what the confirmation of a removal says
    back: tuple[str, ...] = ()  # what the confirmation of a reactivation says
    include: str = ""  # the box that also lists rows that left
    about: str = ""
    no_match_hint: str = ""
    add: str = N_("Save")  # the button of a new row's form
    picture: str = "empty"


def badge(text: str, kind: str = "") -> Markup:
    """Return a badge as the macro of ui/parts.html draws it; kind: "", ok, warn, bad or info."""
    return Markup('<span class="bd {}">{}</span>').format(kind, text)


def state_badge(row: Any) -> Markup:
    return badge(_("Inactive")) if row.deactivated_ts else badge(_("Active"), "ok")


STATE = Column("state", N_("State"), show=state_badge, sorts=False)


def number(key: str, label: str, css: str = "n") -> Column:
    """Return a column of whole numbers, the attribute `key` of a row."""
    return Column(key, label, show=lambda row: formats.number(getattr(row, key)), css=css)


def moment(key: str, label: str, attribute: str, css: str) -> Column:
    """Return a column of instants, epoch seconds in an attribute of a row or None for never."""
    return Column(
        key,
        label,
        lambda row: getattr(row, attribute),
        lambda row: lists.moment(getattr(row, attribute)),
        css,
    )
