"""Deletes the oldest entries of the audit log; what is left still verifies."""

from __future__ import annotations

from collections.abc import Iterator

from peewee import fn

from dashboard import clock
from dashboard.audit import chain, record, verify
from dashboard.db import database, dialect, pieces
from dashboard.db.locks import Lock
from dashboard.models import AuditCheckpoint, AuditEntry, AuditSubject


def purge(before_ms: int) -> Iterator[int]:
    """Delete the entries up to the first one of `before_ms` or later, and what they say about users' data, in
    pieces; yield the number of entries of each.

    A checkpoint keeps the number and hash of the last one, from where the chain goes on, and an entry says
    what was deleted. A call that was interrupted is finished by the next.
    """
    e = AuditEntry
    with database.atomic():
        dialect.one_at_a_time(Lock.AUDIT)
        last, to_id = verify.checkpoint()
        kept = e.select(e.seq).where((e.seq > last.seq) & (e.occurred_ms >= before_ms))
        to_seq = (kept.order_by(e.seq).limit(1).scalar() or chain.head().seq + 1) - 1
        to = verify.entry(to_seq) or last
        old = e.seq.is_null() & (e.id > to_id)
        if not to.seq:  # else the entry that counts them goes as well
            kept = e.select(fn.MIN(e.id)).where(old & (e.occurred_ms >= before_ms)).scalar()
            old = old if kept is None else old & (e.id < kept)
        number = e.select().where(old).count()
        if to.seq > last.seq or number:
            to_id = e.select(fn.MAX(e.id)).where(old).scalar() or to_id
            AuditCheckpoint.create(to_seq=to.seq, last_hash=to.hash, to_id=to_id, made_ms=clock.now_ms())
            details = {"to": to.seq, "hash": to.hash, "before": number}
            record.record(verify.PURGED, "d", ("audit", "", ""), details=details)
    for _number in pieces.delete(AuditSubject, AuditSubject.seq <= to.seq):
        yield 0
    yield from pieces.delete(e, (e.seq <= to.seq) | (e.seq.is_null() & (e.id <= to_id)))
