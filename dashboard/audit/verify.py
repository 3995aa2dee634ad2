"""Verifies the chain of the audit log, its seals and what retention has deleted of it. Only reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import Any, NamedTuple

from peewee import fn

from dashboard.audit import chain
from dashboard.audit.chain import Head
from dashboard.db import database, dialect
from dashboard.i18n.message import N_
from dashboard.models import AuditCheckpoint, AuditEntry

PIECE = 2000  # entries read at once
PURGED = "audit.purged"
REDACTED = "audit.redacted"


class Kind(StrEnum):
    """What is wrong with an entry."""

    GAP = "gap"
    LINK = "link"
    CONTENT = "content"
    OUTSIDE = "outside"
    CUT = "cut"
    REWRITTEN = "rewritten"


KINDS = {
    Kind.GAP: N_("the entry is missing"),
    Kind.LINK: N_("the entry does not follow the one before it"),
    Kind.CONTENT: N_("the entry is not as it was written"),
    Kind.OUTSIDE: N_("entries outside the chain were added or removed"),
    Kind.CUT: N_("the newest entries were cut off: a seal knows this one"),
    Kind.REWRITTEN: N_("this entry or one before it was written anew: its seal does not match"),
}


class Fault(NamedTuple):
    """The first bad entry: its number, 0 for one outside the chain."""

    seq: int
    kind: Kind


class Result(NamedTuple):
    """`first` to `last` were verified, `entries` of them; `before` are of before the chain and not proved."""

    first: int
    last: Head
    entries: int
    before: int
    seals: int  # how many match
    fault: Fault | None
    redacted: int = 0  # of the entries, those without the texts of an erased user, as a later entry says


class Cut(NamedTuple):
    """What retention deleted: entries to `last`, and those of before the chain with ids to `to_id`."""

    last: Head
    to_id: int


class _Facts(NamedTuple):
    """What the entries themselves say about the log."""

    hashes: dict[int, str]  # of the entries that have a seal
    started: dict[str, int]  # entries of before the chain, as counted when it started
    purged: list[dict[str, Any]]
    redacted: set[int]  # numbers of entries that are as a later one says


def walk(
    seals: Iterable[Head] = (),
    from_: int | None = None,
    to: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Result:
    """Verify entries `from_` to `to`, all by default, in pieces, and the `seals` among them.

    `progress` gets how many entries are done and how many there are. Entries that are added meanwhile are
    left to the next call.
    """
    head, cut, seals = chain.head(), checkpoint(), list(seals)
    first = max(from_ or 1, cut.last.seq + 1)
    end = head.seq if to is None else min(to, head.seq)
    known = {
        seal.seq: seal.hash
        for seal in seals
        if seal.seq >= (from_ or cut.last.seq) and (to is None or seal.seq <= to)
    }
    facts, known_redacted = _Facts({cut.last.seq: cut.last.hash}, {}, [], set()), _redacted()
    last = cut.last if first == cut.last.seq + 1 else entry(first - 1)
    at, fault = last or Head(first - 1, ""), None if last else Fault(first - 1, Kind.GAP)
    for row in _rows(first, end) if fault is None else ():
        fault = _fault(row, at)
        if fault and fault.kind is Kind.CONTENT and _content(row) == known_redacted.get(row[0]):
            facts.redacted.add(row[0])
            fault = None
        if fault:
            break
        at = Head(row[0], row[2])
        _note(row, known, facts)
        if not (at.seq - first + 1) % PIECE:
            progress(at.seq - first + 1, end - first + 1)
    if fault is None and at.seq < end:
        fault = Fault(at.seq + 1, Kind.GAP)
    if fault is None and from_ is None and to is None:
        fault = _outside(head, cut, facts)
    faults = [each for each in (fault, _bad_seal(known, head, facts.hashes, at)) if each]
    if faults and checkpoint() != cut:  # entries were deleted meanwhile
        return walk(seals, from_, to, progress)
    matching = sum(facts.hashes.get(seq) == hash_ for seq, hash_ in known.items())
    before = _unchained(cut.to_id)[0]
    entries, bad = at.seq - first + 1, min(faults, default=None)
    return Result(first, at, entries, before, matching, bad, len(facts.redacted))


def _rows(first: int, end: int) -> Iterator[tuple[Any, ...]]:
    """Yield the entries in pieces, each bounded on both sides: the plan is good without statistics, too."""
    names = ", ".join(f'"{name}"' for name in chain.COLUMNS)
    mark = "?" if dialect.is_sqlite() else "%s"
    sql = f'SELECT {names} FROM "audit_entry" WHERE "seq" >= {mark} AND "seq" <= {mark} ORDER BY "seq"'  # noqa: S608
    for start in range(first, end + 1, PIECE):
        yield from database.execute_sql(sql, (start, min(start + PIECE - 1, end))).fetchall()


def _fault(row: tuple[Any, ...], last: Head) -> Fault | None:
    seq, prev_hash, hash_ = row[:3]
    if seq != last.seq + 1:
        return Fault(last.seq + 1, Kind.GAP)
    if prev_hash != last.hash:
        return Fault(seq, Kind.LINK)
    return None if _content(row) == hash_ else Fault(seq, Kind.CONTENT)


def _content(row: tuple[Any, ...]) -> str:
    return chain.entry_hash(row[1], row[0], row[3:])


def _redacted() -> dict[int, str]:
    """Return what entries hash to without the texts of erased users, by number, as later entries say."""
    e = AuditEntry
    found: dict[int, str] = {}
    said = e.select(e.details).where(
        (e.target_type == "audit") & (e.target_id == "redaction") & (e.action == REDACTED)
    )
    for (details,) in said.order_by(e.seq).tuples():
        found |= {int(seq): hash_ for seq, hash_ in details["entries"].items()}
    return found


_ACTION = chain.COLUMNS.index("action")
_DETAILS = chain.COLUMNS.index("details")


def _note(row: tuple[Any, ...], known: dict[int, str], facts: _Facts) -> None:
    if row[0] in known:
        facts.hashes[row[0]] = row[2]
    if row[_ACTION] == chain.STARTED:
        facts.started.update(json.loads(row[_DETAILS]))
    elif row[_ACTION] == PURGED:
        facts.purged.append(json.loads(row[_DETAILS]))


def _outside(head: Head, cut: Cut, facts: _Facts) -> Fault | None:
    """Compare what is outside the chain, and what was deleted, with what entries say about both."""
    last = cut.last
    if not head.seq and not last.seq:  # the first entry will count what is there now
        return None
    if last.seq and not any((each["to"], each["hash"]) == last for each in facts.purged):
        return Fault(last.seq, Kind.GAP)
    count, last_id = _unchained(cut.to_id)
    gone = sum(each["before"] for each in facts.purged)
    expected = 0 if last.seq else facts.started.get("entries", 0) - gone
    if count != expected or (count and last_id > facts.started["last_id"]):
        return Fault(0, Kind.OUTSIDE)
    return None


def _bad_seal(known: dict[int, str], head: Head, hashes: dict[int, str], verified: Head) -> Fault | None:
    for seq, hash_ in sorted(known.items()):
        if seq > head.seq:
            return Fault(head.seq + 1, Kind.CUT)
        if seq <= verified.seq and hashes.get(seq) != hash_:
            return Fault(seq, Kind.REWRITTEN)
    return None


def checkpoint() -> Cut:
    c = AuditCheckpoint
    found = c.select(c.to_seq, c.last_hash, c.to_id).order_by(c.id.desc()).limit(1).tuples()
    return next((Cut(Head(seq, hash_), to_id) for seq, hash_, to_id in found), Cut(Head(0, ""), 0))


def entry(seq: int) -> Head | None:
    """Return number and hash of an entry, None where it is missing."""
    e = AuditEntry
    found = e.select(e.seq, e.hash).where(e.seq == seq).tuples()
    return next((Head(*row) for row in found), None)


def _unchained(after: int) -> tuple[int, int]:
    """Return how many entries with ids over `after` are outside the chain, and the highest id of theirs."""
    e = AuditEntry
    outside = e.seq.is_null() & (e.id > after)
    count, last_id = e.select(fn.COUNT(e.id), fn.MAX(e.id)).where(outside).tuples().get()
    return count, last_id or 0
