"""Imports a file: read, stored in batches, folded; the good lines are kept whatever the others are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import peewee

from dashboard import catalog
from dashboard.audit import record as audit
from dashboard.db.failure import is_locked, patiently
from dashboard.events import record
from dashboard.i18n.message import Errors
from dashboard.ingest import admission as admissions
from dashboard.ingest import files, refused
from dashboard.ingest.csv_options import CsvOptions, TableMap
from dashboard.ingest.csv_reader import NOT_READ
from dashboard.ingest.schema import WHOLE, NewEvent, Refusal
from dashboard.ingest.tally import Tally
from dashboard.jobs import worker
from dashboard.models import Follow, Interval, Source, User
from dashboard.tracing.activity_presence import PresenceOf
from dashboard.tracing.types import Kind

BATCH = 1000
EXAMPLES = 20
CHUNK = 500  # names per query


@dataclass
class Summary:
    """What became of a file: read = stored + repeated + refused.

    `examples` are the first refused records: (line, why). `bad_times` of the refused are so for their time;
    `unused` counts events by a type that no figure uses; `members` are those of the `callers`, the users
    with calls, who are never signed in or ready in any source.
    """

    read: int = 0
    stored: int = 0
    repeated: int = 0
    refused: int = 0
    examples: list[tuple[int, str]] = field(default_factory=list)
    refusals: list[tuple[int, Errors]] = field(default_factory=list)  # of the first of them
    bad_times: int = 0
    unused: Counter[str] = field(default_factory=Counter)
    callers: set[str] = field(default_factory=set)
    members: list[str] = field(default_factory=list)
    may_infer: bool = False  # their presence is not inferred yet
    tally: Tally = field(default_factory=Tally)
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
    encoding: str | None = None,
) -> Summary:
    """Import `path` under the name `source`; `progress` gets the bytes read so far.

    `path`, `kind`, `zone`, `table` and `encoding` are those of files.read.
    Rules evaluate the events only where `rules` is true: events of the past must notify nobody.

    Every batch of 1,000 is committed by itself and its events are known again by id, so an
    import that was killed is finished by running it once more. Ends with the events folded, or left to the
    worker that holds the lock, and with an audit entry when any were stored. Waits for the locks of others.
    """
    summary = Summary()
    row = patiently(lambda: record.source(source, is_file=True))
    if not row.is_file and not Follow.select().where(Follow.source == row.id).exists():
        Source.update(is_file=True).where(Source.id == row.id).execute()
    batch: list[NewEvent] = []
    admission = admissions.current()
    position = 0
    for item in files.read(path, kind, zone, table, encoding, summary.tally):
        summary.read += 1
        position, event = item.position, item.value
        if isinstance(event, Refusal) or not admission.takes(event):
            errors = event.errors if isinstance(event, Refusal) else admission.errors(event)
            _refuse(summary, item.line, errors, say)
        else:
            batch.append(event)
            _note(summary, event)
        if len(batch) >= BATCH:
            _store(summary, row.id, batch, rules)
            progress(position)
    _store(summary, row.id, batch, rules)
    progress(position)
    _keep_refused(summary, row.id, path, encoding)
    if summary.stored:
        details = {"file": path.name, "stored": summary.stored, "refused": summary.refused}
        patiently(lambda: audit.record("import.run", "c", ("source", row.id, source), details=details))
    summary.folded = _fold()
    if summary.folded:
        summary.members = _never_present(summary.callers)
        summary.may_infer = row.presence == PresenceOf.RECORDED
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


def _note(summary: Summary, event: NewEvent) -> None:
    if event.type.startswith(catalog.CUSTOM):
        summary.unused[event.type] += 1
    if event.user is not None and event.type.startswith("call."):
        summary.callers.add(event.user)


def _never_present(logins: Collection[str]) -> list[str]:
    """Return those of `logins` who are signed in or ready at no time of any source, in order."""
    present = Interval.select(Interval.user_id).where(
        (Interval.user_id == User.id) & Interval.kind.in_((Kind.LOGIN, Kind.READY))
    )
    found: list[str] = []
    for chunk in peewee.chunked(sorted(logins), CHUNK):
        query = User.select(User.login).where(User.login.in_(chunk) & ~peewee.fn.EXISTS(present))
        found += [login for (login,) in query.order_by(User.login).tuples()]
    return found


def _store(summary: Summary, source_id: int, batch: list[NewEvent], rules: bool) -> None:
    done = patiently(lambda: record.append(source_id, batch, rules=rules))
    summary.stored += done.accepted
    summary.repeated += done.repeated
    batch.clear()


def _refuse(summary: Summary, line: int, errors: Errors, say: Callable[[str], str]) -> None:
    summary.refused += 1
    summary.bad_times += "time" in errors
    again = errors.get(WHOLE) == NOT_READ and summary.refused > 2  # after line 1 and the next one
    if len(summary.refusals) < refused.MOST and not again:
        summary.refusals.append((line, errors))
    if len(summary.examples) < EXAMPLES and not again:
        summary.examples.append((line, explain(errors, say)))


def _keep_refused(summary: Summary, source_id: int, path: Path, encoding: str | None) -> None:
    """Keep the first refused records with their texts, for which the file is read again as far as needed."""
    texts = files.texts(path, encoding, {line for line, _errors in summary.refusals})
    records = [refused.Record(errors, line, texts.get(line, "")) for line, errors in summary.refusals]
    if records:
        patiently(lambda: refused.keep(source_id, records, path.name))


def explain(errors: Errors, say: Callable[[str], str]) -> str:
    """Return why a record was refused, field by field, in one line of text."""
    return "; ".join(f"{name}: {why.render(say)}" for name, why in errors.items())


def kept_options(source: str) -> CsvOptions | None:
    """Return the options of the last CSV import of a source, or None."""
    row = Source.get_or_none(Source.name == source)
    return msgspec.json.decode(row.csv_options, type=CsvOptions) if row and row.csv_options else None


def keep_options(source: str, options: CsvOptions) -> None:
    """Keep the options of a CSV import for the next one of this source."""
    text = msgspec.json.encode(options).decode()
    Source.update(csv_options=text).where(Source.name == source).execute()
