"""Authentication and authorisation of requests. Each view declares the permission it requires."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import abort, current_app, g, request
from werkzeug.exceptions import Forbidden, Unauthorized

from dashboard.access import keys, scope, sessions, trusted_header
from dashboard.access.permissions import Permission
from dashboard.access.sessions import Found, Method

View = TypeVar("View", bound=Callable[..., Any])
COOKIE = "stopa"
# No browser asks for them: no session, errors as JSON.
MACHINE_PATHS = ("/api/", "/connect/", "/metrics", "/readyz")
# Files, the same for everybody: no session, no database.
FILE_PATHS = ("/static/", "/visitor.js", "/visitor-box.js")


class MissingPermission(Forbidden):
    """403 to a user who has none of `permissions`, of which one is enough."""

    def __init__(self, *permissions: Permission) -> None:
        super().__init__()
        self.permissions = permissions


class ExpiredKey(Unauthorized):
    """401 to a request whose key was valid once."""


def require(*permissions: Permission) -> Callable[[View], View]:
    """Answer 401 without a session and 403 unless the user's role has one of `permissions`."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if g.get("user") is None:
                abort(401)
            if not g.scope.permissions.intersection(permissions):
                raise MissingPermission(*permissions)
            return view(*args, **kwargs)

        guarded.permissions = permissions  # type: ignore[attr-defined]
        return cast(View, guarded)

    return decorate


def require_key(allow: str) -> Callable[[View], View]:
    """Answer 401 without a valid API key and 403 unless the key's permission is `allow` (ingest or read)."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            key = keys.find_expired(bearer())
            if key is None:
                abort(401)
            if key.is_expired:
                raise ExpiredKey
            g.key = key
            if key.allow != allow:
                abort(403)
            return view(*args, **kwargs)

        guarded.permissions = (f"key:{allow}",)  # type: ignore[attr-defined]
        return cast(View, guarded)

    return decorate


def public(view: View) -> View:
    """Mark a view that requires no sign-in."""
    view.permissions = ()  # type: ignore[attr-defined]
    return view


def load_user() -> None:
    """Before each request: load the session's user and scope, so that changes apply at once.

    A session that a proxy's header began ends with the first request whose header names no one or another.
    """
    g.user, g.scope = None, None
    token = request.cookies.get(cookie_name(COOKIE))
    if token and not request.path.startswith((*FILE_PATHS, *MACHINE_PATHS)):
        found = sessions.find(token)
        if found is not None and found.method == Method.HEADER and found.user.login != trusted_header.login():
            sessions.end(token)
        elif found is not None and found.user.access_id is not None:
            use(token, found)


def use(token: str, found: Found) -> None:
    """Make the user of a session that of this request."""
    g.user, g.scope, g.token = found.user, scope.of_grants(found.user, found.grants), token


def is_secure() -> bool:
    """Return whether cookies may only travel over https: the request came so, or the base URL says so."""
    return bool(request.is_secure or current_app.config["SESSION_COOKIE_SECURE"])


def cookie_name(name: str) -> str:
    """Return the cookie's name; over https with the prefix that keeps other hosts from setting it."""
    return f"__Host-{name}" if is_secure() else name


def bearer() -> str:
    """Return the token of the request's Authorization header, "" without one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
