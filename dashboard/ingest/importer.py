"""Imports a file: read, stored in batches, folded; the good lines are kept whatever the others are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import peewee

from dashboard.audit import record as audit
from dashboard.db.failure import is_locked, patiently
from dashboard.events import record, switches
from dashboard.i18n.message import Message
from dashboard.ingest import files
from dashboard.ingest.csv_events import Tally
from dashboard.ingest.csv_options import CsvOptions, TableMap
from dashboard.ingest.schema import SWITCHED_OFF, NewEvent, Refusal
from dashboard.jobs import worker
from dashboard.models import Source

BATCH = 1000
EXAMPLES = 20


@dataclass
class Summary:
    """What became of the lines; `examples` are the first refused ones: (line number, why). `table` says
    what of a CSV file's rows is no record."""

    read: int = 0
    stored: int = 0
    repeated: int = 0
    refused: int = 0
    examples: list[tuple[int, str]] = field(default_factory=list)
    table: Tally = field(default_factory=Tally)
    folded: bool = True  # False where a worker that held the lock is left to fold the events


def run(
    path: Path,
    kind: str,
    source: str,
    zone: str,
    table: TableMap | None,
    progress: Callable[[int], None],
    say: Callable[[str], str] = lambda text: text,
    rules: bool = False,
) -> Summary:
    """Import `path` under the name `source`; `progress` gets the bytes read so far.

    Rules evaluate the events only where `rules` is true: events of the past must notify nobody.

    Every batch of 1,000 is committed by itself and its events are known again by id, so an
    import that was killed is finished by running it once more. Ends with the events folded, or left to the
    worker that holds the lock. Waits for the locks of others.
    """
    summary = Summary()
    row = patiently(lambda: record.source(source, is_file=True))
    if not row.is_file:
        Source.update(is_file=True).where(Source.id == row.id).execute()
    batch: list[NewEvent] = []
    off = switches.off()
    position = 0
    for item in files.read(path, kind, zone, table, tally=summary.table):
        summary.read += 1
        position = item.position
        if isinstance(item.value, NewEvent):
            if item.value.type in off:
                _refuse(summary, item.line, Message(SWITCHED_OFF).render(say))
            else:
                batch.append(item.value)
        else:
            _refuse(summary, item.line, explain(item.value, say))
        if len(batch) >= BATCH:
            _store(summary, row.id, batch, rules)
            progress(item.position)
    _store(summary, row.id, batch, rules)
    progress(position)
    details = {"file": path.name, "stored": summary.stored, "refused": summary.refused}
    patiently(lambda: audit.record("import.run", "c", ("source", row.id, source), details=details))
    summary.folded = _fold()
    return summary


def _fold() -> bool:
    """Fold the events, unless a worker is at it: it holds the lock for long and takes these as well."""
    try:
        worker.drain(["digest"])
    except peewee.OperationalError as error:
        if not is_locked(error):
            raise
        return False
    return True


def _store(summary: Summary, source_id: int, batch: list[NewEvent], rules: bool) -> None:
    done = patiently(lambda: record.append(source_id, batch, rules=rules))
    summary.stored += done.accepted
    summary.repeated += done.repeated
    batch.clear()


def _refuse(summary: Summary, line: int, why: str) -> None:
    summary.refused += 1
    if len(summary.examples) < EXAMPLES:
        summary.examples.append((line, why))


def explain(refusal: Refusal, say: Callable[[str], str]) -> str:
    """Return why a line was refused, field by field, in one line of text."""
    return "; ".join(f"{name}: {why.render(say)}" for name, why in refusal.errors.items())


def kept_options(source: str) -> CsvOptions | None:
    """Return the options of the last CSV import of a source, or None."""
    row = Source.get_or_none(Source.name == source)
    return msgspec.json.decode(row.csv_options, type=CsvOptions) if row and row.csv_options else None


def keep_options(source: str, options: CsvOptions) -> None:
    """Keep the options of a CSV import for the next one of this source."""
    text = msgspec.json.encode(options).decode()
    Source.update(csv_options=text).where(Source.name == source).execute()
