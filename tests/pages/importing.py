"""Drives the pages of an import: sends a file, presses buttons, runs the worker."""

from __future__ import annotations

import io
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.jobs import worker
from dashboard.models import Event, FileImport, User
from tests import make
from tests.pages.html import Page

HTMX = {"HX-Request": "true", "HX-Target": "result"}


def owner(client: FlaskClient) -> User:
    """Sign in a user who may import."""
    user = make.user("owner", access=make.access(Permission, ["all_users", "all_queues"], "All"))
    make.sign_in(client, user)
    return user


def send(client: FlaskClient, text: str | bytes, name: str = "queue_log", **fields: str) -> Any:
    data = text.encode() if isinstance(text, str) else text
    form = {"format": "", "source": "", "zone": "Europe/Prague", **fields}
    return client.post("/import", data={**form, "file": (io.BytesIO(data), name)})


def sent(client: FlaskClient, text: str | bytes, name: str = "queue_log", **fields: str) -> str:
    """Send a file and return the address of its import."""
    answer = send(client, text, name, **fields)
    assert answer.status_code == 302, answer.text
    return str(answer.headers["Location"])


def act(client: FlaskClient, path: str, op: str) -> None:
    """Press a button of the draft with what its form holds."""
    form = {**Page(client.get(path).text).filled(), "op": op}
    assert client.post(path, data=form).status_code == 302


def work(app: Flask) -> None:
    with app.app_context():
        worker.drain(["import"])


def events() -> int:
    """Return the number of events of files, without those that Stopa records itself."""
    return int(Event.select().where(Event.type.startswith("call.")).count())


def counts(path: str, of: str = "counts") -> tuple[int, ...]:
    found = getattr(FileImport.get_by_id(path.rpartition("/")[2]), of)
    return tuple(found[name] for name in ("read", "stored", "repeated", "refused"))
