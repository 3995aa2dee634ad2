"""Sends a test mail to whoever asks for it, and keeps what came of the latest one."""

from __future__ import annotations

import json
import time
from typing import NamedTuple

from flask import current_app

from dashboard import clock
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.i18n.message import N_
from dashboard.jobs import queue as jobs
from dashboard.models import Job, Setting, User
from dashboard.notify import email
from dashboard.notify.letter import Content

KIND = "mail_test"
SUBJECT = N_("Test message from Stopa")
TEXT = N_("Mails from Stopa reach you.")


class MailTest(NamedTuple):
    """What came of a test; `why` is a marked sentence, "" when the server took the mail."""

    to: str
    at_ms: int
    took_ms: int
    status: int
    why: str
    note: str


def request(user: User, subject: str, text: str) -> None:
    """Queue a mail to the user's own address, unless one waits already."""
    with database.atomic():
        jobs.enqueue(KIND, {"to": user.email, "user": user.id, "subject": subject, "text": text}, key=KIND)


def waits() -> bool:
    return bool(jobs.waiting([KIND]))


def latest() -> MailTest | None:
    """Return what came of the latest test, None before the first."""
    value = Setting.select(Setting.value).where(Setting.name == KIND).scalar()
    return MailTest(*json.loads(value)) if value else None


def run(waiting: list[Job]) -> None:
    """Send the mail and store what came of it. A second try has the same message id."""
    job = waiting[0]
    args, begun = job.args, time.monotonic()
    body = Content(args["text"])
    answer = email.send(current_app.config["STOPA"], f"test_{job.id}", args["to"], args["subject"], body)
    took_ms = round((time.monotonic() - begun) * 1000)
    found = MailTest(args["to"], clock.now_ms(), took_ms, answer.status, answer.why, answer.note)
    login = User.select(User.login).where(User.id == args["user"]).scalar()
    with database.atomic():
        Setting.put(KIND, json.dumps(found))
        audit.record(
            "mail.tested",
            "r",
            details={"status": answer.status, "error": answer.why},
            outcome="failure" if answer.why else "success",
            actor=("user", args["user"], login or ""),
        )
