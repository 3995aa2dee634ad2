"""A page, or the named block of it that htmx requests, at the same address."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from flask import Response, current_app, g, make_response, render_template, url_for
from htmx_flask import request
from jinja2.ext import Extension

from dashboard.i18n.message import N_

NEXT_MAX = 2000
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
_TOKEN = re.compile(  # a tag with the statements in it, or a statement, expression or comment
    r"""(<[/!a-zA-Z](?:"(?:\{\{.*?\}\}|\{%.*?%\}|[^"])*"|\{\{.*?\}\}|\{%.*?%\}|[^">])*>|\{[%{#].*?[%}#]\})""",
    re.DOTALL,
)
_SEPARATE = re.compile(  # a statement, or a tag whose element does not stand within a line of text
    r"\{%|</?(?!(?:a|abbr|b|br|button|code|em|i|input|label|progress|select|small|span|strong|svg|textarea|time)\b)[a-z]"
)
_BREAK_BEFORE = re.compile(r"\s*\n\s*$")
_BREAK_AFTER = re.compile(r"^\s*\n\s*")
_IN_TAG = re.compile(r"""("(?:\{\{.*?\}\}|\{%.*?%\}|[^"])*"|\{\{.*?\}\}|\{%.*?%\})|\s*\n\s*""", re.DOTALL)
ANY_ID = 2**31 - 1  # stands for a row where an address is built; in no path of ours


class Compact(Extension):
    """Leaves the layout of HTML templates out of what is sent.

    That is indentation, and line breaks next to a statement or to the tag of a block element; one between
    attributes becomes a blank. Between texts, expressions and inline elements a line break stays, as it is
    a visible blank there.
    """

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Return `source` with the same number of lines, so that errors name the right one."""
        if name is None or not name.endswith(".html"):
            return source
        parts = ["", *_TOKEN.split(source), ""]  # tokens at even places, what is between at odd ones
        for at in range(1, len(parts), 2):
            if parts[at - 1].startswith("<"):
                parts[at - 1] = _IN_TAG.sub(lambda part: part[1] or " " + _hidden(part), parts[at - 1])
            if _SEPARATE.match(parts[at - 1]):
                parts[at] = _BREAK_AFTER.sub(_hidden, parts[at])
            if _SEPARATE.match(parts[at + 1]):
                parts[at] = _BREAK_BEFORE.sub(_hidden, parts[at])
        return _INDENT.sub("", "".join(parts))


def _hidden(space: re.Match[str]) -> str:
    return "{#" + "\n" * space[0].count("\n") + "#}"


def render(template: str, fragments: Collection[str] = (), status: int = 200, **context: Any) -> Response:
    """Answer with the template, or with one of its blocks named in `fragments`.

    The block is the one whose name equals the id of the element htmx wants to fill (HX-Target).
    A history restore gets the whole page.
    """
    block = wanted(fragments)
    if block is None:
        return make_response(render_template(template, **context), status)
    loaded = current_app.jinja_env.get_template(template)
    current_app.update_template_context(context)
    view = loaded.new_context(context)
    next(loaded.root_render_func(view))  # runs imports and collects the blocks of the templates it extends
    return make_response("".join(view.blocks[block][0](view)), status)


def refreshing(response: Response, url: str) -> Response:
    """Let browsers without scripts load the page again while work goes on; htmx asks for its fragment."""
    response.headers["Refresh"] = f"3; url={url}"
    return response


def wanted(fragments: Collection[str]) -> str | None:
    """Return which of `fragments` htmx asks for; None when the whole page is wanted."""
    htmx = request.htmx
    if not htmx or htmx.history_restore_request or not fragments:
        return None
    target = (htmx.target or "").rpartition("#")[2]  # htmx 4 sends tag#id
    return target if target in fragments else None


def row_url(endpoint: str, ident: int, **query: Any) -> str:
    """Return url_for(endpoint, ident=ident, …) of a row, built once a request for all rows.

    A day shows two hundred of them, and building each costs 25 us.
    """
    known: dict[Any, tuple[str, str]] = g.setdefault("row_urls", {})
    key = (endpoint, *query.items())
    if key not in known:
        before, _, after = url_for(endpoint, ident=ANY_ID, **query).partition(str(ANY_ID))
        known[key] = before, after
    return f"{known[key][0]}{ident}{known[key][1]}"


def local_path(target: str | None, default: str = "/") -> str:
    """Return `target` when it is a path of this site, else `default`: no open redirects.

    Refuses schemes, hosts, leading double slashes, backslashes and control characters, which
    browsers fold into hosts.
    """
    if not target or len(target) > NEXT_MAX or not target.startswith("/"):
        return default
    if target.startswith("//") or "\\" in target or any(ord(c) < 33 or ord(c) == 127 for c in target):
        return default
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else default


STATUS_TEXTS = {
    400: (N_("Invalid request"), N_("Go back and try again with different values.")),
    401: (N_("Sign in to continue"), N_("Your session has expired.")),
    403: (N_("Permission denied"), N_("You don't have permission to view this page.")),
    404: (N_("Not found"), N_("This page doesn't exist, or you don't have access to it.")),
    405: (N_("Method not allowed"), N_("This URL doesn't accept this request method.")),
    413: (N_("Too large"), N_("Send a smaller request.")),
    415: (N_("Unsupported content type"), N_("Send JSON, with the matching Content-Type.")),
    429: (N_("Too many attempts"), N_("Wait a moment, then try again.")),
    500: (
        N_("This page didn't load"),
        N_("Something went wrong. Try again; if it fails again, contact your administrator."),
    ),
    507: (N_("Too little disk space"), N_("Send the same again later.")),
    503: (N_("The server is busy"), N_("The database is busy. Try again in a few seconds.")),
}
