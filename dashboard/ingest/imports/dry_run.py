"""Counts what an import of a file would store, without storing anything."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing

from dashboard.events import record
from dashboard.ingest import files, importer
from dashboard.ingest.csv_options import TableMap
from dashboard.ingest.importer import Observer, Summary
from dashboard.ingest.lines import Content
from dashboard.ingest.schema import NewEvent
from dashboard.models import Source

_MADE = "CREATE TABLE seen (key INTEGER PRIMARY KEY)"
_ADDED = "INSERT OR IGNORE INTO seen VALUES (?)"


def run(
    content: Content,
    kind: str,
    source: str,
    zone: str,
    table: TableMap | None,
    progress: Callable[[int], None],
    encoding: str | None = None,
) -> Summary:
    """Return the summary that `importer.run` would give; its parameters. `progress` may raise to end it.

    Which records the file holds twice is looked up in a temporary file, so that memory stays flat.
    """
    summary = Summary()
    source_id = Source.select(Source.id).where(Source.name == source).scalar()
    with closing(sqlite3.connect("")) as seen:
        seen.execute(_MADE)
        items = files.read(content, kind, zone, table, encoding, summary.tally, look=progress)
        for batch in importer.batches(summary, items, str, Observer()):
            new = _new(seen, batch.events)
            known = record.stored_keys(source_id, new) if source_id is not None else set()
            summary.stored += len(new) - len(known)
            summary.repeated += len(batch.events) - len(new) + len(known)
            progress(batch.position)
    return summary


def _new(seen: sqlite3.Connection, events: list[NewEvent]) -> list[str]:
    """Return the keys of the events that the file has not named before."""
    before = seen.total_changes
    found = []
    for event in events:
        key = event.key or event.id or ""
        digest = hashlib.blake2b(key.encode(errors="surrogateescape"), digest_size=8).digest()
        seen.execute(_ADDED, (int.from_bytes(digest, "big", signed=True),))
        if seen.total_changes > before:
            before = seen.total_changes
            found.append(key)
    return found
