"""Log files that rules append to: one JSON line a delivery, in the folder `logs` of the instance.

A line is appended at least once: where the worker dies after writing and before its step has ended, the same
line with the same `id` is written again. Files rotate at MAX_BYTES and keep KEPT old ones; no more than
MAX_FILES names exist, so that rules cannot fill the disk. Appending is serialised between threads and
processes by a lock on the folder. The file lies on the machine whose worker carries the step out.
"""

from __future__ import annotations

import fcntl
import json
import logging
import re
from collections.abc import Mapping
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from dashboard.i18n.message import N_
from dashboard.notify.result import DeliveryResult, ResultKind
from dashboard.rulelang.actions import FILE_NAME
from dashboard.settings import INSTANCE

FOLDER = INSTANCE / "logs"
MAX_BYTES = 5_000_000
KEPT = 3  # rotated files beside the current one
MAX_FILES = 20

BAD_NAME = N_("The name of the log file is not valid.")
TOO_MANY = N_("There are too many log files already.")
NOT_WRITTEN = N_("The log file could not be written.")


class _Handler(RotatingFileHandler):
    """Rotates like the handler of the standard library, but reports what fails to the caller."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  the name of the base class
        raise


def append(name: str, line: Mapping[str, Any]) -> DeliveryResult:
    """Append `line` as JSON to the log file called `name`, without folder and suffix."""
    if not re.fullmatch(FILE_NAME, name):
        return DeliveryResult(ResultKind.NEVER, BAD_NAME)
    text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
    path = FOLDER / f"{name}.log"
    try:
        FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (FOLDER / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists() and len(list(FOLDER.glob("*.log"))) >= MAX_FILES:
                return DeliveryResult(ResultKind.NEVER, TOO_MANY)
            _write(path, text)
    except OSError as error:
        return DeliveryResult(ResultKind.LATER, NOT_WRITTEN, note=error.strerror or "")
    return DeliveryResult(ResultKind.DONE, length=len(text.encode()))


def _write(path: Path, text: str) -> None:
    handler = _Handler(
        path, maxBytes=MAX_BYTES, backupCount=KEPT, encoding="utf-8", errors="replace", delay=True
    )
    try:
        handler.emit(logging.makeLogRecord({"msg": text}))
    finally:
        handler.close()
