"""Headers of every answer: strict policy, nothing cached, nothing sniffed."""

from __future__ import annotations

from flask import Flask, Request, Response, abort, g, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_wtf.csrf import CSRFProtect

from dashboard.access import upload_pass
from dashboard.access.guard import FILE_PATHS, MACHINE_PATHS
from dashboard.web.logs import REQUEST_ID

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", POLICY),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
)
UNCACHED = ("Cache-Control", "no-store")
VARY = ("Vary", "HX-Request, Cookie, Accept-Language")
TRANSPORT = ("Strict-Transport-Security", "max-age=31536000")
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
csrf = CSRFProtect()


class Sessions(SecureCookieSessionInterface):
    """Forms' cookies, and none for clients with keys: it would be a tenth of what one event costs."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if request.path.startswith(MACHINE_PATHS):
            return self.make_null_session(app)
        return super().open_session(app, request)


def init(app: Flask) -> None:
    app.session_interface = Sessions()
    app.url_map.merge_slashes = False  # its redirect would repeat the Host that a client names

    @app.before_request
    def number_request() -> None:
        g.request_id = request.environ[REQUEST_ID]

    @app.before_request
    def limit_form() -> None:
        """Werkzeug bounds fields of multipart forms only; a URL-encoded one would be read up to 10 MiB."""
        if request.mimetype == FORMS[0]:
            request.max_content_length = request.max_form_memory_size
        elif request.mimetype == FORMS[1] and request.method == "POST":
            query = request.query_string.decode("latin-1")
            most = upload_pass.body_max(app.config["SECRET_KEY"], request.path, query)
            request.max_content_length = max(most, app.config["MAX_CONTENT_LENGTH"])

    @app.before_request
    def refuse_nul() -> None:
        """Refuse a NUL in the address: PostgreSQL stores no text with one, so nothing has such a name."""
        query = request.query_string
        if "\0" in request.path or b"%00" in query or b"\0" in query:
            abort(400)
        if request.mimetype in FORMS and any(
            "\0" in text for texts in request.form.listvalues() for text in texts
        ):
            abort(400)

    @app.after_request
    def headers(response: Response) -> Response:
        if request.path.startswith(FILE_PATHS) and response.status_code < 400:
            response.headers["X-Content-Type-Options"] = "nosniff"
            return response
        response.headers.extend(HEADERS)  # no view sets one of them; setting each anew would cost twice
        response.headers.setdefault(*UNCACHED)
        response.headers["Vary"] = VARY[1]
        if request.is_secure:
            response.headers.extend((TRANSPORT,))
        return response


def answer_headers(secure: bool) -> tuple[tuple[str, str], ...]:
    """Return the headers of an answer that is made outside Flask."""
    return (*HEADERS, UNCACHED, VARY, *((TRANSPORT,) if secure else ()))
