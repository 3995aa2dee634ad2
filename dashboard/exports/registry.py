"""The makers of exports: the function that builds each, and the permission it needs.

One builder serves the immediate response and the file made in the background: it is given the scope of the
requesting user, read again at that moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.exports.table import Report

Query = Mapping[str, str]


class ExportOrder(NamedTuple):
    """What a builder gets: whose scope and name, the query, the zone when nothing else says,
    and the instant that stands in the file as its `as of`."""

    scope: Scope
    exporter: str
    query: Query
    zone: str
    as_of: int
    format: str


class Maker(NamedTuple):
    rights: Mapping[str, Permission]  # by format
    build: Callable[[ExportOrder], Report | None]  # None: not, or no longer, for this viewer
    title: str  # marked; of the page that offers the files


TRACING_RIGHTS = {
    "pdf": Permission.TRACING_EXPORT_PDF,
    "xlsx": Permission.TRACING_EXPORT_DATA,
    "csv": Permission.TRACING_EXPORT_DATA,
}
MAKERS: dict[str, Maker] = {}  # by name; filled by dashboard.registry


def allowed(scope: Scope, name: str, format_: str) -> bool:
    """True when the viewer may have this export in this format now."""
    maker = MAKERS.get(name)  # None for one of an earlier version, of which a file may be left
    right = maker and maker.rights.get(format_)
    return right is not None and scope.can(right)
