"""Names of the ids in rules for a viewer, and values of conditions in the viewer's language."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from babel.dates import get_day_names
from flask_babel import gettext as _

from dashboard import catalog
from dashboard.access.scope import Scope
from dashboard.i18n import formats, zone
from dashboard.i18n.message import N_
from dashboard.models import Queue, Team, User
from dashboard.models.access import Access
from dashboard.models.notify import Channel
from dashboard.models.rules import Rule
from dashboard.rulelang import fields, schema
from dashboard.rulelang.describe import Show
from dashboard.rulelang.fields import Field, Kind
from dashboard.rulelang.references import FIELDS
from dashboard.rulelang.schema import Definition
from dashboard.rulelang.text_templates import Names
from dashboard.rules import permissions

OTHER_USER = N_("another user")
OTHER_QUEUE = N_("another queue")
OTHER_TEAM = N_("a deleted team")
OTHER_ACCESS = N_("a deleted role")
OTHER_CHANNEL = N_("a deleted channel")
OTHER_RULE = N_("another rule")
# What stands for a reference that cannot be named, by what it means.
OTHER: Mapping[str, str] = {
    "user": OTHER_USER,
    "queue": OTHER_QUEUE,
    "team": OTHER_TEAM,
    "access": OTHER_ACCESS,
    "channel": OTHER_CHANNEL,
    "rule": OTHER_RULE,
}


def names(
    scope: Scope,
    definitions: Iterable[Definition] = (),
    users: Iterable[int] = (),
    queues: Iterable[int] = (),
    teams: Iterable[int] = (),
    rules: Iterable[int] = (),
) -> Names:
    """Return the names of all that the definitions mention, and of the further ids given.

    What is missing from it is outside of the viewer's scope or gone. At most six queries, however many
    definitions there are.
    """
    asked: dict[str, set[int]] = defaultdict(set)
    for meaning, ids in (("user", users), ("queue", queues), ("team", teams), ("rule", rules)):
        asked[meaning].update(ids)
    for definition in definitions:
        for meaning, found in schema.refers_to(definition).items():
            asked[meaning] |= found
    return Names(
        _called(User, User.name, asked["user"], scope.allows(User.id)),
        _called(Team, Team.name, asked["team"]),
        _called(Queue, Queue.label, asked["queue"], scope.allows_queue(Queue.id)),
        _called(Access, Access.name, asked["access"]),
        _called(Channel, Channel.name, asked["channel"]),
        _called(Rule, Rule.name, asked["rule"], permissions.visible(scope)),
        zone(),
        _,
        formats.zoned,
    )


def _called(model: Any, column: Any, ids: set[int], allowed: Any = None) -> dict[int, str]:
    if not ids:
        return {}
    query = model.select(model.id, column).where(model.id.in_(sorted(ids)))
    return dict((query if allowed is None else query.where(allowed)).tuples())


def show(names: Names) -> Show:
    """Return how one value of a field reads: names for ids, labels for choices, lengths as h:mm:ss."""
    called = {"user": names.users, "queue": names.queues, "team": names.teams, "rule": names.rules}

    def shown(field: Field, value: Any) -> str:
        meaning = FIELDS.get(field.path)
        if meaning and isinstance(value, int):
            return called[meaning].get(value) or str(_(OTHER[meaning]))
        return _value(field, value, names.zone)

    return shown


def _value(field: Field, value: Any, zone_name: str) -> str:
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    if field.path == "type":
        return type_label(str(value))
    if label := fields.word(field, value):
        return str(_(label))
    if field.kind is Kind.WEEKDAY and isinstance(value, int) and 1 <= value <= 7:
        return day_name(value)
    if field.kind is Kind.DURATION and isinstance(value, int | float):
        return formats.duration(int(value))
    if field.kind is Kind.INSTANT:
        return _moment(value, zone_name)
    if isinstance(value, int | float) and field.kind is Kind.NUMBER:
        return formats.number(value)
    return str(value)


def _moment(value: Any, zone_name: str) -> str:
    try:
        if isinstance(value, str):
            return formats.date_plain(date.fromisoformat(value))
        return formats.stamp(int(value) // 1000, zone_name)
    except (ValueError, OverflowError, OSError, TypeError):  # beyond the calendar
        return str(value)


def day_name(day: int) -> str:
    """Return the short name of a weekday, Monday = 1."""
    return str(get_day_names("abbreviated", locale=formats.language())[day - 1])


def type_label(name: str) -> str:
    """Return the label of an event type; one's own types are shown by their name."""
    known = catalog.find(name)
    return name if known is None or known.group == "custom" else str(_(known.label))
