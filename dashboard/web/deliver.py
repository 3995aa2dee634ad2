"""Answers with an export: at once if it is small, else by a job with a page that shows progress."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator
from typing import IO, Any, NoReturn

from flask import Response, abort, g, make_response, redirect, request, url_for
from flask_babel import gettext as _

from dashboard import clock
from dashboard.access import masking
from dashboard.access.guard import MissingPermission
from dashboard.audit import record as audit
from dashboard.audit.subjects import Seen
from dashboard.exports import background, pdf, registry
from dashboard.exports.registry import ExportOrder
from dashboard.exports.table import Report, disposition
from dashboard.i18n import zone
from dashboard.i18n.formats import language, number
from dashboard.i18n.message import N_
from dashboard.web.errors import Detail
from dashboard.web.lists import here

AT_ONCE = {"pdf": 250, "xlsx": 5_000, "csv": 20_000}  # rows: some two seconds of work each
READ_BYTES = 64 * 1024
LABELS = {"pdf": N_("PDF export"), "xlsx": N_("Excel export"), "csv": N_("CSV export")}


def export_links(maker: str, **query: Any) -> list[tuple[str, str]]:
    """Return label and address of each file that the viewer may have of a page.

    The page's blueprint has the endpoint `download`, which takes `format_` and the query.
    """
    return [
        (_(LABELS[format_]), url_for(".download", format_=format_, **query))
        for format_ in registry.MAKERS[maker].rights
        if registry.allowed(g.scope, maker, format_)
    ]


def file_links(maker: str, without: Collection[str] = ()) -> list[tuple[str, str]]:
    """Return label and address of each file that the viewer may have of this page: its path with the format
    behind a dot, and its query but for the parameters `without`."""
    _path, mark, query = here(without).partition("?")
    return [
        (_(text), f"{request.path}.{format_}{mark}{query}")
        for format_, text in LABELS.items()
        if registry.allowed(g.scope, maker, format_)
    ]


def deliver(
    maker: str,
    query: registry.Query,
    format_: str,
    name: str,
    rows: int,
    action: str,
    build: Callable[[ExportOrder], Report | None] | None = None,
    seen: Seen | None = None,
) -> Response:
    """Answer with the file, or send to the page of its making when `rows` are many.

    `build` makes the report of what the view has read already; without it the maker reads it.
    403 without the right for the format, 404 when the subject is out of scope, 413 for more rows than
    a PDF takes, 503 when this machine cannot make PDF. Leaves an audit entry `action`; `seen` says whose data
    the file holds.
    """
    if not registry.allowed(g.scope, maker, format_):
        raise MissingPermission(registry.MAKERS[maker].rights[format_])
    if format_ == "pdf" and (problem := pdf.problem()):
        abort(503, Detail(problem))
    if format_ == "pdf" and rows > pdf.LIMIT:
        _too_many(pdf.LIMIT)
    if rows > AT_ONCE[format_]:
        path, dot_format = here(), f".{format_}"
        page = path.replace(dot_format, "", 1) if request.path.endswith(dot_format) else ""
        ident = background.order(g.user, maker, query, format_, language(), zone(), name, page)
        audit.record(
            action, "r", ("export", ident, name), details={**masking.query(query), "rows": rows}, seen=seen
        )
        return make_response(redirect(url_for("exports.show", ident=ident)))
    order = ExportOrder(g.scope, g.user.name, query, zone(), clock.now_s(), format_)
    report = (build or registry.MAKERS[maker].build)(order)
    if report is None:
        abort(404)
    target = tempfile.TemporaryFile()  # noqa: SIM115  closed when its last piece is sent
    try:
        count = background.write(report, format_, target)
    except pdf.TooManyRows as error:
        _too_many(error.limit)
    audit.record(
        action, "r", ("export", "", name), details={**masking.query(query), "rows": count}, seen=seen
    )
    size = target.tell()
    target.seek(0)
    return attach(_pieces(target), name, format_, size)


def _too_many(limit: int) -> NoReturn:
    abort(413, Detail(_("A PDF can hold up to %(limit)s rows. Export to Excel or CSV.", limit=number(limit))))


def attach(content: Iterator[bytes], name: str, format_: str, size: int) -> Response:
    """Return a download under its name, safe against line breaks and foreign letters in it."""
    response = Response(content, mimetype=background.MIME[format_])
    response.headers["Content-Disposition"] = disposition(name)
    response.headers["Content-Length"] = str(size)
    return response


def asked() -> dict[str, str]:
    """Return the query string as one value a name, the first winning."""
    return {key: value[:200] for key, value in request.args.items()}


def _pieces(target: IO[bytes]) -> Iterator[bytes]:
    with target:
        while piece := target.read(READ_BYTES):
            yield piece
