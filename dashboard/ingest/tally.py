"""What a summary says of a file besides its records. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from dashboard.ingest.times import ClockChanges


@dataclass
class Tally:
    """Counts of the lines of a file: lines = header + blank + left_out + records + continued, always.

    `continued` are lines of records that span several, `left_out` rows of a table that `where` leaves out.
    `moved` are events moved to the next day, `absent` those of rows that give several which lack a time or
    user of their own. `encoding` is what the file is read as; a `damaged` gzip file ends too early.
    """

    lines: int = 0
    header: int = 0
    blank: int = 0
    left_out: int = 0
    records: int = 0
    continued: int = 0
    moved: int = 0
    absent: int = 0
    changes: ClockChanges = field(default_factory=ClockChanges)
    encoding: str = ""
    damaged: bool = False
