"""Takes texts out of audit entries that stay in the chain.

An entry keeps its number and its hash, to which the next one and the seals refer. What it hashes to now is in
a later entry of the chain, which says when and for whom: `verify` accepts it by that, and counts it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dashboard import clock
from dashboard.audit import chain, record
from dashboard.audit.verify import REDACTED
from dashboard.db import database, dialect
from dashboard.db.prepared import plain
from dashboard.models import AuditEntry, AuditRedaction

TARGET = ("audit", "redaction", "")
ACTOR = ("system", None, "erasure")
TEXTS = ("actor_label", "target_id", "target_label", "changes", "details", "ip", "user_agent")
PIECE = 200  # entries that one entry of the chain names
Values = dict[str, Any]


def redact(condition: Any, rewritten: Callable[[Values], Values], user_id: int) -> int:
    """Rewrite TEXTS of the entries that meet a condition for the erasure of a user; return how many changed.

    `rewritten` gets the stored values of an entry by column and returns those of TEXTS. A transaction for
    each PIECE; what an interrupted call has left is done by the next.
    """
    e = AuditEntry
    ids = [ident for (ident,) in e.select(e.id).where(condition).order_by(e.id).tuples()]
    return sum(_piece(ids[start : start + PIECE], rewritten, user_id) for start in range(0, len(ids), PIECE))


def _piece(ids: list[int], rewritten: Callable[[Values], Values], user_id: int) -> int:
    names = ("id", *chain.COLUMNS)
    hashes: dict[str, str] = {}
    number = 0
    with database.atomic():
        for row in plain(
            AuditEntry.select(*(getattr(AuditEntry, name) for name in names)).where(AuditEntry.id.in_(ids))
        ):
            values = dict(zip(names, row, strict=True))
            texts = rewritten(values)
            if all(values[name] == text for name, text in texts.items()):
                continue
            _write(values["id"], texts)
            number += 1
            new = values | texts
            if new["seq"] is not None:
                content = [new[name] for name in chain.FIELDS]
                hashes[str(new["seq"])] = chain.entry_hash(new["prev_hash"], new["seq"], content)
        if number:
            record.record(REDACTED, "u", TARGET, details={"user": user_id, "entries": hashes}, actor=ACTOR)
    return number


def _write(ident: int, texts: Values) -> None:
    """Name the entry, then write its texts as they are."""
    AuditRedaction.insert(entry_id=ident, made_ms=clock.now_ms()).on_conflict_ignore().execute()
    mark = "?" if dialect.is_sqlite() else "%s"
    columns = ", ".join(f'"{name}" = {mark}' for name in texts)
    database.execute_sql(f'UPDATE "audit_entry" SET {columns} WHERE "id" = {mark}', (*texts.values(), ident))  # noqa: S608
