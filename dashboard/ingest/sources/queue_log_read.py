"""Asterisk's queue_log, as its file or as a dump of its database table, to records. Pure.

A record needs a numeric time and at least five fields (table dumps: a civil time will do);
anything else is bad, with its line number; a blank line is blank.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from dashboard.i18n.mark import N_
from dashboard.ingest import times
from dashboard.ingest.message import Message, message

CUT = N_("The last line is cut off.")
TOO_FEW = N_("A record needs at least five fields.")
NOT_A_NUMBER = N_("The time is not a number of seconds.")
UNREADABLE = N_("The line is not UTF-8 text.")
OTHER_COLUMNS = N_("The row has %(found)s columns, the header %(expected)s.")

MIN_FIELDS = 5
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_SECONDS = re.compile(r"(\d{1,10})(?:\.(\d{1,30}))?", re.ASCII)


class Record(NamedTuple):
    """One line; `time` is UTC milliseconds, or naive where the table writes civil time.

    `params` are in the order of Asterisk's documentation whatever the form, without empty ones at
    the end, so that file and dump of one log give equal records.
    """

    line: int
    time: int | datetime
    callid: str
    queue: str
    agent: str
    event: str
    params: tuple[str, ...]

    def normal(self) -> str:
        """Return the record as queue_log writes it; equal records have equal texts."""
        at = self.time.isoformat() if isinstance(self.time, datetime) else f"{self.time / 1000:.3f}"
        return "|".join((at, self.callid, self.queue, self.agent, self.event, *self.params))


class Bad(NamedTuple):
    """A line that is no record, and why."""

    line: int
    message: Message


class Blank(NamedTuple):
    line: int


Line = Record | Bad | Blank


def records(lines: Iterable[bytes | str]) -> Iterator[Line]:
    """Yield one Record, Bad or Blank per line of a pipe file or row of a table dump; never raises.

    `lines` may keep their line ends. When they do, a last one without is cut off (Asterisk ends
    every line) and bad: its last number may have lost digits. Only one line is held at a time.
    """
    read = enumerate((_text(line) for line in lines), 1)
    for number, line in read:
        if line is None:
            yield Bad(number, Message(UNREADABLE))
        elif not line.strip():
            yield Blank(number)
        else:
            columns = _columns(line)
            if columns is None:
                yield from _pipe_records(number, line, read)
            else:
                yield from _table_records(number, columns, read)
            return


def _text(line: bytes | str) -> str | None:
    """Return the line as text, None when it is none (bytes that are not UTF-8)."""
    if isinstance(line, bytes):
        try:
            line = line.decode()
        except UnicodeDecodeError:
            return None
    return line.removeprefix("\ufeff")


def _pipe_records(number: int, line: str | None, rest: Iterable[tuple[int, str | None]]) -> Iterator[Line]:
    ended = False
    yield _pipe_record(number, line, ended)
    ended = line is not None and line.endswith("\n")
    for number, line in rest:
        yield _pipe_record(number, line, ended)
        ended = ended or (line is not None and line.endswith("\n"))


def _pipe_record(number: int, line: str | None, ended: bool) -> Line:
    if line is None:
        return Bad(number, Message(UNREADABLE))
    if ended and not line.endswith("\n") and line.strip():
        return Bad(number, Message(CUT))
    text = line.rstrip("\r\n")
    if not text.strip():
        return Blank(number)
    fields = text.split("|")
    if len(fields) < MIN_FIELDS or not fields[4].strip():
        return Bad(number, Message(TOO_FEW))
    if _CONTROL.search(text):
        return Bad(number, Message(UNREADABLE))
    at = _epoch(fields[0])
    return at if isinstance(at, Bad) else _record(number, at, *fields[1:5], params=tuple(fields[5:]))


