"""The pages of imports: the form, one import from draft to result, and the list of them."""

from __future__ import annotations

from typing import IO

from flask import Blueprint, Response, abort, current_app, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _

from dashboard.access import upload_pass
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.exports import csv
from dashboard.i18n import formats, site_zone
from dashboard.i18n.formats import language
from dashboard.i18n.message import N_
from dashboard.ingest.imports import counts, job, sample, upload
from dashboard.ingest.imports.upload import WORKING, State, Upload
from dashboard.models import FileImport, Job
from dashboard.pages.imports import column_form, forms, result, shown
from dashboard.pages.imports.forms import DraftForm, UploadForm
from dashboard.web.deliver import attach
from dashboard.web.page import refreshing, render

NO_FILE = N_("Choose a file that isn't empty.")
TOO_LARGE = N_("The file is larger than 200 MB. Import it with flask import.")
FULL = N_("Too many imported files are kept. Discard drafts or wait until files expire.")
UNKNOWN = N_("The format wasn't recognized. Choose it.")

UNDOABLE = (State.DONE, State.CANCELLED, State.FAILED)

bp = Blueprint("imports", __name__, url_prefix="/import")


@bp.get("")
@require(Permission.EVENTS_IMPORT)
def index() -> Response:
    return _index(UploadForm(data={"zone": site_zone()}))


@bp.post("")
@require(Permission.EVENTS_IMPORT)
def create() -> Response:
    """Keep the file and show what is understood of it; 422 without a file that can be read."""
    form = UploadForm(request.form)
    given = request.files.get("file")
    good, problem = form.validate(), _file_problem(given.stream if given else None)
    if given is None or not good or problem:
        return _index(form, problem)
    name = forms.clean_name(given.filename)
    row = upload.new(g.user.id, name, form.source.data, form.zone.data, form.format.data)
    row.source = row.source or forms.named_after(name)
    upload.keep(row, given.stream)
    if not row.format:
        row.format = sample.detect(Upload(row)).format
        FileImport.update(format=row.format).where(FileImport.id == row.id).execute()
    return make_response(redirect(url_for(".show", ident=row.id)))


@bp.get("/<ident>")
@require(Permission.EVENTS_IMPORT)
def show(ident: str) -> Response:
    row = _one(ident)
    if row.state == State.DRAFT:
        return _draft(row, _form(row))
    return _state(row)


@bp.post("/<ident>")
@require(Permission.EVENTS_IMPORT)
def update(ident: str) -> Response:
    """Save how the file is read; then show the first rows again, start a dry run or the import."""
    row = _one(ident)
    if row.state != State.DRAFT:
        return _back(row)
    form = _form(row, True)
    if not form.validate():
        return _draft(row, form, 422)
    values = form.values()
    if values["format"] == "csv":
        header = sample.table(Upload(row), values["encoding"]).header
        values["columns"] = column_form.stored(column_form.read(request.form, header))
    if any(getattr(row, name) != value for name, value in values.items()):
        values["checked"] = {}
    FileImport.update(**values).where(FileImport.id == row.id, FileImport.state == State.DRAFT).execute()
    row = FileImport.get_by_id(row.id)
    wanted = {"check": State.CHECKING, "start": State.IMPORTING}.get(request.form.get("op", ""))
    if wanted is not None:
        if row.format == "csv" and column_form.shown(row).problems:
            return _draft(row, _form(row), 422)
        _start(row, wanted)
    return _back(row)


@bp.post("/<ident>/cancel")
@require(Permission.EVENTS_IMPORT)
def cancel(ident: str) -> Response:
    """Let a running job end at its next batch."""
    row = _one(ident)
    if row.state in (State.CHECKING, State.IMPORTING):
        job.stop(row)
    return _back(row)


@bp.post("/<ident>/continue")
@require(Permission.EVENTS_IMPORT)
def go_on(ident: str) -> Response:
    """Go on with an import that was cancelled or failed."""
    row = _one(ident)
    if row.state in (State.CANCELLED, State.FAILED) and result.has_content(row):
        _start(row, State.IMPORTING)
    return _back(row)


@bp.post("/<ident>/undo")
@require(Permission.EVENTS_IMPORT)
def undo(ident: str) -> Response:
    """Remove all events that an import stored."""
    row = _one(ident)
    if row.state in UNDOABLE:
        _start(row, State.UNDOING)
    return _back(row)


@bp.post("/<ident>/discard")
@require(Permission.EVENTS_IMPORT)
def discard(ident: str) -> Response:
    """Delete the file of an import that has not begun."""
    row = _one(ident)
    if row.state != State.DRAFT:
        return _back(row)
    FileImport.delete().where(FileImport.id == row.id, FileImport.state == State.DRAFT).execute()
    flash(_("The file was discarded."), "ok")
    return make_response(redirect(url_for(".index")))


@bp.get("/<ident>/refused.csv")
@require(Permission.EVENTS_IMPORT)
def refused(ident: str) -> Response:
    """Send the refused records with their texts; 404 to others than the owner of the file."""
    row = _one(ident)
    if not result.has_content(row) or row.user_id != g.user.id:
        abort(404)
    report = result.refused_report(row, language())
    details = {"rows": report.number}
    audit.record("export.downloaded", "r", ("import", row.id, row.name), details=details)
    data = "".join(csv.chunks(report.report)).encode()
    return attach(iter([data]), f"refused-{row.name}.csv", "csv", len(data))


def _file_problem(stream: IO[bytes] | None) -> str:
    """Return what is wrong with an uploaded file, "" for a good one."""
    if stream is None or not stream.read(1):
        return str(_(NO_FILE))
    size = stream.seek(0, 2)
    stream.seek(0)
    if size > upload_pass.FILE_MAX:
        return str(_(TOO_LARGE))
    return str(_(FULL)) if upload.is_full() else ""


def _start(row: FileImport, state: State) -> None:
    job.start(row, state, ("user", g.user.id, g.user.login))


def _one(ident: str) -> FileImport:
    """Return an import; 404 for drafts of others, and those whose file has expired."""
    row = FileImport.get_or_none(FileImport.id == ident)
    private = row is not None and row.state in (State.DRAFT, State.CHECKING)
    if row is None or (private and (row.user_id != g.user.id or not result.has_content(row))):
        abort(404)
    return row


def _back(row: FileImport) -> Response:
    return make_response(redirect(url_for(".show", ident=row.id)))


def _form(row: FileImport, sent: bool = False) -> DraftForm:
    return DraftForm(request.form if sent else None, data=row.__data__)


def _index(form: UploadForm, problem: str = "") -> Response:
    problems = {**({"file": problem} if problem else {}), **form.problems}
    return render(
        "imports/index.html",
        status=422 if problems else 200,
        form=form,
        problems=problems,
        upload_url=f"{url_for('.create')}?pass={upload_pass.make(current_app.config['SECRET_KEY'])}",
        imports=shown.imports(g.user.id),
        kept_days=upload.KEPT_DAYS,
    )


def _draft(row: FileImport, form: DraftForm, status: int = 200) -> Response:
    found = sample.detect(Upload(row), row.encoding)
    if not row.format and not form.problems:
        form.format.errors = [_(UNKNOWN)]
    return render(
        "imports/draft.html",
        fragments={"result"},
        status=status,
        row=row,
        form=form,
        problems=form.problems,
        facts=shown.facts(row, found.encoding),
        table=column_form.shown(row) if row.format == "csv" else None,
        records=shown.records(row) if row.format != "csv" else [],
        checked=result.figures(row.checked),
        period=result.period(row.checked),
        notes=result.notes(row.checked),
    )


def _state(row: FileImport) -> Response:
    work = Job.get_or_none(Job.id == row.job_id) if row.job_id else None
    working = row.state in WORKING
    response = render(
        "imports/show.html",
        fragments={"result"},
        row=row,
        state=shown.STATES[State(row.state)],
        working=working,
        share=min(work.progress / work.total, 1) if work and work.total else 0,
        job=work,
        figures=result.figures(row.counts),
        notes=result.notes(row.counts),
        refused=list(result.refused(row, own=row.user_id == g.user.id)),
        period=result.period(row.counts),
        links=result.links(row, g.scope),
        by=shown.user_name(row.user_id),
        at=formats.stamp(row.finished_ts or row.created_ts, site_zone()),
        undoable=row.state in UNDOABLE and result.has_events(row),
        stored=counts.read(row.counts).stored,
        own=row.user_id == g.user.id,
        content=result.has_content(row),
        kept_until=formats.stamp(row.expires_ts, site_zone()),
    )
    return refreshing(response, url_for(".show", ident=row.id)) if working else response
