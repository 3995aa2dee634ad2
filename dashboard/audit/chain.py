"""The chain of the audit log: each entry's hash covers its fields and the hash of the entry before.

Entries are numbered from 1 without gaps, under one lock that the transaction of the change holds until it
ends: writers that record at the same time make one chain. The log is tamper-evident: whoever changes the
database can write a chain anew, but not the seals that have left the machine; see audit.seals.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dashboard.db import database, dialect
from dashboard.db.locks import Lock

FORMAT = "stopa-audit-1"
# What a hash covers besides the number and the hash before, in this order; never changed.
FIELDS = (
    "occurred_ms",
    "actor_type",
    "actor_id",
    "actor_label",
    "action",
    "crud",
    "outcome",
    "target_type",
    "target_id",
    "target_label",
    "changes",
    "details",
    "ip",
    "user_agent",
    "request_id",
    "interface",
)
COLUMNS = ("seq", "prev_hash", "hash", *FIELDS)
HEAD = """SELECT "seq", "hash" FROM "audit_entry" WHERE "seq" IS NOT NULL ORDER BY "seq" DESC LIMIT 1"""
STARTED = "audit.chain_started"
_JSON = json.JSONEncoder(ensure_ascii=False).encode

_START: dict[str, Any] = dict.fromkeys(FIELDS, "") | {
    "actor_type": "system",
    "actor_id": None,
    "actor_label": "audit",
    "action": STARTED,
    "crud": "c",
    "outcome": "success",
    "changes": {},
    "interface": "job",
}


class Head(NamedTuple):
    """The newest entry of the chain: its number and its hash; 0 and "" for an empty chain."""

    seq: int
    hash: str


def entry_hash(prev_hash: str, seq: int, values: Sequence[Any]) -> str:
    """Return the SHA-256, in hexadecimal digits, of an entry with `values` of FIELDS as they are stored.

    Each part goes in as its length in characters, a colon and its text, so that no text can pass for the
    end of one field and the start of the next. A missing value is the text None.
    """
    parts = [FORMAT, prev_hash, str(seq), *map(str, values)]
    return hashlib.sha256("".join([f"{len(part)}:{part}" for part in parts]).encode()).hexdigest()


def head() -> Head:
    found = database.execute_sql(HEAD).fetchone()
    return Head(*found) if found else Head(0, "")


def add(entries: Sequence[Mapping[str, Any]]) -> list[int]:
    """Add entries with the values of FIELDS to the chain, in the caller's transaction; return their numbers.

    Texts are stored without characters that a database refuses. No other entry is added until the
    transaction ends, so a transaction adds its entries last.
    """
    if not entries:
        return []
    dialect.one_at_a_time(Lock.AUDIT)
    last, rows = head(), list[tuple[Any, ...]]()
    old = {} if last.seq else _unchained()
    started = [{**_START, "occurred_ms": entries[0]["occurred_ms"], "details": old}] if old else []
    for values in (*started, *entries):
        row = tuple(_stored(values[name]) for name in FIELDS)
        new = Head(last.seq + 1, entry_hash(last.hash, last.seq + 1, row))
        rows.append((new.seq, last.hash, new.hash, *row))
        last = new
    dialect.insert_many("audit_entry", COLUMNS, rows)
    return [row[0] for row in rows[len(started) :]]


def _stored(value: Any) -> Any:
    if isinstance(value, dict):
        value = _JSON(value)
    if not isinstance(value, str) or (value.isascii() and "\0" not in value):
        return value
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _unchained() -> dict[str, int]:
    """Return the number of entries outside the chain and the highest id of theirs, {} without any."""
    outside = 'FROM "audit_entry" WHERE "seq" IS NULL'
    last = database.execute_sql(f'SELECT "id" {outside} ORDER BY "id" DESC LIMIT 1').fetchone()
    if last is None:
        return {}
    count = database.execute_sql(f"SELECT count(*) {outside}").fetchone()[0]
    return {"entries": count, "last_id": last[0]}
