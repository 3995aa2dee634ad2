"""The jobs of an import: dry run, import and undo, each with progress; all stop when they are told to."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

import msgspec

from dashboard import clock
from dashboard.audit import record as audit
from dashboard.audit.record import Actor
from dashboard.db import database, dialect
from dashboard.db.patience import patient
from dashboard.events import record, room
from dashboard.events.record import Appended
from dashboard.i18n.message import Errors
from dashboard.ingest import importer
from dashboard.ingest.csv_options import CsvOptions
from dashboard.ingest.importer import Done, Observer
from dashboard.ingest.imports import columns, counts, dry_run, removal, sample
from dashboard.ingest.imports.columns import ColumnMap
from dashboard.ingest.imports.upload import State, Upload
from dashboard.jobs import queue
from dashboard.models import FileImport, ImportRange, Job

KIND = "import"
REFUSED_MOST = 10_000  # refused records that are listed
USERS = "users"  # in the counts of an import that is undone: whom its events named
EVERY_S = 0.5  # between two looks whether a dry run is to stop


class Stopped(Exception):  # noqa: N818
    """Somebody stopped the import."""


def start(row: FileImport, state: State, actor: Actor) -> bool:
    """Queue the work of `state` in one transaction; False if another request was faster."""
    with database.atomic():
        same = (FileImport.id == row.id) & (FileImport.state == row.state)
        if not FileImport.update(state=state.value, stopping=False, finished_ts=None).where(same).execute():
            return False
        key = f"{KIND}:{row.id}"
        queue.enqueue(KIND, {"import": row.id, "actor": actor}, key=key)
        job = Job.get(Job.key == key)
        FileImport.update(job_id=job.id).where(FileImport.id == row.id).execute()
    return True


def stop(row: FileImport) -> None:
    """Let the work of an import end at its next batch."""
    FileImport.update(stopping=True).where(FileImport.id == row.id).execute()


def run(waiting: Sequence[Job]) -> None:
    """Do what the state of the import says; after a kill, go on where the last batch was committed."""
    job = waiting[0]
    row = FileImport.get_or_none((FileImport.id == job.args["import"]) & (FileImport.job_id == job.id))
    with patient():
        if row is not None and row.state == State.CHECKING:
            _check(row, job)
        elif row is not None and row.state == State.IMPORTING:
            _store(row, job)
        elif row is not None and row.state == State.UNDOING:
            _undo(row, job)


def give_up(job: Job, _error: str) -> None:
    """Mark the import of a job that was given up: what it stored stays, a dry run goes back to the draft.

    After an undo that was given up, the file is read from its start if the import is continued.
    """
    f = FileImport
    mine = (f.id == job.args["import"]) & (f.job_id == job.id)
    f.update(state=State.DRAFT.value).where(mine & (f.state == State.CHECKING)).execute()
    for row in f.select().where(mine & (f.state == State.IMPORTING)):
        _unfinished(row, State.FAILED, job)
    for row in f.select().where(mine & (f.state == State.UNDOING)):
        _end(row, State.FAILED, counts={USERS: row.counts.get(USERS, [])})


def options(row: FileImport) -> CsvOptions:
    """Return the options with which a file is read. Raises ValueError with a line of `more` that is none."""
    if row.format != "csv":
        return CsvOptions(timezone=row.zone, encoding=row.encoding or None)
    header = sample.table(Upload(row), row.encoding).header
    return columns.options(column_map(row, header), header, row.zone, row.encoding or None)


def column_map(row: FileImport, header: Sequence[str]) -> ColumnMap:
    """Return the map of an import's columns: as chosen, else as in the last import of the source, else by the
    names of the columns."""
    if row.columns:
        return msgspec.convert(row.columns, ColumnMap)
    f = FileImport
    same = (f.source == row.source) & (f.format == "csv") & (f.state == State.DONE)
    last = f.select(f.columns).where(same).order_by(f.created_ts.desc()).first()
    if last is not None and last.columns:
        return msgspec.convert(last.columns, ColumnMap)
    kept = importer.kept_options(row.source)
    return columns.guessed(header) if kept is None else ColumnMap(more=columns.more_of(kept))


def _is_stopped(row: FileImport) -> bool:
    stopping: bool = FileImport.select(FileImport.stopping).where(FileImport.id == row.id).scalar()
    return stopping


def _check(row: FileImport, job: Job) -> None:
    chosen, looked = options(row), 0.0

    def progress(position: int) -> None:
        nonlocal looked
        if time.monotonic() - looked > EVERY_S:
            looked = time.monotonic()
            queue.progress(job.id, position, row.packed)
            if _is_stopped(row):
                raise Stopped

    try:
        summary = dry_run.run(
            Upload(row), row.format, row.source, chosen.timezone, chosen.table(), progress, chosen.encoding
        )
    except Stopped:
        _end(row, State.DRAFT)
    else:
        _end(row, State.DRAFT, checked=counts.of(summary).as_json())


def _store(row: FileImport, job: Job) -> None:
    chosen, watch = options(row), Watch(row, job)
    row.source_id = record.source(row.source, is_file=True).id
    FileImport.update(source_id=row.source_id).where(FileImport.id == row.id).execute()
    try:
        summary = importer.run(
            Upload(row),
            row.format,
            row.source,
            chosen.timezone,
            chosen.table(),
            encoding=chosen.encoding,
            observer=watch,
        )
    except Stopped:
        _unfinished(FileImport.get_by_id(row.id), State.CANCELLED, job)
    else:
        if row.format == "csv" and (summary.stored or summary.repeated):
            importer.keep_options(row.source, chosen)
        _end(row, State.DONE, counts=counts.of(summary).as_json())


def _undo(row: FileImport, job: Job) -> None:
    """Remove the events that the import stored, with all that was made of them."""
    _type, source, _name = target(row)
    ranges = list(
        ImportRange.select(ImportRange.after, ImportRange.to).where(ImportRange.file == row.id).tuples()
    )
    if USERS not in row.counts:  # kept before anything is removed, for a job that is killed
        row.counts = {**row.counts, USERS: removal.users(source, ranges)}
        FileImport.update(counts=row.counts).where(FileImport.id == row.id).execute()
    total, removed = counts.read(row.counts).stored, 0
    for number in removal.remove(source, ranges, files_only=True, of_users=row.counts[USERS]):
        removed += number
        queue.progress(job.id, min(removed, total), total)
    with database.atomic():
        ImportRange.delete().where(ImportRange.file == row.id).execute()
        _end(row, State.UNDONE, counts=counts.read(row.counts).as_json())
        details = {"file": row.name, "events": total}
        audit.record("import.undone", "d", target(row), details=details, actor=_actor(job))


def _unfinished(row: FileImport, state: State, job: Job) -> None:
    """End an import that was stopped or given up; what it stored stays and stands in the audit log."""
    stored = counts.read(row.counts)
    with database.atomic():
        _end(row, state)
        if stored.stored:
            details = {
                "file": row.name,
                "stored": stored.stored,
                "refused": stored.refused,
                "state": state.value,
            }
            audit.record("import.run", "c", target(row), details=details, actor=_actor(job))


def target(row: FileImport) -> tuple[str, int, str]:
    """Return the source of an import that has begun, as audit entries name it."""
    return ("source", row.source_id or 0, row.source)


def _actor(job: Job) -> Actor:
    """Return who started the work of a job."""
    type_, ident, label = job.args["actor"]
    return type_, ident, label


def _end(row: FileImport, state: State, **columns: object) -> None:
    """Write the state and let go of the job's key: what is started from now on is a job of its own."""
    values = {"state": state.value, "stopping": False, "finished_ts": clock.now_s(), **columns}
    with database.atomic():
        FileImport.update(**values).where(FileImport.id == row.id).execute()
        Job.update(key=None).where(Job.id == row.job_id).execute()


class Watch(Observer):
    """Notes how far an import is, which events it stored and which records were refused."""

    def __init__(self, row: FileImport, job: Job) -> None:
        known = counts.read(row.counts)
        self.begin = Done(known.read, known.stored, known.repeated)
        self.actor = _actor(job)
        self._row, self._job, self._number = row, job, known.refused
        self._refused: list[tuple[str, int, str]] = []

    def read(self, position: int) -> None:
        if _is_stopped(self._row):
            raise Stopped
        room.need()
        queue.progress(self._job.id, position, self._row.packed)

    def refused(self, line: int, errors: Errors) -> None:
        self._number += 1
        if self._number <= REFUSED_MOST:
            texts = {name: why.as_json() for name, why in errors.items()}
            self._refused.append((self._row.id, line, json.dumps(texts, ensure_ascii=False)))

    def stored(self, done: Done, position: int, added: Appended) -> None:
        if _is_stopped(self._row):
            raise Stopped
        dialect.insert_many("import_refused", ("file_id", "line", "errors"), self._refused)
        if added.accepted:
            last = ImportRange.update(to=added.to).where(
                (ImportRange.file == self._row.id) & (ImportRange.to == added.after)
            )
            if not last.execute():
                ImportRange.insert(file=self._row.id, after=added.after, to=added.to).execute()
        so_far = counts.partial(done, self._number).as_json()
        FileImport.update(counts=so_far).where(FileImport.id == self._row.id).execute()
        queue.progress(self._job.id, position, self._row.packed)

    def committed(self) -> None:
        self._refused = []
