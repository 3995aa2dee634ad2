"""What is kept of the summary of an import."""

from __future__ import annotations

from typing import Any

import msgspec

from dashboard.ingest.importer import Done, Summary

NAMED = 10  # event types or users


class Counts(msgspec.Struct, frozen=True):
    """read = stored + repeated + refused; the other counts are those of ingest.tally.

    `unused` are event types that no figure uses, with counts; `members` users with calls who never sign in.
    """

    read: int = 0
    stored: int = 0
    repeated: int = 0
    refused: int = 0
    lines: int = 0
    blank: int = 0
    header: int = 0
    continued: int = 0
    left_out: int = 0
    absent: int = 0
    moved: int = 0
    twice: int = 0
    skipped: int = 0
    damaged: bool = False
    encoding: str = ""
    unused: tuple[tuple[str, int], ...] = ()
    members: tuple[str, ...] = ()
    first_ms: int | None = None
    last_ms: int | None = None
    last_caller: str = ""
    last_call_ms: int | None = None

    def as_json(self) -> dict[str, Any]:
        return dict(msgspec.to_builtins(self))


def of(summary: Summary) -> Counts:
    tally, call = summary.tally, summary.last_call
    return Counts(
        summary.read,
        summary.stored,
        summary.repeated,
        summary.refused,
        tally.lines,
        tally.blank,
        tally.header,
        tally.continued,
        tally.left_out,
        tally.absent,
        tally.moved,
        tally.changes.repeated,
        tally.changes.skipped,
        tally.damaged,
        tally.encoding,
        tuple(summary.unused.most_common(NAMED)),
        tuple(summary.members[:NAMED]),
        summary.first_ms,
        summary.last_ms,
        call[1] if call else "",
        call[0] if call else None,
    )


def partial(done: Done, refused: int) -> Counts:
    """Return the counts of an import that has not ended."""
    return Counts(done.read, done.stored, done.repeated, refused)


def read(stored: dict[str, Any]) -> Counts:
    return msgspec.convert(stored, Counts)
