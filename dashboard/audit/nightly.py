"""The nightly verification of the audit log, and the seal that it leaves behind."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import time
from pathlib import Path
from typing import Any, NamedTuple

from flask import current_app

from dashboard import clock
from dashboard.audit import record, seals, verify
from dashboard.audit.seals import SealError
from dashboard.db import database
from dashboard.db.prepared import plain
from dashboard.jobs import queue
from dashboard.jobs.nightly import Nightly
from dashboard.models import Job, Setting

KIND = "audit_verify"
NIGHT = Nightly(KIND, time(3), "audit.due")
PROOF = "audit.proof"  # name of a setting
ACTOR = ("system", None, "nightly verification")

log = logging.getLogger("stopa.audit")


class Proof(NamedTuple):
    """The latest nightly verification: the newest entry verified, and what was found."""

    time_ms: int
    seq: int
    bad: int | None  # the number of the first bad entry
    kind: str  # what is wrong with it
    seal_error: str  # why the night left no seal, "" where it did or none is configured
    before: int = 0  # entries of before the chain, which nothing proves

    @property
    def is_good(self) -> bool:
        return self.bad is None and not self.seal_error


def proof() -> Proof | None:
    """Return the latest verification, None before the first night."""
    return parsed(next((text for (text,) in plain(proof_text())), None))


def proof_text() -> Any:
    """Return the query of the text that `parsed` takes; no row before the first night."""
    return Setting.select(Setting.value).where(Setting.name == PROOF)


def parsed(text: str | None) -> Proof | None:
    return None if text is None else Proof(**json.loads(text))


def run(jobs: Sequence[Job]) -> None:
    """Verify the log, keep and record what was found, and seal the newest entry that was verified."""
    folder: Path | None = current_app.config["STOPA"].audit_seals
    known, seal_error = [], ""
    try:
        known = seals.read(folder) if folder else []
    except SealError as error:
        seal_error = str(error)
    result = verify.walk(known, progress=lambda done, total: queue.progress(jobs[0].id, done, total))
    if result.fault is None and result.last.seq:
        log.info("audit seal %d:%s", *result.last)
        try:
            if folder and not seal_error:
                seals.write(folder, result.last)
        except (OSError, SealError) as error:
            seal_error = str(error)
    with database.atomic():
        _record(result, seal_error)


def start() -> None:
    """Queue a verification, unless one waits, and record it, in the caller's transaction."""
    queue.enqueue(KIND, {}, key=KIND)
    record.record("audit.verification_started", "r", ("audit", "", ""))


def _record(result: verify.Result, seal_error: str) -> None:
    fault = result.fault
    proof = Proof(clock.now_ms(), result.last.seq, None, "", seal_error, result.before)
    details = {"entries": result.entries, "entry": result.last.seq, "hash": result.last.hash}
    if result.redacted:
        details["redacted"] = result.redacted
    if seal_error:
        details["seal"] = seal_error
    if fault is not None:
        proof = proof._replace(bad=fault.seq, kind=str(fault.kind))
        details |= {"entry": fault.seq, "fault": str(fault.kind)}
    Setting.put(PROOF, json.dumps(proof._asdict()))
    action, outcome = ("audit.broken", "failure") if fault else ("audit.verified", "success")
    record.record(action, "r", ("audit", "", ""), details=details, outcome=outcome, actor=ACTOR)
