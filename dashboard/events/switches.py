"""Which event types are recorded, usable in rules and kept how long: defaults of the catalogue and
administrators' choices.

A type that rules cannot use may still be recorded; a type that is not recorded never reaches rules.
`on=False` in the catalogue marks a type as rarely useful, but does not reject it: such events are accepted
until an administrator turns the type off.
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
    """The setting of a type. `days` is how long its events are kept; None: as long as all events."""

    recorded: bool
    in_rules: bool
    days: int | None = None

    @property
    def usable(self) -> bool:
        """Whether rules can use the type: it is recorded and allowed in rules."""
        return self.recorded and self.in_rules


_CACHE: WeakKeyDictionary[peewee.Database, tuple[str, dict[str, Choice]]] = WeakKeyDictionary()


def choices() -> Mapping[str, Choice]:
    """Return administrators' choices by canonical type name; most types have none.

    Cached per process under a token that every change replaces, so a look-up reads one row.
    """
    tokens = _TOKEN.rows()
    if not tokens:
        return {}
    token: str = tokens[0][0]
    cached = _CACHE.get(database.obj)
    if cached is None or cached[0] != token:
        t = TypeSwitch
        rows = t.select(t.type, t.recorded, t.in_rules, t.days).tuples()
        cached = token, {name: Choice(*chosen) for name, *chosen in rows}
        _CACHE[database.obj] = cached
    return cached[1]


def choice(type_: str) -> Choice:
    """Return the setting of a type by its canonical name, from the catalogue or custom."""
    return choices().get(type_) or default(type_)


def default(type_: str) -> Choice:
    """Return the default setting of a type."""
    known = catalog.find(type_)
    return Choice(True, known is None or known.in_rules)


def recorded(type_: str) -> bool:
    """Return whether events of the type are stored."""
    return choice(type_).recorded


def in_rules(type_: str) -> bool:
    """Return whether rules can use the type: it is recorded and allowed in rules."""
    return choice(type_).usable


def retention_days(type_: str) -> int | None:
    """Return the days that events of the type are kept; None if they are kept as long as all events."""
    return choice(type_).days


def off() -> Collection[str]:
    """Return the types whose events are rejected."""
    return {name for name, chosen in choices().items() if not chosen.recorded}


def choose(type_: str, wanted: Choice) -> None:
    """Store an administrator's choice for a type, in the caller's transaction.

    A choice that equals the default is not stored, so that later changes of the default apply.
    """
    TypeSwitch.delete().where(TypeSwitch.type == type_).execute()
    if wanted != default(type_):
        TypeSwitch.create(type=type_, **wanted._asdict())
