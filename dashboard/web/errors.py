"""Errors in the reader's language: a page for browsers, JSON for the API, never a trace."""

from __future__ import annotations

import logging
from collections.abc import Collection

import msgspec
import peewee
from flask import Flask, Response, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_wtf.csrf import CSRFError
from playhouse.pool import MaxConnectionsExceeded
from werkzeug.exceptions import HTTPException

from dashboard.access import granting
from dashboard.access.guard import MACHINE_PATHS, ExpiredKey, MissingPermission
from dashboard.access.permissions import Permission
from dashboard.audit import record as audit
from dashboard.db import database, failure
from dashboard.i18n import formats
from dashboard.web import nav
from dashboard.web.lists import preset_name
from dashboard.web.page import STATUS_TEXTS

log = logging.getLogger("stopa")
RETRY_S = 5
UNDERSTOOD = (403, 404)  # nobody has to look for the request in the log


def init(app: Flask) -> None:
    app.register_error_handler(HTTPException, on_http_error)
    app.register_error_handler(peewee.DatabaseError, on_database_away)
    app.register_error_handler(peewee.InterfaceError, on_database_away)
    app.register_error_handler(MaxConnectionsExceeded, on_database_away)
    app.register_error_handler(Exception, on_crash)


def on_http_error(error: HTTPException) -> Response:
    code = error.code or 500
    if isinstance(error, CSRFError):
        return answer(400, detail=_("The form expired. Reload the page and try again."))
    if code == 401 and not _is_api():
        here = request.full_path.rstrip("?") if request.method == "GET" else None  # a form cannot go on
        target = url_for("signin.show", next=here)
        if request.headers.get("HX-Request") == "true":
            return make_response("", 401, {"HX-Redirect": target})
        return make_response(redirect(target))
    if code == 403:
        try:
            audit.denied(request.endpoint or request.path)
        except peewee.OperationalError as away:
            return on_database_away(away)
    detail = error.description if isinstance(error.description, Detail) else None
    if isinstance(error, ExpiredKey):
        detail = Detail(_("This API key has expired. Ask for a new one."))
    if isinstance(error, MissingPermission):
        detail = missing(error.permissions)
    response = answer(code, detail=str(detail) if detail else None)
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def missing(permissions: Collection[Permission]) -> Detail:
    """Return which permission is missing, and the roles of those who can grant it."""
    labels = formats.listed(_(granting.LABELS[each]) for each in permissions)
    text = ngettext(
        "You need the permission “%(names)s”.",
        "You need one of these permissions: %(names)s.",
        len(permissions),
        names=labels,
    )
    roles = [preset_name(each.name, each.is_system) for each in granting.granted_by(permissions)]
    if roles:
        text += " " + _("Users with these roles can grant it: %(roles)s.", roles=formats.listed(roles))
    return Detail(text)


class Problem(msgspec.Struct):
    """The body of an error of the API; `request` is the number that stands in the log."""

    error: str
    detail: str
    request: str | None


class Detail(str):
    """A sentence for the reader, already translated; passed to abort() as description."""

    __slots__ = ()


def on_database_away(error: Exception) -> Response:
    if not isinstance(error, MaxConnectionsExceeded) and not failure.is_away(error):
        return on_crash(error)
    log.warning("%s", failure.explain(error))
    if database.in_transaction():
        database.rollback()
    if not database.is_closed():
        database.close()  # a broken connection must not go back into the pool
    response = answer(503)
    response.headers["Retry-After"] = str(RETRY_S)
    return response


def on_crash(error: Exception) -> Response:
    log.error("error %s at %s %r", g.get("request_id", "-"), request.method, request.path, exc_info=error)
    return answer(500)


def answer(code: int, detail: str | None = None) -> Response:
    """Return the error page (or JSON for a machine) for a status, with the request's number."""
    title, text = STATUS_TEXTS.get(code, STATUS_TEXTS[400 if code < 500 else 500])
    body = detail or _(text)
    if _is_api():
        problem = Problem(_(title), body, g.get("request_id"))
        return Response(msgspec.json.encode(problem), code, content_type="application/json")
    page = render_template(
        "errors/error.html",
        code=code,
        title=_(title),
        text=body,
        request_id=g.get("request_id") if code not in UNDERSTOOD else None,
        parent=nav.list_of(request.path) if code == 404 else None,
    )
    return make_response(page, code)


def _is_api() -> bool:
    return request.path.startswith(MACHINE_PATHS)
