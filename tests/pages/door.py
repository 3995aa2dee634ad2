"""The sign-in form as a browser sends it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.db import database

Result = TypeVar("Result")

PASSWORD = "correct horse"


def enter(client: FlaskClient, login: str = "jana", password: str = PASSWORD, **more: str) -> TestResponse:
    """Send the form; words that begin with a capital are headers, the others fields."""
    headers = {name.replace("_", "-"): value for name, value in more.items() if name[0].isupper()}
    form = {name: value for name, value in more.items() if name[0].islower()}
    return client.post("/sign-in", data={"login": login, "password": password, **form}, headers=headers)


def is_in(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


def at_once(number: int, act: Callable[[int], Result]) -> Counter[Result]:
    """Run `act` in as many threads, all begun together, and return how often each result came."""
    together = Barrier(number)

    def one(n: int) -> Result:
        together.wait(30)
        try:
            return act(n)
        finally:
            if not database.is_closed():
                database.close()

    with ThreadPoolExecutor(number) as pool:
        return Counter(pool.map(one, range(number)))
