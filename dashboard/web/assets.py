"""Static files: versioned addresses, and htmx out of the package that carries it."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.resources import files
from pathlib import Path

from flask import Flask, Response, abort, make_response, send_from_directory, url_for

from dashboard.access.guard import public
from dashboard.settings import ROOT

STATIC = ROOT / "static"
HTMX = Path(str(files("js_lib_htmx"))) / "static" / "htmx" / "htmx.min.js"
YEAR_S = 31_536_000
ENDPOINTS = ("static", "htmx")  # views of files, which read nothing of the database
CONFIG = (
    '{"includeIndicatorStyles":false,"allowEval":false,"allowScriptTags":false,"selfRequestsOnly":true,'
    '"historyCacheSize":0,"responseHandling":[{"code":"204","swap":false},{"code":"[23]..","swap":true},'
    '{"code":"422","swap":true},{"code":"[45]..","swap":false,"error":true}]}'
)


def init(app: Flask) -> None:
    app.jinja_env.globals.update(asset=asset, font_src=font_src, htmx_config=CONFIG)
    app.add_url_rule("/static/vendor/htmx.js", "htmx", htmx)

    @app.after_request
    def cache_versioned(response: Response) -> Response:
        from flask import request

        if request.path.startswith("/static/") and response.status_code == 200 and request.args.get("v"):
            response.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable"
        return response


@public
def htmx() -> Response:
    """A file in static/vendor/ wins over the package's."""
    own = STATIC / "vendor" / "htmx.js"
    path = own if own.exists() else HTMX
    if not path.exists():
        abort(404)
    return make_response(send_from_directory(path.parent, path.name, mimetype="text/javascript"))


@cache
def asset(name: str) -> str:
    """Return the address of a static file with a mark of its content."""
    return f"{url_for('static', filename=name)}?v={_mark(STATIC / name)}"


@cache
def htmx_src() -> str:
    return f"{url_for('htmx')}?v={_mark(HTMX)}"


@cache
def font_src() -> str:
    """Return the address of the font as the style sheet names it, so that a page can load both at once."""
    name = re.search(r'url\("(.+?)"\)', (STATIC / "app.css").read_text("utf-8"))
    return url_for("static", filename="") + name.group(1) if name else ""


def _mark(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10]


@cache
def light_colours() -> dict[str, str]:
    """Return the colours of the light theme by name, for drawings that the style sheet does not reach."""
    return dict(re.findall(r"--([\w-]+):light-dark\((#[0-9A-F]+),", (STATIC / "app.css").read_text("utf-8")))
