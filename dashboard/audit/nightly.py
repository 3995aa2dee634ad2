"""The nightly verification of the audit log, and the seal that it leaves behind."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from datetime import time as day_time
from pathlib import Path
from typing import NamedTuple

from flask import current_app

from dashboard import clock
from dashboard.audit import record, seals, verify
from dashboard.audit.seals import SealError
from dashboard.db import database
from dashboard.db.prepared import Prepared
from dashboard.jobs import queue
from dashboard.models import Job, Setting

KIND = "audit_verify"
HOUR = day_time(3)  # in the time zone of the installation
EVERY_S = 60
DUE, PROOF = "audit.due", "audit.proof"  # names of settings
ACTOR = ("system", None, "nightly verification")

log = logging.getLogger("stopa.audit")
_PROOF = Prepared(lambda: Setting.select(Setting.value).where(Setting.name == PROOF))
_looked_s: float | None = None


class Proof(NamedTuple):
    """The latest nightly verification: the newest entry verified, and what was found."""

    time_ms: int
    seq: int
    bad: int | None  # the number of the first bad entry
    kind: str  # what is wrong with it
    seal_error: str  # why the night left no seal, "" where it did or none is configured

    @property
    def is_good(self) -> bool:
        return self.bad is None and not self.seal_error


def proof() -> Proof | None:
    """Return the latest verification, None before the first night."""
    found = _PROOF.rows()
    return Proof(**json.loads(found[0][0])) if found else None


def plan(every_s: float = EVERY_S) -> int:
    """Plan the verification when its hour has come. A worker tick; returns 0, no work done.

    An installation that starts waits for its first night.
    """
    global _looked_s
    if _looked_s is not None and time.monotonic() - _looked_s < every_s:
        return 0
    _looked_s = time.monotonic()
    with database.atomic():
        due_ms = Setting.select(Setting.value).where(Setting.name == DUE).scalar()
        if due_ms is not None and clock.now_ms() < int(due_ms):
            return 0
        if due_ms is not None:
            queue.enqueue(KIND, {}, key=KIND)
        _store(DUE, str(_next_night_ms()))
    return 0


def _next_night_ms() -> int:
    zone = current_app.config["STOPA"].timezone
    now = clock.now_s()
    on = clock.local_date(now, zone)
    tonight = clock.resolve(datetime.combine(on, HOUR), zone)
    return 1000 * (
        tonight if tonight > now else clock.resolve(datetime.combine(on + timedelta(days=1), HOUR), zone)
    )


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


def _record(result: verify.Result, seal_error: str) -> None:
    fault = result.fault
    proof = Proof(clock.now_ms(), result.last.seq, None, "", seal_error)
    details = {"entries": result.entries, "entry": result.last.seq, "hash": result.last.hash}
    if seal_error:
        details["seal"] = seal_error
    if fault is not None:
        proof = proof._replace(bad=fault.seq, kind=str(fault.kind))
        details |= {"entry": fault.seq, "fault": str(fault.kind)}
    _store(PROOF, json.dumps(proof._asdict()))
    action, outcome = ("audit.broken", "failure") if fault else ("audit.verified", "success")
    record.record(action, "r", ("audit", "", ""), details=details, outcome=outcome, actor=ACTOR)


def _store(name: str, value: str) -> None:
    Setting.insert(name=name, value=value).on_conflict(
        conflict_target=[Setting.name], update={Setting.value: value}
    ).execute()
