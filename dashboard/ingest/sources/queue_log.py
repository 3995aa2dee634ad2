"""Asterisk queue_log records to events: one record, one event; unknown ones are kept as they are. Pure.

Names and positions of parameters follow asterisk.org, Operation, Logging, Queue Logs. All times in
it are seconds but those of RINGNOANSWER and RINGCANCELED, which are milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import msgspec

from dashboard import catalog
from dashboard.i18n.message import N_, Message, message
from dashboard.ingest import times
from dashboard.ingest.csv_reader import Ids
from dashboard.ingest.data import MAX_BYTES, MAX_SECONDS
from dashboard.ingest.schema import LIMITS, NewEvent
from dashboard.ingest.sources.queue_log_read import Bad, Line, Record, records

NAME_TOO_LONG = N_("A name in the record has more than %(limit)s characters.")
RECORD_TOO_LONG = N_("The record is longer than %(limit)s bytes.")

NOBODY = frozenset({"", "NONE"})
NO_CALL = frozenset({"", "NONE", "MANAGER", "REALTIME", "CLI"})
# A queue's own records: whoever answered may have no name.
UNNAMED = frozenset({"call.accepted", "call.transferred"})
UNNAMED_PAUSE = "pause"
# These name an interface where others name a member.
OF_INTERFACES = frozenset({"PENALTY", "RINGINUSE"})
_DIGITS = re.compile(r"\d{1,15}", re.ASCII)
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")

Params = tuple[str, ...]
Facts = dict[str, Any]


class Reading(NamedTuple):
    """What a record means: our type, and what its parameters say."""

    type: str
    facts: Callable[[Params], Facts]


def events(
    read: Iterable[Line], zone: str, changes: times.ClockChanges | None = None
) -> Iterator[NewEvent | Bad]:
    """Yield the event of each record, in order; bad lines pass through.

    Civil times of a table are resolved in `zone` (twice: the earlier; skipped: the next valid) and counted
    in `changes`.
    An id is made of the record, in whole seconds, and which occurrence of it this is: reading the log
    again, as its file or any dump of its table, gives the same ids, equal lines are separate events.
    `uid` is the number of the table's row. `interaction` is the call id, with the queue when there is one,
    for one call may pass two queues. Raises ValueError for an unknown zone.
    """
    ids = Ids()
    for line in read:
        yield line if isinstance(line, Bad) else event(line, ids, zone, changes)


def event(record: Record, ids: Ids, zone: str, changes: times.ClockChanges | None = None) -> NewEvent | Bad:
    """Return the event of one record; see `events`."""
    at = record.time
    time_ms = times.in_range(at) if isinstance(at, int) else times.resolve(at, zone, changes)
    if isinstance(time_ms, Message):
        return Bad(record.line, time_ms, "time")
    second = time_ms // 1000
    names = (record.callid, record.queue, record.agent, record.event)
    id_ = ids.make(second, "|".join((f"{second}000", *names, *record.params)))
    type_, facts = _meaning(record)
    contact = facts.pop("contact", None)
    kept = {"event": record.event, "callid": record.callid, "params": record.params, **facts}
    user = None if record.agent in NOBODY else record.agent
    if record.event in OF_INTERFACES:
        kept["interface"], user = user, None
    data = msgspec.json.encode(kept)
    queue = None if record.queue in NOBODY else record.queue
    interaction = _interaction(record) if _on_a_call(type_, queue) else None
    problem = _too_long({"user": user, "queue": queue, "interaction": interaction}, data)
    if problem is not None:
        return Bad(record.line, problem)
    found = NewEvent(id_, type_, time_ms, user, queue, interaction, contact, None, data.decode(), record.line)
    return found if record.uid is None else msgspec.structs.replace(found, uid=record.uid)


def _meaning(record: Record) -> tuple[str, Facts]:
    """Return type and facts; a record that lacks what its type needs is kept as a custom event."""
    reading = READINGS.get(record.event)
    if reading is not None:
        needs = catalog.CATALOG[reading.type].needs
        lacks_user = "user" in needs and record.agent in NOBODY and reading.type not in UNNAMED
        lacks_call = "interaction" in needs and record.callid in NO_CALL
        facts = {name: fact for name, fact in reading.facts(record.params).items() if fact is not None}
        complete = set(catalog.CATALOG[reading.type].required) <= facts.keys()
        if complete and not lacks_user and not lacks_call:
            return reading.type, facts
    name = _NOT_IN_NAMES.sub("_", record.event.lower()).strip("_") or "unnamed"
    return f"custom.queue_log.{name}"[: catalog.NAME_LIMIT], {}


def _interaction(record: Record) -> str | None:
    if record.callid in NO_CALL:
        return None
    return record.callid if record.queue in NOBODY else f"{record.callid}/{record.queue}"


def _on_a_call(type_: str, queue: str | None) -> bool:
    """Say whether the call id names a customer's call: members and logins carry one that is not."""
    return type_.startswith("call.") or (type_.startswith(catalog.CUSTOM) and queue is not None)


def _too_long(names: Mapping[str, str | None], data: bytes) -> Message | None:
    for name, value in names.items():
        if value is not None and len(value) > LIMITS[name]:
            return message(NAME_TOO_LONG, limit=LIMITS[name])
    return message(RECORD_TOO_LONG, limit=MAX_BYTES) if len(data) > MAX_BYTES else None


def _text(params: Params, at: int) -> str | None:
    return params[at].strip() or None if -len(params) <= at < len(params) else None


def _count(params: Params, at: int, limit: int = MAX_SECONDS) -> int | None:
    """Return the whole number at a position; None for anything else, or beyond the limit."""
    text = _text(params, at)
    if text is None or not _DIGITS.fullmatch(text):
        return None
    return int(text) if int(text) <= limit else None


def _contact(phone: str | None, name: str | None = None) -> Facts | None:
    """Return whom a call is with; without a single digit ("anonymous", "####") nobody is known."""
    if phone is None or not any(letter.isdigit() for letter in phone) or len(phone) > 60:
        return None
    return {"name": name[:200], "phone": phone} if name else {"phone": phone}


def _queued(params: Params) -> Facts:
    contact = _contact(_text(params, 1), _text(params, 3))
    return {"direction": "in", "position": _count(params, 2), "contact": contact}


def _accepted(params: Params) -> Facts:
    waits = {"wait_s": _count(params, 0), "ring_s": _count(params, 2)}
    return {"direction": "in", "connected": True, **waits}


def _completed(params: Params, ended_by: str) -> Facts:
    return {"direction": "in", "wait_s": _count(params, 0), "talk_s": _count(params, 1), "ended_by": ended_by}


def _transferred(params: Params) -> Facts:
    to = "/".join(part for part in params[:2] if part)
    return {
        "direction": "in",
        "wait_s": _count(params, 2),
        "talk_s": _count(params, 3),
        "attended": False,
        "to": to or None,
    }


def _attended(params: Params) -> Facts:
    """LINK carries two channel names, so that its times stand one place later."""
    talk = 4 if params[:1] == ("LINK",) else 3
    return {
        "direction": "in",
        "wait_s": _count(params, talk - 1),
        "talk_s": _count(params, talk),
        "attended": True,
        "to": _text(params, 1),
    }


def _left(params: Params, reason: str | None, wait: int) -> Facts:
    return {"direction": "in", "reason": reason, "wait_s": _count(params, wait)}


def _not_answered(params: Params) -> Facts:
    return {"direction": "in", "ring_ms": _count(params, 0, MAX_SECONDS * 1000)}


def _turned_away(params: Params, reason: str) -> Facts:
    return {"direction": "in", "reason": reason}


def _signed_out(params: Params) -> Facts:
    return {"login_s": _count(params, 1), "reason": _text(params, 2)}


def _paused(params: Params) -> Facts:
    return {"pause": (_text(params, 0) or UNNAMED_PAUSE)[:120]}


def _reason(params: Params) -> Facts:
    return {"pause": (_text(params, 0) or "")[:120] or None}


def _joined(params: Params) -> Facts:
    """A member may be added on a pause."""
    paused = _text(params, 0) == "PAUSED"
    return {"paused": True, **_paused(params[1:])} if paused else {}


def _wraps_up(params: Params) -> Facts:
    return {"seconds": _count(params, 0)}


def _nothing(params: Params) -> Facts:
    return {}


def _dialled(params: Params) -> Facts:
    return {"direction": "out", "contact": _contact(_text(params, 0))}


def _out_ended(params: Params) -> Facts:
    """PBXware writes time to answer and talk time last; then who hung up stands second."""
    ended_by = {"COMPLETEAGENT": "agent", "COMPLETECALLER": "customer"}.get(_text(params, 1) or "")
    return {**_out_times(params), "ended_by": ended_by, "contact": _contact(_text(params, 0))}


def _out_transferred(params: Params) -> Facts:
    return {**_out_times(params), "to": _text(params, 1), "contact": _contact(_text(params, 0))}


def _out_times(params: Params) -> Facts:
    timed = params if len(params) >= 5 else ()
    return {"direction": "out", "wait_s": _count(timed, -2), "talk_s": _count(timed, -1)}


def _unreached(params: Params, reason: str) -> Facts:
    timed = params if len(params) >= 5 else ()
    contact = _contact(_text(params, 0))
    return {"direction": "out", "reason": reason, "wait_s": _count(timed, -2), "contact": contact}


READINGS: Mapping[str, Reading] = {
    "ENTERQUEUE": Reading("call.queued", _queued),
    "CONNECT": Reading("call.accepted", _accepted),
    "COMPLETEAGENT": Reading("call.closed", partial(_completed, ended_by="agent")),
    "COMPLETECALLER": Reading("call.closed", partial(_completed, ended_by="customer")),
    "TRANSFER": Reading("call.transferred", _transferred),
    "BLINDTRANSFER": Reading("call.transferred", _transferred),
    "ATTENDEDTRANSFER": Reading("call.transferred", _attended),
    "ABANDON": Reading("call.abandoned", partial(_left, reason=None, wait=2)),
    "EXITEMPTY": Reading("call.missed", partial(_left, reason="empty", wait=2)),
    "EXITWITHTIMEOUT": Reading("call.missed", partial(_left, reason="timeout", wait=2)),
    "EXITWITHKEY": Reading("call.missed", partial(_left, reason="key", wait=3)),
    "WITHDRAW": Reading("call.missed", partial(_left, reason="withdrawn", wait=2)),
    "RINGNOANSWER": Reading("call.ignored", _not_answered),
    "RINGCANCELED": Reading("call.withdrawn", _not_answered),
    "WRAPUPSTART": Reading("call.wrapup_started", _wraps_up),
    "AGENTDUMP": Reading("call.rejected", _nothing),
    "SYSCOMPAT": Reading("call.missed", partial(_turned_away, reason="incompatible")),
    **{
        name: Reading("call.missed", partial(_turned_away, reason=name.lower()))
        for name in ("CLOSED", "FULL", "JOINEMPTY", "LEAVEEMPTY", "DIVERT_CA_RATIO", "DIVERT_HOLDTIME")
    },
    "AGENTLOGIN": Reading("agent.signed_in", _nothing),
    "AGENTCALLBACKLOGIN": Reading("agent.signed_in", _nothing),
    "AGENTLOGOFF": Reading("agent.signed_out", _signed_out),
    "AGENTCALLBACKLOGOFF": Reading("agent.signed_out", _signed_out),
    "ADDMEMBER": Reading("agent.ready", _joined),
    "REMOVEMEMBER": Reading("agent.not_ready", _nothing),
    "PAUSE": Reading("agent.pause_started", _paused),
    "PAUSEALL": Reading("agent.pause_started", _paused),
    "PAUSEREASON": Reading("agent.pause_reason_given", _reason),
    "UNPAUSE": Reading("agent.pause_ended", _nothing),
    "UNPAUSEALL": Reading("agent.pause_ended", _nothing),
    "QUEUESTART": Reading("source.restarted", _nothing),
    "CONFIGRELOAD": Reading("source.reloaded", _nothing),
    "OUTDIAL": Reading("call.dialled", _dialled),
    "OUTANSWER": Reading("call.closed", _out_ended),
    "OUTTRANSFER": Reading("call.transferred", _out_transferred),
    "OUTCANCEL": Reading("call.unreached", partial(_unreached, reason="cancelled")),
    "OUTCHANUNAVAIL": Reading("call.unreached", partial(_unreached, reason="unavailable")),
    "OUTCONGESTION": Reading("call.unreached", partial(_unreached, reason="congestion")),
}

__all__ = ["READINGS", "Bad", "Line", "Record", "event", "events", "records"]
