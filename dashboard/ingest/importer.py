"""Imports a file: read, stored in batches, folded; the good lines are kept whatever the others are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec
import peewee

from dashboard import catalog
from dashboard.audit import record as audit
from dashboard.audit.record import Actor
from dashboard.db import database
from dashboard.db.failure import is_locked, patiently
from dashboard.events import record
from dashboard.events.record import Appended
from dashboard.i18n.message import Errors
from dashboard.ingest import admission as admissions
from dashboard.ingest import files, refused
from dashboard.ingest.csv_options import CsvOptions, TableMap
from dashboard.ingest.csv_reader import NOT_READ
from dashboard.ingest.lines import Content
from dashboard.ingest.schema import WHOLE, NewEvent, Refusal
from dashboard.ingest.tally import Tally
from dashboard.jobs import worker
from dashboard.models import Follow, Interval, Source, User
from dashboard.tracing.activity_presence import PresenceOf
from dashboard.tracing.types import Kind

BATCH = 1000
READ_AT_ONCE = 10 * BATCH  # records, refused ones included, until progress is reported
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
    first_ms: int | None = None  # of the good events, UTC
    last_ms: int | None = None
    last_call: tuple[int, str] | None = None  # ms and user of the latest event of a call


class Done(NamedTuple):
    """How far an import is: records read, of these stored and repeated."""

    read: int = 0
    stored: int = 0
    repeated: int = 0


class Observer:
    """What an import reports to. It continues after `begin`; `actor` stands in the audit entry."""

    begin = Done()
    actor: Actor | None = None

    def read(self, position: int) -> None:
        """Take notice of how many bytes are read, also where they hold no record. May raise."""

    def refused(self, line: int, errors: Errors) -> None:
        """Take a refused record after `begin`."""

    def stored(self, done: Done, position: int, added: Appended) -> None:
        """Note how far the import is, in the transaction of the batch: it must be repeatable. May raise."""

    def committed(self) -> None:
        """Take notice that the transaction of the batch is committed."""


class Batch(NamedTuple):
    """Good events of a file, and how many bytes of it were read."""

    events: list[NewEvent]
    position: int


def run(
    path: Path | Content,
    kind: str,
    source: str,
    zone: str,
    table: TableMap | None,
    progress: Callable[[int], None] = lambda _position: None,
    say: Callable[[str], str] = lambda text: text,
    rules: bool = False,
    encoding: str | None = None,
    observer: Observer | None = None,
) -> Summary:
    """Import `path` under the name `source`; `progress` gets the bytes read so far.

    `path`, `kind`, `zone`, `table` and `encoding` are those of files.read.
    Rules evaluate the events only where `rules` is true: events of the past must notify nobody.

    Every batch of 1,000 is committed by itself and its events are known again by id, so an
    import that was killed is finished by running it once more. Ends with the events folded, or left to the
    worker that holds the lock, and with an audit entry when any were stored. Waits for the locks of others.
    """
    observer = observer or Observer()
    row = patiently(lambda: record.source(source, is_file=True))
    if not row.is_file and not Follow.select().where(Follow.source == row.id).exists():
        Source.update(is_file=True).where(Source.id == row.id).execute()
    summary = Summary(stored=observer.begin.stored, repeated=observer.begin.repeated)
    items = files.read(path, kind, zone, table, encoding, summary.tally, look=observer.read)
    for batch in batches(summary, items, say, observer):
        _store(summary, row.id, batch, rules, observer)
        progress(batch.position)
    _keep_refused(summary, row.id, path, encoding)
    if summary.stored:
        details = {"file": path.name, "stored": summary.stored, "refused": summary.refused}
        target = ("source", row.id, source)
        patiently(lambda: audit.record("import.run", "c", target, details=details, actor=observer.actor))
    summary.folded = _fold()
    if summary.folded:
        summary.members = _never_present(summary.callers)
        summary.may_infer = row.presence == PresenceOf.RECORDED
    return summary


def batches(
    summary: Summary, items: Iterator[files.Item], say: Callable[[str], str], observer: Observer
) -> Iterator[Batch]:
    """Count the records of a file and yield the good events, up to BATCH at a time, also when there are none;
    those up to `observer.begin` are counted only."""
    admission = admissions.current()
    events: list[NewEvent] = []
    position = 0
    for item in items:
        summary.read += 1
        position, event = item.position, item.value
        new = summary.read > observer.begin.read
        if isinstance(event, Refusal) or not admission.takes(event):
            errors = event.errors if isinstance(event, Refusal) else admission.errors(event)
            _refuse(summary, item.line, errors, say)
            if new:
                observer.refused(item.line, errors)
        else:
            _note(summary, event)
            if new:
                events.append(event)
        if len(events) >= BATCH or summary.read % READ_AT_ONCE == 0:
            yield Batch(events, position)
            events = []
    yield Batch(events, position)


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
        if summary.last_call is None or event.time_ms >= summary.last_call[0]:
            summary.last_call = event.time_ms, event.user
    summary.first_ms = event.time_ms if summary.first_ms is None else min(summary.first_ms, event.time_ms)
    summary.last_ms = event.time_ms if summary.last_ms is None else max(summary.last_ms, event.time_ms)


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


def _store(summary: Summary, source_id: int, batch: Batch, rules: bool, observer: Observer) -> None:
    def store() -> Done:
        with database.atomic():
            added = record.append(source_id, batch.events, rules=rules)
            stored, repeated = summary.stored + added.accepted, summary.repeated + added.repeated
            done = Done(max(summary.read, observer.begin.read), stored, repeated)
            observer.stored(done, batch.position, added)
        return done

    _read, summary.stored, summary.repeated = patiently(store)
    observer.committed()


def _refuse(summary: Summary, line: int, errors: Errors, say: Callable[[str], str]) -> None:
    summary.refused += 1
    summary.bad_times += "time" in errors
    again = errors.get(WHOLE) == NOT_READ and summary.refused > 2  # after line 1 and the next one
    if len(summary.refusals) < refused.MOST and not again:
        summary.refusals.append((line, errors))
    if len(summary.examples) < EXAMPLES and not again:
        summary.examples.append((line, explain(errors, say)))


def _keep_refused(summary: Summary, source_id: int, path: Path | Content, encoding: str | None) -> None:
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
