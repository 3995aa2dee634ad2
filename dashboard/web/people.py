"""The people that a form offers to choose from: never more than the viewer may see."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from dashboard.access.scope import Scope
from dashboard.db import rows
from dashboard.models import User
from dashboard.web import lists

SHOWN = 50  # people offered besides those chosen; a search finds the others


class Person(NamedTuple):
    id: int
    name: str
    login: str
    deactivated_ts: int | None


class People(NamedTuple):
    rows: list[Person]
    more: int  # that match and are not shown


def offered(scope: Scope, chosen: Collection[int], sought: str) -> People:
    """Return those chosen, then up to SHOWN active users who match; nobody outside the scope."""
    query = User.select(User.id, User.name, User.login, User.deactivated_ts).where(scope.allows(User.id))
    everybody: list[Person] = lists.by_name(rows(query, Person), lambda person: person.name)
    first = [person for person in everybody if person.id in chosen]
    others = [
        person
        for person in everybody
        if person.id not in chosen
        and not person.deactivated_ts
        and lists.found(sought, person.name, person.login)
    ]
    return People(first + others[:SHOWN], max(0, len(others) - SHOWN))


def unknown(scope: Scope, ids: Collection[int]) -> bool:
    """Is one of the ids nobody, or somebody outside the scope?"""
    known = User.select(User.id).where(User.id.in_(sorted(ids)) & scope.allows(User.id))
    return bool(known.count() < len(ids))
