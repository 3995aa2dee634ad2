"""What became of a file: its counts, what is to be said of them, and the records that were refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from flask import url_for
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.exports.table import Column, Kind, Report, Sheet
from dashboard.i18n import formats, site_zone
from dashboard.ingest import data as payload
from dashboard.ingest import files
from dashboard.ingest.imports import counts, job
from dashboard.ingest.imports.counts import Counts
from dashboard.ingest.imports.upload import Upload
from dashboard.models import FileImport, ImportRange, ImportRefused
from dashboard.sources.declared.refused import errors_of
from dashboard.tracing import people

SHOWN = 20  # refused records
NEAR = 32 * 1024 * 1024  # bytes in which their texts are looked for while one waits, see lines.Lines
TEXT_MAX = 2000  # characters of a record


class RefusedRecord(NamedTuple):
    line: int
    why: str
    text: str


class RefusedReport(NamedTuple):
    report: Report
    number: int


def has_content(row: FileImport) -> bool:
    return bool(row.size) and row.expires_ts > clock.now_s()


def has_events(row: FileImport) -> bool:
    """Say whether an import has stored events that were not removed since."""
    return bool(ImportRange.select().where(ImportRange.file == row.id).exists())


def figures(stored: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Return label and number: read = stored + repeated + refused."""
    if not stored:
        return []
    found = counts.read(dict(stored))
    return [
        (_("Records in the file"), found.read),
        (_("Stored"), found.stored),
        (_("Already stored"), found.repeated),
        (_("Refused"), found.refused),
    ]


def period(stored: Mapping[str, Any]) -> str:
    """Return the times from the first to the last event, "" without one."""
    found = counts.read(dict(stored))
    if found.first_ms is None or found.last_ms is None:
        return ""
    first, last = (formats.stamp(ms // 1000, site_zone()) for ms in (found.first_ms, found.last_ms))
    return f"{first} – {last}"


def notes(stored: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return label and text of what else is to be said of a file that was read to its end."""
    found = counts.read(dict(stored))
    if not found.lines:
        return []
    return [(label, text) for label, text in _notes(found) if text]


def _notes(found: Counts) -> Iterator[tuple[str, str]]:
    def number(value: int) -> str:
        return formats.number(value) if value else ""

    yield _("Encoding"), found.encoding
    yield _("Lines"), number(found.lines)
    yield _("Blank lines"), number(found.blank)
    yield _("Lines inside records"), number(found.continued)
    yield _("Rows left out"), number(found.left_out)
    yield _("Events without a time or user of their own"), number(found.absent)
    yield _("Events moved to the next day"), number(found.moved)
    yield _("Times that the clock has twice (the earlier is taken)"), number(found.twice)
    yield _("Times that the clock skips (the next is taken)"), number(found.skipped)
    yield _("Stored, but in no figure"), ", ".join(f"{name} ({n})" for name, n in found.unused)
    yield _("Users with calls who never sign in"), ", ".join(found.members)
    damaged = _("The compressed file is damaged: what follows its last line is missing.")
    yield _("Damaged"), damaged if found.damaged else ""


def refused(row: FileImport, own: bool) -> Iterator[RefusedRecord]:
    """Yield the first refused records; their texts only where the file is one's `own`."""
    yield from _records(row, own and has_content(row), SHOWN, NEAR)


def refused_report(row: FileImport, locale: str) -> RefusedReport:
    """Return the refused records as a table."""
    found = list(_records(row, True, job.REFUSED_MOST))
    columns = (
        Column("line", _("Line no."), Kind.INT),
        Column("reason", _("Reason"), width=40),
        Column("record", _("Text of the record"), width=60),
    )
    sheet = Sheet(_("Refused records"), columns, [tuple(each) for each in found])
    return RefusedReport(
        Report(_("Refused records"), row.name, (), (sheet,), locale, site_zone()), len(found)
    )


def _records(
    row: FileImport, with_texts: bool, most: int, near: int | None = None
) -> Iterator[RefusedRecord]:
    query = ImportRefused.select(ImportRefused.line, ImportRefused.errors).where(ImportRefused.file == row.id)
    found = list(query.order_by(ImportRefused.line).limit(most).tuples())
    numbers = {line for line, _errors in found} if with_texts else set()
    texts = files.texts(Upload(row), row.encoding or None, numbers, TEXT_MAX, near)
    for line, errors in found:
        why = "; ".join(f"{name}: {text}" for name, text in errors_of(errors).items())
        yield RefusedRecord(line, why, payload.cleaned(texts.get(line, "")))


def links(row: FileImport, scope: Scope) -> list[tuple[str, str]]:
    """Return label and address of where the viewer can see what was imported."""
    found, zone = counts.read(row.counts), site_zone()
    pages: list[tuple[str, str]] = []
    if found.last_call_ms is not None and scope.can(Permission.TRACING_VIEW):
        day = clock.local_date(found.last_call_ms // 1000, zone).isoformat()
        person = people.person(scope, found.last_caller)
        if person is not None:
            url = url_for("tracing.index", user=found.last_caller, date=day)
            pages.append((_("User tracing of %(name)s", name=person.name), url))
        pages.append((_("Team day"), url_for("teamday.index", date=day)))
    if found.stored and scope.can(Permission.EVENTS_VIEW):
        pages.append((_("Event stream"), url_for("events.index", source=row.source)))
    return pages
