"""The kinds of data with a period of retention: what is counted and what is deleted of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from peewee import fn

from dashboard import clock
from dashboard.audit import retention as audit
from dashboard.db import Model, pieces
from dashboard.events.kept import Kept
from dashboard.i18n.message import N_
from dashboard.models import AuditEntry, ExportFile, FileImport, ImportPart, ImportRefused, RefusedEvent, Run
from dashboard.retention import content, days, log
from dashboard.rules import runs

MOST = 36_500  # days
FILES_AT_ONCE = 20  # a file may have hundreds of parts


class Stock(NamedTuple):
    """What is stored of a kind: how many rows, the time of the oldest in ms, and how many rows will go.

    Both numbers go up to pieces.MOST; one more stands for "more".
    """

    rows: int
    oldest_ms: int | None
    gone: int


class RetentionKind(NamedTuple):
    """A kind of data. It is kept for `least` to MOST days, or for ever where it `may_stay`.

    `stock` takes the beginning of what is kept in ms, None where everything is; `delete` deletes what is
    older in pieces and yields the number of rows of each.
    """

    kept: Kept
    label: str
    hint: str
    least: int
    may_stay: bool
    stock: Callable[[int | None], Stock]
    delete: Callable[[int], Iterator[int]]


def _stock(model: type[Model], time_ms: Any, gone: Callable[[int], Any]) -> Callable[[int | None], Stock]:
    """Return the function that describes the rows of a table with their times; `gone` is the condition."""
    table: Any = model

    def stock(before_ms: int | None) -> Stock:
        oldest_ms = table.select(fn.MIN(time_ms)).scalar()
        old = 0 if before_ms is None else pieces.count(table.select().where(gone(before_ms)))
        return Stock(pieces.count(table.select()), oldest_ms, old)

    return stock


def _expired_files(before_ms: int) -> Any:
    return (ExportFile.created_ts * 1000 < before_ms) | (ExportFile.expires_ts <= clock.now_s())


def _delete_files(before_ms: int) -> Iterator[int]:
    """Delete exported files, and the content of imported ones, which are kept for days of their own."""
    yield from pieces.delete(ExportFile, _expired_files(before_ms), most=FILES_AT_ONCE)
    f = FileImport
    over = f.select(f.id).where(f.expires_ts <= clock.now_s())
    yield from pieces.delete(ImportPart, ImportPart.file.in_(over), most=FILES_AT_ONCE)
    yield from pieces.delete(ImportRefused, ImportRefused.file.in_(over))


def _expired_refused(before_ms: int) -> Any:
    return RefusedEvent.recorded_ms < before_ms


def _stock_of_runs(before_ms: int | None) -> Stock:
    oldest_ms = Run.select(fn.MIN(Run.made_ms)).scalar()
    gone = () if before_ms is None else runs.expired(before_ms)
    old = sum(pieces.count(Run.select().where(each)) for each in gone)
    return Stock(pieces.count(Run.select()), oldest_ms, min(old, pieces.MOST + 1))


KINDS = (
    RetentionKind(
        Kept.CONTENT,
        N_("Contacts and content"),
        N_("Names, numbers and addresses of contacts, titles, texts and notifications. Figures stay."),
        1,
        True,
        lambda before_ms: Stock(*content.stock(before_ms)),
        content.delete,
    ),
    RetentionKind(
        Kept.EVENTS,
        N_("Events"),
        N_("Only of interactions that have ended. Figures stay; older events are no longer accepted."),
        7,
        True,
        lambda before_ms: Stock(*log.stock(before_ms)),
        log.delete,
    ),
    RetentionKind(
        Kept.INTERVALS,
        N_("Users' days and figures"),
        N_("Sign-ins, pauses and work on interactions, with all figures of these days."),
        31,
        True,
        lambda before_ms: Stock(*days.stock(before_ms)),
        days.delete,
    ),
    RetentionKind(
        Kept.AUDIT,
        N_("Audit log"),
        N_("What is left still verifies, and an entry says what was deleted."),
        31,
        True,
        _stock(AuditEntry, AuditEntry.occurred_ms, lambda before_ms: AuditEntry.occurred_ms < before_ms),
        audit.purge,
    ),
    RetentionKind(
        Kept.EXPORTS,
        N_("Exported files"),
        N_("Files that were made in the background. Imported files are kept for 7 days."),
        1,
        False,
        _stock(ExportFile, ExportFile.created_ts * 1000, _expired_files),
        _delete_files,
    ),
    RetentionKind(
        Kept.REFUSED,
        N_("Refused events"),
        N_("What sources sent and Stopa could not store."),
        1,
        False,
        _stock(RefusedEvent, RefusedEvent.recorded_ms, _expired_refused),
        lambda before_ms: pieces.delete(RefusedEvent, _expired_refused(before_ms)),
    ),
    RetentionKind(
        Kept.RUNS,
        N_("Rule runs"),
        N_("The newest 50 of each rule and outcome stay."),
        1,
        False,
        _stock_of_runs,
        runs.delete_expired,
    ),
)
