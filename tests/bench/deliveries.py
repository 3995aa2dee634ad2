"""Row B5: webhooks to one receiver, beside a bare loop of `requests` against the same receiver."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import requests

from dashboard.db import connected, database, open_database, sealed
from dashboard.models import Step
from tests.bench import site
from tests.bench.table import Line
from tests.notify import receivers, steps
from tests.notify.receivers import receiving

COUNT = 1000
ANSWERS_S = (0.008, 0.0)  # that a receiver takes for its answer
START_S = 60
BODY = {"type": "rule.matched", "text": "Hello"}


def rows(home: Path) -> list[Line]:
    """Return the lines of B5; by the clock, so the machine has to be quiet."""
    return [_row(home, answer_s) for answer_s in ANSWERS_S]


def _row(home: Path, answer_s: float) -> Line:
    path = home / f"deliveries{answer_s}.db"
    site.empty(path)
    url = f"sqlite:///{path}"
    open_database(url)
    sealed.use_key(site.SECRET)

    def act(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(answer_s)
        receivers.answers(200)(handler)

    with receiving(act) as receiver:
        bare = _bare(receiver.url)
        with connected(), database.atomic():
            channel = steps.channel(receiver.url)
            for _ in range(COUNT):
                steps.step("webhook", channel_id=channel.id)
        receiver.got.clear()
        ours = _delivered(url, receiver)
    measure = (
        f"deliveries a second to one receiver that takes {answer_s * 1000:.0f} ms / bare loop of requests"
    )
    return Line("B5", measure, f"{ours:.0f}", f"{bare:.0f}", ours / bare, ">= 0.7")


def _bare(url: str) -> float:
    """Return the calls a second of a loop without any queue."""
    begun = time.perf_counter()
    for _ in range(COUNT):
        requests.post(url, json=BODY, timeout=10).raise_for_status()
    return COUNT / (time.perf_counter() - begun)


def _delivered(url: str, receiver: receivers.Receiver) -> float:
    """Return the deliveries a second of a worker, from the first to the last."""
    chosen = {
        "STOPA_DATABASE": url,
        "STOPA_SECRET_KEY": site.SECRET,
        "STOPA_WEBHOOK_ALLOW": str(receiver.place),
    }
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "worker"]
    process = subprocess.Popen(command, env={**os.environ, **chosen}, stderr=subprocess.DEVNULL)
    try:
        end = time.perf_counter() + START_S
        while not receiver.got and time.perf_counter() < end:
            time.sleep(0.001)
        begun, first = time.perf_counter(), len(receiver.got)
        with connected():
            while Step.select().where(Step.state != "done").exists() and time.perf_counter() < end:
                time.sleep(0.02)
        return (COUNT - first) / (time.perf_counter() - begun)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
