"""Viewers of traces, and what they ask the tracing page."""

from __future__ import annotations

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.access.permissions import Permission
from dashboard.models import User
from tests import make
from tests.pages.trail import DAY

WATCH = (Permission.TRACING_VIEW, Permission.TRACING_DEACTIVATED)
HTMX = {"HX-Request": "true"}


def watcher(client: FlaskClient, *grants: str | tuple[str, int]) -> User:
    """Sign in a viewer of the users and queues named, of all by default."""
    user = make.user(access=make.access(WATCH, grants or ("all_users", "all_queues")))
    make.sign_in(client, user)
    return user


def ask(client: FlaskClient, user: str | None = "jana", **query: object) -> TestResponse:
    asked = {"date": DAY, "tz": "Europe/Prague", **query} | ({"user": user} if user else {})
    return client.get(
        "/tracing", query_string={name: value for name, value in asked.items() if value is not None}
    )


def open_user(client: FlaskClient, login: str = "jana") -> User:
    """Let a user who came with events sign in, with an access that allows nothing."""
    user: User = User.get(User.login == login)
    user.access = make.access()
    user.save()
    make.sign_in(client, user)
    return user


def ask_part(client: FlaskClient, block: str, **query: object) -> TestResponse:
    asked = {"user": "jana", "date": DAY, "tz": "Europe/Prague", **query}
    return client.get("/tracing", query_string=asked, headers={**HTMX, "HX-Target": block})
