"""Progress of an export and download of its file; the permission is checked again at download."""

from __future__ import annotations

from flask import Blueprint, Response, abort, g, url_for
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access.guard import require
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.exports import background, registry
from dashboard.i18n import formats, zone
from dashboard.i18n.message import N_
from dashboard.models import ExportFile, Job
from dashboard.sources import run
from dashboard.web.deliver import LABELS, attach
from dashboard.web.page import local_path, refreshing, render

NAMES = {**LABELS, "zip": N_("ZIP archive")}

bp = Blueprint("exports", __name__, url_prefix="/exports")


@bp.get("/<ident>")
@require(Permission.SELF)
def show(ident: str) -> Response:
    file = _own(ident)
    job = Job.get_or_none(Job.id == file.job_id)
    ready = bool(file.sha256)
    failed = not ready and (job is None or job.state == "failed")
    response = render(
        "exports/show.html",
        fragments={"progress"},
        file=file,
        job=job,
        title=_(registry.MAKERS[file.maker].title) if file.maker in registry.MAKERS else "",
        label=_(NAMES[file.format]),
        page=local_path(file.page, ""),
        ready=ready,
        failed=failed,
        kept_until=formats.stamp(file.expires_ts, zone()),
    )
    return response if ready or failed else refreshing(response, url_for(".show", ident=ident))


@bp.get("/<ident>/file")
@require(Permission.SELF)
def download(ident: str) -> Response:
    """Send the file: 404 for other users' and expired files, 403 if the permission has been revoked."""
    file = _own(ident)
    if not file.sha256:
        abort(404)
    if not registry.allowed(g.scope, file.maker, file.format) or _is_gone(file):
        abort(403)
    audit.record(
        "export.downloaded",
        "r",
        ("export", file.id, file.name),
        details={"rows": file.rows, "sha256": file.sha256},
    )
    return attach(background.parts(file.id), file.name, file.format, file.size)


def _is_gone(file: ExportFile) -> bool:
    """Return whether the file is not, or no longer, for its user: it shows what they saw when it was made."""
    if not file.scope or not g.scope.covers(file.scope):
        return True
    try:
        return background.build(file) is None
    except run.TooLong:
        return False  # rights are read before the rows


def _own(ident: str) -> ExportFile:
    file = ExportFile.get_or_none(
        (ExportFile.id == ident) & (ExportFile.user_id == g.user.id) & (ExportFile.expires_ts > clock.now_s())
    )
    if file is None:
        abort(404)
    return file
