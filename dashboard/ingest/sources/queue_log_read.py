"""Asterisk's queue_log, as its file or as a dump of its database table, to records. Pure.

A record needs a numeric time and at least five fields (in table dumps a civil time will do);
anything else is bad and told with its line number; a blank line is blank. Tables are read in three
layouts: Asterisk's with five columns of parameters or with one, and PBXware's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Set
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from dashboard.i18n.message import N_, Message, message
from dashboard.ingest import csv_reader as reading
from dashboard.ingest import data as payload
from dashboard.ingest import schema, times
from dashboard.ingest.tally import Tally

CUT = N_("The last line is incomplete.")
TOO_FEW = N_("Records must have at least five fields.")
NO_TIME = N_("The time must be a number of seconds or a date and time.")
NO_COLUMNS = N_("The table lacks the columns %(columns)s. Export all columns of the table.")

MIN_FIELDS = 5
UID_DIGITS = 18  # of a number of 64 bits
NULLS = frozenset({"NULL", r"\N"})  # how dumps write an empty column
LIKELY = 3  # so many names of columns make a line the header of a table
_NAMES = frozenset({"time", "callid", "queuename", "agent", "event"})
_DATA = ("data1", "data2", "data3", "data4", "data5")
_PBXWARE_NAMES = frozenset({"date_time", "callid", "queue_name", "type", "event", "htime", "ttime"})
_NOT_DECODED = re.compile("[\ud800-\udfff]")
_SECONDS = re.compile(r"(\d{1,10})(?:\.(\d{1,30}))?", re.ASCII)


class Record(NamedTuple):
    """One line; `time` is UTC milliseconds, or naive where a table has civil time.

    `params` are in the order of Asterisk's documentation whatever the form, without empty ones at
    the end, so that the file and any dump of one log give equal records but for the time: the file has
    whole seconds, Asterisk's table microseconds.
    """

    line: int
    time: int | datetime
    callid: str
    queue: str
    agent: str
    event: str
    params: tuple[str, ...]
    uid: int | None = None  # the number of the record in a table that has one: the order of writing


class Bad(NamedTuple):
    """A line that is no record, why, and what of it is wrong."""

    line: int
    message: Message
    field: str = schema.WHOLE


Line = Record | Bad
Cells = dict[str, str]


def records(lines: Iterable[bytes | str], tally: Tally | None = None) -> Iterator[Line]:
    """Yield a Record or Bad for each line of a pipe file or row of a table dump; never raises.

    Which of the two it is, the first line tells. `tally` counts the other lines. `lines` may keep their
    ends; when they do, a last one without is bad: Asterisk ends every line, and half a number is no number.
    Lines are taken one at a time.
    """
    tally = tally or Tally()
    texts = (reading.text(line) for line in lines)
    first = next(texts, None)
    if first is None:
        return
    separator, names = reading.header(first)
    header = _lowered(names)
    table = _table(set(header))
    if table is None:
        yield from _pipe_records(chain((first,), texts), tally)
        return
    if isinstance(table, Message):
        yield Bad(1, table)
        rows = reading.not_read(texts, tally)
    else:
        tally.header = 1
        rows = reading.rows(texts, separator, len(header), 1, tally)
    for row in rows:
        if row.problem is not None:
            yield Bad(row.line, row.problem)
        elif not isinstance(table, Message):
            cells = dict(zip(header, ("" if cell in NULLS else cell for cell in row.cells), strict=True))
            record = _record(row.line, *table(cells))
            yield record if isinstance(record, Bad) else record._replace(uid=_uid(cells))


def _pipe_records(lines: Iterable[str], tally: Tally) -> Iterator[Line]:
    ended = False
    for number, line in enumerate(lines, 1):
        if not line.strip():
            tally.blank += 1
        elif ended and not line.endswith("\n"):
            yield Bad(number, Message(CUT))
        else:
            yield pipe_record(number, line)
        ended = ended or line.endswith("\n")


def pipe_record(number: int, line: str) -> Line:
    """Return the record of a line of the pipe file that is not blank, or why it is none."""
    fields = line.rstrip("\r\n").split("|")
    if len(fields) < MIN_FIELDS:
        return Bad(number, Message(TOO_FEW))
    return _record(number, fields[0], fields[1:5], fields[5:])


def _record(number: int, time: str, names: list[str], params: list[str]) -> Record | Bad:
    """Return the record of its parts; `names` are call id, queue, agent, event."""
    at = _time(time.strip())
    if at is None:
        return Bad(number, Message(NO_TIME), "time")
    if any(payload.UNSAFE.search(part) for part in (*names, *params)):
        if any(_NOT_DECODED.search(part) for part in (*names, *params)):
            return Bad(number, Message(reading.UNREADABLE))
        names, params = ([payload.without_control(part) for part in parts] for parts in (names, params))
    callid, queue, agent, event = (name.strip() for name in names)
    if not event:
        return Bad(number, Message(TOO_FEW))
    while params and not params[-1].strip():
        params = params[:-1]
    return Record(number, at, callid, queue, agent, event, tuple(params))


def _time(text: str) -> int | datetime | None:
    epoch = _SECONDS.fullmatch(text)
    if epoch is None:
        return times.moment(text)
    return int(epoch[1]) * 1000 + times.milliseconds(epoch[2])


def is_header(names: Iterable[str]) -> bool:
    """Say whether these are columns of the table `queue_log`, complete or not."""
    return _table(set(_lowered(names))) is not None


def _lowered(names: Iterable[str]) -> list[str]:
    return [name.strip().lower() for name in names]


def _table(header: Set[str]) -> Callable[[Cells], tuple[str, list[str], list[str]]] | Message | None:
    """Return how to read a row under this header: time, four names, parameters.

    A message names the columns that a table lacks; None stands for a line that is no header of one.
    """
    pbxware = len(header & _PBXWARE_NAMES) > len(header & _NAMES)
    needed = _PBXWARE_NAMES if pbxware else _NAMES
    if len(header & needed) < LIKELY:
        return None
    missing = sorted(needed - header)
    if not pbxware and "data" not in header:
        missing += [column for column in _DATA if column not in header]
    if missing:
        return message(NO_COLUMNS, columns=", ".join(missing))
    return _pbxware_row if pbxware else _realtime_row


def _uid(row: Cells) -> int | None:
    text = (row.get("uid") or row.get("id", "")).strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= UID_DIGITS else None


def _realtime_row(row: Cells) -> tuple[str, list[str], list[str]]:
    """Asterisk's own table: the parameters as documented, in data1 to data5, which keeps all from the fifth
    on, or in one column."""
    names = [row["callid"], row["queuename"], row["agent"], row["event"]]
    params = [row.get(column, "") for column in _DATA]
    joined = params if any(params) else [row.get("data", "")]
    return row["time"], names, [*joined[:-1], *joined[-1].split("|")]


# PBXware keeps hold time, talk time and positions in columns of their own and the caller's number
# in param1; here is which columns make the parameters of Asterisk's documentation.
_TRANSFER = ("param1", "param2", "htime", "ttime", "entpos")
_OUTBOUND = ("param1", "param2", "param3", "htime", "ttime")
_LEFT = ("expos", "entpos", "htime")
_PBXWARE = {
    "ENTERQUEUE": ("", "param1", "entpos"),
    "CONNECT": ("htime", "param2", "param3"),
    "COMPLETEAGENT": ("htime", "ttime", "entpos"),
    "COMPLETECALLER": ("htime", "ttime", "entpos"),
    "RINGNOANSWER": ("htime",),
    "RINGCANCELED": ("htime",),
    "ABANDON": _LEFT,
    "EXITEMPTY": _LEFT,
    "EXITWITHTIMEOUT": _LEFT,
    "EXITWITHKEY": ("param2", *_LEFT),
    "TRANSFER": _TRANSFER,
    "BLINDTRANSFER": _TRANSFER,
    "ATTENDEDTRANSFER": _TRANSFER,
    "OUTDIAL": _OUTBOUND,
    "OUTANSWER": _OUTBOUND,
    "OUTTRANSFER": _OUTBOUND,
    "OUTCANCEL": _OUTBOUND,
    "OUTCHANUNAVAIL": _OUTBOUND,
    "OUTCONGESTION": _OUTBOUND,
}


def _pbxware_row(row: Cells) -> tuple[str, list[str], list[str]]:
    """PBXware's table: the epoch in date_time wins over the local text in time."""
    names = [row["callid"], row["queue_name"], row["type"], row["event"]]
    order = _PBXWARE.get(row["event"], ("param1", "param2", "param3"))
    return row["date_time"], names, [row.get(column, "") for column in order]
