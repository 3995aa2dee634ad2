"""The sign-in form as a browser sends it."""

from __future__ import annotations

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

PASSWORD = "correct horse"


def enter(client: FlaskClient, login: str = "jana", password: str = PASSWORD, **more: str) -> TestResponse:
    """Send the form; words that begin with a capital are headers, the others fields."""
    headers = {name.replace("_", "-"): value for name, value in more.items() if name[0].isupper()}
    form = {name: value for name, value in more.items() if name[0].islower()}
    return client.post("/sign-in", data={"login": login, "password": password, **form}, headers=headers)


def is_in(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200
