"""The detail of a row of a list: what its page shows, and the drawer beside the list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from flask import abort

from dashboard.web.forms import ID_MAX
from dashboard.web.lists import here

OPEN = "open"  # the parameter of a list that opens a row beside it
Find = Callable[[int], "Detail | None"]


class Fact(NamedTuple):
    """A label and its text, where the text leads, and whether it is a code; one without text is not shown."""

    label: str
    text: str
    url: str | None = None
    is_code: bool = False


class Change(NamedTuple):
    """A field and its values; of lists, what was taken out and what was put in."""

    field: str
    before: str
    after: str


class Line(NamedTuple):
    """A row beside this one: what is linked, the rest, and a badge (text and style) where it has one."""

    url: str
    name: str
    text: str
    current: bool = False
    badge: tuple[str, str] | None = None


@dataclass(frozen=True)
class Part:
    """A section of a detail: any of facts, changes, lines and a written text, in this order.

    `none` is said when all are empty; a section without it is left out then. `url` is the list of which
    `lines` are a part. A page puts those `beside` into its second column.
    """

    id: str
    title: str
    facts: Sequence[Fact] = ()
    changes: Sequence[Change] = ()
    lines: Sequence[Line] = ()
    written: str = ""
    none: str = ""
    url: str | None = None
    beside: bool = False

    @property
    def is_empty(self) -> bool:
        return not (any(each.text for each in self.facts) or self.changes or self.lines or self.written)


@dataclass(frozen=True)
class Detail:
    """What is said of a row: its title, its number, a sentence, its page ("" without one) and its parts.

    `badge` is a text and its style. `actions` are labels and addresses.
    """

    title: str
    number: int
    sentence: str
    url: str
    parts: Sequence[Part]
    badge: tuple[str, str] | None = None
    actions: Sequence[tuple[str, str]] = ()

    @property
    def shown(self) -> list[Part]:
        return [part for part in self.parts if part.none or not part.is_empty]


class Drawer(NamedTuple):
    """The detail of a row beside its list; the addresses of the list without it and of the rows around."""

    key: int
    detail: Detail
    close_url: str
    before_url: str | None
    after_url: str | None


def found(find: Find | None, ident: str) -> Detail:
    """Return the detail of the row with this key; answers 404 without one that the reader sees."""
    key = int(ident) if ident.isascii() and ident.isdecimal() and len(ident) < 20 else 0
    detail = find(key) if find and 0 < key <= ID_MAX else None
    return detail if detail is not None else abort(404)


def drawer(find: Find, ident: str, keys: Sequence[int]) -> Drawer:
    """Return the drawer of a row beside the list of the rows `keys`, which need not have it."""
    detail, key = found(find, ident), int(ident)
    around = [None, *keys, None] if key in keys else [None, key, None]
    at = around.index(key)
    urls = [opened_url(each) if each else None for each in (around[at - 1], around[at + 1])]
    return Drawer(key, detail, here((OPEN,)), urls[0], urls[1])


def opened_url(key: int | str) -> str:
    """Return the address of this list with the detail of a row beside it."""
    return f"{here((OPEN,), open=str(key))}#detail"
