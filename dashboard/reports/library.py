"""Saved queries and who may read and change them.

A reader has their own, those shared with their role or with everybody, and the ready-made ones, of the data
sources that they may see. All run with the reader's rights; only the owner changes one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode

from flask_babel import gettext as _

from dashboard import clock
from dashboard.access import masking
from dashboard.access.granting import RefusedError
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.db.prepared import Prepared, slot
from dashboard.i18n.message import N_
from dashboard.models import SavedQuery, User
from dashboard.reports import ready
from dashboard.sources.types import Source

ID_DIGITS = 9
NOT_KEPT = ("after",)  # the place in a list is no part of what is saved
NO_SHARING = N_("Your role doesn't allow sharing.")


class Origin(StrEnum):
    READY = "ready"
    MINE = "mine"
    SHARED = "shared"


class Sharing(StrEnum):
    PRIVATE = "private"
    ACCESS = "access"  # with everybody who has the role
    ALL = "all"


class Draft(NamedTuple):
    """What is saved: `query` holds parameters of an address, without a place in a list.

    `access_id` is the role it is shared with, for Sharing.ACCESS.
    """

    name: str
    description: str
    source: str
    query: Mapping[str, Sequence[str]]
    chart: str = ""
    on_list: bool = False
    shared: Sharing = Sharing.PRIVATE
    access_id: int | None = None


@dataclass(frozen=True, slots=True)
class SavedReport:
    """A query as its reader finds it. `reference` names it in addresses: its id, or the key of a ready-made
    one, whose `version` is 0 and whose name is translated."""

    reference: str
    origin: Origin
    name: str
    description: str
    source: Source
    query: str
    chart: str
    owner: str = ""
    owner_id: int | None = None
    on_list: bool = False
    shared: Sharing = Sharing.ALL
    access_id: int | None = None
    updated_ts: int | None = None
    version: int = 0

    @property
    def parameters(self) -> dict[str, list[str]]:
        return parameters(self.query)


def canonical(given: Mapping[str, Sequence[str]]) -> str:
    """Return parameters as the text that is stored: sorted by name, without empty ones."""
    kept = [
        (name, value)
        for name in sorted(given)
        if name not in NOT_KEPT
        for value in given[name]
        if value != ""
    ]
    return urlencode(kept)


def audited(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a row with a stored query as the audit log keeps them."""
    query = {"query": masking.saved_query(values["query"])} if "query" in values else {}
    return {**values, **query}


def parameters(query: str) -> dict[str, list[str]]:
    """Return the parameters of a stored query, each with all its values."""
    return parse_qs(query)


_ANY = Prepared(
    lambda: (
        SavedQuery.select(SavedQuery.id)
        .where(SavedQuery.on_list & (SavedQuery.source == slot("source")))
        .limit(1)
    )
)


def is_query(text: str) -> bool:
    """Return whether a typed text holds parameters and nothing else, so that no part of it is ignored."""
    return all(name and mark for name, mark, _value in (part.partition("=") for part in text.split("&")))


def readable(scope: Scope, on_list: bool = False, source: str = "") -> list[SavedReport]:
    """Return the reports, or the views of lists, that a viewer may read: ready-made ones first, then by name.

    `source` names the only data source.
    """
    if on_list and source and not _ANY.rows(source=source):
        return []
    made = [] if on_list else [_ready(each) for each in ready.REPORTS]
    rows = _rows(scope).where(SavedQuery.on_list == on_list).order_by(SavedQuery.name, SavedQuery.id)
    found = [*made, *(_saved(scope, row) for row in rows)]
    return [
        each
        for each in found
        if each is not None and scope.can(each.source.permission) and source in ("", each.source.name)
    ]


def find(scope: Scope, reference: str) -> SavedReport | None:
    """Return the report or view of an id or of the key of a ready-made report; None where the viewer has no
    right to it or to its data source."""
    found: SavedReport | None = None
    if reference in ready.BY_KEY:
        found = _ready(ready.BY_KEY[reference])
    elif reference.isascii() and reference.isdigit() and len(reference) <= ID_DIGITS:
        row = _rows(scope).where(SavedQuery.id == int(reference)).first()
        found = _saved(scope, row) if row else None
    return found if found is not None and scope.can(found.source.permission) else None


def save(scope: Scope, draft: Draft) -> SavedQuery:
    """Store a query of the viewer. Raises RefusedError when it is shared without the right."""
    now = clock.now_s()
    values = _values(scope, draft)
    with database.atomic():
        row = SavedQuery.create(
            user=scope.viewer_id, on_list=draft.on_list, created_ts=now, updated_ts=now, **values
        )
        audit.record(_action(row, "created"), "c", _target(row), audit.differences({}, audited(values)))
    return row


def update(scope: Scope, report: SavedReport, draft: Draft, version: int) -> bool:
    """Change a query of the viewer; False when its version is another, or it is not the viewer's.

    Raises RefusedError when it is shared without the right.
    """
    values = _values(scope, draft)
    with database.atomic():
        row = _owned(scope, report)
        if row is None or row.version != version:
            return False
        before = {name: getattr(row, name) for name in values}
        stored = SavedQuery.update(**values, version=version + 1, updated_ts=clock.now_s()).where(
            (SavedQuery.id == row.id) & (SavedQuery.version == version)
        )
        if not stored.execute():
            return False
        if changed := audit.differences(before, values):
            old, new = audited(before), audited(values)
            changes = {name: (old[name], new[name]) for name in changed}
            audit.record(_action(row, "updated"), "u", _target(row), changes)
    return True


def copy(scope: Scope, report: SavedReport) -> SavedQuery:
    """Store a private copy of a readable query as the viewer's own."""
    name = str(_("Copy of %(name)s", name=report.name))[:120]
    draft = Draft(
        name, report.description, report.source.name, report.parameters, report.chart, report.on_list
    )
    return save(scope, draft)


def delete(scope: Scope, report: SavedReport) -> bool:
    """Delete a query of the viewer; False when it is not theirs, or is gone."""
    with database.atomic():
        row = _owned(scope, report)
        if row is None:
            return False
        row.delete_instance()
        audit.record(_action(row, "deleted"), "d", _target(row))
    return True


def _rows(scope: Scope) -> Any:
    """Return the query of the rows that the viewer may read."""
    role = User.select(User.access).where(User.id == scope.viewer_id)
    q = SavedQuery
    shared = (q.shared == Sharing.ALL) | ((q.shared == Sharing.ACCESS) & q.access.in_(role))
    return q.select(q, User).join(User).where((q.user == scope.viewer_id) | shared)


def _owned(scope: Scope, report: SavedReport) -> SavedQuery | None:
    if report.origin is not Origin.MINE:
        return None
    found: SavedQuery | None = SavedQuery.get_or_none(
        (SavedQuery.id == int(report.reference)) & (SavedQuery.user == scope.viewer_id)
    )
    return found


def _saved(scope: Scope, row: SavedQuery) -> SavedReport | None:
    """Return a stored query; None when its data source is gone."""
    source = ready.sources().get(row.source)
    if source is None:
        return None
    return SavedReport(
        str(row.id),
        Origin.MINE if row.user_id == scope.viewer_id else Origin.SHARED,
        row.name,
        row.description,
        source,
        row.query,
        row.chart,
        row.user.name,
        row.user_id,
        row.on_list,
        Sharing(row.shared),
        row.access_id,
        row.updated_ts,
        row.version,
    )


def _ready(made: ready.ReadyReport) -> SavedReport:
    return SavedReport(
        made.key,
        Origin.READY,
        str(_(made.name)),
        str(_(made.description)),
        made.source,
        urlencode(made.query, doseq=True),
        made.chart,
    )


def _values(scope: Scope, draft: Draft) -> dict[str, Any]:
    """Return the columns of a draft. Raises RefusedError."""
    if draft.shared is not Sharing.PRIVATE and not scope.can(Permission.REPORTS_SHARE):
        raise RefusedError(NO_SHARING)
    return {
        "name": draft.name,
        "description": draft.description,
        "source": draft.source,
        "query": canonical(draft.query),
        "chart": draft.chart,
        "shared": draft.shared.value,
        "access": draft.access_id if draft.shared is Sharing.ACCESS else None,
    }


def _action(row: SavedQuery, act: str) -> str:
    return f"{'view' if row.on_list else 'report'}.{act}"


def _target(row: SavedQuery) -> tuple[str, object, str]:
    return ("view" if row.on_list else "report", row.id, row.name)
