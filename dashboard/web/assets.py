"""Static files: versioned addresses, htmx out of the package that carries it, and the scripts of portals."""

from __future__ import annotations

import gzip
import hashlib
import re
from functools import cache
from importlib.resources import files
from pathlib import Path

from flask import Flask, Response, abort, make_response, request, send_from_directory, url_for

from dashboard.access.guard import public
from dashboard.settings import ROOT

STATIC = ROOT / "static"
HTMX = Path(str(files("js_lib_htmx"))) / "static" / "htmx" / "htmx.min.js"
YEAR_S = 31_536_000
ENDPOINTS = ("static", "htmx", "visitor")  # views of files, which read nothing of the database
CONFIG = (
    '{"includeIndicatorStyles":false,"allowEval":false,"allowScriptTags":false,"selfRequestsOnly":true,'
    '"historyCacheSize":0,"responseHandling":[{"code":"204","swap":false},{"code":"[23]..","swap":true},'
    '{"code":"422","swap":true},{"code":"[45]..","swap":false,"error":true}]}'
)


def init(app: Flask) -> None:
    app.jinja_env.globals.update(asset=asset, font_src=font_src, htmx_config=CONFIG)
    app.add_url_rule("/static/vendor/htmx.js", "htmx", htmx)
    app.add_url_rule("/<any('visitor.js', 'visitor-box.js'):name>", "visitor", visitor)

    @app.after_request
    def cache_versioned(response: Response) -> Response:
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


@public
def visitor(name: str) -> Response:
    """Return a script that pages of other sites load: without comments, compressed unless that is refused."""
    plain, packed = _script(name)
    small = "Accept-Encoding" not in request.headers or request.accept_encodings["gzip"] > 0
    answer = Response(packed if small else plain, mimetype="text/javascript")
    if small:
        answer.headers["Content-Encoding"] = "gzip"
    answer.headers.extend(
        {
            "Access-Control-Allow-Origin": "*",
            "Cache-Control": "public, max-age=3600, stale-while-revalidate=86400",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Vary": "Accept-Encoding",
        }
    )
    answer.set_etag(hashlib.sha256(answer.data).hexdigest()[:20])
    answer.make_conditional(request)
    return answer


@cache
def _script(name: str) -> tuple[bytes, bytes]:
    """Return a script without indents and comments on lines of their own, plain and compressed."""
    lines = (line.strip() for line in (STATIC / name).read_text("utf-8").splitlines())
    plain = "\n".join(line for line in lines if line and not line.startswith("//")).encode()
    return plain, gzip.compress(plain, 9, mtime=0)


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
