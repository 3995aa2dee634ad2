"""A sender of webhooks over HTTP as vendors' are: several at once, repeated, one overtaking the next."""

from __future__ import annotations

import http.client
import random
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

from flask import Flask
from werkzeug.serving import make_server

ATTEMPTS = 20


class Webhook(NamedTuple):
    """One delivery: the address it is posted to, headers and body. The same for each of its attempts."""

    path: str
    headers: dict[str, str]
    body: bytes


class Sender:
    """Sends the deliveries of each item in its order, of several items at once.

    Every third attempt hangs up before the answer, as a sender whose patience has ended, and every fourth
    delivery is sent again after its success. With `overtaking`, pairs of neighbours change places.
    """

    def __init__(self, port: int, overtaking: bool, seed: int) -> None:
        self._port, self._overtaking, self._chance = port, overtaking, random.Random(seed)
        self.statuses: list[int] = []

    def send(self, items: Sequence[Sequence[Webhook]]) -> None:
        """Send everything, each until it was acknowledged. Raises AssertionError when that never comes."""
        queues = [self._order(list(each)) for each in items]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._deliver_all, queues))

    def _order(self, webhooks: list[Webhook]) -> list[Webhook]:
        place = self._chance.randrange(2)
        while self._overtaking and place + 1 < len(webhooks):
            webhooks[place : place + 2] = reversed(webhooks[place : place + 2])
            place += 2
        return [each for one in webhooks for each in [one] * (1 + (self._chance.random() < 0.25))]

    def _deliver_all(self, webhooks: list[Webhook]) -> None:
        for each in webhooks:
            assert any(self._attempt(each, number) for number in range(ATTEMPTS)), each.path

    def _attempt(self, webhook: Webhook, number: int) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request("POST", webhook.path, webhook.body, webhook.headers)
            if number == 0 and webhook.body[-2] % 3 == 0:
                return False  # without the answer
            status = connection.getresponse().status
        finally:
            connection.close()
        self.statuses.append(status)
        return status == 202


@contextmanager
def serving(app: Flask) -> Iterator[int]:
    """Serve the application on the loopback and return the port; requests put their connections back."""
    app.config["TESTING"] = False
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
