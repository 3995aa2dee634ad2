"""A worker as a process that a test may kill: `python -m tests.notify.process FOLDER`.

It is what production runs, but for the lease, which is short so that a test need not wait, and that it
stalls where a step's payload says: `claimed` before anything is done, `sent` after sending and before the
mark, `inside` within the transaction of an inside action. A file of the step's key in FOLDER says that it
has come there; with one called "go on" it does not stall.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dashboard import create_app, settings
from dashboard.jobs import worker
from dashboard.models import Step
from dashboard.notify import deliver, email, outbox
from dashboard.rules import internal_actions

LEASE_MS = 1000
FOLDER = Path(sys.argv[1])


def stall(key: str, point: str) -> None:
    """Stop here for good if the step of that key is to stall at this point."""
    payload = Step.get(Step.key == key).payload
    if payload.get("stall") == point and not (FOLDER / "go on").exists():
        (FOLDER / key).touch()
        time.sleep(600)


def stalling_before(act: Callable[[Step], None], point: str) -> Callable[[Step], None]:
    def wrapped(step: Step) -> None:
        stall(step.key, point)
        act(step)

    return wrapped


def stalling_after(act: Callable[..., Any], point: str, key: Callable[..., str]) -> Callable[..., Any]:
    def wrapped(*given: Any) -> Any:
        found = act(*given)
        stall(key(*given), point)
        return found

    return wrapped


def main() -> None:
    outbox.WORK.lease_ms = LEASE_MS
    deliver.carry = stalling_before(deliver.carry, "claimed")
    deliver.send = stalling_after(deliver.send, "sent", lambda _channel, key, *_rest: key)
    email.send = stalling_after(email.send, "sent", lambda _settings, key, *_rest: key)
    internal_actions.do = stalling_after(internal_actions.do, "inside", lambda step: step.key)
    create_app(settings.start())
    worker.forever()


if __name__ == "__main__":
    main()
