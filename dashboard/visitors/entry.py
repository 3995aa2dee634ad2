"""Answers POST /visit/<site key>, the reports of /visitor.js, before Flask.

A report without news reads one row and writes nothing. Nothing here waits but for the database; 2xx is
answered after the commit.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from dashboard import clock
from dashboard.db import database, failure, migrate
from dashboard.events import holds, switches
from dashboard.jobs import counters
from dashboard.models import Visit
from dashboard.visitors import browsers, identify, invitations, limits, privacy, records, sites, visits
from dashboard.visitors.records import Report, ReportError
from dashboard.visitors.sites import Portal

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PATH = "/visit/"
ROUTE = "/visit/<key>"
STARTED = "visit.started"  # a type that is switched off with it: visits
RETRY_S = 5
# An open page reports every SOON_MS. Where something is due before, it is told to come soon after it, and
# after the rules have had RULES_MS to invite the visitor.
SOON_MS, RULES_MS = 5000, 1500
REASONS = {
    200: "OK",
    204: "No Content",
    400: "Bad Request",
    403: "Forbidden",
    405: "Method Not Allowed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
    507: "Insufficient Storage",
}
HEADERS = [
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
    ("Vary", "Origin"),
]
PREFLIGHT = [
    ("Access-Control-Allow-Methods", "POST"),
    ("Access-Control-Allow-Headers", "content-type"),
    ("Access-Control-Max-Age", "86400"),
]
_COUNTRY = re.compile("[A-Z]{2}")
_NO_COUNTRY = ("XX", "T1")  # unknown, Tor
log = logging.getLogger("stopa.visitors")


class Answer(NamedTuple):
    """A status, and the JSON of the body or None."""

    status: int
    body: Mapping[str, Any] | None = None
    headers: tuple[tuple[str, str], ...] = ()


class RefusedError(Exception):
    """The request is answered with another status than 200."""

    def __init__(self, status: int, why: Mapping[str, str] | None = None, retry_s: int = 0) -> None:
        super().__init__(status)
        headers = (("Retry-After", str(retry_s)),) if retry_s else ()
        self.answer = Answer(status, {"errors": dict(why)} if why else None, headers)


def respond(environ: WSGIEnvironment, start_response: StartResponse, behind_proxy: bool) -> Iterable[bytes]:
    """Answer a request to PATH. `behind_proxy` says that its headers about the client are a proxy's."""
    headers = list(HEADERS)
    try:
        database.connect(reuse_if_open=True)
        migrate.check(database.obj, migrate.CHECK_S)
        answer = _answer(environ, headers, behind_proxy)
    except RefusedError as refusal:
        answer = refusal.answer
    except Exception as error:
        answer = _failed(error)
    body = b"" if answer.body is None else msgspec.json.encode(answer.body)
    headers += answer.headers
    if answer.status != 204:
        headers += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    counters.add("requests", route=ROUTE, method=environ["REQUEST_METHOD"], status=answer.status)
    start_response(f"{answer.status} {REASONS[answer.status]}", headers)
    return [body]


def _failed(error: Exception) -> Answer:
    if failure.is_away(error):
        log.warning("%s", failure.explain(error))
        return Answer(503, None, (("Retry-After", str(RETRY_S)),))
    log.error("a report of a visit failed", exc_info=error)
    return Answer(500)


def _answer(environ: WSGIEnvironment, headers: list[tuple[str, str]], behind_proxy: bool) -> Answer:
    method = environ["REQUEST_METHOD"]
    if method not in ("POST", "OPTIONS"):
        raise RefusedError(405)
    site = sites.find(environ["PATH_INFO"][len(PATH) :][:64])
    origin = environ.get("HTTP_ORIGIN", "")
    if site is None or origin not in site.origins:
        raise RefusedError(403, {"origin": "Unknown site, or no page of this origin may report to it."})
    headers.append(("Access-Control-Allow-Origin", origin))
    if method == "OPTIONS":
        headers += PREFLIGHT
        return Answer(204)
    if not site.enabled:
        raise RefusedError(403, {"site": "Switched off."})
    address = privacy.short_address(environ.get("REMOTE_ADDR", ""))
    _limit(site, address, 1)
    report = _read(environ)
    return _taken(site, report, address, environ.get("HTTP_USER_AGENT", ""), _country(environ, behind_proxy))


def _limit(site: Portal, address: str, cost: int) -> None:
    if retry_s := limits.take(site.id, address, cost):
        raise RefusedError(429, {"rate": "Too many reports."}, retry_s)


def _read(environ: WSGIEnvironment) -> Report:
    length = environ.get("CONTENT_LENGTH") or ""
    if environ.get("HTTP_CONTENT_ENCODING"):
        raise RefusedError(415, {"body": "Send it as it is, not compressed."})
    if not length.isdecimal():
        raise RefusedError(400, {"body": "Send it with its length."})
    if int(length) > records.BODY_MAX:
        raise RefusedError(413, {"body": f"At most {records.BODY_MAX} bytes."})
    try:
        return records.read(environ["wsgi.input"].read(int(length)))
    except ReportError as error:
        raise RefusedError(400, {error.field: error.why}) from None


def _country(environ: WSGIEnvironment, behind_proxy: bool) -> str:
    given = str(environ.get("HTTP_CF_IPCOUNTRY", "")) if behind_proxy else ""
    return given if _COUNTRY.fullmatch(given) and given not in _NO_COUNTRY else ""


def _taken(site: Portal, report: Report, address: str, agent: str, country: str) -> Answer:
    """Store a report with news, and answer it. `agent` is the User-Agent header: to read a hostile one takes
    long, so it is read of a new visit alone, which is counted first."""
    now_ms = clock.now_ms()
    errors: dict[str, str] = {}
    who = None
    if report.c is not None:
        if identify.is_signed(site.secret, report.c):
            who = identify.details(site.secret, report.c)
        else:
            errors["c.sig"] = "The signature does not fit the id."
    try:
        known = visits.seen(site, report)
        visit: Visit | None = None
        if visits.has_news(site, known, report, who, now_ms):
            if (hold := holds.hold(site.source_id)) is not None:
                raise RefusedError(hold.status, {"site": hold.text}, holds.RETRY_S)
            if not switches.recorded(STARTED):
                return Answer(204)
            _limit(site, address, len(report.e) + (limits.NEW_VISIT if known is None else 0))
            browser = browsers.read(agent) if known is None else browsers.UNKNOWN
            if browser.is_robot:
                return Answer(204)
            client = visits.Client(browser.name, browser.system, country, address)
            visit = visits.take(site, report, client, who, now_ms)
    except visits.ForgedError:
        raise RefusedError(403, {"v": "This visit is another browser's."}) from None
    body: dict[str, Any] = {"ok": [each.i for each in report.e]}
    if errors:
        body["errors"] = errors
    seen: Visit | visits.Seen | None = visit or known
    if seen is not None and seen.invitation in invitations.OPEN:
        visit = visit or Visit.get_by_id(seen.id)
        if (invite := invitations.waiting(visit, visit.language, now_ms)) is not None:
            body["invite"] = invite
    elif seen is not None and seen.due_ms is not None and 0 <= seen.due_ms - now_ms < SOON_MS:
        body["next"] = seen.due_ms - now_ms + RULES_MS
    return Answer(200, body)
