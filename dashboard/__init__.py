"""Stopa: `create_app` puts the application together."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from flask import Flask, request
from htmx_flask import Htmx
from werkzeug.middleware.proxy_fix import ProxyFix

from dashboard import i18n, settings
from dashboard.access import guard
from dashboard.db import database, end_request, migrate, open_database, sealed
from dashboard.events import room
from dashboard.settings import ROOT, Settings
from dashboard.tracing import surroundings
from dashboard.tracing.bounds import Limits
from dashboard.web import assets, errors, forwarded, logs, nav, page, security

MAX_BODY = 10 * 1024 * 1024  # ingest; forms are far below and have limits of their own
MAX_FORM = 512 * 1024
HEALTH = ("api.health", "monitoring.ready")  # endpoints that say themselves what is wrong with the database


def create_app(given: Settings | None = None) -> Flask:
    """Return the application on the settings given, or on those of the environment.

    With the environment's, a wrong setting ends the process with its name and a hint.
    """
    from dashboard import registry
    from dashboard.ingest.wsgi import (
        EventsEntry,  # here: it imports everything, and a module of its own needs little
    )

    chosen = given or settings.start()
    app = Flask(__name__, static_folder=str(ROOT / "static"), template_folder=str(ROOT / "templates"))
    secure = urlsplit(chosen.base_url).scheme == "https"
    app.config.update(
        STOPA=chosen,
        SECRET_KEY=chosen.secret_key,
        MAX_CONTENT_LENGTH=MAX_BODY,
        MAX_FORM_MEMORY_SIZE=MAX_FORM,
        SESSION_COOKIE_NAME="__Host-stopa_form" if secure else "stopa_form",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=secure,
        PERMANENT_SESSION_LIFETIME=timedelta(days=30),
        WTF_CSRF_TIME_LIMIT=12 * 3600,
        WTF_CSRF_SSL_STRICT=secure,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.add_extension(page.Compact)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    sealed.use_key(chosen.secret_key)
    surroundings.use_limits(Limits(*chosen.limits_s))
    open_database(chosen.database, chosen.sqlite_synchronous)
    room.keep_free(chosen.disk_stop_mb)
    _connect(app)
    forwarded.init(app)
    Htmx(app)
    security.init(app)
    i18n.init(app, chosen.locale, chosen.timezone)
    app.before_request(guard.load_user)
    security.csrf.init_app(app)  # after the user is known, who is told when a form is refused
    errors.init(app)
    assets.init(app)
    registry.register(app)
    nav.init(app)
    app.wsgi_app = EventsEntry(app, app.wsgi_app)  # type: ignore[method-assign]
    logs.init(app, chosen)
    if chosen.trusted_proxies:
        count = chosen.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0)  # type: ignore[method-assign]
    return app


def _connect(app: Flask) -> None:
    @app.before_request
    def open_connection() -> None:
        if request.endpoint in assets.ENDPOINTS:  # files come too while the database is away
            return
        database.connect(reuse_if_open=True)
        if request.endpoint not in HEALTH:
            migrate.check(database.obj, migrate.CHECK_S)

    @app.teardown_request
    def close_connection(_error: BaseException | None) -> None:
        end_request(app.testing)
