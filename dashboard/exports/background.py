"""Exports that take longer than a request: built by a job, kept for days, permission checked at download."""

from __future__ import annotations

import hashlib
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from typing import IO

from flask import current_app
from flask_babel import force_locale

from dashboard import clock
from dashboard.access import scope as scopes
from dashboard.access.scope import Scope
from dashboard.db import database
from dashboard.db.patience import patient
from dashboard.events import kept
from dashboard.events.kept import Kept
from dashboard.exports import archive, csv, pdf, registry, xlsx
from dashboard.exports.registry import ExportOrder
from dashboard.exports.table import Report
from dashboard.jobs import queue as jobs
from dashboard.models import ExportFile, ExportPart, Job, User

PART_BYTES = 1024 * 1024
MIME = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
    "zip": "application/zip",
}


class Gone(jobs.Permanent):
    """The right to the export has been withdrawn, or what it is about is out of scope now."""


class TooLong(jobs.Permanent):
    """The file would have more rows than its format takes."""


def order(
    user: User,
    maker: str,
    query: registry.Query,
    format_: str,
    locale: str,
    zone: str,
    name: str,
    page: str = "",
) -> str:
    """Queue the making of a file and return its id, in one transaction; `page` is where it was requested."""
    ident, moment = secrets.token_urlsafe(18), clock.now_s()
    with database.atomic():
        ExportFile.insert(
            id=ident,
            user_id=user.id,
            maker=maker,
            query={**query, "tz": query.get("tz") or zone},
            format=format_,
            locale=locale,
            name=name,
            page=page,
            created_ts=moment,
            expires_ts=moment + (kept.days(Kept.EXPORTS) or 0) * clock.DAY_S,
        ).execute()
        jobs.enqueue("export", {"file": ident}, key=f"export:{ident}")
        job = Job.get(Job.key == f"export:{ident}")
        ExportFile.update(job_id=job.id).where(ExportFile.id == ident).execute()
    return ident


def make(waiting: list[Job]) -> None:
    """Make the file anew from the start; a killed worker's half is overwritten."""
    job = waiting[0]
    row = ExportFile.get_or_none(ExportFile.id == job.args["file"])
    if row is None:
        return
    with force_locale(row.locale), patient(), tempfile.TemporaryFile() as target:
        scope, report = _scope(row), build(row)
        if scope is None or report is None:
            raise Gone(row.id)
        jobs.progress(job.id, 0, 100)
        try:
            count = write(report, row.format, target)
        except pdf.TooManyRows as error:
            raise TooLong(str(error)) from None
        jobs.progress(job.id, 90, 100)
        _keep(row.id, target, count, scope)
        jobs.progress(job.id, 100, 100)


def _scope(row: ExportFile) -> Scope | None:
    """Return the scope that the user of a file has now, None when it is not enough."""
    user = User.get_or_none(User.id == row.user_id)
    if user is None or user.deactivated_ts is not None or user.access_id is None:
        return None
    scope = scopes.of_user(user)
    return scope if registry.allowed(scope, row.maker, row.format) else None


def build(row: ExportFile) -> Report | None:
    """Return the report with the rights its user has now, None when they are not enough."""
    scope = _scope(row)
    if scope is None:
        return None
    user = User.get_by_id(row.user_id)
    order_ = ExportOrder(scope, user.name, row.query, row.query["tz"], row.created_ts, row.format)
    return registry.MAKERS[row.maker].build(order_)


def write(report: Report, format_: str, target: IO[bytes]) -> int:
    """Write the report in one of the formats of MIME; return the number of rows."""
    if format_ == "xlsx":
        return xlsx.write(report, target)
    if format_ == "pdf":
        return pdf.write(report, target, pdf.LIMIT, current_app.config["STOPA"].site_name)
    if format_ == "zip":
        return archive.write(report, target, current_app.config["STOPA"].site_name)
    rows = list(report.sheets[0].rows)
    for chunk in csv.chunks(report, replace(report.sheets[0], rows=rows)):
        target.write(chunk.encode())
    return len(rows)


def parts(ident: str) -> Iterator[bytes]:
    """Yield the file's content piece by piece."""
    query = ExportPart.select(ExportPart.data).where(ExportPart.file == ident).order_by(ExportPart.n)
    for (data,) in query.tuples().iterator():
        yield bytes(data)


def _keep(ident: str, source: IO[bytes], rows: int, scope: Scope) -> None:
    digest, size, number = hashlib.sha256(), source.tell(), 0
    source.seek(0)
    with database.atomic():
        ExportPart.delete().where(ExportPart.file == ident).execute()
        while piece := source.read(PART_BYTES):
            digest.update(piece)
            ExportPart.insert(file=ident, n=number, data=piece).execute()
            number += 1
        ExportFile.update(rows=rows, size=size, sha256=digest.hexdigest(), scope=scope.as_json()).where(
            ExportFile.id == ident
        ).execute()
