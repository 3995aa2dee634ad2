"""The configuration as a file: roles, teams, queues, pause types, calendars and the site's rules, no secrets.

What an import does with a file is in configuration_import.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from dashboard import clock
from dashboard.access import granting, scope
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.catalog.channels import QUEUED
from dashboard.models import Access, Calendar, CalendarDay, PauseType, Queue, Rule, Team, User
from dashboard.rulelang import holidays, working_time
from dashboard.rules import import_export

FORMAT = 1
TARGET = ("settings", "", "configuration")
OF_KIND = {"users": "user", "queues": "queue"}  # grants of one row: "user:jana", "queue:support"

VISIBLE = r"\S"
Name = Annotated[str, Meta(max_length=120, pattern=VISIBLE)]
Label = Annotated[str, Meta(max_length=200, pattern=VISIBLE)]
Ranges = list[tuple[str, str]]
RowT = TypeVar("RowT", bound=Struct)


class RoleRow(Struct, forbid_unknown_fields=True):
    name: Name
    permissions: list[str]
    sees: list[str] = []
    description: Annotated[str, Meta(max_length=500)] = ""
    two_factor: bool = False


class TeamRow(Struct, forbid_unknown_fields=True):
    name: Name


class QueueRow(Struct, forbid_unknown_fields=True):
    name: Name
    label: Label
    channel: str
    sla_seconds: Annotated[int, Meta(ge=0, le=86_400)] = 20
    weight: Annotated[int, Meta(ge=0, le=1000)] = 0
    active: bool = True


class PauseTypeRow(Struct, forbid_unknown_fields=True):
    name: Name
    label: Label
    paid: bool = False
    max_seconds: Annotated[int, Meta(ge=1, le=86_400)] | None = None
    active: bool = True


class DayRow(Struct, forbid_unknown_fields=True):
    on: date
    name: Annotated[str, Meta(max_length=200)] = ""
    hours: Ranges = []


class CalendarRow(Struct, forbid_unknown_fields=True):
    name: Name
    zone: str
    hours: dict[Annotated[str, Meta(pattern=r"^[1-7]\Z")], Ranges] = {}
    days: Annotated[list[DayRow], Meta(max_length=holidays.MAX_DAYS)] = []


class Configuration(Struct, forbid_unknown_fields=True):
    """A file. `rules` is the list of a file of rules, see import_export."""

    stopa_config: Annotated[int, Meta(ge=1)]
    roles: list[RoleRow] = []
    teams: list[TeamRow] = []
    queues: list[QueueRow] = []
    pause_types: list[PauseTypeRow] = []
    calendars: list[CalendarRow] = []
    rules: list[Any] = []


class InvalidFileError(Exception):
    """The file is not a configuration that this version takes; the text says where and why."""


def export() -> bytes:
    """Return the configuration of this site as JSON (UTF-8), and record the export."""
    rules = Rule.select().where(Rule.owner_id.is_null()).order_by(Rule.position, Rule.id)
    found = Configuration(
        FORMAT,
        [role_row(each) for each in Access.select().order_by(Access.name)],
        [TeamRow(each.name) for each in Team.select().order_by(Team.name)],
        [row_of(QueueRow, each) for each in Queue.select().order_by(Queue.name)],
        [row_of(PauseTypeRow, each) for each in PauseType.select().order_by(PauseType.name)],
        [calendar_row(each) for each in Calendar.select().order_by(Calendar.name)],
        json.loads(import_export.export(list(rules), scope.whole()))["rules"],
    )
    audit.record("config.exported", "r", TARGET, details={"rows": len(list(_names(found)))})
    return msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"


def load(data: bytes) -> Configuration:
    """Return the configuration of a file. Raises InvalidFileError."""
    try:
        found = msgspec.json.decode(data, type=Configuration)
        has_nul = _has_nul(msgspec.to_builtins(found))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidFileError(str(error)) from None
    except RecursionError:
        raise InvalidFileError("The file is nested too deeply.") from None
    if has_nul:  # PostgreSQL stores no text with one
        raise InvalidFileError("A text holds the character NUL.")
    if found.stopa_config > FORMAT:
        raise InvalidFileError("The file was exported from a newer version. Upgrade Stopa first.")
    seen: set[tuple[str, str]] = set()
    for each in _names(found):
        if each in seen:
            raise InvalidFileError(f"{' '.join(each)}: the name stands twice.")
        seen.add(each)
    _check(found)
    return found


def _has_nul(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_nul(each) for pair in value.items() for each in pair)
    if isinstance(value, list | tuple):
        return any(_has_nul(each) for each in value)
    return isinstance(value, str) and "\0" in value


def _names(found: Configuration) -> Iterable[tuple[str, str]]:
    for kind in ("roles", "teams", "queues", "pause_types", "calendars"):
        for row in getattr(found, kind):
            yield kind, row.name


def _check(found: Configuration) -> None:
    known = {permission.value for permission in Permission}
    for role in found.roles:
        if unknown := sorted(set(role.permissions) - known):
            raise InvalidFileError(f"Role {role.name}: unknown permissions {', '.join(unknown)}.")
        if wrong := [each for each in role.sees if grant_kind(each) is None]:
            raise InvalidFileError(f"Role {role.name}: {wrong[0]!r} is none of all_users, user:LOGIN, …")
    for queue in found.queues:
        if queue.channel not in QUEUED:
            raise InvalidFileError(f"Queue {queue.name}: the channel is one of {', '.join(QUEUED)}.")
    for calendar in found.calendars:
        try:
            clock.zone(calendar.zone)
            for ranges in (*calendar.hours.values(), *(day.hours for day in calendar.days)):
                working_time.ranges([list(each) for each in ranges])
        except ValueError as error:
            raise InvalidFileError(f"Calendar {calendar.name}: {error}") from None
        if len({day.on for day in calendar.days}) < len(calendar.days):
            raise InvalidFileError(f"Calendar {calendar.name}: a day stands twice.")


def row_of(kind: type[RowT], row: Any) -> RowT:
    """Return a stored queue or pause type as a file has it."""
    names = [name for name in kind.__struct_fields__ if name != "active"]
    return kind(**{name: getattr(row, name) for name in names}, active=row.deactivated_ts is None)


def role_row(row: Access) -> RoleRow:
    """Return a stored role as a file has it."""
    return RoleRow(row.name, sorted(row.permissions), _sees(row.id), row.description, row.two_factor)


def _sees(access_id: int) -> list[str]:
    users = dict(User.select(User.id, User.login).tuples())
    queues = dict(Queue.select(Queue.id, Queue.name).tuples())
    names = {"users": users, "queues": queues}
    found = [
        f"{OF_KIND[each.kind]}:{names[each.kind][each.ref_id]}" if each.kind in OF_KIND else each.kind
        for each in granting.grants_of(access_id)
        if each.kind not in OF_KIND or each.ref_id in names[each.kind]
    ]
    return sorted(found)


def grant_kind(text: str) -> str | None:
    """Return the kind of grant that a text such as "all_users" or "user:jana" means, None for none."""
    before, colon, _name = text.partition(":")
    kinds = {single: kind for kind, single in OF_KIND.items()}
    return (
        kinds.get(before)
        if colon
        else text
        if text in granting.GRANT_LABELS and text not in OF_KIND
        else None
    )


def calendar_row(row: Calendar) -> CalendarRow:
    """Return a stored calendar as a file has it."""
    query = CalendarDay.select().where(CalendarDay.calendar == row.id).order_by(CalendarDay.on)
    days = [DayRow(date.fromisoformat(each.on), each.name, _ranges(each.hours)) for each in query]
    hours = {day: _ranges(found) for day, found in sorted(row.hours.items()) if found}
    return CalendarRow(row.name, row.zone, hours, days)


def _ranges(stored: Iterable[Iterable[str]]) -> Ranges:
    return [(first, second) for first, second in stored]
