"""Deletes a source with its events and all that was made of them, in a job that goes on after a kill."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dashboard import clock
from dashboard.audit import record as audit
from dashboard.audit.record import Actor
from dashboard.db import database, dialect, pieces
from dashboard.db.patience import patient
from dashboard.ingest.imports import removal
from dashboard.ingest.imports.upload import WORKING, State
from dashboard.jobs import queue
from dashboard.models import (
    ApiKey,
    Connector,
    Event,
    FileImport,
    Follow,
    ImportRange,
    Interaction,
    Interval,
    Job,
    Manager,
    RefusedEvent,
    Site,
    Source,
)

KIND = "source_removal"
QUIET_MS = 5000  # until requests that had begun and workers that follow a log have stopped


class Stock(NamedTuple):
    """How many rows a source has, up to pieces.MOST; one more stands for "more"."""

    events: int
    interactions: int
    refused: int
    keys: int


def stock(source_id: int) -> Stock:
    """Return what goes with a source."""
    return Stock(
        pieces.count(Event.select(Event.id).where(Event.source_id == source_id)),
        pieces.count(Interaction.select(Interaction.id).where(Interaction.source == source_id)),
        pieces.count(RefusedEvent.select(RefusedEvent.id).where(RefusedEvent.source_id == source_id)),
        ApiKey.select().where((ApiKey.source_id == source_id) & ApiKey.revoked_ts.is_null()).count(),
    )


def start(source: Source, actor: Actor) -> None:
    """Take nothing of the source any more and queue its removal, in the caller's transaction; idempotent.

    The event of this act has a higher id than those that go: SQLite would give the highest id again.
    """
    f = FileImport
    audit.record("settings.updated", "u", ("source", source.id, source.name), {"deleted": (False, True)})
    gone = f.source_id == source.id
    ImportRange.delete().where(ImportRange.file.in_(f.select(f.id).where(gone))).execute()
    f.update(state=State.UNDONE.value).where(gone & f.state.not_in(WORKING)).execute()
    Source.update(paused_ms=clock.now_ms()).where(Source.id == source.id).execute()
    ApiKey.delete().where(ApiKey.source_id == source.id).execute()
    for model in (Connector, Follow, Manager, Site):
        model.delete().where(model.source == source.id).execute()
    args, key = {"source": source.id, "actor": actor}, f"{KIND}:{source.id}"
    queue.enqueue(KIND, args, key=key, due_ms=clock.now_ms() + QUIET_MS)


def is_importing(source: Source) -> bool:
    """Say whether a file is being imported into the source, or an import of it undone."""
    f = FileImport
    mine = (f.source_id == source.id) | (f.source == source.name)
    return bool(f.select().where(mine & f.state.in_(WORKING)).exists())


def removed() -> set[int]:
    """Return the sources whose removal waits or is under way."""
    jobs = Job.select(Job.args).where((Job.kind == KIND) & Job.state.in_(["waiting", "running"]))
    return {args["source"] for (args,) in jobs.tuples()}


def run(jobs: Sequence[Job]) -> None:
    """Delete the events in pieces, then what is left of the source.

    Where retention has deleted events before and kept their figures, the source stays for these, without
    events and paused.
    """
    job = jobs[0]
    source = Source.get_or_none(Source.id == job.args["source"])
    if source is None:
        return
    with patient():
        events = job.total or Event.select().where(Event.source_id == source.id).count()
        done = job.progress
        for number in removal.remove(source.id, [(0, dialect.highest_id("event"))]):
            done += number
            queue.progress(job.id, min(done, events), events)
        for _number in pieces.delete(RefusedEvent, RefusedEvent.source_id == source.id):
            pass
        with database.atomic():
            stays = any(
                model.select().where(of_it).exists()
                for model, of_it in (
                    (Interaction, Interaction.source == source.id),
                    (Interval, Interval.source_id == source.id),
                    (Event, Event.source_id == source.id),
                )
            )
            if not stays:
                source.delete_instance()
            type_, ident, label = job.args["actor"]
            details = {"events": events, "figures_stay": stays}
            target = ("source", source.id, source.name)
            audit.record("source.deleted", "d", target, details=details, actor=(type_, ident, label))
