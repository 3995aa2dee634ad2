"""Kill -9 of the worker between claim, send and mark: nothing stuck, inside acts once, calls with one id."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from flask import Flask

from dashboard.models import Mark, Run, Step
from dashboard.settings import ROOT
from tests.notify import receivers, steps
from tests.notify.receivers import receiving
from tests.notify.test_email import Sink, serving
from tests.test_start import environment, until

pytestmark = pytest.mark.both_databases


class Workers:
    """Worker processes on the test's database, which stall where steps say until one was killed."""

    def __init__(self, folder: Path, url: str, **more: str) -> None:
        self.folder, self._environment = folder, environment(url, **more)
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.notify.process", str(self.folder)]
        self._running.append(subprocess.Popen(command, cwd=ROOT, env=self._environment))

    def stalled(self, *stalling: Step) -> bool:
        return all((self.folder / step.key).exists() for step in stalling)

    def kill(self) -> None:
        while self._running:
            process = self._running.pop()
            process.kill()
            process.wait()

    def again(self) -> None:
        """Kill without a word, and start another that goes through."""
        self.kill()
        (self.folder / "go on").touch()
        self.start()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "stalls"
    made.mkdir()
    return made


class SlowSink(Sink):
    """Takes a mail whole, and is slow to say so the first time."""

    slow = False

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        said = await super().handle_DATA(server, session, envelope)
        if self.slow:
            await asyncio.sleep(600)
        return said


def settled() -> bool:
    ended = ("done", "failed", "dead", "uncertain", "cancelled")
    return not Step.select().where(Step.state.not_in(ended)).exists()


MAILS = {"claimed": ("done", 1), "sending": ("uncertain", 1), "sent": ("uncertain", 1)}


@pytest.mark.parametrize("point", MAILS)
def test_calls_come_again_with_the_same_id_and_mails_as_the_policy_says(
    app: Flask, db_url: str, folder: Path, point: str
) -> None:
    held = [True]

    def holds(handler: receivers.BaseHTTPRequestHandler) -> None:
        receivers.sleeps(600 if held[0] else 0)(handler)

    sink = SlowSink()
    sink.slow = point == "sending"
    with receiving() as plain, receiving(holds) as holding, serving(sink) as mail_server:
        claimed, sent, sending = (
            steps.step("webhook", channel_id=steps.channel(each.url).id, payload={"stall": stall})
            for each, stall in ((plain, "claimed"), (plain, "sent"), (holding, "sending"))
        )
        mail = steps.mail(payload={"stall": point})
        stalling = [claimed, sent, *([] if point == "sending" else [mail])]
        workers = Workers(
            folder,
            db_url,
            STOPA_WEBHOOK_ALLOW=f"{plain.place},{holding.place}",
            STOPA_SMTP_URL=f"smtp://{mail_server}",
            STOPA_MAIL_FROM="stopa@desk.example",
        )
        try:
            workers.start()
            until(lambda: workers.stalled(*stalling) and holding.got and (point == "claimed" or sink.got))
            held[0] = sink.slow = False
            workers.again()
            until(settled)
        finally:
            workers.kill()
    ids = Counter(got.headers["webhook-id"] for got in [*plain.got, *holding.got])
    assert ids == {claimed.key: 1, sent.key: 2, sending.key: 2}
    assert [steps.again(step).state for step in (claimed, sent, sending)] == ["done"] * 3
    assert (steps.again(mail).state, len(sink.got)) == MAILS[point]
    assert Run.get_by_id(mail.run_id).outcome == ("done" if point == "claimed" else "partly")


@pytest.mark.parametrize("point", ["claimed", "inside"])
def test_an_inside_action_is_done_once(app: Flask, db_url: str, folder: Path, point: str) -> None:
    step = steps.step("note", payload={"text": "Once", "stall": point})
    workers = Workers(folder, db_url)
    try:
        workers.start()
        until(lambda: workers.stalled(step))
        assert not Mark.select().exists()
        workers.again()
        until(settled)
    finally:
        workers.kill()
    assert [mark.text for mark in Mark.select()] == ["Once"]
    assert steps.again(step).state == "done"
