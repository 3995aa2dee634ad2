"""The import of a configuration: adds what is missing, changes what differs, by name, and deletes nothing.

The same file twice is the same as once. A rule comes switched off; one whose name is there already stays.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from dashboard import clock
from dashboard.access import granting, scope
from dashboard.access.granting import Grant
from dashboard.audit import record as audit
from dashboard.db import Model
from dashboard.i18n.message import Message
from dashboard.models import Access, AccessGrant, Calendar, CalendarDay, PauseType, Queue, Rule, Team, User
from dashboard.rulelang import schema
from dashboard.rules import import_export
from dashboard.rules.configuration import (
    OF_KIND,
    TARGET,
    CalendarRow,
    Configuration,
    InvalidFileError,
    RoleRow,
    TeamRow,
    calendar_row,
    grant_kind,
    role_row,
    row_of,
)
from dashboard.rules.import_export import Incoming
from dashboard.rules.timing import timer_sync


class Change(NamedTuple):
    """What an import does with a row: added, changed, unchanged or skipped; `what` are fields or a reason."""

    act: str
    kind: str
    name: str
    what: str


class _UndoneError(Exception):
    """Takes back what a dry run wrote."""


def bring_in(found: Configuration, write: bool) -> list[Change]:
    """Add and change rows in one transaction; return what was done with each. Without `write` nothing stays.

    Raises granting.RefusedError where nobody would be left who can edit roles and users, InvalidFileError for
    a list of rules that cannot be read.
    """
    done: list[Change] = []
    try:
        with granting.keeping_administrator():
            done += [_team(row) for row in found.teams]
            done += [_plain("queue", Queue, row) for row in found.queues]
            done += [_plain("pause_type", PauseType, row) for row in found.pause_types]
            for role in found.roles:
                done += _role(role)
            done += [_calendar(row) for row in found.calendars]
            done += _rules(found.rules)
            counts = {act: sum(each.act == act for each in done) for act in ("added", "changed", "skipped")}
            audit.record("config.imported", "u", TARGET, details=counts)
            if not write:
                raise _UndoneError
    except _UndoneError:
        pass
    return done


def _plain(kind: str, model: type[Model], row: Struct) -> Change:
    """Add or change a row of a table with `name`, `label` and `deactivated_ts`."""
    given = msgspec.structs.asdict(row)
    table: Any = model
    stored = table.get_or_none(table.name == given["name"])
    before = msgspec.structs.asdict(row_of(type(row), stored)) if stored is not None else {}

    def columns(active: bool, **values: Any) -> dict[str, Any]:
        same = stored is not None and active == before["active"]
        since = stored.deactivated_ts if same else None if active else clock.now_s()
        return {**values, "deactivated_ts": since}

    extra = {"created_ts": clock.now_s()} if stored is None and "created_ts" in table._meta.fields else {}
    return _save(kind, table, stored, before, given, lambda: {**columns(**given), **extra})


def _save(
    kind: str,
    table: Any,
    stored: Any,
    before: dict[str, Any],
    after: dict[str, Any],
    columns: Callable[[], dict[str, Any]],
) -> Change:
    """Write `columns` where `after` differs from `before`, with an audit entry."""
    name = str(after["name"])
    changes = audit.differences(before, after)
    if stored is None:
        row = table.create(**columns())
        audit.record(f"{kind}.created", "c", (kind, row.id, name), changes, {"imported": True})
        return Change("added", kind, name, "")
    if not changes:
        return Change("unchanged", kind, name, "")
    table.update(version=table.version + 1, **columns()).where(table.id == stored.id).execute()
    audit.record(f"{kind}.updated", "u", (kind, stored.id, name), changes, {"imported": True})
    return Change("changed", kind, name, ", ".join(changes))


def _team(row: TeamRow) -> Change:
    stored = Team.get_or_none(Team.name == row.name)
    same = {"name": row.name}
    return _save("team", Team, stored, same if stored else {}, same, lambda: same)


def _role(row: RoleRow) -> list[Change]:
    """Add or change a role, and name the users and queues of its scope that are unknown here."""
    done, grants, sees = [], [], []
    for text in sorted(set(row.sees)):
        kind, name = grant_kind(text) or "", text.partition(":")[2]
        table: Any = User if kind == "users" else Queue
        column = User.login if kind == "users" else Queue.name
        ref = table.select(table.id).where(column == name).scalar() if kind in OF_KIND else None
        if kind in OF_KIND and ref is None:
            done.append(Change("skipped", "access", row.name, f"{text} is unknown here"))
            continue
        grants.append(Grant(kind, ref))
        sees.append(text)
    given = RoleRow(row.name, sorted(set(row.permissions)), sees, row.description, row.two_factor)
    stored = Access.get_or_none(Access.name == row.name)
    before = msgspec.structs.asdict(role_row(stored)) if stored is not None else {}
    after = msgspec.structs.asdict(given)
    columns = {name: value for name, value in after.items() if name != "sees"}
    change = _save("access", Access, stored, before, after, lambda: columns)
    if change.act == "added" or before.get("sees") != sees:
        ident = Access.select(Access.id).where(Access.name == row.name).scalar()
        AccessGrant.delete().where(AccessGrant.access == ident).execute()
        for grant in grants:
            AccessGrant.create(access=ident, kind=grant.kind, ref_id=grant.ref_id)
    return [change, *done]


def _calendar(row: CalendarRow) -> Change:
    stored = Calendar.get_or_none(Calendar.name == row.name)
    before = msgspec.to_builtins(calendar_row(stored)) if stored is not None else {}
    days = sorted(row.days, key=lambda each: each.on)
    after = msgspec.to_builtins(CalendarRow(row.name, row.zone, dict(sorted(row.hours.items())), days))
    columns = {name: value for name, value in after.items() if name != "days"}
    change = _save("calendar", Calendar, stored, before, after, lambda: columns)
    if change.act == "unchanged":
        return change
    if before.get("days", []) != after["days"]:
        ident = Calendar.select(Calendar.id).where(Calendar.name == row.name).scalar()
        CalendarDay.delete().where(CalendarDay.calendar == ident).execute()
        for day in after["days"]:
            CalendarDay.create(calendar=ident, **day)
    timer_sync.calendar_changed(row.name)
    return change


def _rules(raw: list[Any]) -> list[Change]:
    """Add the rules that the site has not by name, switched off; say of others whether they differ."""
    file = json.dumps({"stopa_rules": import_export.FORMAT, "rules": raw}).encode()
    read = import_export.read(file, scope.whole(), personal=False)
    if isinstance(read, Message):
        raise InvalidFileError(read.render())
    here = {rule.name: rule for rule in Rule.select().where(Rule.owner_id.is_null())}
    return [_rule(each, here.get(each.name)) for each in read]


def _rule(incoming: Incoming, stored: Rule | None) -> Change:
    definition = schema.dump(incoming.definition) if incoming.definition is not None else None
    if stored is not None:
        there = (stored.definition, stored.description, stored.group.name if stored.group else "")
        if there == (definition, incoming.description, incoming.group):
            return Change("unchanged", "rule", incoming.name, "")
        return Change("skipped", "rule", incoming.name, "differs from the rule of this name, which stays")
    import_export.add([incoming], None, None)
    said = [*([incoming.error] if incoming.error else []), *incoming.warnings]
    why = " ".join(each.render() for each in said)
    return Change("added" if definition else "skipped", "rule", incoming.name, why or "switched off")
