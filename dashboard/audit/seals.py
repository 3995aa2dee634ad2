"""Seals of the audit log: its newest number and hash, kept in files where who changes the database cannot.

A chain alone does not show that its newest entries were cut off, or that all of it was written anew. A file
of a day before shows both, as long as it is kept on another machine.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from dashboard import clock
from dashboard.audit.chain import Head

NAME = "stopa-audit-{:012}.json"
WORD = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")


class SealError(Exception):
    """A seal or the folder of seals cannot be read; the text says which."""


def write(folder: Path, head: Head) -> Path:
    """Write a seal to a file of its own, which must not exist with another hash.

    Raises SealError where it does, OSError where the folder cannot be written.
    """
    file = folder / NAME.format(head.seq)
    text = json.dumps({**head._asdict(), "time": clock.iso(clock.now_s(), "UTC")})
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(text + "\n")
            new.flush()
            os.fsync(new.fileno())
    except FileExistsError:
        if _read(file) != head:
            raise SealError(f"{file} seals another log") from None
    return file


def read(folder: Path) -> list[Head]:
    """Return the seals of a folder, oldest first. Raises SealError."""
    if not folder.is_dir():
        raise SealError(f"the folder {folder} is missing")
    return sorted(_read(file) for file in folder.glob(NAME.format(0).replace("0" * 12, "*")))


def parse(word: str) -> Head:
    """Return the seal of a text like 48214:9f2c…, as events have it. Raises ValueError."""
    found = WORD.fullmatch(word)
    if found is None:
        raise ValueError(f"{word!r} is not NUMBER:HASH")
    return Head(int(found[1]), found[2])


def _read(file: Path) -> Head:
    try:
        values = json.loads(file.read_text("utf-8"))
        return parse(f"{values['seq']}:{values['hash']}")
    except (OSError, ValueError, LookupError, TypeError):
        raise SealError(f"{file} cannot be read as a seal") from None
