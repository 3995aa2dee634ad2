"""Which event types are recorded and which rules may use: the catalogue, and what administrators chose.

A type that is not for rules is recorded all the same; one that is not recorded reaches no rule.
A catalogue's `on=False` says that a type is seldom of use; it keeps nothing out. An event of such a
type that somebody sends is taken like any other until an administrator switches the type off.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple
from weakref import WeakKeyDictionary

import peewee

from dashboard import catalog
from dashboard.db import database
from dashboard.db.prepared import Prepared
from dashboard.models import Setting, TypeSwitch
from dashboard.models.versions import TYPES

_TOKEN = Prepared(lambda: Setting.select(Setting.value).where(Setting.name == TYPES))


class Choice(NamedTuple):
    recorded: bool
    in_rules: bool


_KEPT: WeakKeyDictionary[peewee.Database, tuple[str, dict[str, Choice]]] = WeakKeyDictionary()


def choices() -> Mapping[str, Choice]:
    """Return what administrators chose, by canonical name of type; most types have no choice.

    Kept per process under a token that every change replaces: looking costs one row.
    """
    found = _TOKEN.rows()
    if not found:
        return {}
    token: str = found[0][0]
    kept = _KEPT.get(database.obj)
    if kept is None or kept[0] != token:
        t = TypeSwitch
        rows = t.select(t.type, t.recorded, t.in_rules).tuples()
        kept = token, {name: Choice(recorded, in_rules) for name, recorded, in_rules in rows}
        _KEPT[database.obj] = kept
    return kept[1]


def choice(type_: str) -> Choice:
    """Return what holds for a canonical name, be it of the catalogue or custom."""
    chosen = choices().get(type_)
    return chosen or default(type_)


def default(type_: str) -> Choice:
    """Return what holds for a type that no administrator has chosen about."""
    known = catalog.find(type_)
    return Choice(True, known is None or known.in_rules)


def recorded(type_: str) -> bool:
    """Say whether events of the type are stored."""
    return choice(type_).recorded


def in_rules(type_: str) -> bool:
    """Say whether rules may be about the type: it is recorded, and open to them."""
    return all(choice(type_))


def off() -> Collection[str]:
    """Return the types whose events are not stored: what a gate refuses."""
    return {name for name, chosen in choices().items() if not chosen.recorded}


def choose(type_: str, wanted: Choice) -> None:
    """Keep what an administrator wants for a type, in the caller's transaction.

    What equals the default leaves no row, so that a later catalogue speaks for itself.
    """
    TypeSwitch.delete().where(TypeSwitch.type == type_).execute()
    if wanted != default(type_):
        TypeSwitch.create(type=type_, **wanted._asdict())
