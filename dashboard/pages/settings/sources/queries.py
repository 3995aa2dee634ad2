"""Where events come from: each source with its past day, its state, and what it refused; all bounded."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from peewee import SQL, fn

from dashboard.access import keys
from dashboard.clock import DAY_S, HOUR_S
from dashboard.db import rows
from dashboard.events import internal, source_hours
from dashboard.events.source_hours import Day
from dashboard.ingest.imports import source_removal
from dashboard.models import ApiKey, Connector, Event, Follow, RefusedEvent, Site, Source, SourceRhythm

WEEK_S = 7 * DAY_S
REASONS = 20  # reasons of refusal that are listed
READ = 10_000  # the latest refused records that reasons are counted of


class State(StrEnum):
    """What a source does: the first that holds."""

    REMOVED = "removed"  # it is being deleted
    PAUSED = "paused"
    UNREAD = "unread"  # its log cannot be read
    SILENT = "silent"  # longer than its rhythm explains
    REFUSED = "refused"  # some of its records of the past day were refused
    IMPORTED = "imported"  # its events come from files
    RECEIVING = "receiving"  # an event arrived in the past day
    QUIET = "quiet"
    WAITING = "waiting"  # no event has arrived yet


class Means(NamedTuple):
    """How events come: the kind of a connector, the names of valid keys, the path of a log, imported files,
    the id of a web site.

    `problem` is why workers cannot read the log, "" while they can or `flask follow` reads it.
    """

    connector: str | None
    keys: tuple[str, ...]
    log: str | None
    problem: str
    is_file: bool
    site: int | None = None


class SourceRow(NamedTuple):
    id: int
    name: str
    means: Means
    day: Day
    refused: int  # in the past day
    last_ts: int | None  # when the last event arrived
    silent_ts: int | None  # when its silence was noticed, None while it is none
    due_ts: int | None  # when it will count as silent
    paused_ts: int | None
    is_removed: bool = False  # its removal waits or is under way

    @property
    def state(self) -> State:
        if self.is_removed:
            return State.REMOVED
        if self.paused_ts is not None:
            return State.PAUSED
        if self.means.problem:
            return State.UNREAD
        if self.silent_ts is not None:
            return State.SILENT
        if self.refused:
            return State.REFUSED
        if self.means.is_file and self.last_ts is not None:
            return State.IMPORTED
        if self.day.events:
            return State.RECEIVING
        return State.WAITING if self.last_ts is None else State.QUIET

    @property
    def delay_ms(self) -> int | None:
        """Return the median delay; None for imported files, whose events are old."""
        return None if self.means.is_file else self.day.delay_ms(0.5)


class Reason(NamedTuple):
    """Records refused for the same reason: `errors` as they are stored, and the last such record."""

    errors: str
    records: int
    first_ts: int
    last_ts: int
    last_id: int


class KeyRow(NamedTuple):
    id: int
    name: str
    allow: str
    prefix: str
    created_ts: int
    last_ts: int | None


def all_of(now_s: int) -> list[SourceRow]:
    """Return the sources, without that of Stopa's own events."""
    return _rows(Source.select().where(Source.name != internal.SOURCE), now_s)


def one_of(source: Source, now_s: int) -> SourceRow:
    return _rows([source], now_s)[0]


def _rows(sources: Iterable[Source], now_s: int) -> list[SourceRow]:
    days, means, removed = source_hours.of_day(now_s), _means(), source_removal.removed()
    rhythms = {row.source_id: row for row in SourceRhythm.select()}
    since = (now_s - DAY_S) * 1000
    r = RefusedEvent
    refused = dict(
        r.select(r.source_id, fn.COUNT(r.id)).where(r.recorded_ms >= since).group_by(r.source_id).tuples()
    )
    return [
        _row(
            each, means[each.id], days.get(each.id, Day()), refused.get(each.id, 0), rhythms.get(each.id)
        )._replace(is_removed=each.id in removed)
        for each in sources
    ]


def _row(source: Source, means: Means, day: Day, refused: int, rhythm: SourceRhythm | None) -> SourceRow:
    arrived_ms = day.last_ms or (rhythm.arrived_ms if rhythm else None)
    due_ms, silent_ms = (rhythm.due_ms, rhythm.silent_ms) if rhythm else (None, None)
    return SourceRow(
        source.id,
        source.name,
        means._replace(is_file=source.is_file),
        day,
        refused,
        _seconds(arrived_ms or source.last_ms),
        _seconds(silent_ms),
        _seconds(due_ms),
        _seconds(source.paused_ms),
    )


def _seconds(ms: int | None) -> int | None:
    return None if ms is None else ms // 1000


def _means() -> Mapping[int, Means]:
    """Return by source how its events come."""
    found: dict[int, Means] = defaultdict(lambda: Means(None, (), None, "", False))
    for source_id, kind in Connector.select(Connector.source_id, Connector.kind).tuples():
        found[source_id] = found[source_id]._replace(connector=kind)
    sending = (ApiKey.allow == "ingest") & keys.is_valid()
    for source_id, name in ApiKey.select(ApiKey.source_id, ApiKey.name).where(sending).tuples():
        found[source_id] = found[source_id]._replace(keys=(*found[source_id].keys, name))
    for source_id, path, problem in Follow.select(Follow.source_id, Follow.path, Follow.problem).tuples():
        found[source_id] = found[source_id]._replace(log=path, problem=problem)
    for source_id, ident in Site.select(Site.source_id, Site.id).tuples():
        found[source_id] = found[source_id]._replace(site=ident)
    return found


def refused_by_hour(source_id: int, start: int) -> Counter[int]:
    """Return how many records were refused from `start` on, by the second of the hour."""
    r = RefusedEvent
    hour = r.recorded_ms / (HOUR_S * 1000)
    of_it = (r.source_id == source_id) & (r.recorded_ms >= start * 1000)
    query = r.select(hour.alias("hour"), fn.COUNT(r.id)).where(of_it).group_by(SQL("hour"))
    return Counter({int(hour) * HOUR_S: number for hour, number in query.tuples()})


def reasons(source_id: int, now_s: int) -> list[Reason]:
    """Return why records of the past week were refused, the most frequent first, of READ records."""
    r = RefusedEvent
    of_it = (r.source_id == source_id) & (r.recorded_ms >= (now_s - WEEK_S) * 1000)
    latest = r.select(r.id, r.errors, r.recorded_ms).where(of_it).order_by(r.recorded_ms.desc()).limit(READ)
    found: dict[str, Reason] = {}
    for ident, errors, ms in latest.tuples():
        known = found.get(errors, Reason(errors, 0, 0, ms // 1000, ident))
        found[errors] = known._replace(records=known.records + 1, first_ts=ms // 1000)
    return sorted(found.values(), key=lambda each: -each.records)[:REASONS]


def keys_of(source_id: int) -> list[KeyRow]:
    """Return the valid keys of a source."""
    k = ApiKey
    query = k.select(k.id, k.name, k.allow, k.prefix, k.created_ts, k.last_used_ts)
    found: list[KeyRow] = rows(
        query.where((k.source_id == source_id) & k.revoked_ts.is_null()).order_by(k.name), KeyRow
    )
    return found


def connector_of(source_id: int) -> int | None:
    """Return the id of the connector of a source."""
    ident: int | None = Connector.select(Connector.id).where(Connector.source == source_id).scalar()
    return ident


def last_event(day: Day) -> Any | None:
    """Return id and type of the last event of the past day."""
    return Event.select(Event.id, Event.type).where(Event.id == day.last_id).first() if day.last_id else None
