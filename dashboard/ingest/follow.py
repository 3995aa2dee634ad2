"""Follows a growing queue_log: its lines become events of a live source within a moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import msgspec
from peewee import chunked

from dashboard import clock
from dashboard.audit import record as audit
from dashboard.db import database
from dashboard.db.failure import patiently
from dashboard.events import record
from dashboard.events.timeliness import MAX_LATE_S
from dashboard.i18n.message import Message
from dashboard.ingest import admission as admissions
from dashboard.ingest import encodings, refused
from dashboard.ingest.csv_reader import UNREADABLE, Ids
from dashboard.ingest.growing_log import GrowingLog, LogLine, Position
from dashboard.ingest.lines import MAX_LINE
from dashboard.ingest.schema import NewEvent
from dashboard.ingest.sources import queue_log, queue_log_read
from dashboard.models import Follow, Source

BATCH = 1000
IDLE_S = 0.2  # between two looks at a log without news
ZONE = "UTC"  # of times without an offset: Asterisk's file has none of these


@dataclass
class Counts:
    """What became of the lines that are not blank: read = stored + repeated + refused."""

    read: int = 0
    stored: int = 0
    repeated: int = 0
    refused: int = 0


class Step(NamedTuple):
    lines: int  # that were read, with blank ones
    refused: list[queue_log.Bad]


class Follower:
    """Reads the log at `path` into the source `name`, which is live from now on.

    Goes on where this path's last follower stopped; where there was none, begins with the file's first line.
    `position` overrules both.
    """

    def __init__(self, name: str, path: Path, position: Position | None = None, encoding: str = "") -> None:
        self.counts = Counts()
        self.source_id = patiently(lambda: _live(name))
        self._path, self._codec = str(path.resolve()), encoding or encodings.UTF_8
        self.log = GrowingLog(path, position or self._kept())
        if position is not None:
            patiently(lambda: self._store((), position))
        self._ids, self._part = Ids(), 0

    def step(self) -> Step:
        """Store the lines that are there; `counts` has the sums.

        The position is stored with the events of the lines before it: after a kill at any moment no line is
        lost, and none is stored twice. Rules evaluate what is less than 24 hours old. Waits for the locks of
        others. Raises OSError for a file that cannot be read.
        """
        lines = self.log.read()
        if self.log.parts != self._part:
            self._ids, self._part = Ids(), self.log.parts
        read = [(line, self._event(line)) for line in lines if line.data.strip()]
        admission = admissions.current()
        checked = [(line, each, _refused(each, admission)) for line, each in read if not line.is_known]
        events = [each for _line, each, why in checked if isinstance(each, NewEvent) and why is None]
        bad = [(line, why) for line, _each, why in checked if why is not None]
        position = self.log.position
        if lines and position is not None:
            done = patiently(lambda: self._store(events, position))
            self.counts.read += len(checked)
            self.counts.stored += done
            self.counts.repeated += len(events) - done
            self.counts.refused += len(bad)
            self._keep(bad)
        return Step(len(lines), [each for _line, each in bad])

    def _keep(self, bad: Sequence[tuple[LogLine, queue_log.Bad]]) -> None:
        texts = (line.data.decode(self._codec, "replace").rstrip() for line, _each in bad)
        records = [
            refused.Record({each.field: each.message}, each.line, text)
            for (_line, each), text in zip(bad, texts, strict=True)
        ]
        if records:
            patiently(lambda: refused.keep(self.source_id, records, Path(self._path).name))

    def _event(self, line: LogLine) -> NewEvent | queue_log.Bad:
        text = line.data.decode(self._codec, "surrogateescape")
        if len(line.data) > MAX_LINE:
            return queue_log.Bad(line.number, Message(UNREADABLE))
        if not text.endswith("\n"):
            return queue_log.Bad(line.number, Message(queue_log_read.CUT))
        made = queue_log_read.pipe_record(line.number, text)
        return made if isinstance(made, queue_log.Bad) else queue_log.event(made, self._ids, ZONE)

    def _store(self, events: Sequence[NewEvent], position: Position) -> int:
        """Store the events and the position in one transaction; return how many events were new."""
        oldest_ms = clock.now_ms() - MAX_LATE_S * 1000
        stored = 0
        with database.atomic():
            for each in chunked(events, BATCH):
                batch = [msgspec.structs.replace(event, file_ts=position.began) for event in each]
                rules = batch[-1].time_ms >= oldest_ms
                stored += record.append(self.source_id, batch, rules=rules).accepted
            values = {**position._asdict(), "path": self._path, "read_ms": clock.now_ms()}
            Follow.insert(source=self.source_id, **values).on_conflict(
                conflict_target=[Follow.source], update=values
            ).execute()
        return stored

    def _kept(self) -> Position | None:
        row = Follow.get_or_none((Follow.source == self.source_id) & (Follow.path == self._path))
        return (
            None
            if row is None
            else Position(row.inode, row.offset, row.line, row.began, row.mark, row.reached)
        )


def _refused(found: NewEvent | queue_log.Bad, admission: admissions.Admission) -> queue_log.Bad | None:
    """Return why a line is refused; None where its event is taken."""
    if isinstance(found, queue_log.Bad):
        return found
    why = next(iter(admission.errors(found).values()), None)
    return None if why is None else queue_log.Bad(found.seq, why)


def _live(name: str) -> int:
    """Return the id of the source, which is live from now on."""
    row = record.source(name)
    if row.is_file:
        with database.atomic():
            Source.update(is_file=False).where(Source.id == row.id).execute()
            audit.record("settings.updated", "u", ("source", row.id, name), {"live": (False, True)})
    ident: int = row.id
    return ident
