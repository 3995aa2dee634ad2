"""Imports as their pages show them: the list, the facts of a file, and its first records as understood."""

from __future__ import annotations

from typing import NamedTuple

from flask import url_for
from flask_babel import gettext as _

from dashboard import catalog
from dashboard.i18n import formats, site_zone
from dashboard.i18n.message import N_
from dashboard.ingest.csv_options import TableMap
from dashboard.ingest.imports import counts, job, sample
from dashboard.ingest.imports.upload import State, Upload
from dashboard.ingest.schema import Refusal
from dashboard.models import FileImport, User
from dashboard.pages.imports.forms import FORMATS

LATEST = 50
STATES = {
    State.DRAFT: (N_("Not imported"), ""),
    State.CHECKING: (N_("Dry run"), "info"),
    State.IMPORTING: (N_("Importing"), "info"),
    State.DONE: (N_("Imported"), "ok"),
    State.CANCELLED: (N_("Import stopped"), "warn"),
    State.FAILED: (N_("Failed"), "bad"),
    State.UNDOING: (N_("Undoing"), "info"),
    State.UNDONE: (N_("Undone"), ""),
}


class ImportRow(NamedTuple):
    """An import in the list."""

    url: str
    name: str
    source: str
    by: str
    at: str
    state: str
    tone: str
    stored: int
    refused: int


class RecordRow(NamedTuple):
    """A record as it is understood, or why it is refused."""

    line: int
    time: str = ""
    type: str = ""
    user: str = ""
    queue: str = ""
    contact: str = ""
    problem: str = ""


def imports(user_id: int) -> list[ImportRow]:
    """Return the latest imports, of drafts one's own alone."""
    f = FileImport
    begun = f.state.not_in((State.DRAFT.value, State.CHECKING.value))
    query = f.select().where((begun | (f.user_id == user_id)) & (f.size > 0))
    rows = list(query.order_by(f.created_ts.desc(), f.id).limit(LATEST))
    names = dict(User.select(User.id, User.name).where(User.id.in_([row.user_id for row in rows])).tuples())
    return [_import(row, names.get(row.user_id, "")) for row in rows]


def _import(row: FileImport, by: str) -> ImportRow:
    found, (label, tone) = counts.read(row.counts), STATES[State(row.state)]
    return ImportRow(
        url_for("imports.show", ident=row.id),
        row.name,
        row.source,
        by,
        formats.stamp(row.created_ts, site_zone()),
        _(label),
        tone,
        found.stored,
        found.refused,
    )


def user_name(ident: int) -> str:
    name: str | None = User.select(User.name).where(User.id == ident).scalar()
    return name or ""


def size(number: int) -> str:
    """Return a number of bytes for a reader."""
    if number < 1_000_000:
        return str(_("%(num)s kB", num=formats.number(max(number // 1000, 1))))
    return str(_("%(num)s MB", num=formats.number(round(number / 1_000_000, 1))))


def facts(row: FileImport, encoding: str) -> str:
    """Return size, format and encoding of a file in a line."""
    format_ = _(FORMATS[row.format]) if row.format else _("unknown format")
    return " · ".join((size(row.size), format_, encoding))


def records(row: FileImport) -> list[RecordRow]:
    """Return the first records as they are understood."""
    if not row.format:
        return []
    chosen = job.options(row)
    table: TableMap = chosen.table()
    found = sample.records(Upload(row), row.format, row.zone, table, row.encoding)
    shown = []
    for item in found:
        event = item.value
        if isinstance(event, Refusal):
            shown.append(RecordRow(item.line, problem=event.text(_)))
            continue
        type_ = catalog.find(event.type)
        contact = event.contact or {}
        shown.append(
            RecordRow(
                item.line,
                formats.stamp(event.time_ms // 1000, site_zone()),
                _(type_.label) if type_ is not None else event.type,
                event.user or "",
                event.queue or "",
                contact.get("phone") or contact.get("email") or contact.get("name") or "",
            )
        )
    return shown
